#pragma once
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/check.h"

namespace hookswitch::test {

/// A port of 127.0.0.1 that nobody listens on now, for a server that cannot choose one itself.
inline int FreePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  HSW_CHECK(::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0, "there are free ports");
  ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  ::close(fd);
  return ntohs(address.sin_port);
}

}  // namespace hookswitch::test
