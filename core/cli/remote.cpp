#include <iostream>

#include "core/base/json.h"
#include "core/cli/admin_client.h"
#include "core/cli/commands.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

int Fail(const std::string& why) {
  std::cerr << "hookswitch: " << why << '\n';
  return kProblems;
}

Result<HttpResponse> Ask(const Options& options, const std::string& method, const std::string& target) {
  auto client = AdminClient::Make(options);
  if (!client) return std::move(client).error();
  return client->Ask(method, target);
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
    const json::value* orphaned = report.if_contains("orphaned");
    for (const auto& item : orphaned != nullptr ? orphaned->as_array() : json::array()) {
      const auto& orphans = item.as_object();
      const std::string sink = Text(orphans, "sink");
      std::cout << Text(orphans, "pending") << " deliveries wait for the sink " << sink
                << ", which the config does not have: they go out once it has it again; `hookswitch deliveries --sink "
                << sink << "` lists them\n";
    }
    if (const json::value* kept = report.if_contains("kept_variables"); kept && !kept->as_array().empty()) {
      std::cout << "as they were at the start:";
      for (const auto& name : kept->as_array()) std::cout << ' ' << name.as_string().c_str();
      std::cout << " (variables of the router's own environment; a restart takes new values, a file of "
                   "serve --env-file is read again)\n";
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
