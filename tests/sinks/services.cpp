#include "tests/sinks/services.h"

#include <initializer_list>
#include <string_view>
#include <utility>

namespace hookswitch::test {
namespace {

std::string Error(const char* key, const std::string& value) {
  return "{\"" + std::string(key) + "\":" + value + "}";
}

/// What any server or a firewall before it may answer, without a word of the service.
std::vector<Answer> Statuses(std::vector<Answer> own) {
  for (const int status : {403, 404, 410}) own.push_back({status, "<html>no</html>", About::kUnknown, ""});
  for (const int status : {301, 307, 401, 407}) own.push_back({status, "<html>no</html>", About::kSink, ""});
  for (const int status : {408, 425, 429, 500, 502, 503, 504}) own.push_back({status, "busy", About::kLater, ""});
  return own;
}

std::vector<Answer> Discord() {
  std::vector<Answer> answers;
  for (const char* code :
       {"10003", "50008", "50024", "50083", "160005", "160006", "220001", "220002", "220003", "220004"}) {
    answers.push_back({400, Error("code", code), About::kSink, "bad_thread"});
  }
  for (const char* code : {"20016", "20028", "20029", "40004", "40062", "130000"}) {
    answers.push_back({400, Error("code", code), About::kLater, "discord_" + std::string(code)});
  }
  for (const char* code : {"0", "40005", "50006", "50035", "200000", "200001", "240000"}) {
    answers.push_back({400, Error("code", code), About::kMessage, "discord_" + std::string(code)});
  }
  answers.push_back({404, Error("code", "10015"), About::kSink, "unknown_webhook"});
  answers.push_back({401, Error("code", "50027"), About::kSink, "invalid_webhook_token"});
  answers.push_back({403, Error("code", "50013"), About::kSink, "http_403"});
  answers.push_back({400, R"({"code":50035,"errors":{"username":{"_errors":[]}}})", About::kSink, "bad_username"});
  answers.push_back({400, R"({"code":50035,"errors":{"thread_id":{"_errors":[]}}})", About::kSink, "bad_thread"});
  answers.push_back({400, R"({"code":50035,"errors":{"embeds":{"0":{}}}})", About::kMessage, "discord_50035"});
  answers.push_back({413, "", About::kMessage, "http_413"});
  return Statuses(answers);
}

std::vector<Answer> Mattermost() {
  std::vector<Answer> answers;
  const auto add = [&](int status, const char* id, About about, const char* code) {
    answers.push_back({status, Error("id", "\"" + std::string(id) + "\""), about, code});
  };
  for (const char* id : {"web.incoming_webhook.channel.app_error", "web.incoming_webhook.channel_locked.app_error",
                         "web.incoming_webhook.permissions.app_error", "app.channel.get.existing.app_error",
                         "api.post.create_post.can_not_post_to_deleted.error",
                         "api.post.create_post.town_square_read_only", "api.context.permissions.app_error"}) {
    add(400, id, About::kSink, "bad_channel");
  }
  for (const char* id : {"web.incoming_webhook.invalid.app_error", "web.incoming_webhook.user.app_error",
                         "web.incoming_webhook.disabled.app_error"}) {
    add(400, id, About::kSink, "bad_webhook");
  }
  for (const char* id : {"web.incoming_webhook.parse.app_error", "web.incoming_webhook.text.app_error",
                         "web.incoming_webhook.split_props_length.app_error", "model.post.is_valid.props.app_error",
                         "api.post.create_post.root_id.app_error"}) {
    add(400, id, About::kMessage, "http_400");
  }
  add(501, "web.incoming_webhook.disabled.app_error", About::kSink, "bad_webhook");
  add(400, "app.something.new.app_error", About::kUnknown, "http_400");
  answers.push_back({400, "no", About::kMessage, "http_400"});
  return Statuses(answers);
}

std::vector<Answer> GoogleChat() {
  std::vector<Answer> answers;
  const auto add = [&](int status, const char* word, About about, const char* code) {
    answers.push_back({status, R"({"error":{"status":")" + std::string(word) + "\"}}", about, code});
  };
  add(400, "INVALID_ARGUMENT", About::kMessage, "http_400");
  add(400, "OUT_OF_RANGE", About::kMessage, "http_400");
  add(400, "FAILED_PRECONDITION", About::kUnknown, "http_400");
  add(401, "UNAUTHENTICATED", About::kSink, "http_401");
  add(403, "PERMISSION_DENIED", About::kSink, "http_403");
  add(404, "NOT_FOUND", About::kSink, "http_404");
  add(409, "ABORTED", About::kLater, "http_409");
  add(429, "RESOURCE_EXHAUSTED", About::kLater, "http_429");
  add(499, "CANCELLED", About::kLater, "http_499");
  return Statuses(answers);
}

std::vector<Answer> Teams() {
  std::vector<Answer> answers;
  const auto add = [&](int status, const char* word, About about) {
    answers.push_back(
        {status, R"({"error":{"code":")" + std::string(word) + "\"}}", about, "http_" + std::to_string(status)});
  };
  add(400, "InvalidRequestContent", About::kMessage);
  add(400, "WorkflowTriggerIsNotEnabled", About::kSink);
  add(404, "WorkflowNotFound", About::kSink);
  add(401, "DirectApiAuthorizationRequired", About::kSink);
  add(403, "AuthorizationFailed", About::kSink);
  add(400, "TriggerInputSchemaMismatch", About::kUnknown);
  add(400, "SomethingNew", About::kUnknown);
  answers.push_back({413, "", About::kMessage, "too_large"});
  answers.push_back({400, "no", About::kUnknown, "http_400"});
  return Statuses(answers);
}

std::vector<Answer> Telegram() {
  std::vector<Answer> answers;
  const auto add = [&](int status, const char* text, About about, const char* code) {
    answers.push_back({status, R"({"ok":false,"description":")" + std::string(text) + "\"}", about, code});
  };
  for (const char* text : {"chat not found",
                           "CHAT_ID_INVALID",
                           "message thread not found",
                           "TOPIC_CLOSED",
                           "the chat is not a forum",
                           "not enough rights to send text messages to the chat",
                           "have no rights to send a message",
                           "need administrator rights in the channel chat",
                           "CHAT_WRITE_FORBIDDEN",
                           "CHAT_SEND_PLAIN_FORBIDDEN",
                           "CHAT_GUEST_SEND_FORBIDDEN",
                           "group is deactivated",
                           "INPUT_USER_DEACTIVATED",
                           "USER_IS_BLOCKED",
                           "CHANNEL_INVALID",
                           "PEER_ID_INVALID",
                           "USER_ID_INVALID",
                           "user not found",
                           "PRIVACY_PREMIUM_REQUIRED",
                           "ALLOW_PAYMENT_REQUIRED",
                           "USERNAME_NOT_OCCUPIED",
                           "chat member status is not available"}) {
    add(400, (std::string("Bad Request: ") + text).c_str(), About::kSink, "bad_chat");
  }
  for (const char* text :
       {"message text is empty", "text must be non-empty", "message is too long", "MESSAGE_TOO_LONG",
        "can't parse entities: unsupported start tag", "strings must be encoded in UTF-8", "ENTITY_BOUNDS_INVALID",
        "ENTITIES_TOO_LONG", "Wrong HTTP URL", "BUTTON_URL_INVALID", "message to be replied not found"}) {
    add(400, (std::string("Bad Request: ") + text).c_str(), About::kMessage, "http_400");
  }
  add(400, "Bad Request: SOMETHING_NEW", About::kUnknown, "bad_chat");
  add(401, "Unauthorized", About::kSink, "bad_token");
  add(404, "Not Found", About::kSink, "bad_token");
  add(403, "Forbidden: bot was blocked by the user", About::kSink, "forbidden");
  answers.push_back({413, "", About::kMessage, "http_413"});
  return Statuses(answers);
}

std::vector<Answer> Ntfy() {
  return Statuses({{401, Error("code", "40101"), About::kSink, "http_401"},
                   {403, Error("code", "40301"), About::kSink, "http_403"},
                   {400, Error("code", "40009"), About::kSink, "bad_topic"},
                   {400, Error("code", "40010"), About::kSink, "bad_topic"},
                   {404, Error("code", "40401"), About::kSink, "http_404"},
                   {400, Error("code", "40011"), About::kMessage, "http_400"},
                   {413, Error("code", "41303"), About::kMessage, "too_large"},
                   {429, Error("code", "42908"), About::kLater, "daily_quota"},
                   {507, Error("code", "50701"), About::kLater, "no_subscriber"}});
}

std::vector<Answer> PagerDuty() {
  return Statuses({{400, R"({"errors":["'payload.summary' is missing or blank"]})", About::kMessage, "http_400"},
                   {400, R"({"errors":["Invalid routing key"]})", About::kSink, "bad_routing_key"},
                   {400, R"({"errors":["'routing_key' is incorrect"]})", About::kSink, "bad_routing_key"},
                   {413, "", About::kMessage, "too_large"}});
}

std::vector<Answer> SlackWebhook() {
  std::vector<Answer> answers;
  for (const char* word : {"user_not_found", "invalid_token", "action_prohibited", "posting_to_general_channel_denied",
                           "team_disabled", "channel_not_found", "channel_is_archived", "no_active_hooks", "no_service",
                           "no_service_id", "No hooks", "no_team"}) {
    answers.push_back({404, word, About::kSink, ""});
  }
  for (const char* word : {"invalid_payload", "invalid_attachments", "too_many_attachments", "no_text",
                           "missing_text_or_fallback_or_attachments", "something_new"}) {
    answers.push_back({400, word, About::kMessage, word});
  }
  answers.push_back({400, "invalid_blocks", About::kMessage, "invalid_blocks", 2});
  for (const char* word : {"rate_limited", "ratelimited", "rollup_error", "internal_error", "service_unavailable"}) {
    answers.push_back({400, word, About::kLater, word});
  }
  answers.push_back({403, "something_new", About::kUnknown, "something_new"});
  answers.push_back({200, "<html>sign in</html>", About::kUnknown, "unexpected_answer"});
  return Statuses(answers);
}

std::vector<Answer> SlackBot() {
  std::vector<Answer> answers;
  const auto add = [&](std::initializer_list<const char*> words, About about, int requests = 1) {
    for (const char* word : words)
      answers.push_back({200, R"({"ok":false,"error":")" + std::string(word) + "\"}", about, word, requests});
  };
  add({"channel_not_found", "not_in_channel", "is_archived", "restricted_action", "restricted_action_read_only_channel",
       "restricted_action_thread_only_channel", "restricted_action_something_new", "messages_tab_disabled",
       "team_not_found", "user_not_found", "user_disabled", "cannot_dm_bot", "invalid_channel"},
      About::kPlace);
  add({"not_authed", "invalid_auth", "invalid_token", "account_inactive", "token_revoked", "token_expired",
       "not_allowed_token_type", "missing_scope", "no_permission", "two_factor_setup_required", "access_denied",
       "accesslimited", "ekm_access_denied", "enterprise_is_restricted", "app_access_restricted",
       "team_access_not_granted", "method_deprecated", "deprecated_endpoint", "unknown_method"},
      About::kSink);
  add({"no_text", "too_many_attachments", "attachment_payload_limit_exceeded", "metadata_too_large", "invalid_json",
       "json_not_object", "invalid_metadata_schema", "markdown_text_conflict", "too_many_contact_cards",
       "msg_too_long"},
      About::kMessage);
  add({"invalid_blocks", "msg_blocks_too_long"}, About::kMessage, 2);
  add({"ratelimited", "message_limit_exceeded", "service_unavailable", "internal_error", "fatal_error",
       "request_timeout", "team_added_to_org", "org_login_required", "external_channel_migrating"},
      About::kLater);
  add({"something_new"}, About::kUnknown);
  answers.push_back({200, "<html>sign in</html>", About::kUnknown, "not_slack"});
  answers.push_back({403, "<html>blocked</html>", About::kUnknown, "not_slack"});
  return answers;
}

std::vector<Answer> Webhook() {
  return Statuses({{400, "", About::kMessage, "http_400"},
                   {413, "", About::kMessage, "http_413"},
                   {422, "", About::kMessage, "http_422"},
                   {405, "", About::kSink, "http_405"},
                   {415, "", About::kUnknown, "http_415"},
                   {501, "", About::kUnknown, "http_501"},
                   {505, "", About::kUnknown, "http_505"},
                   {402, "", About::kSink, "http_402"}});
}

}  // namespace

std::string Service::At(int port) const {
  std::string text = config;
  constexpr std::string_view kPort = "@PORT@";
  return text.replace(text.find(kPort), kPort.size(), std::to_string(port));
}

std::vector<Service> Services() {
  const auto taken = [](int status, std::string body) { return Answer{status, std::move(body), {}, ""}; };
  const std::string host = "http://127.0.0.1:@PORT@";
  return {
      {"discord", "discord", R"({"webhook_url":")" + host + R"(/api/v10/webhooks/1/x","allow_http":true})",
       taken(200, R"({"id":"1"})"), Discord()},
      {"mattermost", "mattermost", R"({"webhook_url":")" + host + R"(/hooks/x","allow_http":true})", taken(200, "ok"),
       Mattermost()},
      {"googlechat", "googlechat",
       R"({"webhook_url":")" + host + R"(/v1/spaces/A/messages?key=k&token=t","allow_http":true})",
       taken(200, R"({"name":"spaces/A/messages/1"})"), GoogleChat()},
      {"teams", "teams", R"({"webhook_url":")" + host + R"(/workflows/x?sig=y","allow_http":true})", taken(202, ""),
       Teams()},
      {"telegram", "telegram",
       R"({"token":"123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ","chat_id":"-1","server":")" + host + R"(","allow_http":true})",
       taken(200, R"({"ok":true,"result":{"message_id":1}})"), Telegram()},
      {"ntfy", "ntfy", R"({"topic":"calls","server":")" + host + R"(","allow_http":true})", taken(200, R"({"id":"x"})"),
       Ntfy()},
      {"pagerduty", "pagerduty",
       R"({"routing_key":"0123456789abcdef0123456789abcdef","server":")" + host + R"(","allow_http":true})",
       taken(202, R"({"status":"success","dedup_key":"k"})"), PagerDuty()},
      {"slack", "slack",
       R"({"webhook_url":")" + host + R"(/services/T1A2B3C4D/B5E6F7G8H/abcdefgh","allow_any_host":true})",
       taken(200, "ok"), SlackWebhook()},
      {"slack_bot", "slack",
       R"({"token":"xoxb-1","channel":"C1","channels":[{"rule":"bad","channel":"C2"}],"api_url":")" + host +
           R"(/api","allow_any_host":true})",
       taken(200, R"({"ok":true,"channel":"C1","ts":"1700000000.000001"})"), SlackBot()},
      {"webhook", "webhook", R"({"url":")" + host + R"(/in","allow_http":true,"allow_private":true})", taken(200, ""),
       Webhook()},
  };
}

}  // namespace hookswitch::test
