#include "answers.h"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cmath>
#include <limits>

#include "text.h"

namespace slack {
namespace {

enum class Class { kRetry, kLimited, kRejected, kMisconfigured, kBlocks };

struct Word {
  std::string_view word;
  Class means;
  std::string_view reason;
  std::string_view action;
};

constexpr std::string_view kNewUrl =
    "make a new webhook at api.slack.com/apps > your app > Incoming Webhooks, put its URL into webhook_url and reload";
constexpr std::string_view kAskAdmin =
    "ask an admin of the workspace to allow this app to post there, then resume the sink";
constexpr std::string_view kReport = "this is a fault of the Slack sink: please report it with the event's id";

// docs.slack.dev/messaging/sending-messages-using-incoming-webhooks, "Handling errors"; Slack's changelog of May 2016;
// the error tables of chat.postMessage; words seen by other clients.
constexpr std::array kWords = {
    Word{"invalid_blocks", Class::kBlocks, "Slack refused the layout of the message", kReport},
    Word{"invalid_blocks_format", Class::kBlocks, "Slack refused the layout of the message", kReport},
    Word{"msg_blocks_too_long", Class::kBlocks, "Slack found the message's blocks too long", kReport},
    Word{"invalid_payload", Class::kRejected, "Slack could not read the message", kReport},
    Word{"invalid_attachments", Class::kRejected, "Slack refused the message's attachments", kReport},
    Word{"too_many_attachments", Class::kRejected, "Slack found too many attachments in the message", kReport},
    Word{"no_text", Class::kRejected, "Slack found no text in the message", kReport},
    Word{"missing_text_or_fallback_or_attachments", Class::kRejected, "Slack found no text in the message", kReport},
    Word{"user_not_found", Class::kMisconfigured, "the user that this webhook writes to no longer exists", kNewUrl},
    Word{"invalid_token", Class::kMisconfigured, "the webhook URL is wrong or was revoked", kNewUrl},
    Word{"action_prohibited", Class::kMisconfigured, "an admin of the workspace forbids this webhook to post",
         kAskAdmin},
    Word{"posting_to_general_channel_denied", Class::kMisconfigured,
         "the webhook writes to #general, and only some members may post there", kAskAdmin},
    Word{"team_disabled", Class::kMisconfigured, "the Slack workspace is disabled",
         "point webhook_url to a workspace that is in use and reload"},
    Word{"channel_not_found", Class::kMisconfigured, "the webhook's channel no longer exists, or was made private",
         "make a new webhook for an existing channel, put its URL into webhook_url and reload"},
    Word{"channel_is_archived", Class::kMisconfigured, "the webhook's channel is archived",
         "unarchive the channel and resume the sink, or make a webhook for another channel"},
    Word{"no_active_hooks", Class::kMisconfigured, "the webhook is disabled", kNewUrl},
    Word{"no_service", Class::kMisconfigured, "the webhook is disabled, removed or wrong", kNewUrl},
    Word{"no_service_id", Class::kMisconfigured, "the webhook is disabled, removed or wrong", kNewUrl},
    Word{"no_hooks", Class::kMisconfigured, "the webhook was removed", kNewUrl},
    Word{"no_team", Class::kMisconfigured, "the webhook's workspace does not exist, or the app was removed from it",
         kNewUrl},
    Word{"rate_limited", Class::kLimited, "Slack limits the rate of messages", ""},
    Word{"ratelimited", Class::kLimited, "Slack limits the rate of messages", ""},
    Word{"rollup_error", Class::kRetry, "Slack had an internal error", ""},
    Word{"internal_error", Class::kRetry, "Slack had an internal error", ""},
    Word{"fatal_error", Class::kRetry, "Slack had an internal error", ""},
    Word{"service_unavailable", Class::kRetry, "Slack is unavailable", ""},
    Word{"request_timeout", Class::kRetry, "Slack did not read the request in time", ""},
};

constexpr std::string_view kWorkflowVariables =
    "give the workflow's webhook the text variables title, status, agent, call_id, duration, text, transcript and link";

// Slack states the pause after too many messages in a header, in the body or in both. If it states none, pause long
// enough that the next try is not limited again.
constexpr std::uint32_t kPauseMs = 30'000;

struct Answer {
  std::string word;                  ///< "" if there is none
  bool ok_false = false;             ///< JSON {"ok": false}
  std::uint32_t retry_after_ms = 0;  ///< JSON {"retry_after": seconds}; 0 if there is none
};

std::uint32_t Milliseconds(const boost::json::value& seconds) {
  boost::system::error_code error;
  const double ms = std::ceil(seconds.to_number<double>(error) * 1000);
  if (error || !(ms > 0)) return 0;
  return static_cast<std::uint32_t>(std::min(ms, double{std::numeric_limits<std::uint32_t>::max()}));
}

Answer Read(std::string_view body) {
  Answer answer;
  const auto first = body.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return answer;
  body = body.substr(first, body.find_last_not_of(" \t\r\n") - first + 1);
  if (body.size() <= 100) {
    std::string word(body);
    for (char& c : word) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    if (word == "no hooks") word = "no_hooks";  // sent by very old integrations
    if (word.find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string::npos) {
      answer.word = word;
      return answer;
    }
  }
  boost::system::error_code error;
  const auto value = boost::json::parse(body, error);
  const auto* object = error ? nullptr : value.if_object();
  if (!object) return answer;
  if (const auto* ok = object->if_contains("ok"); ok && ok->is_bool()) answer.ok_false = !ok->get_bool();
  if (const auto* pause = object->if_contains("retry_after")) answer.retry_after_ms = Milliseconds(*pause);
  if (const auto* word = object->if_contains("error"); word && word->is_string()) {
    if (const std::string_view text(word->get_string()); IsErrorWord(text)) answer.word = text;
  }
  return answer;
}

std::uint32_t PauseMs(const Answer& answer, const hsw::Response& response) {
  if (response.RetryAfterMs() > 0) return response.RetryAfterMs();
  return answer.retry_after_ms > 0 ? answer.retry_after_ms : kPauseMs;
}

hsw::Outcome Refused(const Word& word, bool plain, const Answer& answer, const hsw::Response& response) {
  const std::string code(word.word), reason = std::string(word.reason) + " (" + code + ")", action(word.action);
  switch (word.means) {
    case Class::kLimited: return hsw::Outcome::Retry(code, reason).RetryAfterMs(PauseMs(answer, response));
    case Class::kRetry: {
      auto outcome = hsw::Outcome::Retry(code, reason).RetryAfterMs(response.RetryAfterMs());
      if (response.Status() >= 500) outcome.MaybeDelivered();
      return outcome;
    }
    case Class::kRejected: return hsw::Outcome::Rejected(code, reason).Action(action);
    // A webhook has one channel and is its own credential, so an error of either affects every message.
    case Class::kMisconfigured: return hsw::Outcome::Misconfigured(code, reason, action).OfSink();
    case Class::kBlocks:
      if (plain) return hsw::Outcome::Rejected(code, reason + ", and its text alone, too").Action(action);
      return hsw::Outcome::Next(std::string(kPlain))
          .Code(code)
          .Reason(reason + "; it goes out as text alone")
          .Action(action);
  }
  return hsw::Outcome::Retry(code, reason);
}

/// Whether a word of this meaning is credible with this status.
bool Fits(Class means, int status) {
  if (status >= 500) return means == Class::kRetry;
  return status != 429 || means == Class::kLimited;
}

bool IsPage(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && body[first] == '<';
}

}  // namespace

hsw::Outcome Classify(Server server, bool plain, const hsw::Response& response) {
  const int status = response.Status();
  const bool success = status >= 200 && status < 300;
  const Answer answer = Read(response.Body());

  // A workflow responds 2xx with an empty body, any text or {"ok":true}; treating one as a failure would run it twice.
  if (success && (answer.word == "ok" || (server == Server::kWorkflow && !answer.ok_false))) {
    return hsw::Outcome::Delivered();
  }
  for (const Word& word : kWords) {
    if (word.word == answer.word && Fits(word.means, status)) return Refused(word, plain, answer, response);
  }
  if (success && server == Server::kCompatible && !answer.ok_false && !IsPage(response.Body())) {
    return hsw::Outcome::Delivered();
  }
  const std::string what = "Slack answered HTTP " + std::to_string(status) + " with " + Quote(response.Body());
  if (!success) {
    auto outcome = hsw::FromHttp(response);
    if (status >= 500) {
      outcome = hsw::Outcome::Retry("http_" + std::to_string(status), what)
                    .RetryAfterMs(response.RetryAfterMs())
                    .MaybeDelivered();
    }
    outcome.Reason(what);
    if (status == 429) outcome.RetryAfterMs(PauseMs(answer, response));
    if (outcome.status() == HSW_RETRY) return outcome;
    if (!answer.word.empty() && answer.word != "ok") outcome.Code(answer.word);
    if (outcome.status() == HSW_MISCONFIGURED) outcome.Action(std::string(kNewUrl));
    return outcome;
  }
  // The URL may belong to a web page, or a proxy may reject this text.
  const std::string code = answer.word.empty() ? "unexpected_answer" : answer.word;
  if (server == Server::kWorkflow) return hsw::Outcome::Misconfigured(code, what, std::string(kWorkflowVariables));
  auto outcome =
      hsw::Outcome::Misconfigured(code, what + " instead of \"ok\"",
                                  "check that webhook_url is the URL of a Slack webhook and not of a page or a proxy");
  if (!answer.ok_false) outcome.MaybeDelivered();
  return outcome;
}

}  // namespace slack
