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

/// A request as handlers see it. Borrowed: from a Responder valid as its request() says, in callbacks until they
/// return.
struct ServedRequest {
  std::string_view method;
  std::string_view path;   ///< decoded, without query
  std::string_view query;  ///< as sent, without '?'
  std::string_view body;   ///< complete; empty while only the head has been read
  std::string_view peer;   ///< the peer's address, without port; "unix" for a unix socket
  const std::vector<std::pair<std::string, std::string>>& headers;  ///< in order, as sent
  std::string_view user =
      {};  ///< on a unix socket: the name (or number) of the local user on its other end; else empty
  std::string_view target = {};  ///< path and query as sent
  bool body_dropped = false;     ///< the body was over its limit and is not here (HeadVerdict::drop_large)
  /// The first value of a header (any case), or empty.
  std::string_view Header(std::string_view name) const;
};

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  int retry_after_seconds = 0;                               ///< 0: no header
  std::string allow;                                         ///< for 405
  bool close = false;                                        ///< close the connection after this response
  std::vector<std::pair<std::string, std::string>> headers;  ///< more of them; values of ours, never foreign text
};

/// The response {"ok":false,"error":…,"detail":…}; `error` is a stable code for programs, `detail` is for people.
Answer ErrorAnswer(int status, std::string_view error, std::string_view detail);
/// 500, for a request that our own fault left without a response; closes the connection.
Answer InternalError();

/// [thread: any, one at a time] An open response body (server-sent events); holds no thread. The destructor ends the
/// body.
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// Sends `piece`, or buffers what the socket does not take; does not block. False: the client left, more than
  /// `max_unsent` bytes would wait for it, or the server drains; destroy the stream then.
  virtual bool Write(std::string_view piece) = 0;
};

/// Base of what a HeadHandler attaches to a request that it admits; kept alive until the request ends.
struct HeadContext {};

/// A complete request and the way to respond to it. Implemented by connections and by tests. [thread: any]
class Exchange {
 public:
  virtual ServedRequest View() const = 0;
  virtual const HeadContext* context() const = 0;
  virtual void Complete(const Answer& answer) = 0;
  virtual std::unique_ptr<BodyStream> Stream(const Answer& head, std::size_t max_unsent) = 0;

 protected:
  ~Exchange() = default;
};

/// Must respond to one request; keeps the request alive, even beyond its connection and the server. Call Complete or
/// Stream, once, from any thread; the destructor of an unused Responder responds 500.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder();

  /// Valid until Complete or Stream is called, or this is destroyed.
  ServedRequest request() const { return exchange_->View(); }
  /// From the HeadHandler, nullptr if it attached nothing. Valid as long as request().
  const HeadContext* context() const { return exchange_->context(); }

  /// Sends the response; does not block.
  void Complete(const Answer& answer);
  /// Sends status and headers of `answer`, not its body, and leaves the body open; never nullptr. A client with more
  /// than `max_unsent` bytes waiting for it is cut off.
  std::unique_ptr<BodyStream> Stream(const Answer& answer, std::size_t max_unsent);

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// How a request goes on after its head has been read.
struct HeadVerdict {
  /// With a response the rest of the request is not read, and the connection closes if a body was to come. The response
  /// is sent after `delay`, which holds no thread.
  HeadVerdict(std::optional<Answer> early) : answer(std::move(early)) {}
  HeadVerdict(Answer early, std::chrono::milliseconds delay = {}) : answer(std::move(early)), delay(delay) {}
  HeadVerdict(std::shared_ptr<const HeadContext> admitted) : context(std::move(admitted)) {}

  std::optional<Answer> answer;
  std::chrono::milliseconds delay{};
  std::shared_ptr<const HeadContext> context;
  std::optional<std::uint64_t> max_body{};  ///< of an admitted request: its own, instead of the server's
  /// A body over the limit is read and dropped instead of refused, and the request handled without it
  /// (ServedRequest::body_dropped). Over kMostDropped it is 413 all the same, after kDropTimeout 408.
  bool drop_large = false;
  bool may_block = false;  ///< so the handler of this request never runs on the poller
  static constexpr std::uint64_t kMostDropped = 256 << 20;
  static constexpr std::chrono::seconds kDropTimeout{60};
};
/// [thread: poller] Must not block.
using HeadHandler = std::function<HeadVerdict(const ServedRequest& head)>;
/// Serves a complete request; may respond later. May block, except on the poller thread
/// (HttpServerOptions::inline_body). An exception is logged, and a Responder that it destroys responds 500.
using RequestHandler = std::function<void(Responder responder)>;

/// Classifies the address of a new connection.
enum class PeerKind {
  kUnknown,
  kProxy,     ///< trusted; stands for many senders, so the limit per address does not apply
  kUnwanted,  ///< no service behind this listener accepts this address
};

struct HttpServerOptions {
  config::Listen listen;
  int max_connections = 1024;  ///< open at a time; see HttpServer for what happens beyond
  /// Connections per address, except proxies; 0: a quarter of max_connections, at least 64.
  int max_per_address = 0;
  int threads = 4;  ///< handler threads
  /// Requests with at most this many bytes of body, and no Content-Encoding to undo, are handled on the poller thread:
  /// the handler must not block.
  std::optional<std::uint64_t> inline_body{};
  /// [thread: poller] Selects the requests that run on `urgent_threads`, where no others delay them. Not called for
  /// requests that inline_body covers.
  std::function<bool(const ServedRequest&)> is_urgent = {};
  int urgent_threads = 0;
  std::uint64_t max_body = 1 << 20;  ///< bytes; also limits a decoded body
  /// Bytes of all bodies being read or served; beyond it requests are answered 503 with Retry-After.
  std::uint64_t max_bodies = 64 << 20;
  /// First byte to last, else 408; also the time that a client has to take a response.
  std::chrono::milliseconds request_timeout{10'000};
  std::chrono::milliseconds keep_alive_timeout{5'000};
  bool length_required = true;  ///< a POST, PUT or PATCH without length is 411; if false, it has no body (RFC 9112 6.3)
  std::string name;             ///< "ingress", "admin": in metrics and logs
  std::vector<std::pair<std::string, std::string>> headers{};  ///< added to responses that lack them
  /// Called for each request that the server itself rejected (framing, size, encoding, time), but not for lack of room.
  /// Parts that could not be read are empty. [thread: poller or handler]
  std::function<void(const ServedRequest& head, int status, std::string_view error, std::string_view detail)>
      on_refused = {};
  /// Classifies the address of a new connection; called when the server is crowded or the address is over its share.
  /// [thread: poller] Must not block.
  std::function<PeerKind(std::string_view address)> judge_peer = {};
  /// Called for each connection that was closed at once as PeerKind::kUnwanted. [thread: poller]
  std::function<void(std::string_view address)> on_unwanted = {};
};

/// An HTTP/1.1 server on Poco's sockets and PollSet.
///
/// Poco's own HTTP server uses a thread per connection, reads unread bodies as the next request, accepts truncated and
/// ambiguous bodies and does not limit a request's time. Here one thread, the poller, reads all connections; an idle
/// connection or half a request costs a descriptor and a small buffer. Requests are read strictly and completely,
/// within `request_timeout`; a connection is closed whenever the start of the next request is uncertain.
///
/// From three quarters of max_connections on, unwanted peers are closed at accept. When all are in use, the oldest
/// connection without a complete request is closed, else an idle one, else the new one gets a 503 with Retry-After.
class HttpServer {
 public:
  /// Listens and serves. Error: kUnavailable, which names the address, the reason and what to do.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HeadHandler head,
                                                   RequestHandler handler, Metrics& metrics);
  virtual ~HttpServer() = default;
  /// [thread: any] Listens on one more address. Errors as Start.
  [[nodiscard]] virtual Status Listen(const config::Listen& listen) = 0;
  /// [thread: any] The bound addresses in the order of Listen, ports filled in, joined with ", ": "127.0.0.1:41233",
  /// "unix:/run/x.sock".
  virtual std::string Address() const = 0;
  /// [thread: any] True if `max_connections` connections are open.
  virtual bool Full() const = 0;
  /// [thread: any] Heartbeat: the poller's completed passes. Requests another one, so the number grows unless the
  /// thread hangs.
  virtual std::uint64_t Passes() = 0;
  /// [thread: control] Stops serving; blocks. New connections are answered 503 with Retry-After, idle ones closed,
  /// requests in progress answered with Connection: close, streams ended. An incomplete request is read while it keeps
  /// coming; after a second without bytes it is answered 503. Connections still open after `timeout` are cut, running
  /// handlers are waited for, and the listeners are closed. Call at most once; the destructor drains with no timeout.
  virtual void Drain(std::chrono::milliseconds timeout) = 0;
};

}  // namespace hookswitch
