#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>
#include <vector>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/plugins/descriptor.h"
#include "core/plugins/inspect_child.h"
#include "core/plugins/plugin.h"

// glibc 2.36 declares pidfd_open without extern "C".
extern "C" {
#include <sys/pidfd.h>
}

namespace hookswitch::plugins {
namespace {

constexpr std::size_t kMostOutput = 1 << 20;
constexpr int kAboveStandard = 10;

struct Pipe {
  Descriptor read, write;
  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    return true;
  }
};

/// Appends what can be read now; false at the end of the stream.
bool Drain(const Descriptor& from, std::string& to) {
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

/// A memory file that contains `text`, positioned at its start.
Descriptor MemoryFileWith(const std::string& text) {
  Descriptor file(::memfd_create("request", MFD_CLOEXEC));
  const auto size = static_cast<ssize_t>(text.size());
  if (file.get() >= 0 &&
      (::write(file.get(), text.data(), text.size()) != size || ::lseek(file.get(), 0, SEEK_SET) != 0))
    file.Close();
  return file;
}

/// A duplicate above the descriptor numbers that the child uses.
Descriptor Above(int fd) {
  return Descriptor(::fcntl(fd, F_DUPFD_CLOEXEC, kAboveStandard));
}

struct Run {
  bool timed_out = false;
  int status = 0;  ///< as from waitpid
  std::string out, err;
};

/// `request` goes to the child's stdin, not to its arguments, because it may contain secrets.
Result<Run> RunChild(const Inspector& inspector, const LibraryFile& library, const std::string& request,
                     std::chrono::milliseconds patience) {
  const std::filesystem::path& program = inspector.program;
  auto failed = [&](const char* what, int error) {
    return Error{ErrorCode::kUnavailable, "plugin file " + library.path.string() + " cannot be inspected: " + what +
                                              " " + program.string() + ": " + std::strerror(error)};
  };
  Pipe out, err;
  if (!out.Open() || !err.Open()) return failed("pipe for", errno);
  const Descriptor asked = MemoryFileWith(request);
  const std::array<Descriptor, 4> given{Above(asked.get()), Above(out.write.get()), Above(err.write.get()),
                                        Above(library.image.get())};
  if (asked.get() < 0 || std::any_of(given.begin(), given.end(), [](const auto& fd) { return fd.get() < 0; }))
    return failed("descriptors for", errno);

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  for (int number = 0; number < kFirstUnusedInChild; ++number) {
    posix_spawn_file_actions_adddup2(&actions, given[static_cast<std::size_t>(number)].get(), number);
  }
  posix_spawn_file_actions_addclosefrom_np(&actions, kFirstUnusedInChild);
  // The router blocks the signals it waits for; the child and its process group must receive them.
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::string name = program.string(), command = "plugin-inspect-child", argument = library.path.string();
  std::array<char*, 4> arguments{name.data(), command.data(), argument.data(), nullptr};
  // Not the router's environment: it contains secrets, and variables that mislead the dynamic linker.
  std::vector<std::string> variables = inspector.environment;
  std::vector<char*> environment;
  for (std::string& variable : variables) environment.push_back(variable.data());
  environment.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, &attributes, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed("cannot run", error);
  out.write.Close();
  err.write.Close();

  Run run;
  const Descriptor exited(::pidfd_open(pid, 0));
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
  // The pid is not reused before waitpid.
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

/// Describes how a child with an incomplete response ended.
std::string HowItEnded(const Run& run) {
  std::string how = WIFSIGNALED(run.status) ? "died of signal " + std::to_string(WTERMSIG(run.status)) + " (" +
                                                  ::strsignal(WTERMSIG(run.status)) + ")"
                                            : "ended with exit code " + std::to_string(WEXITSTATUS(run.status));
  if (const std::string said = LastLine(run.err); !said.empty()) how += ", saying: " + said;
  return how;
}

/// The complete lines of a response, each a JSON object.
std::vector<json::object> Lines(std::string_view text) {
  std::vector<json::object> lines;
  for (auto end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    boost::system::error_code error;
    auto line = json::parse(text.substr(0, end), error);
    if (auto* object = error ? nullptr : line.if_object()) lines.push_back(std::move(*object));
    text.remove_prefix(end + 1);
  }
  return lines;
}

}  // namespace

Result<PluginInfo> InspectInChild(const Inspector& inspector, const LibraryFile& library,
                                  std::chrono::milliseconds patience) {
  const std::string name = "plugin file " + library.path.string();
  auto run = RunChild(inspector, library, "", patience);
  if (!run) return std::move(run).error();
  const auto lines = Lines(run->out);
  if (lines.empty() && run->timed_out) {
    return Error{ErrorCode::kInvalid, name + " hangs while it is loaded: nothing came within " +
                                          FormatDuration(patience) +
                                          "; look at its static constructors and its hsw_sink_entry"};
  }
  if (lines.empty() && run->err.find("ASan runtime does not come first") != std::string::npos) {
    return Error{ErrorCode::kInvalid,
                 name + " was built with -fsanitize=address: only hookswitch plugin check --sanitize loads such a one"};
  }
  if (lines.empty()) {
    return Error{ErrorCode::kInvalid, name + " crashes while it is loaded: the process that tried it " +
                                          HowItEnded(*run) +
                                          "; look at its static constructors and its hsw_sink_entry"};
  }
  const json::object& answer = lines.front();
  if (const auto* ok = answer.if_contains("ok"); !ok || !ok->is_bool() || !ok->get_bool()) {
    const bool unsupported = Text(answer, "code") == "unsupported";
    return Error{unsupported ? ErrorCode::kUnsupported : ErrorCode::kInvalid, Text(answer, "message")};
  }
  PluginInfo info;
  info.file = library.path;
  info.hash = library.hash;
  info.id = Text(answer, "id");
  info.version = Text(answer, "version");
  info.summary = Text(answer, "summary");
  info.config_schema = Text(answer, "config_schema");
  info.abi_major = Number(answer, "abi_major");
  info.abi_minor = Number(answer, "abi_minor");
  info.kind = Text(answer, "kind") == "call" ? Sink::Kind::kCall : Sink::Kind::kHttp;
  return info;
}

Result<Trial> TryInChild(const Inspector& inspector, const LibraryFile& library, const PluginConfig& config,
                         bool create, std::chrono::milliseconds patience) {
  const json::object request{
      {"sink", config.sink()}, {"config", config.json()}, {"timezone", config.timezone()}, {"create", create}};
  auto run = RunChild(inspector, library, ToText(request), patience);
  if (!run) return std::move(run).error();
  Trial trial;
  std::string at = "load", threw;
  bool done = false;
  for (const json::object& line : Lines(run->out)) {
    if (line.contains("at")) at = Text(line, "at");
    if (line.contains("threw")) threw = Text(line, "threw");
    if (line.contains("pointer")) trial.problems.push_back({Text(line, "pointer"), Text(line, "problem")});
    if (line.contains("refused")) trial.refusal = Text(line, "refused");
    if (line.contains("done")) done = true;
  }
  if (done) return trial;
  const std::string name = "plugin file " + library.path.string();
  const auto failed = [&](const std::string& how) { return Error{ErrorCode::kInvalid, name + " " + how}; };
  if (!threw.empty()) return failed("throws an exception out of its " + threw);
  const std::string with = " with the config of the sink \"" + config.sink() + "\": ";
  if (run->timed_out) {
    return failed("hangs in its " + at + with + "it has not returned after " + FormatDuration(patience));
  }
  return failed("ends the process in its " + at + with + "the one that tried it " + HowItEnded(*run));
}

}  // namespace hookswitch::plugins
