#pragma once
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>

namespace hookswitch::testing {

/// A client that sends exactly the bytes it is told to. Every wait is bounded by 20 s.
class RawClient {
 public:
  /// `from`: the loopback address to come from, "127.0.0.2". `receive_buffer`: of an IPv4 socket, in bytes; 0: the
  /// system's.
  explicit RawClient(const std::string& address, const char* from = nullptr, int receive_buffer = 0) {
    if (address.starts_with("unix:")) {
      fd_ = ::socket(AF_UNIX, SOCK_STREAM, 0);
      sockaddr_un to{};
      to.sun_family = AF_UNIX;
      std::strncpy(to.sun_path, address.c_str() + 5, sizeof to.sun_path - 1);
      connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
      return;
    }
    const auto colon = address.rfind(':');
    const auto port = htons(static_cast<std::uint16_t>(std::stoi(address.substr(colon + 1))));
    if (address.front() == '[') {
      fd_ = ::socket(AF_INET6, SOCK_STREAM, 0);
      sockaddr_in6 to{};
      to.sin6_family = AF_INET6;
      to.sin6_port = port;
      inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &to.sin6_addr);
      connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    } else {
      fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
      if (receive_buffer != 0) ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
      if (from) {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        inet_pton(AF_INET, from, &here.sin_addr);
        EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&here), sizeof here), 0);
      }
      sockaddr_in to{};
      to.sin_family = AF_INET;
      to.sin_port = port;
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
      connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }

  bool connected() const { return connected_; }
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }
  void CloseWriting() { ::shutdown(fd_, SHUT_WR); }

  /// One whole answer (head and Content-Length body), or what came before the connection ended.
  std::string Answer() {
    for (;;) {
      const auto head = pending_.find("\r\n\r\n");
      if (head != pending_.npos) {
        std::size_t length = 0;
        const auto at = pending_.find("Content-Length: ");
        if (at != pending_.npos && at < head) length = std::stoul(pending_.substr(at + 16));
        if (pending_.starts_with("HTTP/1.1 100")) length = 0;
        if (pending_.size() >= head + 4 + length) {
          std::string answer = pending_.substr(0, head + 4 + length);
          pending_.erase(0, answer.size());
          return answer;
        }
      }
      if (!Fill()) return std::exchange(pending_, {});
    }
  }
  /// The next `count` bytes, or what came before the connection ended.
  std::string Bytes(std::size_t count) {
    while (pending_.size() < count && Fill()) {
    }
    const std::string bytes = pending_.substr(0, count);
    pending_.erase(0, bytes.size());
    return bytes;
  }
  /// Everything until the connection ends. Sets reset() if it ended with a reset, not with an orderly end.
  std::string UntilEnd() {
    while (Fill()) {
    }
    return std::exchange(pending_, {});
  }
  bool reset() const { return reset_; }
  bool ended() const { return ended_; }

 private:
  bool Fill() {
    pollfd entry{fd_, POLLIN, 0};
    if (::poll(&entry, 1, 20'000) <= 0) {
      ADD_FAILURE() << "nothing came within 20 s; so far: " << pending_;
      return false;
    }
    char piece[65536];
    const ssize_t n = ::recv(fd_, piece, sizeof piece, 0);
    if (n <= 0) {
      ended_ = true;
      reset_ = n < 0 && errno == ECONNRESET;
      return false;
    }
    pending_.append(piece, static_cast<std::size_t>(n));
    return true;
  }

  int fd_ = -1;
  bool connected_ = false;
  bool reset_ = false;
  bool ended_ = false;
  std::string pending_;
};

inline int StatusOf(std::string_view answer) {
  return answer.starts_with("HTTP/1.1 ") ? std::stoi(std::string(answer.substr(9, 3))) : 0;
}
inline std::string_view BodyOf(std::string_view answer) {
  const auto at = answer.find("\r\n\r\n");
  return at == answer.npos ? std::string_view() : answer.substr(at + 4);
}
inline std::string Post(std::string_view path, std::string_view body, std::string_view headers = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace hookswitch::testing
