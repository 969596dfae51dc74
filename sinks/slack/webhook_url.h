#pragma once
#include <string>
#include <string_view>

namespace slack {

/// Slack has webhooks of two kinds with different bodies; the path tells which (docs.slack.dev/messaging).
enum class Kind {
  kMessage,   ///< incoming webhook: a message with blocks; also every Slack-compatible server
  kWorkflow,  ///< Workflow Builder: one flat JSON object of strings
};

Kind KindOf(std::string_view url);

/// What is wrong with `url` as a webhook URL, in words for the operator, or "". Never quotes the URL: it is the
/// credential.
std::string ProblemWith(std::string_view url, bool allow_any_host);

}  // namespace slack
