#include "core/base/log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <unistd.h>
#include <cstdlib>
#include <string>

#include <string>
#include <thread>
#include <vector>

namespace hookswitch {
namespace {

std::size_t Count(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

/// Puts a pipe in place of stderr.
class PipeAsStderr {
 public:
  PipeAsStderr() : before_(dup(STDERR_FILENO)) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    reading_ = ends[0];
    dup2(ends[1], STDERR_FILENO);
    close(ends[1]);
  }
  ~PipeAsStderr() {
    dup2(before_, STDERR_FILENO);
    close(before_);
    close(reading_);
  }
  /// Reads until `part` has come.
  std::string ReadUntil(std::string_view part) const {
    std::string text;
    char buffer[4096];
    while (text.find(part) == text.npos) {
      const ssize_t n = read(reading_, buffer, sizeof buffer);
      if (n <= 0) return text;
      text.append(buffer, static_cast<std::size_t>(n));
    }
    return text;
  }

 private:
  const int before_;
  int reading_ = -1;
};

TEST(Log, WhatATerminalObeysOrHidesIsWrittenAsAnEscape) {
  std::string line;
  log::SetWriterForTest([&](log::Level, std::string_view text) { line = text; });
  log::Info("told", {{"id",
                      "a\x1b[31m\xC2\x9B"
                      "31m\x7F"
                      "b"},
                     {"name",
                      "\xE2\x80\xAE"
                      "evil\xE2\x81\xA6\xE2\x80\xA8\xD8\x9C\xEF\xBB\xBF"
                      "z\xC2\xAD"},
                     {"fine", "Mäuse, नमस्ते, 🔑 – \xC2\xA0"},
                     {"broken", "\x9B\xE2\x80"}});
  log::SetWriterForTest(nullptr);
  EXPECT_NE(line.find(R"("id":"a\u001b[31m\u009b31m\u007fb","name":"\u202eevil\u2066\u2028\u061c\ufeffz\u00ad",)"
                      "\"fine\":\"Mäuse, नमस्ते, 🔑 – \xC2\xA0\",\"broken\":\"\xEF\xBF\xBD"),
            std::string::npos)
      << line;
}

TEST(Log, FlushWaitsForEveryLineOfEveryThreadWholeAndInOrder) {
  constexpr int kThreads = 4, kLines = 500;
  testing::internal::CaptureStderr();
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([thread] {
      for (int line = 0; line < kLines; ++line) log::Info("counted", {{"thread", thread}, {"line", line}});
    });
  }
  for (auto& thread : threads) thread.join();
  log::Flush();
  const std::string text = testing::internal::GetCapturedStderr();

  EXPECT_EQ(Count(text, "\n"), kThreads * kLines);
  for (int thread = 0; thread < kThreads; ++thread) {
    std::size_t at = 0;
    for (int line = 0; line < kLines; ++line) {
      const std::string wanted =
          "\"event\":\"counted\",\"thread\":" + std::to_string(thread) + ",\"line\":" + std::to_string(line) + "}\n";
      at = text.find(wanted, at);
      ASSERT_NE(at, text.npos) << wanted;
    }
  }
}

TEST(Log, OneLineComesWithoutMore) {
  const PipeAsStderr pipe;
  log::Warn("alone");
  EXPECT_NE(pipe.ReadUntil("\n").find(R"("level":"warn","event":"alone"})"), std::string::npos);
}

TEST(Log, AStuckStderrHoldsNobodyAndTheNewestLinesAreKept) {
  const PipeAsStderr pipe;
  const std::uint64_t dropped = log::Dropped();
  // Several times what the pipe and the queue can hold.
  for (int line = 0; line < 40'000; ++line) log::Info("flood", {{"line", line}});
  log::Info("last");
  EXPECT_GT(log::Dropped(), dropped);
  const std::string text = pipe.ReadUntil("\"last\"}\n");
  EXPECT_NE(text.find("\"line\":39999}"), std::string::npos);
  log::Flush();
}

// systemd.exec(5), $JOURNAL_STREAM; sd-daemon(3)
TEST(Log, LinesForSystemdsJournalBeginWithTheirPriority) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto log_as = [](int inode_off) {
    struct stat found {};
    ::fstat(STDERR_FILENO, &found);
    const std::string stream = std::to_string(found.st_dev) + ":" + std::to_string(found.st_ino + inode_off);
    ::setenv("JOURNAL_STREAM", stream.c_str(), 1);
    log::SetLevel(log::Level::kDebug);
    log::Debug("d");
    log::Info("i");
    log::Warn("w");
    log::Error("e");
    log::Flush();
    ::_exit(0);
  };
  EXPECT_EXIT(log_as(0), testing::ExitedWithCode(0), R"(^<7>.*"d".*<6>.*"i".*<4>.*"w".*<3>.*"e")");
  EXPECT_EXIT(log_as(1), testing::ExitedWithCode(0), R"(^\{.*"d".*"i".*"w".*"e")") << "stderr is another one";
}

}  // namespace
}  // namespace hookswitch
