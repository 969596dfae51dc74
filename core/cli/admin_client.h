#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/cli/commands.h"
#include "core/cli/printing.h"
#include "core/config/loader.h"
#include "core/event/outcome.h"
#include "core/http/http_client.h"
#include "core/routing/schedule.h"

namespace hookswitch::cli {

/// The admin API of a running router, found by --url or by the config. Blocks.
class AdminClient {
 public:
  /// Errors: kInvalid (the config does not say where the listener is).
  static Result<AdminClient> Make(const Options& options);

  /// Sends one request. Errors have a sentence for people: kUnavailable (no response), kInvalid (401: the token is
  /// missing or wrong).
  Result<HttpResponse> Ask(const std::string& method, const std::string& target, std::string body = {});

  /// How to show responses; borrows from this.
  View ViewOf(const Options& options) const;

 private:
  AdminClient() = default;

  std::string where_;  ///< as people know it: "http://127.0.0.1:8001", "unix:/run/hookswitch/admin.sock"
  std::string url_, token_;
  std::string token_from_;  ///< where the token comes from, or why there is none
  std::unique_ptr<HttpClient> http_;
  std::unique_ptr<const routing::Zone> zone_;  ///< defaults.timezone
};

/// The response's body. Error: kInvalid (not a JSON object, so not a response of hookswitch).
Result<json::object> ObjectOf(const HttpResponse& response);

/// Any `text` as one segment of a URL's path.
std::string PathSegment(std::string_view text);

/// Why a config cannot be used, as the beginning of a sentence: "x.yaml cannot be read: no such file or directory".
std::string WhyUnread(const config::Loaded& loaded, const std::string& file);

/// Prints why the router rejected a request. Returns the exit code: kUsage for an invalid request (400, except an
/// unknown name), else kProblems.
int Refused(const HttpResponse& response, const json::object& answer);

}  // namespace hookswitch::cli
