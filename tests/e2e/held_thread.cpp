#include "tests/e2e/held_thread.h"

#include <sys/ptrace.h>
#include <sys/wait.h>

#include <filesystem>
#include <string>

#include "core/base/check.h"
#include "tests/e2e/process.h"

namespace hookswitch::e2e {

HeldThread::HeldThread(pid_t pid, std::string_view name) {
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    if (ReadFile(task.path() / "comm") == std::string(name) + "\n") thread_ = std::stoi(task.path().filename());
  }
  HSW_CHECK(thread_ != 0, "the router's threads have names");
  held_ = ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0 &&
          ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0 && waitpid(thread_, nullptr, __WALL) == thread_;
}

HeldThread::~HeldThread() {
  if (held_) ptrace(PTRACE_DETACH, thread_, nullptr, nullptr);
}

}  // namespace hookswitch::e2e
