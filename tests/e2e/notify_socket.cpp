#include "tests/e2e/notify_socket.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>

#include "core/base/check.h"

namespace hookswitch::e2e {

NotifySocket::NotifySocket() : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = dir_ / "notify";
  HSW_CHECK(path.size() < sizeof address.sun_path, "a temporary folder has a short name");
  path.copy(address.sun_path, path.size());
  HSW_CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "the folder is new");
}

NotifySocket::~NotifySocket() {
  close(fd_);
}

bool NotifySocket::WaitFor(std::string_view line, std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd readable{fd_, POLLIN, 0};
    if (poll(&readable, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) != 1) return false;
    char message[4096];
    const ssize_t size = recv(fd_, message, sizeof message, 0);
    if (size < 0) return false;
    const std::string lines = "\n" + std::string(message, static_cast<std::size_t>(size)) + "\n";
    if (lines.find("\n" + std::string(line) + "\n") != std::string::npos) return true;
  }
}

}  // namespace hookswitch::e2e
