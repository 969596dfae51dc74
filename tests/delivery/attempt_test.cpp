#include "core/delivery/attempt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "tests/delivery/delivery_fakes.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using GaveUp = Attempt::GaveUp;
using Stage = Attempt::Stage;

struct AttemptTest : testing::Test {
  Bell bell;
  BellJournal journal{bell};
  std::shared_ptr<FakeSink> sink = std::make_shared<FakeSink>();
  Attempt attempt{{.delivery = {.seq = 1, .event = 1},
                   .route = {.sink = "ops"},
                   .timeout = 10s,
                   .plan = std::make_shared<DeliveryPlan>(),
                   .sink = sink,
                   .journal = std::make_shared<JournalRef>(journal),
                   .marks = nullptr},
                  nullptr};
};

TEST_F(AttemptTest, AJobThatIsOverdueEndsOnlyTheStageThatItIsFor) {
  EXPECT_EQ(attempt.GiveUp(Stage::kInterpreting), GaveUp::kMovedOn);
  ASSERT_TRUE(attempt.BeginSending(MonoTime(7s)));
  EXPECT_EQ(attempt.GiveUp(Stage::kPreparing), GaveUp::kMovedOn) << "the request is on its way";
  EXPECT_EQ(attempt.stage(), Stage::kSending);
  EXPECT_EQ(attempt.sending_since(), MonoTime(7s));
  attempt.EndSending({});
  EXPECT_FALSE(attempt.GiveUpSending()) << "its response is here";
  EXPECT_EQ(attempt.GiveUp(Stage::kPreparing), GaveUp::kMovedOn) << "the thread that prepared it came back late";
  EXPECT_FALSE(attempt.canceled());
  EXPECT_EQ(attempt.GiveUp(Stage::kInterpreting), GaveUp::kOutside);
  EXPECT_EQ(attempt.Interpret(Answered(200), WallTime()).code, "given_up");
}

TEST_F(AttemptTest, WhatWasGivenUpOrCanceledIsNotSent) {
  Attempt canceled(attempt.facts(), nullptr);
  canceled.Cancel();
  EXPECT_FALSE(canceled.BeginSending(MonoTime()));
  EXPECT_EQ(attempt.GiveUp(Stage::kPreparing), GaveUp::kOutside);
  EXPECT_FALSE(attempt.BeginSending(MonoTime()));
  EXPECT_THAT(sink->given_up, testing::IsEmpty());
}

TEST_F(AttemptTest, WhatThePluginHasReturnedIsNotGivenUp) {
  sink->deliver = [&](const auto&, auto, const auto&) { return Outcome{}; };
  Attempt read(attempt.facts(), std::make_shared<const CallEvent>());
  read.Deliver();
  EXPECT_EQ(read.GiveUp(Stage::kPreparing), GaveUp::kMovedOn) << "its outcome is on the way";
  EXPECT_FALSE(read.canceled());
}

TEST_F(AttemptTest, AResponseThatComesAfterItWasGivenUpIsNotRead) {
  bool asked = false;
  sink->interpret = [&](const auto&, const auto&) { return asked = true, Outcome{}; };
  ASSERT_TRUE(attempt.BeginSending(MonoTime()));
  EXPECT_TRUE(attempt.GiveUpSending());
  attempt.EndSending({});
  EXPECT_EQ(attempt.Interpret(Answered(200), WallTime()).code, "given_up");
  EXPECT_FALSE(asked);
}

}  // namespace
}  // namespace hookswitch
