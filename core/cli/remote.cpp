#include <iostream>

#include "core/base/json.h"
#include "core/base/sync.h"
#include "core/cli/commands.h"
#include "core/config/loader.h"
#include "core/http/http_client.h"

namespace hookswitch::cli {
namespace {

// One request to the admin API of a running router; its body on success, or a sentence for people.
Result<HttpResponse> Ask(const Options& options, const std::string& method, const std::string& path) {
  std::string url = options.url;
  const config::Loaded loaded = config::Load(options.config, config::Environment::System());
  // A router goes on with the config it has: a file that is broken by now must not keep its operator out.
  const config::Config* config = loaded.Readable();
  if (url.empty()) {
    if (!config || config->admin.listen.port == 0) {
      return Error{ErrorCode::kInvalid,
                   "cannot tell from " + options.config +
                       " where the router's admin listener is (its log's ready line does); give --url "
                       "http://HOST:PORT"};
    }
    const auto& listen = config->admin.listen;
    const std::string host = listen.host == "0.0.0.0" ? "127.0.0.1" : listen.host == "::" ? "::1" : listen.host;
    url =
        "http://" + (host.find(':') == std::string::npos ? host : '[' + host + ']') + ':' + std::to_string(listen.port);
  }
  HttpRequest request;
  request.method = method;
  request.url = url + path;
  std::string token = config ? config->admin.token.Reveal() : std::string();
  if (token.empty()) token = config::Environment::System().variable("HOOKSWITCH_ADMIN_TOKEN").value_or("");
  if (!token.empty()) request.headers.emplace_back("Authorization", "Bearer " + token);
  HttpClientOptions client_options;
  client_options.max_response_body = 16 << 20;
  client_options.user_agent = "hookswitch";
  const auto client = MakeCurlClient(client_options);
  Mutex mu;
  CondVar done;
  std::optional<HttpResult> result;
  client->Send(std::move(request), std::chrono::seconds(60), [&](HttpResult r) {
    MutexLock lock(mu);
    result = std::move(r);
    done.NotifyOne();
  });
  MutexLock lock(mu);
  while (!result) done.Wait(mu);
  if (!result->response) {
    return Error{ErrorCode::kUnavailable, "no answer from " + url + " (" + result->error + ": " + result->detail +
                                              "); is hookswitch running, and is this its admin listener?"};
  }
  return std::move(*result->response);
}

int Fail(const std::string& why) {
  std::cerr << "hookswitch: " << why << '\n';
  return kProblems;
}

std::string Text(const json::object& object, const char* key) {
  const json::value* value = object.if_contains(key);
  if (!value || value->is_null()) return "-";
  return value->is_string() ? std::string(value->get_string()) : ToText(*value);
}

}  // namespace

int Reload(const Options& options) {
  auto response = Ask(options, "POST", "/api/v1/reload");
  if (!response) return Fail(response.error().message);
  boost::system::error_code error;
  const json::value body = json::parse(response->body, error);
  if (error || !body.is_object()) return Fail("not an answer of hookswitch: HTTP " + std::to_string(response->status));
  const json::object& report = body.get_object();
  if (options.format == Format::kJson) {
    std::cout << ToText(body) << '\n';
  } else if (response->status == 200) {
    std::cout << "reloaded: generation " << Text(report, "generation") << '\n';
    for (const auto& key : report.at("need_restart").as_array()) {
      std::cout << "needs a restart to take effect: " << key.as_string().c_str() << '\n';
    }
  } else if (const json::value* problems = report.if_contains("problems")) {
    for (const auto& item : problems->as_array()) {
      const auto& problem = item.as_object();
      std::cerr << Text(problem, "file") << ':' << Text(problem, "line") << ':' << Text(problem, "column") << ": "
                << Text(problem, "severity") << ": " << Text(problem, "message");
      if (const std::string hint = Text(problem, "hint"); !hint.empty()) std::cerr << "; " << hint;
      std::cerr << '\n';
    }
    std::cerr << "nothing was changed; generation " << Text(report, "generation") << " goes on\n";
  } else {
    return Fail(Text(report, "error") + ": " + Text(report, "detail"));
  }
  return response->status == 200 ? kFine : kProblems;
}

int ListSinks(const Options& options) {
  auto response = Ask(options, "GET", "/api/v1/sinks");
  if (!response) return Fail(response.error().message);
  if (response->status != 200)
    return Fail("the router answered HTTP " + std::to_string(response->status) + ": " + response->body);
  if (options.format == Format::kJson) {
    std::cout << response->body;
    return kFine;
  }
  boost::system::error_code error;
  const json::value body = json::parse(response->body, error);
  if (error || !body.is_object()) return Fail("not an answer of hookswitch");
  for (const auto& item : body.get_object().at("sinks").as_array()) {
    const auto& sink = item.as_object();
    std::cout << Text(sink, "sink") << "  " << Text(sink, "state") << "  waiting " << Text(sink, "pending");
    if (!sink.at("because").is_null()) std::cout << "  (" << Text(sink, "because") << ')';
    std::cout << '\n';
  }
  return kFine;
}

int SetPaused(const Options& options, bool paused) {
  auto response = Ask(options, "POST", "/api/v1/sinks/" + options.sink + (paused ? "/pause" : "/resume"));
  if (!response) return Fail(response.error().message);
  boost::system::error_code error;
  const json::value body = json::parse(response->body, error);
  if (error || !body.is_object()) return Fail("not an answer of hookswitch: HTTP " + std::to_string(response->status));
  if (options.format == Format::kJson) {
    std::cout << ToText(body) << '\n';
  } else if (response->status == 200) {
    std::cout << options.sink << (paused ? ": paused\n" : ": resumed\n");
  } else {
    return Fail(options.sink + ": " + Text(body.get_object(), "error") + ": " + Text(body.get_object(), "detail"));
  }
  return response->status == 200 ? kFine : kProblems;
}

}  // namespace hookswitch::cli
