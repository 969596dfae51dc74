#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/config/config.h"

namespace hookswitch {

/// A request, read whole and checked: its framing was unambiguous and its body complete.
struct ServedRequest {
  std::string_view method;
  std::string_view path;   ///< decoded, without query
  std::string_view query;  ///< as sent, without '?'
  std::string_view body;
  std::string_view peer;   ///< the socket's address, without port
  const std::vector<std::pair<std::string, std::string>>& headers;  ///< in order, as sent
  /// The first value of a header (any case), or empty.
  std::string_view Header(std::string_view name) const;
};

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  int retry_after_seconds = 0;  ///< 0: no header
  std::string allow;            ///< for 405
  bool close = false;           ///< end the connection after this answer
};

/// Decides early, by the head alone, whether the body is worth reading: an Answer ends the request (and the connection,
/// since its body is not read).
using HeadHandler = std::function<std::optional<Answer>(const ServedRequest& head)>;
/// Answers a whole request. Runs on a pool thread; may block; exceptions become 500 and a log line.
using RequestHandler = std::function<Answer(const ServedRequest&)>;

struct HttpServerOptions {
  config::Listen listen;
  int max_connections = 1024;  ///< more are answered 503 with Retry-After and closed
  int threads = 256;           ///< most that serve at once; others wait their turn
  std::uint64_t max_body = 1 << 20;
  std::chrono::milliseconds request_timeout{10'000};  ///< first byte to last; a slower one is cut with 408
  std::chrono::milliseconds keep_alive_timeout{5'000};
  std::string name;            ///< "ingress", "admin": in metrics and logs
};

/// Poco's HTTPServer with its limits mended (reference: unread bodies, truncated and ambiguous framing, drip-feeding, silent
/// resets, starving keep-alive). Starts listening in Start; errors name the address and why.
class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HeadHandler head,
                                                   RequestHandler handler, Metrics& metrics);
  virtual ~HttpServer() = default;
  /// The bound address, port filled in: "127.0.0.1:41233".
  virtual std::string Address() const = 0;
  /// Stops accepting, answers what has been started with Connection: close, waits up to `timeout`, cuts the rest.
  virtual void Drain(std::chrono::milliseconds timeout) = 0;
};

}  // namespace hookswitch
