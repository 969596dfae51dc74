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

/// A request, read whole and checked: its framing was unambiguous and its body complete.
struct ServedRequest {
  std::string_view method;
  std::string_view path;   ///< decoded, without query
  std::string_view query;  ///< as sent, without '?'
  std::string_view body;
  std::string_view peer;  ///< the socket's address, without port; "unix" for a unix socket
  const std::vector<std::pair<std::string, std::string>>& headers;  ///< in order, as sent
  std::string_view user =
      {};  ///< on a unix socket: the name (or number) of the local user on its other end; else empty
  /// The first value of a header (any case), or empty.
  std::string_view Header(std::string_view name) const;
};

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  int retry_after_seconds = 0;                               ///< 0: no header
  std::string allow;                                         ///< for 405
  bool close = false;                                        ///< end the connection after this answer
  std::vector<std::pair<std::string, std::string>> headers;  ///< more of them; values of ours, never foreign text
};

/// The answer {"ok":false,"error":…,"detail":…}; `error` is a word pinned in CONTRACT.md.
Answer ErrorAnswer(int status, std::string_view error, std::string_view detail);
/// The answer to a request that a fault of ours left without one; ends the connection.
Answer InternalError();

/// The body of a response that goes on until somebody ends it (server-sent events). Holds no thread. Destroying it ends
/// the body. [thread: any, one at a time]
class BodyStream {
 public:
  virtual ~BodyStream() = default;
  /// Sends a piece as soon as the reader takes it; does not block. False: nobody listens any more (the client left, it
  /// has not read `max_unsent` bytes, or the server drains), so this is to be destroyed.
  virtual bool Write(std::string_view piece) = 0;
};

/// What the head of a request was admitted with, kept alive from the HeadHandler to the end of the request.
struct HeadContext {};

/// A whole request, and where its response goes. Implemented by the server's connections, and by tests. [thread: any]
class Exchange {
 public:
  virtual ServedRequest View() const = 0;
  virtual const HeadContext* context() const = 0;
  virtual void Complete(const Answer& answer) = 0;
  virtual std::unique_ptr<BodyStream> Stream(const Answer& head, std::size_t max_unsent) = 0;

 protected:
  ~Exchange() = default;
};

/// Owes the response to one request, and keeps what the request consists of, whatever becomes of its connection or the
/// server. Exactly one of Complete and Stream is called, from any thread; one that is destroyed before answers 500.
class Responder {
 public:
  explicit Responder(std::shared_ptr<Exchange> exchange) : exchange_(std::move(exchange)) {}
  Responder(Responder&&) noexcept = default;
  Responder& operator=(Responder&&) = delete;
  ~Responder();

  /// Valid until Complete or Stream returns, or this is destroyed.
  ServedRequest request() const { return exchange_->View(); }
  /// What the HeadHandler gave for this request; nullptr if it gave nothing.
  const HeadContext* context() const { return exchange_->context(); }

  /// Sends the response; does not block.
  void Complete(const Answer& answer);
  /// Sends the head of `answer` (without its body) and leaves the body open. A client that leaves more than
  /// `max_unsent` bytes unread is cut.
  std::unique_ptr<BodyStream> Stream(const Answer& answer, std::size_t max_unsent);

 private:
  std::shared_ptr<Exchange> exchange_;
};

/// What becomes of a request whose head has been read.
struct HeadVerdict {
  /// An answer ends the request, and the connection if a body was to come. It is sent `delay` later, which holds no
  /// thread.
  HeadVerdict(std::optional<Answer> early) : answer(std::move(early)) {}
  HeadVerdict(Answer early, std::chrono::milliseconds delay = {}) : answer(std::move(early)), delay(delay) {}
  HeadVerdict(std::shared_ptr<const HeadContext> admitted) : context(std::move(admitted)) {}

  std::optional<Answer> answer;
  std::chrono::milliseconds delay{};
  std::shared_ptr<const HeadContext> context;
};
/// [thread: poller] Must not block.
using HeadHandler = std::function<HeadVerdict(const ServedRequest& head)>;
/// Answers a whole request, now or later. May block, unless HttpServerOptions says that it runs on the poller's thread.
/// An exception out of it is logged; the request is answered 500.
using RequestHandler = std::function<void(Responder responder)>;

/// Who a new connection comes from, as far as its address tells.
enum class PeerKind {
  kUnknown,
  kProxy,     ///< trusted: it stands for many senders, so no share of the connections limits it
  kUnwanted,  ///< nothing that listens here takes anything from this address
};

struct HttpServerOptions {
  config::Listen listen;
  int max_connections = 1024;  ///< more are answered 503 with Retry-After and closed
  /// Most that one address may hold, unless it is a proxy; 0: a quarter of max_connections, 64 at least.
  int max_per_address = 0;
  int threads = 4;  ///< that run handlers
  /// Requests with at most so many bytes of body are handled on the poller's own thread: the handler must not block.
  std::optional<std::uint64_t> inline_body{};
  /// Requests that have `urgent_threads` of their own, so that no others hold them up. Not with inline_body.
  std::function<bool(const ServedRequest&)> is_urgent = {};
  int urgent_threads = 0;
  std::uint64_t max_body = 1 << 20;  ///< also of a body whose Content-Encoding was undone
  /// Of all bodies that are being read or served; beyond it requests are answered 503 with Retry-After.
  std::uint64_t max_bodies = 64 << 20;
  std::chrono::milliseconds request_timeout{10'000};  ///< first byte to last; a slower one is cut with 408
  std::chrono::milliseconds keep_alive_timeout{5'000};
  bool length_required = true;  ///< a POST without length is 411; else it has no body (RFC 9112 6.3)
  std::string name;             ///< "ingress", "admin": in metrics and logs
  std::vector<std::pair<std::string, std::string>> headers{};  ///< of every response
  /// Told of each request that the server refused by itself (framing, size, time). What could not be read of it is
  /// empty. [thread: poller or handler]
  std::function<void(const ServedRequest& head, int status, std::string_view error, std::string_view detail)>
      on_refused = {};
  /// Judges the address of each new connection. [thread: poller] Must not block.
  std::function<PeerKind(std::string_view address)> judge_peer = {};
  /// Told of each connection that was closed at once because of PeerKind::kUnwanted. [thread: poller]
  std::function<void(std::string_view address)> on_unwanted = {};
};

/// An HTTP/1.1 server on Poco's sockets and PollSet.
///
/// Poco's own HTTP server holds a thread for each connection, serves unread bodies as the next request, takes cut and
/// ambiguous bodies for whole ones and has no limit on a request's time. Here one thread, the poller, reads all
/// connections; a connection that has sent nothing, or half a request, costs a descriptor and a small buffer. Requests
/// are read strictly and whole, within `request_timeout`; a connection is closed whenever it is not certain where the
/// next request begins.
///
/// In a crowd (three quarters of max_connections) unwanted peers are closed at accept; when no place is left, the
/// oldest connection that has not sent a whole request makes room, else one that is idle, else the new one gets a 503.
class HttpServer {
 public:
  /// Listens and serves. Errors (kUnavailable, kInvalid) name the address, why, and what to do.
  static Result<std::unique_ptr<HttpServer>> Start(const HttpServerOptions& options, HeadHandler head,
                                                   RequestHandler handler, Metrics& metrics);
  virtual ~HttpServer() = default;
  /// Listens on one more address, with the same errors. Safe from any thread.
  [[nodiscard]] virtual Status Listen(const config::Listen& listen) = 0;
  /// The bound address, port filled in: "127.0.0.1:41233", "unix:/run/x.sock". Of several: in the order of Listen,
  /// with ", " between.
  virtual std::string Address() const = 0;
  /// Whether `max_connections` are open, so that the next one is turned away. Safe from any thread.
  virtual bool Full() const = 0;
  /// How often the poller has gone round; asks for one more turn. Stands still only while that thread hangs. Safe from
  /// any thread.
  virtual std::uint64_t Passes() = 0;
  /// New connections are answered 503 with Retry-After, idle ones closed, requests under way answered with Connection:
  /// close, streams ended. A request that is not whole is read as long as it keeps coming; after a second of nothing it
  /// is answered 503. After `timeout` the rest is cut. Then the listeners are closed. Returns sooner when nothing is
  /// left to do. Call once; without it the destructor does the same with no time.
  virtual void Drain(std::chrono::milliseconds timeout) = 0;
};

}  // namespace hookswitch
