#include "core/base/log.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <string>
#include <thread>

#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/thread_name.h"
#include "core/base/time_text.h"

namespace hookswitch::log {
namespace {

constexpr std::size_t kMostWaiting = 2 << 20;  // bytes
// A wake-up and a write for each line cost more than the line itself, so under load they are gathered for so long.
constexpr std::chrono::milliseconds kGather{10};
constexpr std::chrono::seconds kFlushPatience{1};

class Writer {
 public:
  Writer() : thread_([this] { Run(); }) {}

  void Add(Level level, std::string_view line) EXCLUDES(mu_) {
    bool wake = false;
    {
      MutexLock lock(mu_);
      if (waiting_.size() + line.size() >= kMostWaiting) DropOldest();
      waiting_ += line;
      waiting_ += '\n';
      urgent_ = urgent_ || level >= Level::kWarn;
      wake = asleep_ || (gathering_ && urgent_);
      if (wake) asleep_ = gathering_ = false;
    }
    if (wake) work_.NotifyOne();
  }

  void Flush() EXCLUDES(mu_) {
    const auto until = std::chrono::steady_clock::now() + kFlushPatience;
    MutexLock lock(mu_);
    urgent_ = true;
    work_.NotifyOne();
    while ((!waiting_.empty() || writing_) && std::chrono::steady_clock::now() < until) written_.WaitUntil(mu_, until);
  }

  std::uint64_t Dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void Run() {
    NameThread("log");
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::string lines;
    for (std::chrono::steady_clock::time_point next{};;) {
      Take(lines, next);
      WriteOut(lines);
      lines.clear();
      next = std::chrono::steady_clock::now() + kGather;
    }
  }

  /// Waits for lines; then, for those that may wait, until `next`.
  void Take(std::string& lines, std::chrono::steady_clock::time_point next) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    writing_ = false;
    written_.NotifyAll();
    while (waiting_.empty()) {
      asleep_ = true;
      work_.Wait(mu_);
    }
    while (!urgent_ && std::chrono::steady_clock::now() < next) {
      gathering_ = true;
      work_.WaitUntil(mu_, next);
    }
    asleep_ = gathering_ = urgent_ = false;
    writing_ = true;
    lines.swap(waiting_);
  }

  static void WriteOut(std::string_view lines) {
    while (!lines.empty()) {
      const ssize_t put = ::write(STDERR_FILENO, lines.data(), lines.size());
      if (put >= 0) {
        lines.remove_prefix(static_cast<std::size_t>(put));
      } else if (errno == EAGAIN) {
        pollfd ready{STDERR_FILENO, POLLOUT, 0};
        ::poll(&ready, 1, -1);
      } else if (errno != EINTR) {
        return;  // nobody reads any more
      }
    }
  }

  void DropOldest() REQUIRES(mu_) {
    const auto half = std::min(waiting_.find('\n', waiting_.size() / 2), waiting_.size() - 1);
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(half) + 1;
    dropped_ += static_cast<std::uint64_t>(std::count(waiting_.begin(), end, '\n'));
    waiting_.erase(waiting_.begin(), end);
  }

  Mutex mu_;
  CondVar work_, written_;
  std::string waiting_ GUARDED_BY(mu_);  ///< whole lines
  bool asleep_ GUARDED_BY(mu_) = false;
  bool gathering_ GUARDED_BY(mu_) = false;
  bool urgent_ GUARDED_BY(mu_) = false;
  bool writing_ GUARDED_BY(mu_) = false;
  std::atomic<std::uint64_t> dropped_{0};
  std::thread thread_;
};

// Made at the first line and never destroyed: threads may log until the process ends.
Writer& TheWriter() {
  static auto* writer = new Writer;
  return *writer;
}

std::atomic<Level> g_level{Level::kInfo};
std::atomic<bool> g_captured{false};
Mutex g_capture_mu;
std::function<void(Level, std::string_view)>& Capture() {
  static auto* capture = new std::function<void(Level, std::string_view)>;
  return *capture;
}

std::string_view Name(Level level) {
  switch (level) {
    case Level::kDebug: return "debug";
    case Level::kInfo: return "info";
    case Level::kWarn: return "warn";
    case Level::kError: return "error";
  }
  return "error";
}

void AppendNumber(std::string& out, auto number) {
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

void Append(std::string& out, const Field::Value& value) {
  if (auto text = std::get_if<std::string_view>(&value)) {
    AppendJsonString(out, *text);
  } else if (auto number = std::get_if<std::int64_t>(&value)) {
    AppendNumber(out, *number);
  } else if (auto natural = std::get_if<std::uint64_t>(&value)) {
    AppendNumber(out, *natural);
  } else if (auto real = std::get_if<double>(&value)) {
    if (std::isfinite(*real)) {
      AppendNumber(out, *real);
    } else {
      out += "null";
    }
  } else {
    out += std::get<bool>(value) ? "true" : "false";
  }
}

void Write(Level level, std::string_view event, Fields fields) {
  if (level < g_level.load(std::memory_order_relaxed)) return;
  thread_local std::string line;
  line.clear();
  line += R"({"ts":")";
  AppendRfc3339(line, std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()));
  line += R"(","level":")";
  line += Name(level);
  line += R"(","event":)";
  AppendJsonString(line, event);
  for (const Field& field : fields) {
    line += ',';
    AppendJsonString(line, field.key);
    line += ':';
    Append(line, field.value);
  }
  line += '}';
  if (g_captured.load(std::memory_order_acquire)) {
    MutexLock lock(g_capture_mu);
    if (Capture()) return Capture()(level, line);
  }
  TheWriter().Add(level, line);
}

}  // namespace

void Debug(std::string_view event, Fields fields) {
  Write(Level::kDebug, event, fields);
}
void Info(std::string_view event, Fields fields) {
  Write(Level::kInfo, event, fields);
}
void Warn(std::string_view event, Fields fields) {
  Write(Level::kWarn, event, fields);
}
void Error(std::string_view event, Fields fields) {
  Write(Level::kError, event, fields);
}

void SetLevel(Level level) {
  g_level.store(level, std::memory_order_relaxed);
}

void Flush() {
  TheWriter().Flush();
}

std::uint64_t Dropped() {
  return TheWriter().Dropped();
}

void SetWriterForTest(std::function<void(Level, std::string_view)> writer) {
  MutexLock lock(g_capture_mu);
  g_captured.store(static_cast<bool>(writer), std::memory_order_release);
  Capture() = std::move(writer);
}

}  // namespace hookswitch::log
