#pragma once
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <random>

namespace hookswitch::test {

/// A port of 127.0.0.1 that nobody listens on, for programs that must be told one. Below those that the kernel gives to
/// outgoing connections, and random: other tests run at the same time. 0 if there is none.
inline int FreePort() {
  constexpr int kLowest = 15'000, kHighest = 32'000, kTries = 100;
  std::random_device random;
  std::uniform_int_distribution<int> any(kLowest, kHighest);
  for (int i = 0; i < kTries; ++i) {
    const int port = any(random);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool is_free = bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    close(fd);
    if (is_free) return port;
  }
  return 0;
}

}  // namespace hookswitch::test
