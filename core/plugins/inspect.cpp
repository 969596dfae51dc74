#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/plugins/plugin.h"

// glibc 2.36 declares pidfd_open without saying that it is a C function.
extern "C" {
#include <sys/pidfd.h>
extern char** environ;
}

namespace hookswitch {
namespace plugins {
namespace {

constexpr std::size_t kMostOutput = 1 << 20;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { Close(); }
  int get() const { return fd_; }
  int* out() { return &fd_; }
  void Close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

struct Pipe {
  Fd read, write;
  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    *read.out() = ends[0];
    *write.out() = ends[1];
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return true;
  }
};

/// What can be read now; false at the end of the stream.
bool Drain(const Fd& from, std::string& to) {
  std::array<char, 4096> chunk;
  for (;;) {
    const ssize_t n = ::read(from.get(), chunk.data(), chunk.size());
    if (n > 0) {
      if (to.size() < kMostOutput) to.append(chunk.data(), static_cast<std::size_t>(n));
    } else if (n == 0) {
      return false;
    } else if (errno != EINTR) {
      return errno == EAGAIN;
    }
  }
}

struct Run {
  bool timed_out = false;
  int status = 0;  ///< of waitpid
  std::string out, err;
};

Result<Run> RunChild(const std::filesystem::path& program, const std::string& file,
                     std::chrono::milliseconds patience) {
  auto failed = [&](const char* what, int error) {
    return Error{ErrorCode::kUnavailable, "plugin file " + file + " cannot be inspected: " + what + " " +
                                              program.string() + ": " + std::strerror(error)};
  };
  Pipe out, err;
  if (!out.Open() || !err.Open()) return failed("pipe for", errno);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write.get(), 1);
  posix_spawn_file_actions_adddup2(&actions, err.write.get(), 2);
  // The router blocks the signals it waits for; the child, and whatever the plugin starts in its group, must be
  // killable.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string name = program.string(), command = "plugin-inspect-child", argument = file;
  std::array<char*, 4> arguments{name.data(), command.data(), argument.data(), nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed("cannot run", error);
  out.write.Close();
  err.write.Close();

  Run run;
  Fd exited(::pidfd_open(pid, 0));
  const auto deadline = std::chrono::steady_clock::now() + patience;
  bool out_open = true, err_open = true;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    if (left <= 0) {
      run.timed_out = true;
      break;
    }
    std::array<pollfd, 3> waits{{{exited.get(), POLLIN, 0},
                                 {out_open ? out.read.get() : -1, POLLIN, 0},
                                 {err_open ? err.read.get() : -1, POLLIN, 0}}};
    if (::poll(waits.data(), waits.size(), static_cast<int>(left)) < 0 && errno != EINTR) break;
    if (waits[1].revents) out_open = Drain(out.read, run.out);
    if (waits[2].revents) err_open = Drain(err.read, run.err);
    if (waits[0].revents) break;
  }
  // The pid is ours until waitpid, so it cannot name a stranger.
  ::kill(-pid, SIGKILL);
  while (::waitpid(pid, &run.status, 0) < 0 && errno == EINTR) {
  }
  Drain(out.read, run.out);
  Drain(err.read, run.err);
  return run;
}

std::string LastLine(std::string_view text) {
  text = Trim(text);
  if (const auto at = text.rfind('\n'); at != std::string_view::npos) text = text.substr(at + 1);
  return ToUtf8(text.substr(0, 300));
}

std::string Text(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_string() ? std::string(std::string_view(value->get_string())) : std::string();
}

int Number(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value && value->is_int64() ? static_cast<int>(value->get_int64()) : 0;
}

}  // namespace

Result<PluginInfo> InspectInChild(const std::filesystem::path& inspector, const std::filesystem::path& file,
                                  std::chrono::milliseconds patience) {
  const std::string name = "plugin file " + file.string();
  auto run = RunChild(inspector, file.string(), patience);
  if (!run) return std::move(run).error();
  if (run->timed_out) {
    return Error{ErrorCode::kInvalid, name + " hangs while it is loaded: nothing came within " +
                                          FormatDuration(patience) +
                                          "; look at its static constructors and its hsw_sink_entry"};
  }
  boost::system::error_code error;
  const auto answer = json::parse(Trim(run->out), error);
  const auto* object = error ? nullptr : answer.if_object();
  if (!object) {
    std::string how = WIFSIGNALED(run->status) ? "died of signal " + std::to_string(WTERMSIG(run->status)) + " (" +
                                                     ::strsignal(WTERMSIG(run->status)) + ")"
                                               : "ended with exit code " + std::to_string(WEXITSTATUS(run->status));
    if (const std::string said = LastLine(run->err); !said.empty()) how += ", saying: " + said;
    return Error{ErrorCode::kInvalid, name + " crashes while it is loaded: the process that tried it " + how +
                                          "; look at its static constructors and its hsw_sink_entry"};
  }
  if (const auto* ok = object->if_contains("ok"); !ok || !ok->is_bool() || !ok->get_bool()) {
    const bool unsupported = Text(*object, "code") == "unsupported";
    return Error{unsupported ? ErrorCode::kUnsupported : ErrorCode::kInvalid, Text(*object, "message")};
  }
  PluginInfo info;
  info.file = file;
  info.id = Text(*object, "id");
  info.version = Text(*object, "version");
  info.summary = Text(*object, "summary");
  info.config_schema = Text(*object, "config_schema");
  info.abi_major = Number(*object, "abi_major");
  info.abi_minor = Number(*object, "abi_minor");
  info.kind = Text(*object, "kind") == "call" ? Sink::Kind::kCall : Sink::Kind::kHttp;
  return info;
}

}  // namespace plugins

int InspectChildMain(const std::string& file) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  // Whatever the plugin prints goes to stderr, so that the answer stands alone.
  const int answer = ::fcntl(1, F_DUPFD_CLOEXEC, 3);
  ::dup2(2, 1);

  json::object object;
  if (auto sink = plugins::OpenLibrary(file, file)) {
    const PluginInfo info = plugins::Describe(*sink, file);
    object = {{"ok", true},
              {"id", ToUtf8(info.id)},
              {"version", ToUtf8(info.version)},
              {"summary", ToUtf8(info.summary)},
              {"config_schema", info.config_schema},
              {"abi_major", info.abi_major},
              {"abi_minor", info.abi_minor},
              {"kind", info.kind == Sink::Kind::kHttp ? "http" : "call"}};
  } else {
    object = {{"ok", false},
              {"code", sink.error().code == ErrorCode::kUnsupported ? "unsupported" : "invalid"},
              {"message", ToUtf8(sink.error().message)}};
  }
  const bool ok = object["ok"].get_bool();
  std::string text = ToText(object) + "\n";
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t n = ::write(answer, rest.data(), rest.size());
    if (n <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  // Destructors of a plugin that is only looked at must not undo the answer.
  ::_exit(ok ? 0 : 1);
}

}  // namespace hookswitch
