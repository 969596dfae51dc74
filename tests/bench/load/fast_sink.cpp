#include "tests/bench/load/fast_sink.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string>

#include "core/base/check.h"

namespace hookswitch::bench {
namespace {

constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kLength = "\r\nContent-Length: ";
constexpr std::size_t kMostRequest = 256 * 1024;

}  // namespace

struct FastSink::Connection {
  int fd = -1;
  std::size_t sink = 0;
  std::size_t size = 0;
  std::string in = std::string(16 * 1024, '\0');
};

struct FastSink::Listener {
  int fd = -1;
  std::uint16_t port = 0;
  Manner manner = Manner::kAnswer;
};

FastSink::FastSink(const std::vector<Manner>& manners, Arrived arrived) : arrived_(std::move(arrived)) {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  stop_ = eventfd(0, EFD_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = this;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, stop_, &event);
  for (const Manner manner : manners) {
    Listener listener{.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), .manner = manner};
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    const bool bound = bind(listener.fd, reinterpret_cast<const sockaddr*>(&address), size) == 0 &&
                       getsockname(listener.fd, reinterpret_cast<sockaddr*>(&address), &size) == 0 &&
                       (manner == Manner::kRefuse || listen(listener.fd, 1024) == 0);
    HSW_CHECK(bound, "the loopback has a free port");
    listener.port = ntohs(address.sin_port);
    listeners_.push_back(listener);
  }
  for (Listener& listener : listeners_) {
    event.data.ptr = &listener;
    if (listener.manner != Manner::kRefuse) epoll_ctl(epoll_, EPOLL_CTL_ADD, listener.fd, &event);
  }
  thread_ = std::thread([this] { Run(); });
}

FastSink::~FastSink() {
  eventfd_write(stop_, 1);
  thread_.join();
  for (const auto& connection : connections_) {
    if (connection->fd >= 0) close(connection->fd);
  }
  for (const Listener& listener : listeners_) close(listener.fd);
  close(stop_);
  close(epoll_);
}

std::uint16_t FastSink::Port(std::size_t sink) const {
  return listeners_[sink].port;
}

void FastSink::Run() {
  epoll_event events[64];
  for (;;) {
    const int count = epoll_wait(epoll_, events, 64, -1);
    for (int i = 0; i < count; ++i) {
      void* who = events[i].data.ptr;
      if (who == this) return;
      const auto listener =
          std::find_if(listeners_.begin(), listeners_.end(), [&](const Listener& each) { return &each == who; });
      if (listener != listeners_.end()) {
        Accept(static_cast<std::size_t>(listener - listeners_.begin()));
        continue;
      }
      auto& connection = *static_cast<Connection*>(who);
      if (Read(connection)) continue;
      close(connection.fd);
      connection.fd = -1;
    }
  }
}

void FastSink::Accept(std::size_t sink) {
  for (;;) {
    const int fd = accept4(listeners_[sink].fd, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) return;
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    auto connection = std::make_unique<Connection>();
    connection->fd = fd;
    connection->sink = sink;
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = connection.get();
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    connections_.push_back(std::move(connection));
  }
}

bool FastSink::Read(Connection& connection) {
  std::string& in = connection.in;
  if (connection.size == in.size()) {
    if (in.size() >= kMostRequest) return false;
    in.resize(in.size() * 2);
  }
  const ssize_t got = recv(connection.fd, in.data() + connection.size, in.size() - connection.size, 0);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  connection.size += static_cast<std::size_t>(got);
  const std::string_view seen(in.data(), connection.size);
  const std::size_t head = seen.find("\r\n\r\n");
  if (head == std::string_view::npos) return true;
  const std::size_t at = seen.substr(0, head).find(kLength);
  std::size_t body = 0;
  if (at != std::string_view::npos) {
    std::from_chars(seen.data() + at + kLength.size(), seen.data() + head, body);
  }
  if (seen.size() < head + 4 + body) return true;
  connection.size = 0;
  if (listeners_[connection.sink].manner == Manner::kHang) return true;
  const auto now = std::chrono::steady_clock::now();
  // What fits into an empty buffer is always taken whole.
  const bool sent = send(connection.fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) > 0;
  arrived_(connection.sink, seen, now);
  return sent;
}

}  // namespace hookswitch::bench
