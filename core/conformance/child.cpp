#include "core/conformance/child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <exception>

#include "core/base/time_text.h"

namespace hookswitch::conformance {
namespace {

[[noreturn]] void BeChild(const std::function<std::string()>& work, int answer) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  std::string text;
  try {
    text = work();
  } catch (const std::exception& failed) {
    text = std::string("the check itself failed: ") + failed.what();
  }
  text += '\0';  // distinguishes an empty result from none
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = ::write(answer, rest.data(), rest.size());
    if (n <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  ::_exit(0);
}

}  // namespace

Result<std::string> InChild(const std::function<std::string()>& work, std::chrono::milliseconds patience) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::kUnavailable, std::strerror(errno)};
  const pid_t pid = ::fork();
  if (pid < 0) {
    const int error = errno;
    ::close(ends[0]);
    ::close(ends[1]);
    return Error{ErrorCode::kUnavailable, std::strerror(error)};
  }
  if (pid == 0) BeChild(work, ends[1]);
  ::close(ends[1]);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::string answer;
  bool timed_out = false;
  std::array<char, 4096> chunk;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd polled{ends[0], POLLIN, 0};
    const int ready = left <= 0 ? 0 : ::poll(&polled, 1, static_cast<int>(left));
    if (ready < 0 && errno == EINTR) continue;
    timed_out = ready == 0;
    if (timed_out) break;
    const ssize_t n = ::read(ends[0], chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    answer.append(chunk.data(), static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  if (timed_out) ::kill(pid, SIGKILL);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (timed_out) return Error{ErrorCode::kInvalid, "it does not end: nothing came within " + FormatDuration(patience)};
  if (answer.empty()) {
    const std::string how = WIFSIGNALED(status) ? std::string("signal ") + ::strsignal(WTERMSIG(status))
                                                : "exit code " + std::to_string(WEXITSTATUS(status));
    return Error{ErrorCode::kInvalid, "it ends the process: " + how};
  }
  answer.pop_back();
  return answer;
}

}  // namespace hookswitch::conformance
