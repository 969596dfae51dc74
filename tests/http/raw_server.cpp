#include "tests/http/raw_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"

namespace hookswitch {
namespace {

int Listen(std::uint16_t& port, bool really) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  HSW_CHECK(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "loopback has a free port");
  if (really) listen(fd, 512);
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

}  // namespace

RawConnection::~RawConnection() {
  if (fd_ >= 0) shutdown(fd_, SHUT_RDWR);
}

std::string RawConnection::ReadRequest() {
  for (;;) {
    const auto end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      std::size_t length = 0;
      const std::string head = buffer_.substr(0, end + 4);
      if (const auto at = head.find("Content-Length: "); at != std::string::npos) {
        length = static_cast<std::size_t>(std::atol(head.c_str() + at + 16));
      }
      if (buffer_.size() >= end + 4 + length) {
        const std::string request = buffer_.substr(0, end + 4 + length);
        buffer_.erase(0, request.size());
        return request;
      }
    }
    char bytes[16384];
    const ssize_t count = recv(fd_, bytes, sizeof bytes, 0);
    if (count <= 0) return "";
    buffer_.append(bytes, static_cast<std::size_t>(count));
  }
}

bool RawConnection::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

bool RawConnection::Answer(std::string_view body, std::string_view more_headers) {
  return Write("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
               std::string(more_headers) + "\r\n" + std::string(body));
}

void RawConnection::Reset() {
  const linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  // The server closes the number itself when the thread has ended; this only makes that close a reset.
  fd_ = -1;
}

void RawConnection::AwaitClose() {
  char bytes[4096];
  while (recv(fd_, bytes, sizeof bytes, 0) > 0) {
  }
}

RawServer::RawServer(Handler handler) : handler_(std::move(handler)) {
  listener_ = Listen(port_, true);
  acceptor_ = std::thread([this] {
    for (;;) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) break;
      const int number = ++connections_;
      {
        MutexLock lock(mu_);
        fds_.push_back(fd);
        if (stopping_) shutdown(fd, SHUT_RDWR);
      }
      threads_.emplace_back([this, fd, number] {
        {
          RawConnection connection(fd, number);
          handler_(connection);
        }
        MutexLock lock(mu_);
        std::erase(fds_, fd);
        close(fd);
      });
    }
    for (auto& thread : threads_) thread.join();
  });
}

RawServer::~RawServer() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
    for (const int fd : fds_) shutdown(fd, SHUT_RDWR);
  }
  shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  close(listener_);
}

std::string RawServer::Url(std::string_view path) const {
  return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
}

std::uint16_t RefusedPort() {
  std::uint16_t port = 0;
  // Bound and never listened on, so nobody else gets it while the test runs.
  static const int held = Listen(port, false);
  sockaddr_in address{};
  socklen_t size = sizeof address;
  getsockname(held, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace hookswitch
