#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/event/message.h"

namespace hookswitch {

/// The rule that a notice's delivery names.
inline constexpr std::string_view kNoticeRule = "notify_problems_to";

/// What hookswitch tells an operator of a sink in trouble, or of itself. It is stored as an event of its own source
/// (kOwnSource) and delivered like any other.
Message BrokenNotice(const std::string& sink, const std::string& because, std::uint64_t pending);
Message FailingNotice(const std::string& sink, const std::string& because, std::uint64_t pending);
Message WorksAgainNotice(const std::string& sink, std::uint64_t pending);
/// `reasons`, `places`: text, and how many deliveries.
Message DeadNotice(const std::string& sink, std::uint64_t count, const std::map<std::string, std::uint64_t>& reasons,
                   std::uint64_t pending);
Message PlacesNotice(const std::string& sink, const std::map<std::string, std::uint64_t>& places,
                     std::uint64_t pending);
/// The last reload was refused because of `problems`, a line each; and it was applied again.
Message ReloadFailedNotice(const std::string& problems);
Message ReloadWorksNotice();

/// A notice as an event's body, and back; empty if `body` is none.
std::string NoticeBody(const Message& notice);
std::optional<Message> ReadNotice(std::string_view body);

}  // namespace hookswitch
