#include "core/delivery/crash_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct CrashMarksTest : testing::Test {
  ~CrashMarksTest() override { std::filesystem::remove(path); }
  std::vector<DeliverySeq> Left() {
    auto marks = CrashMarks::Open(path);
    return marks ? (*marks)->TakeLeft() : std::vector<DeliverySeq>{-1};
  }
  /// A process marks and ends without leaving.
  void Die(int signal) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto marks = CrashMarks::Open(path);
      if (!marks) _exit(1);
      const CrashMarks::Inside one(marks->get(), 7), other(marks->get(), 9);
      { const CrashMarks::Inside left(marks->get(), 8); }
      kill(getpid(), signal);
      _exit(1);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  const std::string path = testing::TempDir() + "hsw_marks_" + std::to_string(getpid());
};

TEST_F(CrashMarksTest, TellWhoWasInsideWhenTheProcessWasKilled) {
  Die(SIGKILL);
  EXPECT_THAT(Left(), ElementsAre(7, 9));
  EXPECT_THAT(Left(), IsEmpty()) << "once";
}

TEST_F(CrashMarksTest, AreGoneWhenThePluginReturnsOrTheProcessEndsInGoodOrder) {
  {
    auto marks = CrashMarks::Open(path);
    ASSERT_TRUE(marks);
    { const CrashMarks::Inside inside(marks->get(), 7); }
    const CrashMarks::Inside inside(marks->get(), 8);
    (*marks)->Clear();
    EXPECT_THAT((*marks)->TakeLeft(), IsEmpty());
  }
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(CrashMarksTest, WithoutAPlaceNothingIsMarkedAndNothingBreaks) {
  auto marks = CrashMarks::Open(path);
  ASSERT_TRUE(marks);
  std::vector<std::unique_ptr<CrashMarks::Inside>> many;
  for (int i = 1; i <= 2000; ++i) many.push_back(std::make_unique<CrashMarks::Inside>(marks->get(), i));
  many.clear();
  EXPECT_THAT((*marks)->TakeLeft(), IsEmpty());
  const CrashMarks::Inside nothing(nullptr, 1);
}

TEST_F(CrashMarksTest, SayWhyTheyCannotBeUsed) {
  const auto marks = CrashMarks::Open("/proc/none/marks");
  ASSERT_FALSE(marks);
  EXPECT_THAT(marks.error().message, testing::HasSubstr("/proc/none/marks"));
}

}  // namespace
}  // namespace hookswitch
