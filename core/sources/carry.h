#pragma once
#include <cstddef>
#include <string>
#include <string_view>

#include "core/event/call_event.h"
#include "core/sources/field_paths.h"

/// A platform's last event of a call may say less than the ones before it: the analysis comes without the transcript.
/// What it lacks is carried over from the earlier events and stored beside its body, so that it reads the same later.
/// Identity, status, stage and error are never carried. Every function: [thread: any].
namespace hookswitch {

/// The name of what was carried among a request's headers; no header can have it.
inline constexpr std::string_view kCarriedName = "?carried";

/// Limit of what is kept of a call, in bytes of JSON: it is read and written again with each event of the call.
inline constexpr std::size_t kMaxCarriedBytes = 256 << 10;

/// What `event` says and, where it says nothing, `before`, the result of SaidSoFar for the call's earlier events (""
/// for none): a part of the normalized event's JSON, on one line. Over kMaxCarriedBytes without the transcript; if it
/// is still larger, `before`.
std::string SaidSoFar(const CallEvent& event, std::string_view before);

/// Fills what `event` lacks from `before`, and returns that in the same form, as AddCarried takes it; "" for nothing.
std::string CarryInto(CallEvent& event, std::string_view before);

/// Fills what `event` lacks from `carried`; a text that is no part of an event changes nothing. `paths`: gets "carried"
/// for each field; nullptr: no notes are wanted.
void AddCarried(CallEvent& event, std::string_view carried, FieldPaths* paths = nullptr);

}  // namespace hookswitch
