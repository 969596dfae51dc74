#include "core/demo/router_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <utility>

namespace hookswitch::demo {
namespace {

// After a fork of a program with threads only what is async-signal-safe may be called.
[[noreturn]] void BecomeRouter(char* const* arguments, char* const* environment, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  ::setpgid(0, 0);
  const int nothing = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0 || ::dup2(nothing, STDOUT_FILENO) < 0) ::_exit(1);
  if (::dup2(log, STDERR_FILENO) < 0) ::_exit(1);
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::execve(arguments[0], arguments, environment);
  ::_exit(127);
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace

Result<std::unique_ptr<RouterProcess>> RouterProcess::Start(Options options) {
  std::vector<std::string> command = {options.program, "serve", "-c", options.config};
  const std::vector<char*> arguments = Pointers(command);
  const std::vector<char*> environment = Pointers(options.environment);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::kUnavailable, std::strerror(errno)};
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) BecomeRouter(arguments.data(), environment.data(), ends[1], parent);
  const int error = errno;
  ::close(ends[1]);
  if (pid < 0) {
    ::close(ends[0]);
    return Error{ErrorCode::kUnavailable, std::strerror(error)};
  }
  return std::unique_ptr<RouterProcess>(new RouterProcess(pid, ends[0], std::move(options.on_line)));
}

RouterProcess::RouterProcess(pid_t pid, int log, std::function<void(const json::object*)> on_line)
    : pid_(pid), on_line_(std::move(on_line)), reader_([this, log] { Read(log); }) {}

RouterProcess::~RouterProcess() {
  Stop(std::chrono::milliseconds(0));
}

void RouterProcess::Stop(std::chrono::milliseconds patience) {
  if (!reader_.joinable()) return;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  ::kill(pid_, SIGTERM);
  {
    MutexLock lock(mu_);
    while (!has_ended_ && std::chrono::steady_clock::now() < deadline) changed_.WaitUntil(mu_, deadline);
    if (!has_ended_) ::kill(pid_, SIGKILL);
  }
  reader_.join();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void RouterProcess::Read(int log) {
  std::string text;
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t n = ::read(log, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(n));
    std::size_t begin = 0;
    for (std::size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string_view line = std::string_view(text).substr(begin, end - begin);
      json::error_code error;
      json::value parsed = json::parse(line, error);
      // What is no log line comes from the system, such as a library that is missing.
      if (error || !parsed.is_object()) parsed = {{"level", "error"}, {"event", "output"}, {"reason", line}};
      on_line_(&parsed.get_object());
    }
    text.erase(0, begin);
  }
  ::close(log);
  on_line_(nullptr);
  MutexLock lock(mu_);
  has_ended_ = true;
  changed_.NotifyAll();
}

}  // namespace hookswitch::demo
