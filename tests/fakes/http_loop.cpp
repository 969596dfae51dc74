#include "tests/fakes/http_loop.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <map>
#include <thread>
#include <unordered_map>

#include "core/base/sync.h"
#include "core/base/text.h"

namespace hookswitch::fakes {
namespace {

using Mono = std::chrono::steady_clock;

constexpr std::uint64_t kListenerId = 0;
constexpr std::uint64_t kWakeId = 1;
constexpr std::uint64_t kFirstConnectionId = 2;
constexpr std::size_t kReadChunk = 64 * 1024;

Error SystemError(const char* what) {
  return {ErrorCode::kUnavailable, std::string(what) + ": " + std::strerror(errno)};
}

/// A socket bound to 127.0.0.1:port that shares the port with its siblings. -1 on failure.
int BindLoopback(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

std::uint16_t BoundPort(int fd) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

std::string_view ReasonPhrase(int status) {
  if (status == 200) return "OK";
  if (status == 429) return "Too Many Requests";
  return status < 400 ? "Done" : "Error";
}

struct Connection {
  int fd = -1;
  std::string in;
  std::string out;
  std::size_t sent = 0;
  bool waiting = false;  ///< a delayed or withheld answer: nothing further is read from `in`
  bool closing = false;  ///< closes once `out` is written
  bool flowing = false;  ///< the head of an answer without end is out
  bool told_to_continue = false;
  bool wants_write = false;
};

class Loop final : public HttpLoop {
 public:
  explicit Loop(Handler handler) : handler_(std::move(handler)) {}

  ~Loop() override {
    if (thread_.joinable()) {
      stop_ = true;
      Wake();
      thread_.join();
    }
    for (const auto& [id, connection] : connections_) close(connection.fd);
    for (const int fd : {listener_, placeholder_, wake_, epoll_}) {
      if (fd >= 0) close(fd);
    }
  }

  Status Open(std::uint16_t port) {
    // The placeholder never listens: it keeps the port ours while the listener is down.
    placeholder_ = BindLoopback(port);
    if (placeholder_ < 0) return SystemError("bind 127.0.0.1");
    port_ = BoundPort(placeholder_);
    epoll_ = epoll_create1(EPOLL_CLOEXEC);
    wake_ = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (epoll_ < 0 || wake_ < 0) return SystemError("epoll");
    Watch(wake_, kWakeId, EPOLLIN, EPOLL_CTL_ADD);
    HSW_TRY(Listen());
    thread_ = std::thread([this] { Run(); });
    return Ok();
  }

  std::uint16_t Port() const override { return port_; }
  std::uint64_t Accepted() const override { return accepted_; }
  void GoDown() override { SetUp(false); }
  void ComeBack() override { SetUp(true); }

 private:
  Status Listen() {
    listener_ = BindLoopback(port_);
    if (listener_ < 0 || listen(listener_, 4096) != 0) return SystemError("listen");
    Watch(listener_, kListenerId, EPOLLIN, EPOLL_CTL_ADD);
    return Ok();
  }

  void SetUp(bool up) {
    MutexLock lock(mu_);
    want_up_ = up;
    Wake();
    while (is_up_ != up) changed_.Wait(mu_);
  }

  void Wake() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake_, &one, sizeof one);
  }

  void Watch(int fd, std::uint64_t id, std::uint32_t events, int operation) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = id;
    epoll_ctl(epoll_, operation, fd, &event);
  }

  void Run() {
    epoll_event events[256];
    while (!stop_) {
      timespec timeout{};
      timespec* wait = nullptr;
      if (!timers_.empty()) {
        const auto left = std::max<Mono::duration>(timers_.begin()->first - Mono::now(), Mono::duration::zero());
        const auto nanoseconds = std::chrono::duration_cast<std::chrono::nanoseconds>(left).count();
        timeout = {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
        wait = &timeout;
      }
      const int count = epoll_pwait2(epoll_, events, 256, wait, nullptr);
      for (int i = 0; i < count; ++i) Dispatch(events[i].data.u64, events[i].events);
      FireTimers();
    }
  }

  void Dispatch(std::uint64_t id, std::uint32_t events) {
    if (id == kListenerId) return AcceptAll();
    if (id == kWakeId) return OnWake();
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    if ((events & EPOLLOUT) != 0 && !Flush(id, found->second)) return;
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) Read(id, found->second);
  }

  void OnWake() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = read(wake_, &count, sizeof count);
    MutexLock lock(mu_);
    if (want_up_ == is_up_) return;
    if (want_up_) {
      if (!Listen()) return;
    } else {
      close(listener_);
      listener_ = -1;
      while (!connections_.empty()) Close(connections_.begin()->first, /*reset=*/true);
    }
    is_up_ = want_up_;
    changed_.NotifyAll();
  }

  void AcceptAll() {
    if (listener_ < 0) return;
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int on = 1;
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      const std::uint64_t id = next_id_++;
      connections_[id].fd = fd;
      ++accepted_;
      Watch(fd, id, EPOLLIN, EPOLL_CTL_ADD);
    }
  }

  void Read(std::uint64_t id, Connection& connection) {
    const std::size_t had = connection.in.size();
    connection.in.resize(had + kReadChunk);
    const ssize_t got = recv(connection.fd, connection.in.data() + had, kReadChunk, 0);
    const int error = errno;
    connection.in.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0 || (got < 0 && error != EAGAIN && error != EINTR)) return Close(id, false);
    if (!Serve(id, connection)) return;
    if (!connection.in.empty() && !connection.waiting) {
      // A client that wrote head and body apart waits for this ACK before it sends the rest (Nagle).
      const int on = 1;
      setsockopt(connection.fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    }
  }

  /// Answers every whole request in `in`. False if the connection is gone.
  bool Serve(std::uint64_t id, Connection& connection) {
    std::size_t used = 0;
    while (!connection.waiting && !connection.closing) {
      const std::string_view rest = std::string_view(connection.in).substr(used);
      const std::size_t head_end = rest.find("\r\n\r\n");
      if (head_end == std::string_view::npos) break;
      HttpRequest request;
      if (!ParseHead(rest.substr(0, head_end), request)) {
        Close(id, true);
        return false;
      }
      std::size_t length = 0;
      const std::string_view length_text = request.Header("content-length");
      std::from_chars(length_text.data(), length_text.data() + length_text.size(), length);
      if (rest.size() < head_end + 4 + length) {
        if (!connection.told_to_continue && !request.Header("expect").empty()) {
          connection.told_to_continue = true;
          connection.out += "HTTP/1.1 100 Continue\r\n\r\n";
          if (!Flush(id, connection)) return false;
        }
        break;
      }
      request.body = rest.substr(head_end + 4, length);
      used += head_end + 4 + length;
      connection.told_to_continue = false;
      HttpReply reply = handler_(request);
      if (EqualsIgnoreCase(request.Header("connection"), "close") && reply.then == HttpReply::Then::kKeepAlive) {
        reply.then = HttpReply::Then::kClose;
      }
      if (reply.then == HttpReply::Then::kHang) {
        connection.waiting = true;
      } else if (reply.delay.count() > 0) {
        connection.waiting = true;
        timers_.emplace(Mono::now() + reply.delay, std::pair(id, std::move(reply)));
      } else if (!Answer(id, connection, reply)) {
        return false;
      }
    }
    connection.in.erase(0, used);
    return Flush(id, connection);
  }

  static bool ParseHead(std::string_view head, HttpRequest& request) {
    const std::size_t line_end = std::min(head.find("\r\n"), head.size());
    const std::string_view line = head.substr(0, line_end);
    const std::size_t first = line.find(' ');
    const std::size_t second = line.rfind(' ');
    if (first == std::string_view::npos || second <= first) return false;
    request.method = line.substr(0, first);
    request.target = line.substr(first + 1, second - first - 1);
    head.remove_prefix(std::min(line_end + 2, head.size()));
    while (!head.empty()) {
      const std::size_t end = std::min(head.find("\r\n"), head.size());
      const std::string_view header = head.substr(0, end);
      const std::size_t colon = header.find(':');
      if (colon == std::string_view::npos) return false;
      request.headers.emplace_back(header.substr(0, colon), Trim(header.substr(colon + 1)));
      head.remove_prefix(std::min(end + 2, head.size()));
    }
    return true;
  }

  /// Writes the answer into `out`, or cuts. False if the connection is gone.
  bool Answer(std::uint64_t id, Connection& connection, const HttpReply& reply) {
    if (reply.then == HttpReply::Then::kCut) {
      Close(id, true);
      return false;
    }
    std::string& out = connection.out;
    const bool flows = reply.then == HttpReply::Then::kFlow;
    out += "HTTP/1.1 ";
    out += std::to_string(reply.status);
    out += ' ';
    out += ReasonPhrase(reply.status);
    out += "\r\nContent-Type: ";
    out += reply.content_type;
    if (!flows) {
      out += "\r\nContent-Length: ";
      out += std::to_string(reply.body.size());
    }
    for (const auto& [name, value] : reply.headers) {
      out += "\r\n";
      out += name;
      out += ": ";
      out += value;
    }
    if (reply.then == HttpReply::Then::kClose || flows) out += "\r\nConnection: close";
    if (reply.then == HttpReply::Then::kClose) connection.closing = true;
    out += "\r\n\r\n";
    out += reply.body;
    return true;
  }

  /// Writes what the socket takes. False if the connection is gone.
  bool Flush(std::uint64_t id, Connection& connection) {
    while (connection.sent < connection.out.size()) {
      const ssize_t put = send(connection.fd, connection.out.data() + connection.sent,
                               connection.out.size() - connection.sent, MSG_NOSIGNAL);
      if (put < 0) {
        if (errno == EAGAIN) {
          if (!connection.wants_write) Watch(connection.fd, id, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
          connection.wants_write = true;
          return true;
        }
        Close(id, false);
        return false;
      }
      connection.sent += static_cast<std::size_t>(put);
    }
    connection.out.clear();
    connection.sent = 0;
    if (connection.wants_write) Watch(connection.fd, id, EPOLLIN, EPOLL_CTL_MOD);
    connection.wants_write = false;
    if (connection.closing) {
      Close(id, false);
      return false;
    }
    return true;
  }

  /// Sends a piece, unless the last one waits still, and sets the time of the next.
  void Flow(std::uint64_t id, Connection& connection, HttpReply reply) {
    if (connection.flowing && connection.out.empty()) connection.out = reply.body;
    connection.flowing = true;
    if (!Flush(id, connection)) return;
    const auto next = Mono::now() + reply.delay;
    timers_.emplace(next, std::pair(id, std::move(reply)));
  }

  void FireTimers() {
    while (!timers_.empty() && timers_.begin()->first <= Mono::now()) {
      auto [id, reply] = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      const auto found = connections_.find(id);
      if (found == connections_.end()) continue;
      Connection& connection = found->second;
      if (reply.then == HttpReply::Then::kFlow) {
        if (!connection.flowing && !Answer(id, connection, reply)) continue;
        Flow(id, connection, std::move(reply));
        continue;
      }
      connection.waiting = false;
      if (Answer(id, connection, reply) && Flush(id, connection)) Serve(id, connection);
    }
  }

  void Close(std::uint64_t id, bool reset) {
    const auto found = connections_.find(id);
    if (found == connections_.end()) return;
    if (reset) {
      const linger now{1, 0};
      setsockopt(found->second.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    }
    close(found->second.fd);
    connections_.erase(found);
  }

  Handler handler_;
  std::thread thread_;
  std::atomic<bool> stop_ = false;
  std::atomic<std::uint64_t> accepted_ = 0;
  int placeholder_ = -1, listener_ = -1, wake_ = -1, epoll_ = -1;
  std::uint16_t port_ = 0;

  Mutex mu_;
  CondVar changed_;
  bool want_up_ GUARDED_BY(mu_) = true;
  bool is_up_ GUARDED_BY(mu_) = true;

  // Only the loop's thread touches these.
  std::uint64_t next_id_ = kFirstConnectionId;
  std::unordered_map<std::uint64_t, Connection> connections_;
  std::multimap<Mono::time_point, std::pair<std::uint64_t, HttpReply>> timers_;
};

}  // namespace

std::string_view HttpRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

Result<std::unique_ptr<HttpLoop>> HttpLoop::Start(Handler handler, std::uint16_t port) {
  auto loop = std::make_unique<Loop>(std::move(handler));
  if (auto opened = loop->Open(port); !opened) return std::move(opened).error();
  return std::unique_ptr<HttpLoop>(std::move(loop));
}

}  // namespace hookswitch::fakes
