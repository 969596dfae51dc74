#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "core/event/outcome.h"

namespace hookswitch {

/// Why a request must not be sent, as HttpResult has it.
struct RequestProblem {
  std::string_view error;  ///< "bad_url", "bad_request"
  std::string detail;      ///< holds no path, query or header value
};

/// Finds what HTTP cannot carry: a method or header name that is no token, a line break in a header, a header that
/// would change the framing, a URL that is not http(s) with a host. Sinks build requests from foreign text, so this is
/// the gate against smuggled headers.
std::optional<RequestProblem> CheckRequest(const HttpRequest& request);

/// The host of `url` if that is "localhost" or an address that is not public; else "".
std::string PrivateHostOf(const std::string& url);

/// The secret part of `url`: what follows scheme, host and port; "" if there is none.
std::string_view PathAndQuery(std::string_view url);

}  // namespace hookswitch
