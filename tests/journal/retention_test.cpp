#include "core/journal/retention.h"

#include <algorithm>
#include <random>
#include <thread>

#include "core/journal/indexes.h"
#include "core/journal/store.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

using std::chrono::hours;

/// Days, counted from the beginning of the test, on which events were received, in the order of their acceptance.
struct Story {
  const char* name;
  std::vector<int> days;
};

std::vector<int> Repeat(int times, const std::vector<int>& days) {
  std::vector<int> all;
  for (int i = 0; i < times; ++i) all.insert(all.end(), days.begin(), days.end());
  return all;
}

const Story kStories[] = {
    {"steady", {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}},
    {"one_from_the_future_first", {365, 0, 0, 0, 1, 2, 9}},
    {"one_from_the_future_last", {0, 0, 1, 365}},
    {"future_by_less_than_the_age", {0, 3, 0, 0, 5, 1, 1, 1}},
    {"many_from_the_future", Repeat(300, {400})},
    {"old_ones_behind_many_from_the_future",
     [] {
       auto days = Repeat(300, {400});
       days.insert(days.end(), 40, 0);
       return days;
     }()},
    {"a_clock_that_swings", Repeat(100, {0, 30})},
    {"set_back_step_by_step", {50, 40, 30, 20, 10, 5, 1, 0}},
    {"began_in_1970", Repeat(3, {-15'000, -15'000, 0, 1, 12})},
};

class Retained : public SqliteFixture, public testing::WithParamInterface<Story> {
 protected:
  WallTime Day(int day) const { return start_ + hours(24 * day); }
  void Receive(const std::vector<int>& days) {
    ASSERT_TRUE(Open());
    for (std::size_t i = 0; i < days.size(); ++i) {
      clock_.SetWall(Day(days[i]));
      ASSERT_TRUE(Append("event " + std::to_string(i)));
    }
  }
  /// Steps until nothing is left to do. `steps`: how many at most.
  void Settle(Retention& retention, Store& store, std::size_t steps) {
    for (std::size_t i = 0;; ++i) {
      ASSERT_LE(i, steps) << "each step does its part";
      const std::uint64_t before = store.events();
      const auto more = retention.Step(0, kChunk);
      ASSERT_TRUE(more) << more.error().message;
      EXPECT_LE(before - store.events(), static_cast<std::uint64_t>(kChunk));
      if (!*more) return;
    }
  }
  static constexpr int kChunk = 7;
  const WallTime start_ = clock_.Wall();
};

INSTANTIATE_TEST_SUITE_P(Clock, Retained, testing::ValuesIn(kStories),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(Retained, WhatIsOldGoesWhateverTheClockDid) {
  const auto& days = GetParam().days;
  Receive(days);
  journal_.reset();
  auto store = Store::Open(path_, tuning_.page_size);
  ASSERT_TRUE(store);
  Retention retention(**store, clock_, hours(24 * 7), 0);
  for (const int today : {7, 8, 9, 15, 30, 38, 100, 500}) {
    clock_.SetWall(Day(today) + std::chrono::minutes(2));
    const auto stays = std::ranges::count_if(days, [&](int day) { return day > today - 7; });
    Settle(retention, **store, days.size() * 2);
    ASSERT_EQ((*store)->events(), static_cast<std::uint64_t>(stays)) << "on day " << today;
  }
}

TEST_P(Retained, WithoutARestartItIsTheSame) {
  const auto& days = GetParam().days;
  options_.retention_age = hours(24 * 7);
  Receive(days);
  clock_.SetWall(Day(500) + std::chrono::minutes(2));
  while (journal_->Stats().events != 0) std::this_thread::yield();
}

TEST_P(Retained, BySizeWhatWasAcceptedFirstGoesFirst) {
  const auto& days = GetParam().days;
  Receive(days);
  journal_.reset();
  auto store = Store::Open(path_, tuning_.page_size);
  ASSERT_TRUE(store);
  Retention retention(**store, clock_, hours(24 * 7), 1);
  clock_.SetWall(Day(-20'000));  // by age nothing has to go
  for (EventSeq first = 1; (*store)->events() != 0;) {
    const auto before = (*store)->events();
    ASSERT_TRUE(retention.Step(2, kChunk));
    ASSERT_LT((*store)->events(), before);
    first += static_cast<EventSeq>(before - (*store)->events());
    EXPECT_EQ(Shell("SELECT ifnull(min(seq), 0) FROM event"), std::to_string((*store)->events() == 0 ? 0 : first));
  }
}

TEST_F(Retained, AnEventThatWaitsGoesOnceItHasEndedWhereverItStands) {
  options_.retention_age = hours(24 * 7);
  ASSERT_TRUE(Open());
  clock_.SetWall(Day(365));
  ASSERT_TRUE(Append("future", 100, {"ops"}));
  clock_.SetWall(Day(0));
  ASSERT_TRUE(Append("waits", 100, {"ops"}));
  ASSERT_TRUE(Append("done"));
  clock_.Advance(hours(24 * 8));
  while (journal_->Stats().events != 2) std::this_thread::yield();
  Deliver(2, 2);
  while (journal_->Stats().pending != 1) std::this_thread::yield();
  clock_.Advance(std::chrono::minutes(2));
  while (journal_->Stats().events != 1) std::this_thread::yield();
  EXPECT_TRUE(journal_->Load(1));
}

TEST_F(Retained, AConfigGoesWithTheLastEventThatNamesIt) {
  ASSERT_TRUE(Open());
  int number = 0;
  for (const char* text : {"a", "b", "a", "c", "c"}) {
    config_ = {DigestOf(text), clock_.Wall(), text};
    clock_.SetWall(Day(++number));
    ASSERT_TRUE(Append("event " + std::to_string(number)));
  }
  journal_.reset();
  {
    auto store = Store::Open(path_, tuning_.page_size);
    ASSERT_TRUE(store);
    Retention retention(**store, clock_, hours(24 * 7), 0);
    for (const auto& [day, texts] : {std::pair{8, "a,b,c"}, {9, "a,c"}, {10, "c"}, {30, "c"}}) {
      clock_.SetWall(Day(day) + std::chrono::minutes(2));
      Settle(retention, **store, 10);
      EXPECT_EQ(Shell("SELECT group_concat(text) FROM (SELECT text FROM config ORDER BY text)"), texts)
          << "on day " << day;
    }
    EXPECT_EQ((*store)->events(), 0u);
    retention.ReleaseStatements();
  }
  // "c" stayed so that its number is not used again.
  ASSERT_TRUE(Open());
  config_ = {DigestOf("a"), clock_.Wall(), "a"};
  const auto accepted = Append("new");
  ASSERT_TRUE(accepted);
  EXPECT_EQ(journal_->Load(accepted->event)->config, 4);
  EXPECT_EQ(journal_->history().LoadConfig(4)->text, "a");
}

TEST_F(Retained, ConfigsOfRevisedEventsAreCountedOnce) {
  options_.retention_age = hours(24 * 7);
  ASSERT_TRUE(Open());
  for (const char* text : {"a", "b", "c"}) {
    const KeptConfig config{DigestOf(text), clock_.Wall(), text};
    NewEvent event;
    event.source = "bolna";
    event.body = text;
    event.dedup = DigestOf("event");
    event.content = static_cast<std::uint64_t>(*text);
    event.received_at = clock_.Wall();
    event.config = &config;
    ASSERT_TRUE(journal_->Append(event));
  }
  clock_.Advance(hours(24 * 8));
  while (journal_->Stats().events != 0) std::this_thread::yield();
  // What the event named before it was revised is unused since, and goes with the next one that goes.
  ASSERT_TRUE(Open());
  EXPECT_EQ(Shell("SELECT group_concat(text) FROM config"), "c");
}

TEST(TimeRuns, LeadToEveryOldEventAndStraightThere) {
  std::mt19937 random(3);
  for (int round = 0; round < 200; ++round) {
    TimeRuns runs;
    std::vector<std::int64_t> times{0};  // by event
    std::int64_t clock = 1'000'000'000;
    const int events = static_cast<int>(random() % 300);
    for (EventSeq event = 1; event <= events; ++event) {
      const bool jumps = random() % 40 == 0;
      clock += jumps ? static_cast<std::int64_t>(random() % 2'000'000'000) - 1'000'000'000 : random() % 1000;
      clock = std::max<std::int64_t>(clock, 0);
      times.push_back(clock);
      runs.Add(event, clock);
    }
    const std::int64_t cutoff = static_cast<std::int64_t>(random() % 3'000'000'000);
    std::vector<bool> removed(times.size());
    while (const auto rest = runs.OldestUntil(cutoff)) {
      const auto is_young = [&](EventSeq event) { return times[static_cast<std::size_t>(event)] > cutoff; };
      ASSERT_FALSE(removed[static_cast<std::size_t>(rest->next)] || is_young(rest->next))
          << "nothing is looked at twice";
      EventSeq next = rest->next;
      while (next < rest->end && next <= events && !is_young(next)) removed[static_cast<std::size_t>(next++)] = true;
      const bool at_end = next >= rest->end || next > events;
      runs.Advance(*rest, next, at_end ? TimeRuns::kNever : times[static_cast<std::size_t>(next)], false);
    }
    for (EventSeq event = 1; event <= events; ++event) {
      const std::int64_t time = times[static_cast<std::size_t>(event)];
      if (time <= cutoff - TimeRuns::kDisorderMs) {
        ASSERT_TRUE(removed[static_cast<std::size_t>(event)]) << "round " << round << ", event " << event;
      }
    }
  }
}

TEST(TimeRuns, WhatWasTakenBackIsForgotten) {
  TimeRuns runs;
  runs.Add(1, 5'000'000);
  runs.Add(2, 9'000'000'000);
  runs.Add(3, 5'000'000);
  runs.Add(4, 1'000'000);
  runs.RemoveFrom(3);
  runs.Add(3, 6'000'000);
  const auto oldest = runs.OldestUntil(TimeRuns::kNever);
  ASSERT_TRUE(oldest);
  EXPECT_EQ(oldest->next, 1);
  EXPECT_EQ(oldest->end, 3);
}

}  // namespace
}  // namespace hookswitch
