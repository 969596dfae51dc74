#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/event/call_event.h"
#include "core/event/message.h"

namespace hookswitch {

/// Rule name of a notice's delivery.
inline constexpr std::string_view kNoticeRule = "notify_problems_to";

/// Notices to the operator about a sink in trouble, or about hookswitch itself. Stored as events of source kOwnSource
/// and delivered like any other.
Message BrokenNotice(const std::string& sink, const std::string& reason, std::uint64_t pending);
Message FailingNotice(const std::string& sink, const std::string& reason, std::uint64_t pending);
Message WorksAgainNotice(const std::string& sink, std::uint64_t pending);
/// `reasons`, `places`: text to number of deliveries.
Message DeadNotice(const std::string& sink, std::uint64_t count, const std::map<std::string, std::uint64_t>& reasons,
                   std::uint64_t pending);
Message PlacesNotice(const std::string& sink, const std::map<std::string, std::uint64_t>& places,
                     std::uint64_t pending);
/// The last reload was rejected because of `problems`, one per line.
Message ReloadFailedNotice(const std::string& problems);
/// A later one was applied.
Message ReloadWorksNotice();

/// The event of a stored notice.
CallEvent NoticeEvent(std::string id, WallTime received_at);
/// Puts `story`, why the sink that fell back gave up, above the message's text; "" for none.
void AddStory(Message& message, const std::string& story);

/// A notice as an event's body, and back; empty if `body` is not a notice.
std::string NoticeBody(const Message& notice);
std::optional<Message> ReadNotice(std::string_view body);

}  // namespace hookswitch
