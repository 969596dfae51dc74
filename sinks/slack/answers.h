#pragma once
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"
#include "webhook_url.h"

namespace slack {

/// The state of the second step: Slack refused the blocks, so the same message goes out once more as text alone.
inline constexpr std::string_view kPlain = "plain";

/// Who answers, which decides what a success looks like.
enum class Server {
  kMessage,     ///< Slack's incoming webhooks: "ok" and nothing else
  kWorkflow,    ///< Workflow Builder: any 2xx that does not say {"ok":false}
  kCompatible,  ///< a server that speaks Slack's language: the same, but no page and no word that Slack refuses with
};

/// What the answer means. `plain` says that the request had no blocks. Slack answers with one bare word, with JSON when
/// it limits the rate, and the word says more than the status: below 500 the word decides, the status only where the
/// word is unknown or beside a 429. From 500 on the status decides: whatever the body says, the message may have been
/// posted.
hsw::Outcome Classify(Server server, bool plain, const hsw::Response& response);

}  // namespace slack
