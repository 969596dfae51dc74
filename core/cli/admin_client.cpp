#include "core/cli/admin_client.h"

#include "core/base/sync.h"
#include "core/config/loader.h"
#include "core/config/secrets.h"

namespace hookswitch::cli {
namespace {

constexpr std::chrono::seconds kPatience{60};
constexpr std::size_t kMostAnswer = 64 << 20;

}  // namespace

Result<AdminClient> AdminClient::Make(const Options& options) {
  AdminClient client;
  client.url_ = options.url;
  const auto environment = config::Environment::System(options.env_file);
  const config::Loaded loaded = config::Load(options.config, environment);
  // A router goes on with the config it has: a file that is broken by now must not keep its operator out.
  const config::Config* config = loaded.Readable();
  if (client.url_.empty()) {
    if (!config || config->admin.listen.port == 0) {
      return Error{ErrorCode::kInvalid,
                   "cannot tell from " + options.config +
                       " where the router's admin listener is (its log's ready line does); give --url "
                       "http://HOST:PORT"};
    }
    const auto& listen = config->admin.listen;
    const std::string host = listen.host == "0.0.0.0" ? "127.0.0.1" : listen.host == "::" ? "::1" : listen.host;
    client.url_ =
        "http://" + (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(listen.port);
  }
  client.token_ = config ? config->admin.token.Reveal() : std::string();
  if (client.token_.empty()) {
    client.token_ = config::WithoutLineBreaks(environment.variable("HOOKSWITCH_ADMIN_TOKEN").value_or(""));
  }
  HttpClientOptions http_options;
  http_options.max_response_body = kMostAnswer;
  http_options.user_agent = "hookswitch";
  http_options.use_proxies = false;
  client.http_ = MakeCurlClient(http_options);
  return client;
}

Result<HttpResponse> AdminClient::Ask(const std::string& method, const std::string& target, std::string body) {
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
    return Error{ErrorCode::kUnavailable, "no answer from " + url_ + " (" + result->error + ": " + result->detail +
                                              "); is hookswitch running, and is this its admin listener?"};
  }
  return std::move(*result->response);
}

Result<json::object> ObjectOf(const HttpResponse& response) {
  boost::system::error_code error;
  json::value body = json::parse(response.body, error);
  if (error || !body.is_object()) {
    return Error{ErrorCode::kInvalid, "not an answer of hookswitch: HTTP " + std::to_string(response.status)};
  }
  return std::move(body.get_object());
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '_' || c == '.' || c == '~';
    if (plain) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return out;
}

}  // namespace hookswitch::cli
