#include "core/cli/admin_client.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <thread>
#include <utility>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/config/secrets.h"

namespace hookswitch::cli {
namespace {

// A replay or purge of a million deliveries takes minutes, and a reload as long as its plugins take.
constexpr std::chrono::minutes kPatience{10};
// A stream has a comment every 15 s.
constexpr std::chrono::seconds kSilence{45};
// Between two tries to connect.
constexpr std::chrono::milliseconds kFirstPause{100}, kLongestPause{5000};
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

Result<Reply> ReplyOf(const HttpResponse& response) {
  boost::system::error_code error;
  json::value object = json::parse(response.body, error);
  if (error || !object.is_object()) {
    return Error{ErrorCode::kInvalid, "not an answer of hookswitch: HTTP " + std::to_string(response.status)};
  }
  return Reply{response.status, std::move(object.get_object())};
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
  client.token_ = config::WithoutLineBreaks(environment.variable(options.token_variable).value_or(""));
  client.token_from_ = options.token_variable;
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
  HttpClientOptions& http_options = client.http_options_;
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
  if (config) client.agents_ = config->agents;
  if (config) client.zone_ = routing::Zone::Find(config->timezone);
  if (!client.zone_) client.zone_ = routing::Zone::Find("UTC");
  return client;
}

View AdminClient::ViewOf(const Options& options) const {
  return {options.wide ? 0 : TerminalWidth(), zone_.get(), SystemClock().Wall()};
}

HttpRequest AdminClient::Request(const std::string& method, const std::string& target, std::string body) const {
  HttpRequest request;
  request.method = method;
  request.url = url_ + target;
  request.body = std::move(body);
  if (!token_.empty()) request.headers.emplace_back("Authorization", "Bearer " + token_);
  return request;
}

Error AdminClient::NoAnswer(const HttpResult& result) const {
  return {ErrorCode::kUnavailable, "no answer from " + where_ + " (" + result.error + ": " + result.detail +
                                       "); is hookswitch running, and is this its admin listener?"};
}

Error AdminClient::TokenRefused() const {
  return {ErrorCode::kInvalid, "the router at " + where_ +
                                   (token_.empty() ? " wants a token, and there is none: " + token_from_
                                                   : " refuses the token, which is that of " + token_from_) +
                                   "; set HOOKSWITCH_ADMIN_TOKEN to the admin.token that the router runs with"};
}

Result<Reply> AdminClient::Send(const std::string& method, const std::string& target, std::string body) {
  Mutex mu;
  CondVar done;
  std::optional<HttpResult> result;
  http_->Send(Request(method, target, std::move(body)), kPatience, [&](HttpResult r) {
    MutexLock lock(mu);
    result = std::move(r);
    done.NotifyOne();
  });
  MutexLock lock(mu);
  while (!result) done.Wait(mu);
  if (!result->response) return NoAnswer(*result);
  if (result->response->status == 401) return TokenRefused();
  return ReplyOf(*result->response);
}

Result<json::object> AdminClient::Get(const std::string& target) {
  auto reply = Send("GET", target);
  if (!reply) return std::move(reply).error();
  if (!reply->ok()) return Error{ErrorCode::kInvalid, WhyRefused(*reply)};
  return std::move(reply->body);
}

Status AdminClient::Follow(const std::string& target, const EventStreamParser::Take& take,
                           const std::function<void(const std::string& reason)>& lost) {
  EventStreamParser parser;
  bool wanted = true, was_connected = false, is_lost = false;
  auto pause = kFirstPause;
  while (wanted) {
    HttpRequest request = Request("GET", target, {});
    if (!parser.last_id().empty()) request.headers.emplace_back("Last-Event-ID", parser.last_id());
    parser.BeginAgain();
    const HttpResult result = ReceiveStream(http_options_, std::move(request), kSilence, [&](std::string_view piece) {
      if (std::exchange(is_lost, false)) lost("");
      was_connected = true;
      pause = kFirstPause;
      return parser.Read(piece, [&](const auto& message) { return wanted = take(message); });
    });
    if (!wanted) break;
    const auto& response = result.response;
    bool may_mend = true;
    Error why = response ? Error{ErrorCode::kUnavailable, where_ + " ended the stream"} : NoAnswer(result);
    if (response && response->status != 200) {
      // The router is busy or going down, or a proxy before it does not reach it.
      may_mend = response->status >= 500;
      const auto reply = ReplyOf(*response);
      why = response->status == 401 ? TokenRefused()
            : reply                 ? Error{ErrorCode::kInvalid, WhyRefused(*reply)}
                                    : reply.error();
    }
    if (!was_connected || !may_mend) return why;
    // A stream also ends by itself: after hours, with a changed token. Only what lasts is worth a word.
    if (pause != kFirstPause && !std::exchange(is_lost, true)) lost(why.message);
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
  return Ok();
}

std::vector<std::string> AdminClient::AgentNames(const std::string& glob) const {
  std::vector<std::string> names;
  for (const auto& [id, agent] : agents_) {
    if (GlobMatch(glob, id) && !agent.name.empty()) names.push_back(agent.name);
  }
  return names;
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
