#include "tests/fakes/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>

#include "core/base/text.h"

namespace hookswitch::fakes {
namespace {

std::size_t NumberIn(std::string_view text, int base) {
  std::size_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number, base);
  return number;
}

}  // namespace

std::string RawAnswer::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return "";
}

RawClient::RawClient(std::uint16_t port, std::chrono::milliseconds timeout, const char* from) {
  fd_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval wait{timeout.count() / 1000, timeout.count() % 1000 * 1000};
  const int on = 1;
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
  setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  inet_pton(AF_INET, from, &address.sin_addr);
  bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
  close(fd_);
  fd_ = -1;
}

RawClient::~RawClient() {
  if (fd_ >= 0) close(fd_);
}

bool RawClient::IsOpen() const {
  char first = 0;
  const ssize_t n = fd_ < 0 ? 0 : recv(fd_, &first, 1, MSG_PEEK | MSG_DONTWAIT);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK));
}

bool RawClient::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (put <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

void RawClient::FinishSending() {
  shutdown(fd_, SHUT_WR);
}

RawAnswer RawClient::Failed(int received) const {
  RawAnswer answer;
  if (fd_ < 0) {
    answer.error = "refused";
  } else if (received == 0) {
    answer.error = "closed";
  } else {
    answer.error = errno == EAGAIN ? "timeout" : "reset";
  }
  return answer;
}

RawAnswer RawClient::Receive() {
  if (fd_ < 0) return Failed(-1);
  char chunk[16 * 1024];
  int received = 1;
  const auto more = [&] {
    received = static_cast<int>(recv(fd_, chunk, sizeof chunk, 0));
    if (received > 0) buffer_.append(chunk, static_cast<std::size_t>(received));
    return received > 0;
  };
  RawAnswer answer;
  std::size_t head_end = 0;
  do {
    while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!more()) return Failed(received);
    }
    answer = {};
    if (!buffer_.starts_with("HTTP/1.") || buffer_.size() < 12) {
      answer.error = "malformed";
      return answer;
    }
    answer.status = static_cast<int>(NumberIn(std::string_view(buffer_).substr(9, 3), 10));
    std::string_view head = std::string_view(buffer_).substr(0, head_end);
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n")) {
      head.remove_prefix(at + 2);
      const std::string_view line = head.substr(0, head.find("\r\n"));
      const std::size_t colon = line.find(':');
      if (colon != std::string_view::npos)
        answer.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
    }
    buffer_.erase(0, head_end + 4);
  } while (answer.status == 100);

  if (answer.Header("transfer-encoding") == "chunked") {
    while (true) {
      std::size_t line_end = 0;
      while ((line_end = buffer_.find("\r\n")) == std::string::npos) {
        if (!more()) return Failed(received);
      }
      const std::size_t size = NumberIn(std::string_view(buffer_).substr(0, line_end), 16);
      while (buffer_.size() < line_end + 2 + size + 2) {
        if (!more()) return Failed(received);
      }
      answer.body.append(buffer_, line_end + 2, size);
      buffer_.erase(0, line_end + 2 + size + 2);
      if (size == 0) return answer;
    }
  }
  const std::string length = answer.Header("content-length");
  if (length.empty()) {
    while (more()) {
    }
    answer.body = std::exchange(buffer_, {});
    return answer;
  }
  const std::size_t size = NumberIn(length, 10);
  while (buffer_.size() < size) {
    if (!more()) return Failed(received);
  }
  answer.body = buffer_.substr(0, size);
  buffer_.erase(0, size);
  return answer;
}

bool RawClient::SeesClose() {
  char byte = 0;
  const ssize_t received = recv(fd_, &byte, 1, 0);
  return received == 0 || (received < 0 && errno == ECONNRESET);
}

std::string RequestBytes(std::string_view method, std::string_view target, std::string_view body,
                         const HeaderList& headers) {
  std::string bytes;
  bytes.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n");
  if (method != "GET" || !body.empty())
    bytes.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  for (const auto& [name, value] : headers) bytes.append(name).append(": ").append(value).append("\r\n");
  return bytes.append("\r\n").append(body);
}

RawAnswer Fetch(std::uint16_t port, std::string_view method, std::string_view target, std::string_view body,
                const HeaderList& headers, std::chrono::milliseconds timeout) {
  RawClient client(port, timeout);
  if (client.Connected()) client.Send(RequestBytes(method, target, body, headers));
  return client.Receive();
}

}  // namespace hookswitch::fakes
