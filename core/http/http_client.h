#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "core/event/outcome.h"

namespace hookswitch {

/// Result of one HTTP exchange.
struct HttpResult {
  std::optional<HttpResponse> response;  ///< present if a complete response was received
  /// Without a response: "connect_failed", "dns_failed", "tls_failed", "certificate_problem" (ours or theirs was not
  /// accepted), "proxy_refused" (wrong credentials, or destination forbidden), "bad_proxy" (unusable proxy URL),
  /// "timeout", "reset" (the connection ended before the response was complete), "bad_response" (not HTTP), "too_large"
  /// (response headers), "canceled", "bad_url", "bad_request" (a method or header that HTTP cannot carry; nothing was
  /// sent), "private_address" (the request is public_only; nothing was sent).
  std::string error;
  std::string detail;       ///< for people; never contains the URL's path or query
  bool maybe_sent = false;  ///< bytes of the request may have reached the server
  // Times from the start of the exchange, also of one that failed later; empty if it did not get there.
  /// Until a new connection was ready: name lookup, TCP, TLS. Empty if an open one was used.
  std::optional<std::chrono::milliseconds> connect{};
  std::optional<std::chrono::milliseconds> first_byte{};  ///< until the first byte of the response
};

struct HttpClientOptions {
  std::size_t max_response_body = 256 * 1024;  ///< bytes; a longer body is cut (HttpResponse::is_cut), not an error
  std::string user_agent;
  std::string unix_socket{};  ///< if set, all requests use this unix socket, whatever their host
  /// PEM file of trusted certificates. "": as curl does, CURL_CA_BUNDLE, or SSL_CERT_FILE and SSL_CERT_DIR, or the
  /// system's.
  std::string ca_file;
  /// Whether to use the environment's proxies. False for clients of a router, which would reveal its token to the
  /// proxy.
  bool use_proxies = true;
};

/// Outbound HTTP client: pooled connections, verified TLS 1.2 or later, no redirects, one deadline from DNS to the last
/// byte. A request's `transport` sets trust and proxy; the default is the system's roots and the environment's proxies.
/// Connections are not limited: callers limit their own, so none waits for another's.
class HttpClient {
 public:
  using Done = std::function<void(HttpResult)>;
  virtual ~HttpClient() = default;

  // [thread: any]
  /// Starts sending and returns at once. Calls `done` exactly once, on the client's thread; `done` must not block.
  virtual void Send(HttpRequest request, std::chrono::milliseconds timeout, Done done) = 0;
  /// Heartbeat: the client thread's completed passes. Requests another one, so the number grows unless the thread
  /// hangs.
  virtual std::uint64_t Passes() = 0;
};

/// libcurl's multi interface on one thread. The destructor ends requests in flight as "canceled".
std::unique_ptr<HttpClient> MakeCurlClient(const HttpClientOptions& options);

}  // namespace hookswitch
