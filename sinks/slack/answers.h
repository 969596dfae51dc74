#pragma once
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"
#include "webhook_url.h"

namespace slack {

/// The state of the second step: Slack refused the blocks, so the same message goes out once more as text alone.
inline constexpr std::string_view kPlain = "plain";

/// What Slack's answer means. `plain` says that the request had no blocks. Slack answers with one bare word, with JSON
/// when it limits the rate, and the word says more than the status: the word decides, the status only where the word is
/// unknown.
hsw::Outcome Classify(Kind kind, bool plain, const hsw::Response& response);

}  // namespace slack
