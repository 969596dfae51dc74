#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/event/outcome.h"

namespace hookswitch {

/// What came of one HTTP exchange.
struct HttpResult {
  std::optional<HttpResponse> response;  ///< present if an answer came whole
  /// Without a response: "connect_failed", "dns_failed", "tls_failed", "certificate_problem" (ours or theirs
  /// is not accepted), "proxy_refused" (it wants other credentials, or forbids the destination), "bad_proxy" (its URL
  /// cannot be used), "timeout", "reset" (the connection ended before the answer was whole), "bad_response" (not HTTP),
  /// "too_large" (its headers), "canceled", "bad_url", "bad_request" (a method or header that HTTP cannot carry;
  /// nothing was sent), "private_address" (and the request is public_only; nothing was sent).
  std::string error;
  std::string detail;       ///< for people; holds no path or query of the URL
  bool maybe_sent = false;  ///< bytes of the request may have reached the other side
};

struct HttpClientOptions {
  std::size_t max_response_body = 256 * 1024;  ///< more is cut off (HttpResponse::is_cut), not an error
  std::string user_agent;
  std::string unix_socket{};  ///< all requests go to this socket's file, whatever host they name; "": none do
  /// The file of PEM certificates to trust. "": as curl does, the one that CURL_CA_BUNDLE names, or what SSL_CERT_FILE
  /// and SSL_CERT_DIR name, or the system's.
  std::string ca_file;
  /// Whether proxies of the environment are used. Not by what talks to a router: it would give them its token.
  bool use_proxies = true;
};

/// Sends requests to the outside: pooled connections, verified TLS of at least 1.2, no redirects, a deadline from DNS
/// to last byte. A request's `transport` says whom to trust and which proxy to use; without one these are the system's
/// roots and the environment's proxies. There is no limit of connections: the callers have theirs, so none waits for
/// another's. Safe from any thread.
class HttpClient {
 public:
  using Done = std::function<void(HttpResult)>;
  virtual ~HttpClient() = default;
  /// Starts sending and returns at once. `done` runs exactly once, on the client's thread; it must not block.
  virtual void Send(HttpRequest request, std::chrono::milliseconds timeout, Done done) = 0;
  /// How many passes the client's thread has made; asks for one more, so that the number grows unless the thread hangs.
  virtual std::uint64_t Passes() = 0;
};

/// libcurl's multi interface on one thread. Destroying it ends what is in flight as "canceled".
std::unique_ptr<HttpClient> MakeCurlClient(const HttpClientOptions& options);

}  // namespace hookswitch
