#include "core/plugins/fatal_end.h"

#include <dlfcn.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string_view>

#include "core/base/log.h"

namespace hookswitch::fatal_end {
namespace {

std::atomic<pid_t> g_process{0};  ///< 0: not watching
std::atomic<bool> g_ours{false};
std::atomic<CrashMarks*> g_marks{nullptr};
std::atomic<bool> g_told{false};

// Signals that end a process, except those of an operator (SIGTERM, SIGINT, SIGHUP) or the environment (SIGPIPE,
// SIGXFSZ).
constexpr std::array kFatal = {SIGSEGV, SIGBUS,    SIGILL,  SIGFPE,  SIGABRT, SIGSYS,  SIGTRAP, SIGQUIT,
                               SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1, SIGUSR2, SIGPOLL, SIGXCPU};
std::array<struct sigaction, 65> g_before;

/// One log line in fixed memory: everything here is async-signal-safe.
class Line {
 public:
  explicit Line(std::string_view event) {
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    Raw(R"({"ts":")");
    Time(now);
    Raw(R"(","level":"error","event":")");
    Raw(event);
    Raw("\"");
  }
  Line& Text(std::string_view key, std::string_view value) {
    Key(key);
    Raw("\"");
    for (const char c : value.substr(0, 200)) {
      if (c == '"' || c == '\\') Raw("\\");
      const char shown = static_cast<unsigned char>(c) < 0x20 ? '?' : c;
      Raw({&shown, 1});
    }
    Raw("\"");
    return *this;
  }
  Line& Number(std::string_view key, std::int64_t value) {
    Key(key);
    Digits(value, 1);
    return *this;
  }
  void Write() {
    Raw("}\n");
    // A pipe that nobody reads must not block the exit.
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    if (::poll(&out, 1, 200) == 1) (void)!::write(STDERR_FILENO, text_.data(), size_);
  }

 private:
  void Raw(std::string_view text) {
    const std::size_t n = std::min(text.size(), text_.size() - size_);
    std::memcpy(text_.data() + size_, text.data(), n);
    size_ += n;
  }
  void Key(std::string_view key) {
    Raw(",\"");
    Raw(key);
    Raw("\":");
  }
  void Digits(std::int64_t value, int least) {
    char digits[24];
    char* at = digits + sizeof digits;
    const bool negative = value < 0;
    for (auto rest = static_cast<std::uint64_t>(negative ? -value : value); rest > 0 || least > 0;
         rest /= 10, --least) {
      *--at = static_cast<char>('0' + rest % 10);
    }
    if (negative) *--at = '-';
    Raw({at, static_cast<std::size_t>(digits + sizeof digits - at)});
  }
  void Time(const timespec& now) {
    // Days to a date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"; <chrono>'s own may allocate.
    const std::int64_t days = now.tv_sec / 86400, seconds = now.tv_sec % 86400;
    const std::int64_t z = days + 719468, era = z / 146097, of_era = z - era * 146097;
    const std::int64_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    const std::int64_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted = (5 * of_year + 2) / 153, month = shifted < 10 ? shifted + 3 : shifted - 9;
    Digits(year_of_era + era * 400 + (month <= 2 ? 1 : 0), 4);
    Raw("-"), Digits(month, 2);
    Raw("-"), Digits(of_year - (153 * shifted + 2) / 5 + 1, 2);
    Raw("T"), Digits(seconds / 3600, 2);
    Raw(":"), Digits(seconds / 60 % 60, 2);
    Raw(":"), Digits(seconds % 60, 2);
    Raw("."), Digits(now.tv_nsec / 1'000'000, 3);
    Raw("Z");
  }

  std::array<char, 1400> text_;
  std::size_t size_ = 0;
};

// libc's _exit, or a sanitizer's. Looked up early, because _exit() may be called where dlsym may not.
using ExitFunction = void (*)(int);
const auto g_exit = reinterpret_cast<ExitFunction>(::dlsym(RTLD_NEXT, "_exit"));

bool InPlugin(const CrashMarks::Inside* inside) {
  return inside && !inside->where().plugin.empty();
}

void AppendWhere(Line& line, const CrashMarks::Inside* inside) {
  if (!inside) return;
  const CrashMarks::Where& where = inside->where();
  if (!where.plugin.empty()) line.Text("plugin", where.plugin);
  if (!where.sink.empty()) line.Text("sink", where.sink);
  if (!where.delivery_id.empty()) line.Text("delivery", where.delivery_id);
  line.Text("call", ToString(where.call));
}

void Blame() {
  if (CrashMarks* marks = g_marks) marks->Blame();
}

void OnSignal(int number, siginfo_t* info, void*) {
  if (::getpid() == g_process && !g_told.exchange(true)) {
    const bool sent = info->si_code == SI_USER || info->si_code == SI_TKILL || info->si_code == SI_QUEUE;
    const bool foreign = sent && info->si_pid != g_process;
    const auto* inside = foreign ? nullptr : CrashMarks::Inside::OfThisThread();
    if (!foreign) Blame();
    Line line(InPlugin(inside) ? "plugin_crashed" : "crashed");
    char name[32] = "SIG";
    const char* known = ::sigabbrev_np(number);
    std::strncpy(name + 3, known ? known : "?", sizeof name - 4);
    line.Text("signal", name);
    if (foreign) line.Number("sender", info->si_pid);
    AppendWhere(line, inside);
    line.Write();
  }
  // The previous handler (a sanitizer's, or the default) runs as soon as this one returns.
  ::sigaction(number, &g_before[static_cast<std::size_t>(number)], nullptr);
  ::raise(number);
}

/// Returns if hookswitch itself ends the process.
void OnExit(int code, bool code_known) {
  if (::getpid() != g_process || g_ours || g_told.exchange(true)) return;
  const auto* inside = CrashMarks::Inside::OfThisThread();
  Blame();
  log::Flush();
  Line line(InPlugin(inside) ? "plugin_exited" : "exited");
  if (code_known) line.Number("exit_code", code);
  AppendWhere(line, inside);
  line.Write();
  g_ours = true;
  ::_exit(1);
}

void AtExit() {
  OnExit(0, false);
}

}  // namespace

void Watch() {
  g_process = ::getpid();
  for (const int number : kFatal) {
    struct sigaction action {};
    action.sa_sigaction = OnSignal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigfillset(&action.sa_mask);
    ::sigaction(number, &action, &g_before[static_cast<std::size_t>(number)]);
  }
  std::at_quick_exit(AtExit);
  WatchExitAgain();
}

void UseMarks(std::shared_ptr<CrashMarks> marks) {
  static auto* kept = new std::shared_ptr<CrashMarks>;
  *kept = std::move(marks);
  g_marks = kept->get();
}

void WatchExitAgain() {
  if (g_process != 0) std::atexit(AtExit);
}

void EndProcess(int code) {
  g_ours = true;
  ::_exit(code);
}

}  // namespace hookswitch::fatal_end

// Overrides libc's _exit for loaded libraries too, because _exit() runs no handlers. Exported by the program's link
// options.
extern "C" {

[[gnu::visibility("default")]] void _exit(int code) {
  hookswitch::fatal_end::OnExit(code, true);
  if (hookswitch::fatal_end::g_exit) hookswitch::fatal_end::g_exit(code);
  for (;;) ::syscall(SYS_exit_group, code);
}

[[gnu::visibility("default")]] void _Exit(int code) noexcept {
  ::_exit(code);
}
}
