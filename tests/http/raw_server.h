#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/base/sync.h"

namespace hookswitch {

/// One accepted connection, bytes in and out, for a server that misbehaves exactly as a test wants.
class RawConnection {
 public:
  explicit RawConnection(int fd, int number) : fd_(fd), number_(number) {}
  ~RawConnection();
  int number() const { return number_; }  ///< 1 for the first
  int fd() const { return fd_; }
  /// Reads one request with its Content-Length body; "" if the client went away.
  std::string ReadRequest();
  bool Write(std::string_view bytes);
  /// Answers 200 with `body` and Content-Length.
  bool Answer(std::string_view body = "ok", std::string_view more_headers = "");
  void Reset();  ///< closes with RST
  /// Waits until the client closes.
  void AwaitClose();

 private:
  int fd_;
  const int number_;
  std::string buffer_;
};

/// Runs `handler` on a thread per connection; when it returns the connection is closed.
class RawServer {
 public:
  using Handler = std::function<void(RawConnection&)>;
  explicit RawServer(Handler handler);
  ~RawServer();
  std::string Url(std::string_view path = "/hook") const;
  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  Handler handler_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::vector<std::thread> threads_;  ///< the acceptor's own after the constructor
  Mutex mu_;
  std::vector<int> fds_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread acceptor_;
};

/// A port on which nothing listens.
std::uint16_t RefusedPort();

}  // namespace hookswitch
