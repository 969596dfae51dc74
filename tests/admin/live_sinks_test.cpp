#include "core/admin/live_sinks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using State = LaneStatus::State;

class LiveSinksTest : public testing::Test {
 protected:
  LiveSinksTest() {
    for (const char* name : {"mail", "ops"}) lanes_.emplace_back().sink = name;
    sinks_.Begin(lanes_);
  }
  std::vector<std::string> Changed() {
    std::vector<std::string> names;
    for (const LaneStatus& lane : sinks_.Changed(lanes_, clock_.Mono())) names.push_back(lane.sink);
    return names;
  }

  FakeClock clock_;
  std::vector<LaneStatus> lanes_;
  LiveSinks sinks_;
};

TEST_F(LiveSinksTest, NothingIsShownUntilItChanges) {
  EXPECT_THAT(Changed(), IsEmpty());
  lanes_[1].state = State::kPaused;
  EXPECT_THAT(Changed(), ElementsAre("ops"));
  EXPECT_THAT(Changed(), IsEmpty());
}

TEST_F(LiveSinksTest, NumbersAreShownOnceASecondAndAStateAtOnce) {
  lanes_[1].pending = 1;
  EXPECT_THAT(Changed(), ElementsAre("ops"));
  lanes_[1].pending = 2;
  clock_.Advance(999ms);
  EXPECT_THAT(Changed(), IsEmpty());
  lanes_[1].state = State::kFailing;
  EXPECT_THAT(Changed(), ElementsAre("ops"));
  lanes_[1].pending = 3;
  clock_.Advance(1s);
  EXPECT_THAT(Changed(), ElementsAre("ops"));
  lanes_[1].state = State::kProbing;
  EXPECT_THAT(Changed(), IsEmpty()) << "not twice in a tenth of a second";
  clock_.Advance(100ms);
  EXPECT_THAT(Changed(), ElementsAre("ops"));
}

TEST_F(LiveSinksTest, WhereThereAreManyNumbersAreShownLessOften) {
  for (int i = 0; i < 98; ++i) lanes_.emplace_back().sink = "sink " + std::to_string(i);
  sinks_.Begin(lanes_);
  lanes_[0].pending = 1;
  EXPECT_THAT(Changed(), ElementsAre("mail"));
  lanes_[0].pending = 2;
  clock_.Advance(1999ms);
  EXPECT_THAT(Changed(), IsEmpty());
  clock_.Advance(1ms);
  EXPECT_THAT(Changed(), ElementsAre("mail"));
}

TEST_F(LiveSinksTest, NoMoreThanSomeAreShownAtOnceAndTheOthersNext) {
  lanes_.clear();
  for (int i = 0; i < 100; ++i) lanes_.emplace_back().sink = "sink " + std::to_string(i);
  sinks_.Begin(lanes_);
  for (LaneStatus& lane : lanes_) lane.state = State::kFailing;
  const auto first = Changed(), second = Changed();
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(second.size(), 36u);
}

TEST_F(LiveSinksTest, TimesThatDifferByMillisecondsAreTheSame) {
  lanes_[0].state = State::kFailing;
  lanes_[0].since = lanes_[0].until = lanes_[0].oldest = clock_.Wall();
  EXPECT_THAT(Changed(), ElementsAre("mail"));
  clock_.Advance(1s);
  *lanes_[0].since += 1ms;
  *lanes_[0].until -= 1ms;
  *lanes_[0].oldest += 2ms;
  EXPECT_THAT(Changed(), IsEmpty());
  *lanes_[0].until += 5s;
  EXPECT_THAT(Changed(), ElementsAre("mail"));
}

TEST_F(LiveSinksTest, DeliveriesBetweenTwoLooksAreSeenByTheCounts) {
  auto counts = std::make_shared<HourCounts>();
  lanes_[1].last_hour = counts;
  sinks_.Begin(lanes_);
  counts->Count(HourCounts::What::kDelivered, clock_.Wall());
  EXPECT_THAT(Changed(), ElementsAre("ops"));
  clock_.Advance(1s);
  EXPECT_THAT(Changed(), IsEmpty());
}

TEST_F(LiveSinksTest, ANewSinkIsShownAndOneThatIsGoneOnceMore) {
  lanes_.emplace_back().sink = "new";
  lanes_.erase(lanes_.begin());
  const auto changed = sinks_.Changed(lanes_, clock_.Mono());
  ASSERT_EQ(changed.size(), 2u);
  EXPECT_EQ(changed[0].sink, "new");
  EXPECT_EQ(changed[1].sink, "mail");
  EXPECT_EQ(changed[1].state, State::kRemoved);
  EXPECT_THAT(Changed(), IsEmpty());
}

}  // namespace
}  // namespace hookswitch
