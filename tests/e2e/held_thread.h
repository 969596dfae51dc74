#pragma once
#include <sys/types.h>

#include <string_view>

namespace hookswitch::e2e {

/// One thread of another process that does not go on as long as the object lives, as if it hung. For one thread.
class HeldThread {
 public:
  /// The thread of that name (as in /proc/PID/task/TID/comm).
  HeldThread(pid_t pid, std::string_view name);
  ~HeldThread();
  HeldThread(const HeldThread&) = delete;
  HeldThread& operator=(const HeldThread&) = delete;

  /// False where tracing other processes is not allowed.
  bool Held() const { return held_; }

 private:
  pid_t thread_ = 0;
  bool held_ = false;
};

}  // namespace hookswitch::e2e
