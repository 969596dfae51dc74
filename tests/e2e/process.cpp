#include "tests/e2e/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include "core/base/check.h"

namespace hookswitch::e2e {
namespace {

using Mono = std::chrono::steady_clock;

struct Pipe {
  Pipe() { HSW_CHECK(pipe2(ends, O_CLOEXEC) == 0, "the test has file descriptors left"); }
  int ends[2];
};

/// Starts `command` with the given stdout (-1: /dev/null) and stderr.
pid_t Spawn(const std::vector<std::string>& command, const std::vector<std::string>& environment, int out, int err) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  // Of two entries with one name the first counts.
  for (const std::string& entry : environment) variables.push_back(const_cast<char*>(entry.c_str()));
  for (char** entry = environ; *entry != nullptr; ++entry) variables.push_back(*entry);
  variables.push_back(nullptr);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  const pid_t pid = fork();
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(null, STDIN_FILENO);
    dup2(out >= 0 ? out : null, STDOUT_FILENO);
    dup2(err, STDERR_FILENO);
    execve(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
  close(null);
  HSW_CHECK(pid > 0, "the test can start programs");
  return pid;
}

/// Reaps `pid`; empty if it still runs at `deadline`.
std::optional<int> Reap(pid_t pid, Mono::time_point deadline) {
  const int handle = static_cast<int>(syscall(SYS_pidfd_open, pid, 0));
  pollfd ended{handle, POLLIN, 0};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Mono::now()).count();
  const bool over = poll(&ended, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) == 1;
  close(handle);
  if (!over) return {};
  int status = 0;
  waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

TempDir::TempDir() {
  std::string name = (std::filesystem::temp_directory_path() / "hookswitch-e2e-XXXXXX").string();
  HSW_CHECK(mkdtemp(name.data()) != nullptr, "the temporary folder can be written");
  path_ = name;
}

TempDir::~TempDir() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

void WriteFile(const std::string& path, std::string_view text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  HSW_CHECK(out.flush(), "the test's folder can be written");
}

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  HSW_CHECK(in, "the test reads files that it has");
  return {std::istreambuf_iterator<char>(in), {}};
}

Finished RunProgram(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                    std::chrono::seconds timeout) {
  Pipe out;
  Pipe err;
  const pid_t pid = Spawn(command, environment, out.ends[1], err.ends[1]);
  close(out.ends[1]);
  close(err.ends[1]);
  Finished finished;
  const auto deadline = Mono::now() + timeout;
  pollfd polled[2] = {{out.ends[0], POLLIN, 0}, {err.ends[0], POLLIN, 0}};
  std::string* texts[2] = {&finished.out, &finished.err};
  while (polled[0].fd >= 0 || polled[1].fd >= 0) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Mono::now()).count();
    if (left <= 0 || poll(polled, 2, static_cast<int>(left)) <= 0) break;
    for (int i = 0; i < 2; ++i) {
      if (polled[i].fd < 0 || polled[i].revents == 0) continue;
      char chunk[16 * 1024];
      const ssize_t got = read(polled[i].fd, chunk, sizeof chunk);
      if (got > 0) {
        texts[i]->append(chunk, static_cast<std::size_t>(got));
      } else {
        polled[i].fd = -1;
      }
    }
  }
  const auto exit = Reap(pid, deadline);
  if (!exit) {
    kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
    finished.err += "\n(killed: it did not end in time)";
  } else if (*exit < 128) {
    finished.exit_code = *exit;
  }
  close(out.ends[0]);
  close(err.ends[0]);
  return finished;
}

Child::Child(const std::vector<std::string>& command, const std::vector<std::string>& environment) {
  Pipe err;
  pid_ = Spawn(command, environment, -1, err.ends[1]);
  close(err.ends[1]);
  reader_ = std::thread([this, fd = err.ends[0]] { ReadLines(fd); });
}

Child::~Child() {
  if (!exit_) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  reader_.join();
}

void Child::Signal(int number) const {
  if (!exit_) kill(pid_, number);
}

std::optional<int> Child::WaitForExit(std::chrono::milliseconds timeout) {
  if (exit_) return exit_;
  exit_ = Reap(pid_, Mono::now() + timeout);
  if (!exit_) return exit_;
  // Its last lines may still be in the pipe, which a child of its own may keep open.
  const auto deadline = Mono::now() + std::chrono::seconds(2);
  MutexLock lock(mu_);
  while (!ended_ && Mono::now() < deadline) changed_.WaitUntil(mu_, deadline);
  return exit_;
}

void Child::ReadLines(int fd) {
  std::string buffer;
  char chunk[64 * 1024];
  for (ssize_t got = 0; (got = read(fd, chunk, sizeof chunk)) > 0;) {
    buffer.append(chunk, static_cast<std::size_t>(got));
    MutexLock lock(mu_);
    std::size_t begin = 0;
    for (std::size_t end = 0; (end = buffer.find('\n', begin)) != std::string::npos; begin = end + 1) {
      lines_.push_back(buffer.substr(begin, end - begin));
    }
    buffer.erase(0, begin);
    changed_.NotifyAll();
  }
  close(fd);
  MutexLock lock(mu_);
  if (!buffer.empty()) lines_.push_back(buffer);
  ended_ = true;
  changed_.NotifyAll();
}

std::vector<std::string> Child::Lines() const {
  MutexLock lock(mu_);
  return lines_;
}

std::optional<std::string> Child::WaitForLine(std::string_view text, std::chrono::milliseconds timeout,
                                              std::size_t from) const {
  const auto deadline = Mono::now() + timeout;
  MutexLock lock(mu_);
  while (true) {
    for (; from < lines_.size(); ++from) {
      if (lines_[from].find(text) != std::string::npos) return lines_[from];
    }
    if (ended_ || Mono::now() >= deadline) return {};
    changed_.WaitUntil(mu_, deadline);
  }
}

bool Child::WaitForLines(std::string_view text, std::size_t count, std::chrono::milliseconds timeout) const {
  const auto deadline = Mono::now() + timeout;
  std::size_t seen = 0;
  std::size_t next = 0;
  MutexLock lock(mu_);
  while (true) {
    for (; next < lines_.size(); ++next) seen += lines_[next].find(text) != std::string::npos ? 1U : 0U;
    if (seen >= count) return true;
    if (ended_ || Mono::now() >= deadline) return false;
    changed_.WaitUntil(mu_, deadline);
  }
}

}  // namespace hookswitch::e2e
