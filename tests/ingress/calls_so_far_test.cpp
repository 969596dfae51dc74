#include <gtest/gtest.h>

#include "core/ingress/prepared_event.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

class CallsSoFarTest : public ::testing::Test {
 protected:
  /// An event of call 7 whose JSON has these members, after Apply.
  std::unique_ptr<PreparedEvent> Apply(Stage stage, std::optional<double> duration, const std::string& summary) {
    auto what = std::make_unique<PreparedEvent>();
    what->event = std::make_shared<CallEvent>();
    what->event->call_id = "c-1";
    what->event->stage = stage;
    what->event->duration = duration;
    what->event->summary = summary;
    what->stored.call_key = 7;
    what->stored.dedup = DigestOf(std::to_string(++events_));
    calls_.Apply(*what);
    return what;
  }
  void Commit(const PreparedEvent& what) {
    ASSERT_TRUE(journal_.Append(what.stored));
    calls_.Done(what);
  }

  int events_ = 0;
  MemoryJournal journal_;
  CallsSoFar calls_{journal_};
};

TEST_F(CallsSoFarTest, AFinalEventTakesFromWhatIsNotCommittedYet) {
  const auto first = Apply(Stage::kEnded, 73, ""), second = Apply(Stage::kEnded, {}, "All is well.");
  const auto final = Apply(Stage::kFinal, {}, "");
  EXPECT_EQ(final->event->duration, 73);
  EXPECT_EQ(final->event->summary, "All is well.");
  EXPECT_NE(final->stored.headers.find("?carried: "), std::string_view::npos);
}

TEST_F(CallsSoFarTest, WhatIsCommittedIsReadFromTheJournal) {
  Commit(*Apply(Stage::kLive, {}, "Hello."));
  Commit(*Apply(Stage::kEnded, 73, ""));
  CallsSoFar restarted(journal_);
  PreparedEvent final;
  final.event = std::make_shared<CallEvent>();
  final.event->stage = Stage::kFinal;
  final.stored.call_key = 7;
  restarted.Apply(final);
  EXPECT_EQ(final.event->duration, 73);
  EXPECT_EQ(final.event->summary, "Hello.");
}

TEST_F(CallsSoFarTest, AnEventThatIsNeverCommittedIsForgotten) {
  calls_.Done(*Apply(Stage::kEnded, 73, ""));
  EXPECT_FALSE(Apply(Stage::kFinal, {}, "")->event->duration);
}

TEST_F(CallsSoFarTest, WhatAddsNothingStoresNothing) {
  Commit(*Apply(Stage::kLive, 73, ""));
  EXPECT_EQ(Apply(Stage::kLive, 73, "")->stored.carry, "");
}

}  // namespace
}  // namespace hookswitch
