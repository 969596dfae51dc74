// Sinks that write to several places, each with its own pace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>
#include <utility>
#include <vector>

#include "core/delivery/lane.h"
#include "tests/delivery/delivery_fixture.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Outcome::Kind;

constexpr config::Rate kOneASecond{1, 1s, 1};

/// A lane whose deliveries say where they go: their number's hundreds.
struct LaneToPlaces : testing::Test {
  Lane::Ref Add(DeliverySeq seq, std::uint64_t call = 0) {
    return lane.Add({{.seq = seq, .event = seq, .call_key = call}, now, now});
  }
  /// Starts all that may start and tells what was admitted.
  std::vector<DeliverySeq> Run() {
    std::vector<DeliverySeq> sent;
    while (const auto ref = lane.Start(now)) {
      if (!lane.Admit(*ref, {.place = static_cast<Destinations::Key>(lane[*ref].seq / 100), .pace = kOneASecond}, now))
        continue;
      sent.push_back(lane[*ref].seq);
      running.push_back(*ref);
    }
    return sent;
  }
  void FinishAll(Kind kind, std::optional<std::chrono::milliseconds> retry_after = {}) {
    for (const auto ref : std::exchange(running, {})) {
      Outcome outcome;
      outcome.kind = kind;
      outcome.answered = true;
      outcome.retry_after = retry_after;
      verdict = lane.Finish(ref, outcome, now, jitter);
      lane.Settle(ref);
    }
  }

  Lane lane{LanePolicy{{}, 2, {{2s, 10s, 30s}, 24h}}};
  Jitter jitter{1};
  MonoTime now{1h};
  std::vector<Lane::Ref> running;
  Lane::Verdict verdict;
};

TEST_F(LaneToPlaces, EachPlaceHasItsOwnPaceAndItsOwnOrder) {
  for (const DeliverySeq seq : {101, 102, 103, 201, 202}) Add(seq);
  EXPECT_THAT(Run(), ElementsAre(101, 201));
  EXPECT_EQ(lane.in_flight(), 2u) << "what waits in a line holds no slot";
  FinishAll(Kind::kDelivered);
  EXPECT_THAT(Run(), IsEmpty());
  EXPECT_EQ(lane.NextLook(), now + 1s);
  now += 1s;
  EXPECT_THAT(Run(), ElementsAre(102, 202));
  FinishAll(Kind::kDelivered);
  now += 1s;
  EXPECT_THAT(Run(), ElementsAre(103));
  FinishAll(Kind::kDelivered);
  EXPECT_EQ(lane.pending(), 0u);
  EXPECT_EQ(lane.NextLook(), MonoTime::max());
}

TEST_F(LaneToPlaces, APauseHoldsThePlaceThatAskedForItAlone) {
  Add(101);
  EXPECT_THAT(Run(), ElementsAre(101));
  FinishAll(Kind::kRetry, 30s);
  const auto pause = verdict.wait;
  EXPECT_EQ(verdict.change, Lane::Change::kNone);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  Add(102), Add(201);
  EXPECT_THAT(Run(), ElementsAre(201));
  FinishAll(Kind::kDelivered);
  now += 29s;
  EXPECT_THAT(Run(), IsEmpty());
  now += pause - 29s;
  ASSERT_THAT(Run(), ElementsAre(101)) << "the one that was refused keeps its place";
  EXPECT_EQ(lane[running[0]].attempts, 1u);
}

TEST_F(LaneToPlaces, APauseIsKeptToWhatTheConfigAllowsForAPlaceToo) {
  Add(101);
  Run();
  FinishAll(Kind::kRetry, 168h);
  now += 1h;
  EXPECT_THAT(Run(), IsEmpty());
  now += 1s;
  EXPECT_THAT(Run(), ElementsAre(101));
}

TEST_F(LaneToPlaces, AnOperatorsResumeLiftsTheHold) {
  Add(101);
  Run();
  FinishAll(Kind::kRetry, 30s);
  EXPECT_THAT(Run(), IsEmpty());
  now += 1s;
  lane.Resume(now);
  EXPECT_THAT(Run(), ElementsAre(101));
}

TEST_F(LaneToPlaces, EventsOfOneCallStayInOrder) {
  Add(101);
  Run();
  FinishAll(Kind::kDelivered);
  Add(102, 7), Add(103, 7);
  EXPECT_THAT(Run(), IsEmpty());
  now += 1s;
  EXPECT_THAT(Run(), ElementsAre(102));
  now += 1s;
  EXPECT_THAT(Run(), IsEmpty()) << "the first of the call is still in flight";
  FinishAll(Kind::kDelivered);
  EXPECT_THAT(Run(), ElementsAre(103));
}

TEST_F(LaneToPlaces, OneThatComesBeforeAnotherOfItsCallPassesItInTheLine) {
  Add(101);
  Run();
  FinishAll(Kind::kDelivered);
  Add(103, 7);
  EXPECT_THAT(Run(), IsEmpty());
  Add(102, 7);
  now += 1s;
  EXPECT_THAT(Run(), ElementsAre(102));
  FinishAll(Kind::kDelivered);
  now += 1s;
  EXPECT_THAT(Run(), ElementsAre(103));
}

TEST_F(LaneToPlaces, WhatIsReleasedOrTooOldLeavesTheLine) {
  LanePolicy policy = lane.policy();
  policy.max_age = 10s;
  lane.SetPolicy(policy);
  for (const DeliverySeq seq : {101, 102, 103}) Add(seq);
  Run();
  FinishAll(Kind::kRetry, 60s);
  Run();
  EXPECT_EQ(lane.Release({102}).size(), 1u);
  now += 11s;
  std::vector<DeliverySeq> ended;
  while (const auto ending = lane.NextEnding(now)) {
    ended.push_back(lane[ending->ref].seq);
    lane.Settle(ending->ref);
  }
  EXPECT_THAT(ended, testing::UnorderedElementsAre(101, 103));
  EXPECT_EQ(lane.pending(), 0u);
  now += 1h;
  EXPECT_EQ(lane.Start(now), std::nullopt);
  EXPECT_EQ(lane.NextLook(), MonoTime::max()) << "what has left is dropped from the line";
}

TEST_F(LaneToPlaces, AProbeThatWaitsForItsPlaceIsNoProbe) {
  Add(101);
  Run();
  FinishAll(Kind::kMisconfigured);
  Add(102), Add(201);
  now += 31s;
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  EXPECT_EQ(Run().size(), 1u);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kProbing);
  FinishAll(Kind::kRetry, 30s);
  now += 31s;
  EXPECT_EQ(Run().size(), 1u) << "another one, to another place";
  FinishAll(Kind::kDelivered);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
}

// Whatever happens in between: nothing is lost or sent twice, no place is written to before its time, and each call
// stays in order.
TEST_F(LaneToPlaces, ThousandsOfRandomRunsKeepEveryPromise) {
  for (unsigned seed = 0; seed < 2000; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    const auto chance = [&](unsigned in) { return random() % in == 0; };
    Lane one{LanePolicy{{}, 3, {{2s, 10s, 30s}, 24h}, {.failures = 3, .wait = 2s, .max_wait = 30s}}};
    MonoTime time{1h};
    std::map<std::uint64_t, MonoTime> next_at, held_until;                 // by place
    std::map<std::uint64_t, DeliverySeq> last_of_call;                     // the newest that ended
    std::map<Lane::Ref, std::pair<DeliverySeq, std::uint64_t>> in_flight;  // with the place
    std::set<DeliverySeq> open, done;
    DeliverySeq seq = 0;
    const auto add = [&] {
      const std::uint64_t call = random() % 4;  // 0: no order
      LaneDelivery delivery{{.seq = ++seq, .event = seq, .call_key = call}, time, time};
      delivery.origin = static_cast<std::uint32_t>(random() % 3);
      one.Add(delivery);
      open.insert(seq);
    };
    const auto start = [&] {
      while (const auto ref = one.Start(time)) {
        const LaneDelivery delivery = one[*ref];
        const std::uint64_t place = delivery.origin;
        if (!one.Admit(*ref, {.place = place, .pace = kOneASecond}, time)) continue;
        ASSERT_GE(time, next_at[place]) << "before its time";
        ASSERT_GE(time, held_until[place]) << "within a pause";
        next_at[place] = time + 1s;
        ASSERT_TRUE(in_flight.emplace(*ref, std::pair(delivery.seq, place)).second);
        for (const auto& [other, what] : in_flight) {
          ASSERT_TRUE(other == *ref || delivery.call_key == 0 || one[other].call_key != delivery.call_key);
        }
        ASSERT_TRUE(delivery.call_key == 0 || delivery.seq > last_of_call[delivery.call_key]);
      }
    };
    const auto finish = [&](bool well) {
      if (in_flight.empty()) return;
      const auto [ref, what] = *std::next(in_flight.begin(), static_cast<long>(random() % in_flight.size()));
      const std::uint64_t call = one[ref].call_key;
      Outcome outcome;
      outcome.kind = well || chance(2) ? Kind::kDelivered : chance(6) ? Kind::kMisconfigured : Kind::kRetry;
      outcome.answered = chance(2) || outcome.kind != Kind::kRetry;
      if (outcome.kind == Kind::kRetry && chance(2)) outcome.retry_after = 5s;
      if (outcome.retry_after) held_until[what.second] = std::max(held_until[what.second], time + 5s);
      const auto result = one.Finish(ref, outcome, time, jitter);
      one.Settle(ref);
      in_flight.erase(ref);
      if (result.state == DeliveryState::kPending) return;
      ASSERT_TRUE(result.state == DeliveryState::kDelivered || result.refused);
      ASSERT_TRUE(open.erase(what.first) == 1 && done.insert(what.first).second) << "once";
      if (call != 0) last_of_call[call] = what.first;
    };
    for (int i = 0; i < 60 && !HasFatalFailure(); ++i) {
      if (chance(2)) add();
      if (chance(20)) {
        one.Resume(time);
        held_until.clear();
      }
      start();
      if (chance(2)) finish(false);
      time += std::chrono::milliseconds(random() % 1500);
    }
    for (int i = 0; i < 2000 && !open.empty() && !HasFatalFailure(); ++i) {
      start();
      while (!in_flight.empty() && !HasFatalFailure()) finish(true);
      const MonoTime look = one.NextLook();
      if (open.empty()) break;
      ASSERT_NE(look, MonoTime::max()) << open.size() << " wait for nothing";
      time = std::max(time, look);
    }
    ASSERT_TRUE(open.empty()) << open.size() << " were never sent";
    ASSERT_EQ(one.pending(), 0u);
    ASSERT_EQ(one.NextLook(), MonoTime::max());
  }
}

TEST(Destinations, IdleOnesAreForgotten) {
  Destinations destinations;
  MonoTime now{1h};
  for (std::uint64_t key = 1; key <= 10'000; ++key, now += 10s) {
    EXPECT_TRUE(destinations.Admit({key, 1, 0}, kOneASecond, now));
  }
  EXPECT_LE(destinations.size(), 64u);
  destinations.Hold(7, now + 1h);
  for (std::uint64_t key = 1; key <= 1000; ++key, now += 1s) destinations.Admit({key + 20'000, 1, 0}, kOneASecond, now);
  EXPECT_FALSE(destinations.Admit({7, 1, 0}, kOneASecond, now)) << "one that is held is not";
}

struct PlacesTest : DispatcherTest {
  std::shared_ptr<FakeSink> Bot() {
    auto sink = std::make_shared<FakeSink>();
    sink->render = [](const SinkDelivery& delivery) {
      HttpRequest request;
      request.url = "http://" + delivery.event.call_id.substr(0, 1);
      request.body = delivery.event.call_id;
      request.pace = Pace{.key = request.url, .max = 1, .burst = 1};
      return request;
    };
    return sink;
  }
};

TEST_F(PlacesTest, ABusyPlaceDoesNotDelayAnother) {
  Lane("bot", Bot());
  Start();
  http.AnswerAll([](const auto&) { return Answered(200); });
  DeliverySeq last = 0;
  for (const char* call : {"a1", "a2", "a3", "b1"}) last = Accept(call, {"bot"});
  ASSERT_TRUE(AwaitState(last, DeliveryState::kDelivered));
  ASSERT_TRUE(AwaitRecords(2));
  EXPECT_EQ(http.CountSent("http://a"), 1u);
  Tick(1s);
  ASSERT_TRUE(AwaitSent("http://a", 2));
  Tick(1s);
  ASSERT_TRUE(AwaitSent("http://a", 3));
  ASSERT_TRUE(AwaitRecords(4));
  for (const auto& record : journal.inner.Records()) EXPECT_EQ(record.number, 1u) << "waiting is no attempt";
  EXPECT_EQ(journal.loads, 4) << "and reads nothing again";
}

TEST_F(PlacesTest, ARateInTheConfigTakesThePlaceOfThePlugins) {
  Lane("bot", Bot()).config.rate_limit = config::Rate{100, 1s, 100};
  Start();
  http.AnswerAll([](const auto&) { return Answered(200); });
  DeliverySeq last = 0;
  for (const char* call : {"a1", "a2", "a3"}) last = Accept(call, {"bot"});
  ASSERT_TRUE(AwaitState(last, DeliveryState::kDelivered));
  ASSERT_TRUE(AwaitRecords(3));
}

}  // namespace
}  // namespace hookswitch
