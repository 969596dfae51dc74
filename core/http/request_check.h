#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/event/outcome.h"

namespace hookswitch {

/// Why a request must not be sent, in HttpResult's terms.
struct RequestProblem {
  std::string_view error;  ///< "bad_url", "bad_request"
  std::string detail;      ///< never contains path, query or header values
};

/// Finds what HTTP cannot carry: a method or header name that is not a token, a line break in a header, a header that
/// changes the framing, a URL that is not http(s) with a host. Sinks build requests from foreign text, so this check
/// prevents header injection.
std::optional<RequestProblem> CheckRequest(const HttpRequest& request);

/// The host of `url` if it is "localhost" or a non-public address; else "".
std::string PrivateHostOf(const std::string& url);

/// The secret part of `url`: everything after scheme, host and port; "" if none.
std::string_view PathAndQuery(std::string_view url);

}  // namespace hookswitch
