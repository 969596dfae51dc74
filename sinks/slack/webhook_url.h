#pragma once
#include <string>
#include <string_view>

namespace slack {

/// Slack's two kinds of webhooks have different bodies; the path shows the kind (docs.slack.dev/messaging).
enum class Kind {
  kMessage,   ///< incoming webhook: a message with blocks; also every Slack-compatible server
  kWorkflow,  ///< Workflow Builder: one flat JSON object of strings
};

Kind KindOf(std::string_view url);

/// Why `url` is not a valid webhook URL, as a text for the operator, or "". Never quotes the URL, because it is the
/// credential.
std::string ProblemWith(std::string_view url, bool allow_any_host);

}  // namespace slack
