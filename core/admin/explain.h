#pragma once
#include <memory>
#include <variant>

#include "core/base/json.h"
#include "core/event/call_event.h"
#include "core/routing/route_table.h"
#include "core/sources/field_paths.h"
#include "core/sources/source.h"

/// Reading and routing a payload for people: `hookswitch route`, `hookswitch preview` and POST /api/v1/explain.
namespace hookswitch {

/// An event read from a payload, and how the rules route it.
struct Explained {
  std::shared_ptr<const CallEvent> event;  ///< not nullptr
  FieldPaths paths;                        ///< where its fields are in the payload
  Explanation explanation;                 ///< its routes borrow from the RouteTable
};

/// The time that schedules are judged by: the event's own, or when it was received.
enum class JudgedBy { kOwnTime, kArrival };

/// Reads `request` as a source reads what a platform posts (`request.paths` is not used), and routes the event. What is
/// no step of a call is a Refusal "not_a_call".
std::variant<Explained, Refusal> ExplainPayload(const Source& source, const RawRequest& request,
                                                const RouteTable& routes, JudgedBy judged_by);

/// {"event","rules","deliveries"}
json::object ToObject(const Explained& explained);

/// [{"field","value","path"}]: the fields of the normalized event that have a value, objects with dots
/// ("data.General.Outcome"). `path`: where in the payload it was read; null if it is not from one part of it.
json::array FieldsOf(const CallEvent& event, const FieldPaths& paths);

}  // namespace hookswitch
