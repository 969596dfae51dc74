#include "core/base/log.h"

#include <poll.h>
#include <spdlog/async.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "core/base/encoding.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch::log {
namespace {

constexpr std::size_t kQueueLines = 8192;
// Lines are gathered this long: nobody notices the delay, and under load a wake-up and a write per line cost more than
// the line.
constexpr std::chrono::milliseconds kGather{1};
constexpr std::size_t kGatheredBytes = 64 * 1024;

/// Whether `fd` is still the stream that systemd connected to its journal: $JOURNAL_STREAM contains its device and
/// inode (systemd.exec(5)).
bool IsJournaldsStream(int fd) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat found {};
  if (!stream || ::fstat(fd, &found) != 0) return false;
  return stream == std::to_string(found.st_dev) + ':' + std::to_string(found.st_ino);
}

/// Priority prefix of a line for systemd (sd-daemon(3)).
std::string_view Priority(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::trace:
    case spdlog::level::debug: return "<7>";
    case spdlog::level::info: return "<6>";
    case spdlog::level::warn: return "<4>";
    case spdlog::level::err: return "<3>";
    case spdlog::level::critical:
    case spdlog::level::off:
    case spdlog::level::n_levels: return "<2>";
  }
  return "<6>";
}

spdlog::level::level_enum ToSpdlog(Level level) {
  switch (level) {
    case Level::kDebug: return spdlog::level::debug;
    case Level::kInfo: return spdlog::level::info;
    case Level::kWarn: return spdlog::level::warn;
    case Level::kError: return spdlog::level::err;
  }
  return spdlog::level::err;
}

/// Batches lines for kGather and writes them to stderr. [thread: the log pool's only thread]
class GatheringSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit GatheringSink(spdlog::details::thread_pool& pool) : pool_(pool) {}

  /// Lines written, without dropped ones.
  std::uint64_t written() const { return written_.load(std::memory_order_acquire); }

 private:
  void sink_it_(const spdlog::details::log_msg& line) override {
    if (known_ > 0) {
      --known_;
    } else if (gathered_.empty() && (known_ = pool_.queue_size()) == 0) {
      std::this_thread::sleep_for(kGather);
      known_ = pool_.queue_size();
    }
    if (for_journald_) gathered_ += Priority(line.level);
    gathered_.append(line.payload.data(), line.payload.size());
    gathered_ += '\n';
    ++lines_;
    if (gathered_.size() >= kGatheredBytes || (known_ == 0 && (known_ = pool_.queue_size()) == 0)) flush_();
  }
  void flush_() override {
    for (std::string_view rest = gathered_; !rest.empty();) {
      const ssize_t n = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (n >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(n));
      } else if (errno == EAGAIN) {
        pollfd entry{STDERR_FILENO, POLLOUT, 0};
        ::poll(&entry, 1, -1);
      } else if (errno != EINTR) {
        break;  // stderr is gone
      }
    }
    gathered_.clear();
    written_.fetch_add(std::exchange(lines_, 0), std::memory_order_release);
  }

  spdlog::details::thread_pool& pool_;
  const bool for_journald_ = IsJournaldsStream(STDERR_FILENO);
  std::size_t known_ = 0;  ///< lines known to be queued; checking for each would take the queue's lock
  std::string gathered_;
  std::uint64_t lines_ = 0;
  std::atomic<std::uint64_t> written_{0};
};

struct Writer {
  Writer()
      : pool(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
        sink(std::make_shared<GatheringSink>(*pool)),
        logger(std::make_shared<spdlog::async_logger>("hookswitch", sink, pool,
                                                      spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_level(spdlog::level::trace);
  }
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<GatheringSink> sink;
  std::shared_ptr<spdlog::async_logger> logger;
  std::atomic<std::uint64_t> queued{0};
};

// Created on first use and never destroyed: threads may log until the process ends.
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

/// Appends a JSON string with hidden characters escaped (see IsHidden).
void AppendText(std::string& out, std::string_view text) {
  const std::size_t begin = out.size();
  AppendJsonString(out, text);
  const auto is_plain = [](char c) { return static_cast<unsigned char>(c) < 0x7F; };
  auto at = static_cast<std::size_t>(
      std::find_if_not(out.begin() + static_cast<std::ptrdiff_t>(begin), out.end(), is_plain) - out.begin());
  if (at == out.size()) return;
  const std::string rest = out.substr(at);  // well-formed UTF-8, from AppendJsonString
  out.resize(at);
  for (std::size_t i = 0; i < rest.size();) {
    const auto [c, length] = FirstCodePoint(std::string_view(rest).substr(i));
    if (IsHidden(c)) {
      out += "\\u";
      AppendHex(out, c, 4);
    } else {
      out.append(rest, i, length);
    }
    i += length;
  }
}

void Append(std::string& out, const Field::Value& value) {
  if (auto text = std::get_if<std::string_view>(&value)) {
    AppendText(out, *text);
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
  Writer& writer = TheWriter();
  writer.queued.fetch_add(1, std::memory_order_release);  // before enqueuing, or Flush could return early
  writer.logger->log(ToSpdlog(level), spdlog::string_view_t(line.data(), line.size()));
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
  Writer& writer = TheWriter();
  const std::uint64_t queued = writer.queued.load(std::memory_order_acquire);
  // Bounded, because stderr may block.
  for (int i = 0; i < 1000 && writer.sink->written() + writer.pool->overrun_counter() < queued; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

std::uint64_t Dropped() {
  return TheWriter().pool->overrun_counter();
}

void SetWriterForTest(std::function<void(Level, std::string_view)> writer) {
  MutexLock lock(g_capture_mu);
  g_captured.store(static_cast<bool>(writer), std::memory_order_release);
  Capture() = std::move(writer);
}

}  // namespace hookswitch::log
