#include "core/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "core/base/check.h"

namespace hookswitch {
namespace {

/// Puts a pipe in the place of stderr.
class StderrPipe {
 public:
  StderrPipe() : stderr_(dup(STDERR_FILENO)) {
    HSW_CHECK(pipe2(ends_, O_CLOEXEC) == 0, "the test has file descriptors left");
    log::Flush();
    dup2(ends_[1], STDERR_FILENO);
    close(ends_[1]);
  }
  ~StderrPipe() {
    GiveBack();
    close(ends_[0]);
  }
  void GiveBack() {
    if (stderr_ < 0) return;
    dup2(stderr_, STDERR_FILENO);
    close(stderr_);
    stderr_ = -1;
  }
  /// Reads until `end` has been read or nobody can write any more.
  std::string ReadTo(std::string_view end) {
    std::string text;
    char chunk[64 * 1024];
    while (text.find(end) == std::string::npos) {
      const ssize_t got = read(ends_[0], chunk, sizeof chunk);
      if (got <= 0) break;
      text.append(chunk, static_cast<std::size_t>(got));
    }
    return text;
  }

 private:
  int stderr_;
  int ends_[2];
};

TEST(Log, LinesComeWholeAndInTheirOrder) {
  StderrPipe pipe;
  for (int i = 0; i < 100; ++i) log::Info("counted", {{"number", i}});
  log::Info("last_one");
  const std::string text = pipe.ReadTo("last_one\"}\n");
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    const std::string line = "\"level\":\"info\",\"event\":\"counted\",\"number\":" + std::to_string(i) + "}\n";
    at = text.find(line, at);
    ASSERT_NE(at, std::string::npos) << line;
  }
}

TEST(Log, FlushWaitsUntilEverythingIsWritten) {
  StderrPipe pipe;
  for (int i = 0; i < 20; ++i) log::Info("counted", {{"number", i}});
  log::Flush();
  pipe.GiveBack();
  EXPECT_NE(pipe.ReadTo("\"number\":19}").find("\"number\":19}\n"), std::string::npos);
}

TEST(Log, AStuckReaderHoldsNobodyAndTheOldestLinesAreDroppedAndCounted) {
  StderrPipe pipe;
  const std::uint64_t dropped_before = log::Dropped();
  const std::string long_text(1000, 'x');
  constexpr int kLines = 6000;  // more than the pipe and the queue take
  for (int i = 0; i < kLines; ++i) log::Info("counted", {{"number", i}, {"text", long_text}});
  const std::uint64_t dropped = log::Dropped() - dropped_before;
  EXPECT_GT(dropped, 0U);
  log::Info("last_one");
  const std::string text = pipe.ReadTo("last_one\"}\n");
  std::uint64_t seen = 0;
  for (auto at = text.find("\"counted\""); at != std::string::npos; at = text.find("\"counted\"", at + 1)) ++seen;
  EXPECT_EQ(seen + dropped, static_cast<std::uint64_t>(kLines));
}

}  // namespace
}  // namespace hookswitch
