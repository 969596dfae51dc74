#include "core/plugins/crash_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct CrashMarksTest : testing::Test {
  ~CrashMarksTest() override { std::filesystem::remove(path); }
  static CrashMarks::Where Rendering(DeliverySeq delivery) {
    return {.call = PluginCall::kRender, .delivery = delivery};
  }
  static CrashMarks::Where Creating(std::uint64_t subject) { return {.call = PluginCall::kCreate, .subject = subject}; }
  std::unique_ptr<CrashMarks> Open() const {
    auto marks = CrashMarks::Open(path);
    EXPECT_TRUE(marks) << marks.error().message;
    return marks ? std::move(*marks) : nullptr;
  }
  /// "7 crashed", "9" of each that is left.
  std::vector<std::string> Left() const {
    std::vector<std::string> left;
    for (const auto& one : Open()->TakeLeft()) {
      left.push_back(std::to_string(one.delivery) + (one.crashed ? " crashed" : ""));
    }
    return left;
  }
  /// A process with these marks ends as `end` says, without leaving.
  void Die(const std::function<void(CrashMarks&)>& end) const {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto marks = CrashMarks::Open(path);
      if (!marks) _exit(1);
      end(**marks);
      kill(getpid(), SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
  }
  static void Kill() { kill(getpid(), SIGKILL); }
  const std::string path = testing::TempDir() + "hsw_marks_" + std::to_string(getpid());
};

TEST_F(CrashMarksTest, TellWhoWasInsideWhenTheProcessWasKilled) {
  Die([](CrashMarks& marks) {
    const CrashMarks::Inside one(&marks, Rendering(7)), other(&marks, Rendering(9));
    { const CrashMarks::Inside left(&marks, Rendering(8)); }
    Kill();
  });
  EXPECT_THAT(Left(), ElementsAre("7", "9"));
  EXPECT_THAT(Left(), IsEmpty()) << "once";
}

TEST_F(CrashMarksTest, BlameTheThreadThatEndsTheProcessAndNobodyBesideIt) {
  Die([](CrashMarks& marks) {
    const CrashMarks::Inside beside(&marks, Rendering(7));
    std::thread([&] {
      const CrashMarks::Inside guilty(&marks, Rendering(9));
      marks.Blame();
      Kill();
    }).join();
  });
  EXPECT_THAT(Left(), ElementsAre("7", "9 crashed"));
}

TEST_F(CrashMarksTest, BlameAllWhoAreInsideForAThreadThatIsInNoPlugin) {
  Die([](CrashMarks& marks) {
    const CrashMarks::Inside one(&marks, Rendering(7));
    std::thread([&] {
      marks.Blame();
      Kill();
    }).join();
  });
  EXPECT_THAT(Left(), ElementsAre("7 crashed"));
}

TEST_F(CrashMarksTest, ADeliveryThatIsLeftTwiceIsToldOnceAndAtItsWorst) {
  for (const bool crashes : {true, false}) {
    Die([&](CrashMarks& marks) {
      const CrashMarks::Inside inside(&marks, Rendering(7));
      if (crashes) marks.Blame();
      Kill();
    });
  }
  EXPECT_THAT(Left(), ElementsAre("7 crashed"));
}

TEST_F(CrashMarksTest, AreKeptByAStartThatDoesNotComeFarEnoughToTakeThem) {
  Die([](CrashMarks& marks) {
    const CrashMarks::Inside inside(&marks, Rendering(7));
    Kill();
  });
  { const auto unused = Open(); }
  EXPECT_THAT(Left(), ElementsAre("7"));
}

TEST_F(CrashMarksTest, ACreateThatCrashedIsKnownUntilItReturns) {
  Die([](CrashMarks& marks) {
    const CrashMarks::Inside inside(&marks, Creating(77));
    marks.Blame();
    Kill();
  });
  for (int start = 0; start < 2; ++start) {
    EXPECT_TRUE(Open()->EndedIn(77)) << "at every start";
    EXPECT_FALSE(Open()->EndedIn(78));
    EXPECT_FALSE(Open()->EndedIn(0));
  }
  Open()->Forgive(77);
  EXPECT_FALSE(Open()->EndedIn(77));
  EXPECT_THAT(Left(), IsEmpty()) << "it is no delivery";
}

TEST_F(CrashMarksTest, ACreateInWhichTheProcessWasKilledOnceIsAnAccident) {
  const auto killed = [](CrashMarks& marks) {
    const CrashMarks::Inside inside(&marks, Creating(77));
    Kill();
  };
  Die(killed);
  EXPECT_FALSE(Open()->EndedIn(77));
  Open()->Forgive(77);
  Die(killed);
  EXPECT_FALSE(Open()->EndedIn(77)) << "it returned in between";
  Die(killed);
  EXPECT_TRUE(Open()->EndedIn(77));
}

TEST_F(CrashMarksTest, MoreSuspectsThanPlacesBreakNothing) {
  for (std::uint64_t subject = 1; subject <= 100; ++subject) {
    Die([&](CrashMarks& marks) {
      const CrashMarks::Inside inside(&marks, Creating(subject));
      marks.Blame();
      Kill();
    });
    EXPECT_TRUE(Open()->EndedIn(subject));
  }
}

TEST_F(CrashMarksTest, AreGoneWhenThePluginReturnsOrTheProcessEndsInGoodOrder) {
  {
    const auto marks = Open();
    { const CrashMarks::Inside inside(marks.get(), Rendering(7)); }
    const CrashMarks::Inside inside(marks.get(), Rendering(8));
    marks->Clear();
  }
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(CrashMarksTest, KnowTheInnermostOfEachThread) {
  EXPECT_EQ(CrashMarks::Inside::OfThisThread(), nullptr);
  const CrashMarks::Inside outer(nullptr, Rendering(1));
  {
    const CrashMarks::Inside inner(nullptr, Rendering(2));
    EXPECT_EQ(CrashMarks::Inside::OfThisThread(), &inner);
  }
  EXPECT_EQ(CrashMarks::Inside::OfThisThread(), &outer);
  std::thread([] { EXPECT_EQ(CrashMarks::Inside::OfThisThread(), nullptr); }).join();
}

TEST_F(CrashMarksTest, WithoutAPlaceNothingIsMarkedAndNothingBreaks) {
  const auto marks = Open();
  std::vector<std::unique_ptr<CrashMarks::Inside>> many;
  for (int i = 1; i <= 2000; ++i) many.push_back(std::make_unique<CrashMarks::Inside>(marks.get(), Rendering(i)));
  while (!many.empty()) many.pop_back();
  EXPECT_EQ(CrashMarks::Inside::OfThisThread(), nullptr);
  EXPECT_THAT(marks->TakeLeft(), IsEmpty());
}

TEST_F(CrashMarksTest, OfAnotherVersionAreForgotten) {
  std::ofstream(path) << std::string(8192, '\7');
  EXPECT_THAT(Left(), IsEmpty());
}

TEST_F(CrashMarksTest, BelongToOneRouterAtATime) {
  const auto first = Open();
  const auto second = CrashMarks::Open(path);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
}

TEST_F(CrashMarksTest, SayWhyTheyCannotBeUsed) {
  const auto marks = CrashMarks::Open("/proc/none/marks");
  ASSERT_FALSE(marks);
  EXPECT_THAT(marks.error().message, testing::HasSubstr("/proc/none/marks"));
}

}  // namespace
}  // namespace hookswitch
