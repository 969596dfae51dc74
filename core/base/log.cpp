#include "core/base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>

#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch::log {
namespace {

constexpr std::size_t kQueueLines = 8192;

struct Writer {
  Writer()
      : pool(std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1)),
        logger(std::make_shared<spdlog::async_logger>("hookswitch", std::make_shared<spdlog::sinks::stderr_sink_mt>(),
                                                      pool, spdlog::async_overflow_policy::overrun_oldest)) {
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
  }
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
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
  TheWriter().logger->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
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
  // An async logger only queues its flush, so the queue itself is watched: bounded, because stderr may be stuck.
  Writer& writer = TheWriter();
  writer.logger->flush();
  for (int i = 0; i < 200 && writer.pool->queue_size() != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
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
