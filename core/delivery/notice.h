#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/message.h"

namespace hookswitch {

/// The rule that a notice's delivery names.
inline constexpr std::string_view kNoticeRule = "notify_problems_to";

/// What hookswitch tells an operator of a sink in trouble. It is stored as an event of its own source (kOwnSource) and
/// delivered like any other.
Message BrokenNotice(const std::string& sink, const std::string& because, std::uint64_t pending);
Message FailingNotice(const std::string& sink, const std::string& because, std::uint64_t pending);
Message WorksAgainNotice(const std::string& sink, std::uint64_t pending);

/// A notice as an event's body, and back; empty if `body` is none.
std::string NoticeBody(const Message& notice);
std::optional<Message> ReadNotice(std::string_view body);

}  // namespace hookswitch
