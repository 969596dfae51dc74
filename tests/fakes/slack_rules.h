#pragma once
#include <string>
#include <string_view>

#include "core/base/json.h"

/// What Slack would refuse, from its published limits (docs.slack.dev/reference/block-kit; @slack/types; slack_sdk
/// models). Stricter than Slack in one way: keys that Slack would ignore are refused, since they are always a mistake
/// of ours.
namespace hookswitch::fakes {

/// "" if an incoming webhook would post `message`; else Slack's error word, ": " and what is wrong where:
/// "invalid_blocks: blocks[0].text.text: at most 150 characters, has 151". Lengths are code points.
std::string CheckSlackMessage(const json::value& message);
/// "" if a Workflow Builder webhook would take `payload`: a flat JSON object of strings.
std::string CheckSlackWorkflow(const json::value& payload);
/// The check that Slack would make of a body posted to `path` (/services/…, /workflows/…, /triggers/…); a body that is
/// not JSON is "invalid_payload: …", another path "no_service: …".
std::string CheckSlackRequest(std::string_view path, std::string_view body);

/// The word before the colon.
std::string_view SlackErrorWord(std::string_view problem);
/// The HTTP status that Slack sends with an error word.
int SlackErrorStatus(std::string_view word);

}  // namespace hookswitch::fakes
