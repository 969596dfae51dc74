#pragma once
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"
#include "webhook_url.h"

namespace slack {

/// State of the second step: Slack rejected the blocks, so the message is sent again as text only.
inline constexpr std::string_view kPlain = "plain";

/// Kind of server, which determines what a success looks like.
enum class Server {
  kMessage,     ///< Slack's incoming webhooks: "ok" and nothing else
  kWorkflow,    ///< Workflow Builder: any 2xx that does not say {"ok":false}
  kCompatible,  ///< a Slack-compatible server: as kWorkflow, but no HTML page and none of Slack's error words
};

/// Turns a response into an outcome. `plain`: the request had no blocks. Slack responds with one bare word, or JSON
/// when rate-limited. Below 500 the word decides, except with a 429 or if it is unknown; from 500 on the status
/// decides, because the message may have been posted.
hsw::Outcome Classify(Server server, bool plain, const hsw::Response& response);

}  // namespace slack
