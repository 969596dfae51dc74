#pragma once
#include <chrono>
#include <string>
#include <string_view>

#include "tests/e2e/process.h"

namespace hookswitch::e2e {

/// The socket that systemd gives a service of Type=notify. For one thread.
class NotifySocket {
 public:
  NotifySocket();
  ~NotifySocket();
  NotifySocket(const NotifySocket&) = delete;
  NotifySocket& operator=(const NotifySocket&) = delete;

  /// The variable that names it to the service.
  std::string Environment() const { return "NOTIFY_SOCKET=" + (dir_ / "notify"); }
  /// Waits for a message with this line in it and forgets those before it; false if `timeout` passes first.
  [[nodiscard]] bool WaitFor(std::string_view line, std::chrono::milliseconds timeout) const;

 private:
  TempDir dir_;
  int fd_ = -1;
};

}  // namespace hookswitch::e2e
