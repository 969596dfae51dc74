#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/cli/commands.h"
#include "core/event/outcome.h"
#include "core/http/http_client.h"

namespace hookswitch::cli {

/// The admin API of a running router, found by --url or by the config. Blocks.
class AdminClient {
 public:
  /// Errors: kInvalid (the config does not say where the listener is).
  static Result<AdminClient> Make(const Options& options);

  /// One request. Errors (kUnavailable) are a sentence for people.
  Result<HttpResponse> Ask(const std::string& method, const std::string& target, std::string body = {});

 private:
  AdminClient() = default;

  std::string url_, token_;
  std::unique_ptr<HttpClient> http_;
};

/// The answer's body. Errors: kInvalid (it is no JSON object: not an answer of hookswitch).
Result<json::object> ObjectOf(const HttpResponse& response);

/// `text` as a value in a URL's query.
std::string PercentEncode(std::string_view text);

}  // namespace hookswitch::cli
