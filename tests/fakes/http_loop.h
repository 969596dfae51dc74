#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"

namespace hookswitch::fakes {

/// A whole request. Everything in it is borrowed until the handler returns.
struct HttpRequest {
  std::string_view method;
  std::string_view target;  ///< path and query as sent
  std::string_view body;
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  /// The first value of a header (any case), or empty.
  std::string_view Header(std::string_view name) const;
};

struct HttpReply {
  enum class Then {
    kKeepAlive,
    kClose,  ///< answers, then closes
    kCut,    ///< resets the connection instead of answering
    kHang,   ///< never answers, keeps the connection
    kFlow,   ///< answers, and sends `body` again each `delay` for ever
  };
  int status = 200;
  std::string body;
  std::string content_type = "text/plain";
  std::vector<std::pair<std::string, std::string>> headers;
  std::chrono::milliseconds delay{0};  ///< waits so long before it answers or cuts; others are not held
  Then then = Then::kKeepAlive;
};

/// A small HTTP/1.1 server on 127.0.0.1 for tests and benchmarks: one epoll thread, keep-alive, pipelining, delayed
/// answers. Lenient on purpose: it stands for the other side, not for us. Bodies need a Content-Length.
class HttpLoop {
 public:
  /// Runs on the loop's thread; must not block.
  using Handler = std::function<HttpReply(const HttpRequest&)>;

  /// `port` 0 picks a free one. Errors: kUnavailable (the address cannot be bound).
  static Result<std::unique_ptr<HttpLoop>> Start(Handler handler, std::uint16_t port = 0);
  virtual ~HttpLoop() = default;

  virtual std::uint16_t Port() const = 0;
  /// Closes the listener and every connection; connecting is refused until ComeBack. Keeps the port. Returns when done.
  virtual void GoDown() = 0;
  virtual void ComeBack() = 0;
  /// How many connections have been accepted so far.
  virtual std::uint64_t Accepted() const = 0;
};

}  // namespace hookswitch::fakes
