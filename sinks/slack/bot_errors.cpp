#include "bot_errors.h"

#include <array>
#include <string_view>

#include "text.h"

namespace slack {
namespace {

enum class Class {
  kLimited,
  kRetry,
  kLayout,    ///< the blocks of this message
  kUpdate,    ///< the message to update
  kThread,    ///< the message to reply to
  kRejected,  ///< this message
  kChannel,   ///< the channel, or the app in it
  kSink,      ///< the token, the app, the workspace
  kUnknown,
};

struct Word {
  std::string_view word;
  Class means;
  std::string_view reason;
  std::string_view action;
};

constexpr std::string_view kNewToken =
    "copy the bot's token from api.slack.com/apps > your app > OAuth & Permissions into token and reload";
constexpr std::string_view kInvite = "invite the app: /invite @your-app in the channel, then resume the sink";
constexpr std::string_view kChannel =
    "set the channel's ID (channel's details > About, at the end: C…), invite the app there and reload";
constexpr std::string_view kScopes =
    "add the scope at api.slack.com/apps > your app > OAuth & Permissions, install the app again, then resume the sink";
constexpr std::string_view kAskAdmin =
    "ask an admin of the workspace to allow this app to post there, then resume the sink";
constexpr std::string_view kReport = "this is a fault of the Slack sink: please report it with the event's id";

// The error tables of docs.slack.dev/reference/methods: chat.postMessage, chat.update, files.getUploadURLExternal,
// files.completeUploadExternal.
constexpr std::array kWords = {
    Word{"ratelimited", Class::kLimited, "Slack limits the rate of messages", ""},
    Word{"rate_limited", Class::kLimited, "Slack limits the rate of messages", ""},
    Word{"message_limit_exceeded", Class::kLimited, "the workspace has posted too many messages", ""},
    Word{"service_unavailable", Class::kRetry, "Slack is unavailable", ""},
    Word{"internal_error", Class::kRetry, "Slack had an internal error", ""},
    Word{"fatal_error", Class::kRetry, "Slack had an internal error", ""},
    Word{"request_timeout", Class::kRetry, "Slack did not read the request in time", ""},
    Word{"update_failed", Class::kRetry, "Slack could not change the message now", ""},
    Word{"team_added_to_org", Class::kRetry, "the workspace is being moved to an organization", ""},
    Word{"org_login_required", Class::kRetry, "the workspace is being moved to an organization", ""},
    Word{"external_channel_migrating", Class::kRetry, "the channel is being moved", ""},
    Word{"invalid_blocks", Class::kLayout, "Slack refused the layout of the message", kReport},
    Word{"invalid_blocks_format", Class::kLayout, "Slack refused the layout of the message", kReport},
    Word{"msg_blocks_too_long", Class::kLayout, "Slack found the message's blocks too long", kReport},
    Word{"block_mismatch", Class::kLayout, "Slack refused the layout of the message", kReport},
    Word{"msg_too_long", Class::kUpdate, "Slack found the message too long to be changed", ""},
    Word{"cant_update_message", Class::kUpdate, "this app may not change the message", ""},
    Word{"edit_window_closed", Class::kUpdate, "the workspace no longer lets the message be changed", ""},
    Word{"is_inactive", Class::kUpdate, "the message's channel is frozen", ""},
    Word{"streaming_state_conflict", Class::kUpdate, "the message cannot be changed", ""},
    Word{"message_not_found", Class::kThread, "the call's first message has been deleted", ""},
    Word{"thread_not_found", Class::kThread, "the call's first message has been deleted", ""},
    Word{"invalid_thread_ts", Class::kThread, "the call's first message has been deleted", ""},
    Word{"cannot_reply_to_message", Class::kThread, "the call's first message takes no replies", ""},
    Word{"restricted_action_non_threadable_channel", Class::kThread, "the channel takes no replies", ""},
    Word{"restricted_action_thread_locked", Class::kThread, "the thread is locked", ""},
    Word{"not_authed", Class::kSink, "the token is missing", kNewToken},
    Word{"invalid_auth", Class::kSink, "the token is wrong, or does not work from this address", kNewToken},
    Word{"invalid_token", Class::kSink, "the token is wrong", kNewToken},
    Word{"account_inactive", Class::kSink, "the app has been removed from the workspace", kNewToken},
    Word{"token_revoked", Class::kSink, "the token has been revoked", kNewToken},
    Word{"token_expired", Class::kSink, "the token has expired", kNewToken},
    Word{"not_allowed_token_type", Class::kSink, "the token is of the wrong kind", kNewToken},
    Word{"missing_scope", Class::kSink, "the app lacks a permission", kScopes},
    Word{"no_permission", Class::kSink, "the app lacks a permission", kScopes},
    Word{"two_factor_setup_required", Class::kSink, "the workspace demands two-factor authentication", kAskAdmin},
    Word{"access_denied", Class::kSink, "the workspace denies access", kAskAdmin},
    Word{"accesslimited", Class::kSink, "the workspace limits access", kAskAdmin},
    Word{"ekm_access_denied", Class::kSink, "the organization has suspended access", kAskAdmin},
    Word{"enterprise_is_restricted", Class::kSink, "the organization does not allow it", kAskAdmin},
    Word{"app_access_restricted", Class::kSink, "the workspace restricts the app", kAskAdmin},
    Word{"restricted_action", Class::kChannel, "the workspace restricts who may post", kAskAdmin},
    Word{"restricted_action_read_only_channel", Class::kChannel, "the channel is read-only", kAskAdmin},
    Word{"restricted_action_thread_only_channel", Class::kChannel, "the channel takes replies only", kAskAdmin},
    Word{"messages_tab_disabled", Class::kChannel, "the app takes no direct messages", kAskAdmin},
    Word{"channel_not_found", Class::kChannel, "the channel does not exist, or is private and without the app",
         kChannel},
    Word{"invalid_channel", Class::kChannel, "the channel is none", kChannel},
    Word{"not_in_channel", Class::kChannel, "the app is not in the channel", kInvite},
    Word{"is_archived", Class::kChannel, "the channel is archived",
         "unarchive the channel and resume the sink, or set another one"},
    Word{"user_not_found", Class::kChannel, "the user that the message was for does not exist", kChannel},
    Word{"user_disabled", Class::kChannel, "the user that the message was for has been deactivated", kChannel},
    Word{"cannot_dm_bot", Class::kChannel, "the message was for a bot, which reads none", kChannel},
    Word{"team_not_found", Class::kChannel, "with this token a channel's name is not enough", kChannel},
    Word{"team_access_not_granted", Class::kSink, "the token does not reach the workspace", kNewToken},
    Word{"method_deprecated", Class::kSink, "Slack has retired what the sink uses", "update hookswitch"},
    Word{"deprecated_endpoint", Class::kSink, "Slack has retired what the sink uses", "update hookswitch"},
    Word{"unknown_method", Class::kSink, "the server does not know what the sink uses", "check api_url"},
};

/// Classifies words that are not in the table. Those about a message name its fault: invalid_attachments,
/// too_many_attachments, no_text, markdown_text_conflict, metadata_too_large.
bool IsAboutMessage(std::string_view word) {
  for (const char* start :
       {"invalid_", "no_text", "too_many_", "missing_", "markdown_", "metadata_", "json_", "msg_"}) {
    if (word.starts_with(start)) return true;
  }
  for (const char* end : {"_too_long", "_too_large", "_conflict", "_limit_exceeded"}) {
    if (word.ends_with(end)) return true;
  }
  return false;
}

// Default pause if Slack states none: long enough that the next try is not limited again.
constexpr std::uint32_t kPauseMs = 30'000;

/// Slack's details: the missing scope, or what is wrong with the message.
std::string Detail(const hsw::Response& response) {
  if (const auto needed = response.Json("/needed")) return ": needs " + Quote(*needed);
  for (const char* pointer : {"/response_metadata/messages/0", "/errors/0"}) {
    if (const auto said = response.Json(pointer)) return ": " + Quote(*said);
  }
  return "";
}

BotError Made(Class means, const hsw::Response& response, std::string code, std::string reason, std::string action) {
  auto outcome = hsw::Outcome::Rejected(code, reason).Action(action);
  const auto pause = response.RetryAfterMs();
  if (means == Class::kLimited) outcome = hsw::Outcome::Retry(code, reason).RetryAfterMs(pause ? pause : kPauseMs);
  // Slack warns that the request may have been partly executed.
  if (means == Class::kRetry) outcome = hsw::Outcome::Retry(code, reason).RetryAfterMs(pause).MaybeDelivered();
  if (means == Class::kChannel || means == Class::kSink || means == Class::kUnknown) {
    outcome = hsw::Outcome::Misconfigured(code, reason, action);
    if (means == Class::kChannel) outcome.OfPlace();  // the channel named by the request's pace
    if (means == Class::kSink) outcome.OfSink();
  }
  BotError error{std::move(outcome), std::move(code), std::move(reason), std::move(action)};
  error.is_layout = means == Class::kLayout;
  error.is_about_update = means == Class::kUpdate || means == Class::kThread;
  error.is_about_thread = means == Class::kThread;
  return error;
}

BotError Busy(const hsw::Response& response) {
  const std::string status = std::to_string(response.Status());
  if (status == "429") return Made(Class::kLimited, response, "ratelimited", "Slack limits the rate of messages", "");
  return Made(Class::kRetry, response, "http_" + status, "Slack answered HTTP " + status, "");
}

}  // namespace

BotError ReadUploadError(const hsw::Response& response) {
  const int status = response.Status();
  if (status == 429 || status >= 500) return Busy(response);
  return Made(Class::kRejected, response, "upload_failed",
              "Slack did not take the file: HTTP " + std::to_string(status), "");
}

BotError ReadError(const hsw::Response& response) {
  const int status = response.Status();
  const std::string word(response.Json("/error").value_or(""));
  if (status == 429 || status >= 500) return Busy(response);
  for (const Word& known : kWords) {
    if (known.word != word) continue;
    return Made(known.means, response, word, std::string(known.reason) + " (" + word + ")" + Detail(response),
                std::string(known.action));
  }
  if (!word.empty()) {
    const std::string code = IsErrorWord(word) ? word : "unknown_error";
    const std::string reason = "Slack refused the message: " + Quote(word) + Detail(response);
    if (IsAboutMessage(word)) return Made(Class::kRejected, response, code, reason, std::string(kReport));
    const bool channel = word.starts_with("restricted_action");
    return Made(channel ? Class::kChannel : Class::kUnknown, response, code, reason,
                "see what Slack says of " + Quote(word) + " at docs.slack.dev/reference/methods/chat.postMessage");
  }
  return Made(Class::kUnknown, response, "not_slack",
              "the answer is not one of Slack's: HTTP " + std::to_string(status) + " with " + Quote(response.Body()),
              "check api_url, and what stands between hookswitch and Slack");
}

}  // namespace slack
