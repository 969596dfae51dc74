#include "core/app/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>

#include "core/base/log.h"

namespace hookswitch {
namespace {

// Kept for the journal, the sinks' connections, the admin listener and connections that are being turned away.
constexpr rlim_t kReservedDescriptors = 256;

}  // namespace

int AffordableConnections(int wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return wanted;
  const rlim_t enough = static_cast<rlim_t>(wanted) + kReservedDescriptors;
  if (limit.rlim_cur < enough && limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = limit.rlim_cur;
    limit.rlim_cur = std::min(enough, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  const rlim_t room = std::max(limit.rlim_cur - std::min(limit.rlim_cur, kReservedDescriptors), limit.rlim_cur / 2);
  if (room >= static_cast<rlim_t>(wanted)) return wanted;
  log::Warn("connections_limited", {{"max_connections", wanted},
                                    {"allowed", room},
                                    {"reason", "the process may have " + std::to_string(limit.rlim_cur) +
                                                   " file descriptors; raise its limit (LimitNOFILE)"}});
  return static_cast<int>(room);
}

void CloseAllOnExec() {
  ::close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

bool OutOfDescriptors() {
  const int fd = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (fd >= 0) ::close(fd);
  return fd < 0 && (errno == EMFILE || errno == ENFILE);
}

}  // namespace hookswitch
