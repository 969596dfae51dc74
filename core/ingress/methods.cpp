#include "core/ingress/methods.h"

#include <algorithm>

#include "core/base/query_string.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

std::string AllowedMethods(const config::Source& source) {
  const std::string allowed = Joined(source.methods);
  switch (source.handshake) {
    case config::Handshake::kNone: break;
    case config::Handshake::kCloudEvents: return allowed + ", OPTIONS";
  }
  return allowed;
}

}  // namespace

bool TakesMethod(const config::Source& source, std::string_view method) {
  return std::ranges::find(source.methods, method) != source.methods.end();
}

std::string SendWith(const config::Source& source) {
  return "send events with " + Joined(source.methods, " or ");
}

Answer MethodNotAllowed(const config::Source& source) {
  Answer answer = ErrorAnswer(405, kWrongMethod, SendWith(source));
  answer.allow = AllowedMethods(source);
  return answer;
}

bool AsksHandshake(const config::Source& source, const ServedRequest& request) {
  switch (source.handshake) {
    case config::Handshake::kNone: return false;
    case config::Handshake::kCloudEvents:
      return request.method == "OPTIONS" && !request.Header("WebHook-Request-Origin").empty();
  }
  return false;
}

// HTTP 1.1 Web Hooks for Event Delivery, 4.2 (cloudevents/http-webhook.md of github.com/cloudevents/spec): without
// these headers, nothing is delivered. "*" is any origin, and any number of requests per minute.
Answer HandshakeAnswer(const config::Source& source) {
  Answer answer;
  answer.body = R"({"ok":true})";
  answer.allow = AllowedMethods(source);
  std::string rate = "*";
  if (source.rate_limit) {
    constexpr std::int64_t kMinute = 60'000;
    rate = std::to_string(std::max<std::int64_t>(1, source.rate_limit->max * kMinute / source.rate_limit->per.count()));
  }
  answer.headers = {{"WebHook-Allowed-Origin", "*"}, {"WebHook-Allowed-Rate", std::move(rate)}};
  return answer;
}

std::string BodyOfGet(const config::Source& source, std::string_view query) {
  const bool has_secret = source.auth && source.auth->place == config::Auth::Place::kQuery;
  if (!has_secret) return std::string(query);
  std::string body;
  while (const auto parameter = TakeParameter(query)) {
    if (FormDecoded(parameter->name) == source.auth->name) continue;
    if (!body.empty()) body += '&';
    body += parameter->name;
    if (parameter->value) body.append(1, '=').append(*parameter->value);
  }
  return body;
}

}  // namespace hookswitch
