#include "core/cli/admin_client.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/config/secrets.h"

namespace hookswitch::cli {
namespace {

// A replay or purge of a million deliveries takes minutes, and a reload as long as its plugins take.
constexpr std::chrono::minutes kPatience{10};
constexpr std::size_t kMostAnswer = 64 << 20;
constexpr std::string_view kUnix = "unix:";
constexpr const char* kNameTheUrl =
    "name the config with -c, or the router with --url http://HOST:PORT or --url unix:/PATH";

// The router's admin address according to the config; "" if unknown.
std::string AddressIn(const config::Admin& admin, bool has_token) {
  std::string socket;
  std::string url;
  for (const config::Listen& listen : admin.listen) {
    if (listen.is_unix()) {
      if (socket.empty()) socket = listen.host;
    } else if (url.empty() && listen.port != 0) {
      const std::string host = listen.host == "0.0.0.0" ? "127.0.0.1" : listen.host == "::" ? "::1" : listen.host;
      url = "http://" + (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' +
            std::to_string(listen.port);
    }
  }
  // The socket requires no token, but permission to connect.
  const bool may_connect = !socket.empty() && ::access(socket.c_str() + kUnix.size(), R_OK | W_OK) == 0;
  return url.empty() || (!has_token && may_connect) ? socket : url;
}

bool IsUnknownName(const Reply& reply) {
  return Text(reply.body, "error") == "unknown_name";
}

std::string WhyRefused(const Reply& reply) {
  return (IsUnknownName(reply) ? "" : Text(reply.body, "error") + ": ") + Text(reply.body, "detail");
}

}  // namespace

std::string WhyUnread(const config::Loaded& loaded, const std::string& file) {
  if (!loaded.unreadable) return file + " has errors (hookswitch check names them)";
  const auto& problems = loaded.problems.All();
  std::string why = problems.empty() ? std::string() : problems.front().message;
  constexpr std::string_view kStart = "cannot read the config: ";
  if (why.starts_with(kStart)) why.erase(0, kStart.size());
  if (!why.empty()) why.front() = ToLower(why.substr(0, 1)).front();
  return file + " cannot be read: " + why;
}

Result<AdminClient> AdminClient::Make(const Options& options) {
  AdminClient client;
  const auto environment = config::Environment::System(options.env_file);
  const config::Loaded loaded = config::Load(options.config, environment);
  // A router keeps the config it has: a file that now has errors must not lock its operator out.
  const config::Config* config = loaded.Readable();
  // The variable first: the router may not have read the config's token yet.
  client.token_ = config::WithoutLineBreaks(environment.variable("HOOKSWITCH_ADMIN_TOKEN").value_or(""));
  client.token_from_ = "HOOKSWITCH_ADMIN_TOKEN";
  if (client.token_.empty() && config && !config->admin.token.empty()) {
    client.token_ = config->admin.token.Reveal();
    client.token_from_ = "admin.token of " + options.config;
  }
  if (client.token_.empty() && config && !config->admin.tokens.empty()) {
    const auto strongest = std::ranges::max_element(config->admin.tokens, {}, &config::Admin::Token::may);
    client.token_ = strongest->token.Reveal();
    client.token_from_ = "admin.tokens of " + options.config + " (" + strongest->name + ")";
  }
  if (client.token_.empty()) {
    client.token_from_ = loaded.config ? options.config + " names no admin.token" : WhyUnread(loaded, options.config);
  }
  client.where_ = !options.url.empty() ? options.url : config ? AddressIn(config->admin, !client.token_.empty()) : "";
  if (client.where_.empty()) {
    if (!config) return Error{ErrorCode::kInvalid, WhyUnread(loaded, options.config) + "; " + kNameTheUrl};
    return Error{ErrorCode::kInvalid, "cannot tell from " + options.config +
                                          " where the router's admin listener is (its log's ready line does); " +
                                          kNameTheUrl};
  }
  HttpClientOptions http_options;
  http_options.max_response_body = kMostAnswer;
  http_options.user_agent = "hookswitch";
  http_options.use_proxies = false;
  while (client.where_.ends_with('/')) client.where_.pop_back();
  client.url_ = client.where_;
  if (client.where_.starts_with(kUnix)) {
    http_options.unix_socket = client.where_.substr(kUnix.size());
    client.url_ = "http://localhost";
    client.token_.clear();  // the socket identifies the user
  }
  client.http_ = MakeCurlClient(http_options);
  if (config) client.zone_ = routing::Zone::Find(config->timezone);
  if (!client.zone_) client.zone_ = routing::Zone::Find("UTC");
  return client;
}

View AdminClient::ViewOf(const Options& options) const {
  return {options.wide ? 0 : TerminalWidth(), zone_.get(), SystemClock().Wall()};
}

Result<Reply> AdminClient::Send(const std::string& method, const std::string& target, std::string body) {
  HttpRequest request;
  request.method = method;
  request.url = url_ + target;
  request.body = std::move(body);
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  Mutex mu;
  CondVar done;
  std::optional<HttpResult> result;
  http_->Send(std::move(request), kPatience, [&](HttpResult r) {
    MutexLock lock(mu);
    result = std::move(r);
    done.NotifyOne();
  });
  MutexLock lock(mu);
  while (!result) done.Wait(mu);
  if (!result->response) {
    return Error{ErrorCode::kUnavailable, "no answer from " + where_ + " (" + result->error + ": " + result->detail +
                                              "); is hookswitch running, and is this its admin listener?"};
  }
  if (result->response->status == 401) {
    return Error{ErrorCode::kInvalid, "the router at " + where_ +
                                          (token_.empty() ? " wants a token, and there is none: " + token_from_
                                                          : " refuses the token, which is that of " + token_from_) +
                                          "; set HOOKSWITCH_ADMIN_TOKEN to the admin.token that the router runs with"};
  }
  boost::system::error_code error;
  json::value object = json::parse(result->response->body, error);
  if (error || !object.is_object()) {
    return Error{ErrorCode::kInvalid, "not an answer of hookswitch: HTTP " + std::to_string(result->response->status)};
  }
  return Reply{result->response->status, std::move(object.get_object())};
}

Result<json::object> AdminClient::Get(const std::string& target) {
  auto reply = Send("GET", target);
  if (!reply) return std::move(reply).error();
  if (!reply->ok()) return Error{ErrorCode::kInvalid, WhyRefused(*reply)};
  return std::move(reply->body);
}

Result<Reply> Send(const Options& options, const std::string& method, const std::string& target, std::string body) {
  auto client = AdminClient::Make(options);
  if (!client) return std::move(client).error();
  return client->Send(method, target, std::move(body));
}

int SendAndPrint(const Options& options, const std::string& method, const std::string& target, std::string body,
                 const std::function<void(const json::object& body, const View& view)>& print) {
  auto client = AdminClient::Make(options);
  if (!client) return Fail(client.error().message);
  const auto reply = client->Send(method, target, std::move(body));
  if (!reply) return Fail(reply.error().message);
  if (options.format == Format::kJson) std::cout << ToText(reply->body) << '\n';
  if (!reply->ok()) return Refused(*reply);
  if (options.format == Format::kText) print(reply->body, client->ViewOf(options));
  return kFine;
}

int Refused(const Reply& reply) {
  const bool is_usage = reply.status == 400 && !IsUnknownName(reply);
  return Fail(WhyRefused(reply), is_usage ? kUsage : kProblems);
}

std::string PathSegment(std::string_view text) {
  // Clients remove dot segments (RFC 3986 5.2.4), and the segment before.
  if (text == ".") return "%2E";
  if (text == "..") return "%2E%2E";
  return PercentEncoded(text);
}

}  // namespace hookswitch::cli
