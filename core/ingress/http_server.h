#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/result.h"
#include "core/config/config.h"

namespace hookswitch {

struct Answer;

/// Takes the answer to a request whose handler has not waited for it.
class LaterAnswer {
 public:
  /// Once, from any thread; does not block. What the request borrows stays until now, and until now its thread gets no
  /// other request.
  virtual void Give(const Answer& answer) = 0;

 protected:
  ~LaterAnswer() = default;
};

/// A request, read whole and checked: its framing was unambiguous and its body complete.
struct ServedRequest {
  std::string_view method;
  std::string_view path;   ///< decoded, without query
  std::string_view query;  ///< as sent, without '?'
  std::string_view body;
  std::string_view peer;                                            ///< the socket's address, without port
  const std::vector<std::pair<std::string, std::string>>& headers;  ///< in order, as sent
  LaterAnswer* later = nullptr;  ///< where a RequestHandler may have the answer given, if it returns `comes_later`
  /// The first value of a header (any case), or empty.
  std::string_view Header(std::string_view name) const;
};

/// Sends a piece of a streamed body at once. False when nobody listens any more: the client left or the server drains.
using BodyWriter = std::function<bool(std::string_view piece)>;

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  int retry_after_seconds = 0;                               ///< 0: no header
  std::string allow;                                         ///< for 405
  bool close = false;                                        ///< end the connection after this answer
  bool comes_later = false;                                  ///< this is none: ServedRequest::later is given it
  std::vector<std::pair<std::string, std::string>> headers;  ///< more of them; values of ours, never foreign text
  /// Set for a body without end (server-sent events): called on the pool thread after the head, instead of `body`. It
  /// holds its thread, so it asks the writer at least once a second, with a comment line if there is nothing to say.
  std::function<void(const BodyWriter&)> stream;
};

/// The answer {"ok":false,"error":…,"detail":…}; `error` is a word pinned in CONTRACT.md.
Answer ErrorAnswer(int status, std::string_view error, std::string_view detail);

/// Decides early, by the head alone, whether the body is worth reading: an Answer ends the request (and the connection,
/// since its body is not read).
using HeadHandler = std::function<std::optional<Answer>(const ServedRequest& head)>;
/// Answers a whole request, or has it answered later. Runs on a pool thread; may block; exceptions become 500 and a log
/// line, so nothing may throw once somebody is to give the answer.
using RequestHandler = std::function<Answer(const ServedRequest&)>;

struct HttpServerOptions {
  config::Listen listen;
  int max_connections = 1024;  ///< more are answered 503 with Retry-After and closed
  int threads = 256;           ///< most that serve at once; others wait their turn
  std::uint64_t max_body = 1 << 20;
  std::chrono::milliseconds request_timeout{10'000};  ///< first byte to last; a slower one is cut with 408
  std::chrono::milliseconds keep_alive_timeout{5'000};
  bool length_required = true;  ///< a POST without length is 411; else it has no body (RFC 9112 6.3)
  std::string name;             ///< "ingress", "admin": in metrics and logs
  /// Told of each request that the server refused by itself (framing, size, time). What could not be read of it is
  /// empty.
  std::function<void(const ServedRequest& head, int status, std::string_view error, std::string_view detail)>
      on_refused = {};
};

/// An HTTP/1.1 server on Poco's TCPServer: its acceptor, queue and thread pool, with a connection of our own.
///
/// Poco's own HTTP connection serves unread bodies as the next request, takes cut and ambiguous bodies for whole ones,
/// has no limit on a request's time and lets busy connections starve the others. Here a request is read strictly and
/// whole, within `request_timeout`; a connection is closed whenever it is not certain where the next request begins,
/// and after 100 requests, so that `threads` serve any number of connections in turn. When more are open than threads,
/// idle ones give way. Starts listening in Start; errors (kUnavailable, kInvalid) name the address, why, and what to
/// do.
class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HeadHandler head,
                                                   RequestHandler handler, Metrics& metrics);
  virtual ~HttpServer() = default;
  /// The bound address, port filled in: "127.0.0.1:41233".
  virtual std::string Address() const = 0;
  /// Whether `max_connections` are open, so that the next one is turned away. Safe from any thread.
  virtual bool Full() const = 0;
  /// New connections are answered 503 with Retry-After, idle ones cut, requests under way answered with Connection:
  /// close; after `timeout` the rest is cut. Then the listener is closed. Returns sooner when nothing is left to do.
  /// Call once; without it the destructor does the same with no time.
  virtual void Drain(std::chrono::milliseconds timeout) = 0;
};

}  // namespace hookswitch
