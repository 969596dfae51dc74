#include "tests/bench/load/stream_readers.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace hookswitch::bench {

StreamReaders::StreamReaders(std::uint16_t port, int count) {
  constexpr std::string_view kRequest = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<pollfd> polled;
  for (int i = 0; i < count; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    const bool opened = ::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0 &&
                        ::send(fd, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) > 0;
    if (!opened) {
      std::perror("a stream cannot be opened");
      std::exit(1);
    }
    sockets_.push_back(fd);
    polled.push_back({fd, POLLIN, 0});
  }
  thread_ = std::thread([this, polled]() mutable {
    std::vector<char> room(1 << 16);
    while (!stop_) {
      if (::poll(polled.data(), polled.size(), 100) <= 0) continue;
      for (pollfd& entry : polled) {
        if (entry.revents == 0) continue;
        const ssize_t n = ::recv(entry.fd, room.data(), room.size(), MSG_DONTWAIT);
        if (n > 0) {
          bytes_ += static_cast<std::uint64_t>(n);
        } else {
          entry.fd = -1;
          ++ended_;
        }
      }
    }
  });
}

StreamReaders::~StreamReaders() {
  stop_ = true;
  thread_.join();
  for (const int fd : sockets_) ::close(fd);
}

}  // namespace hookswitch::bench
