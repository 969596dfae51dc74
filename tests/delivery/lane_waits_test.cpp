#include <map>

#include "tests/delivery/lane_fixture.h"

namespace hookswitch {
namespace {

constexpr std::uint64_t kCall = 7;
constexpr Destinations::Key kPlace = 100, kOtherPlace = 200;
constexpr config::Rate kOneASecond{1, 1s, 1};

/// As ToText, but in seconds: "retry 2, pace 0.5". Rounded up, as what is known may be a little less than what was.
std::string InSeconds(const Waits& waits) {
  std::string text;
  for (const Wait& wait : waits) {
    const auto tenths = (wait.time.count() + 2) / 100;
    text += (text.empty() ? "" : ", ") + std::string(ToString(wait.kind)) + " " + std::to_string(tenths / 10);
    if (tenths % 10 != 0) text += "." + std::to_string(tenths % 10);
  }
  return text;
}

/// A lane, and what each delivery has waited for when it starts.
struct LaneWaits : LaneTest {
  LaneWaits() { lane.SetPolicy(Policy()); }
  static LanePolicy Policy(int concurrency = 8, config::Rate rate = {}) {
    LanePolicy policy = hookswitch::Policy(concurrency, rate);
    policy.retry.schedule = {2s};
    policy.breaker = {.failures = 3, .rate = 100, .window = 60s, .wait = 4s, .max_wait = 60s};
    policy.settle = 5s;
    return policy;
  }
  /// Starts all that may start at `now`; what goes to a place only if it is admitted.
  std::string Run() {
    std::string first;
    while (const auto ref = lane.Start(now)) {
      const DeliverySeq seq = lane[*ref].seq;
      const auto target = targets.find(seq);
      const Lane::Target where = target == targets.end() ? Lane::Target{} : target->second;
      const Waits waits = lane.WaitsOf(*ref, now, where);
      if (target != targets.end() && !lane.Admit(*ref, where, now)) continue;
      running[seq] = *ref;
      waited[seq] = InSeconds(waits);
      if (first.empty()) first = waited[seq];
    }
    return first;
  }
  std::string RunAt(MonoTime time) {
    now = time;
    return Run();
  }
  Lane::Verdict End(DeliverySeq seq, Outcome outcome) {
    const Lane::Ref ref = running.extract(seq).mapped();
    return Finish(ref, outcome);
  }
  Lane::Verdict End(DeliverySeq seq, Kind kind = Kind::kDelivered,
                    std::optional<std::chrono::milliseconds> after = {}) {
    return End(seq, Made(kind, after));
  }

  std::map<DeliverySeq, Lane::Target> targets;
  std::map<DeliverySeq, Lane::Ref> running;
  std::map<DeliverySeq, std::string> waited;
  const MonoTime begin = now;
};

TEST_F(LaneWaits, OneThatStartsAtOnceHasWaitedForNothing) {
  Run();
  Add(1);
  Run();
  EXPECT_EQ(waited.at(1), "");
}

TEST_F(LaneWaits, ForThePace) {
  lane.SetPolicy(Policy(8, kOneASecond));
  Add(1), Add(2), Add(3);
  Run();
  RunAt(begin + 1s);
  RunAt(begin + 2s);
  EXPECT_EQ(waited.at(1), "");
  EXPECT_EQ(waited.at(2), "pace 1");
  EXPECT_EQ(waited.at(3), "pace 2");
}

TEST_F(LaneWaits, ForASlot) {
  lane.SetPolicy(Policy(1));
  Add(1), Add(2), Add(3);
  Run();
  now += 3s;
  End(1);
  Run();
  now += 2s;
  End(2);
  Run();
  EXPECT_EQ(waited.at(2), "slot 3");
  EXPECT_EQ(waited.at(3), "slot 5");
}

TEST_F(LaneWaits, ForItsRetrySinceTheLastAttemptEnded) {
  Add(1);
  RunAt(begin + 1s);
  now += 10s;
  const auto wait = End(1, Kind::kRetry).wait;
  Run();
  RunAt(now + wait);
  EXPECT_EQ(waited.at(1), InSeconds({{WaitKind::kRetry, wait}}));
}

TEST_F(LaneWaits, ForTheEndOfAPauseThatTheOtherSideAskedFor) {
  Add(1);
  Run();
  now += 2s;
  const auto wait = End(1, Kind::kRetry, 30s).wait;
  Run();
  now += 1s;
  Add(2);
  Run();
  RunAt(begin + 2s + wait);
  EXPECT_EQ(waited.at(1), InSeconds({{WaitKind::kThrottle, wait}}));
  EXPECT_EQ(waited.at(2), InSeconds({{WaitKind::kThrottle, wait - 1s}}));
}

TEST_F(LaneWaits, ForTheEndOfAPause) {
  lane.Pause();
  Add(1);
  Run();
  now += 1h;
  lane.Resume(now);
  Run();
  EXPECT_EQ(waited.at(1), "paused 3600");
}

TEST_F(LaneWaits, ForASinkThatIsFailing) {
  for (DeliverySeq seq = 1; seq <= 3; ++seq) Add(seq);
  Run();
  for (DeliverySeq seq = 1; seq <= 3; ++seq) End(seq, Kind::kRetry);
  ASSERT_EQ(lane.StateAt(now), Lane::State::kFailing);
  Run();
  now += 1s;
  Add(4);
  Run();
  RunAt(begin + 4s);
  EXPECT_EQ(waited.at(4), "trouble 3") << "the first probe";
  now += 10s;
  End(4);
  Run();
  EXPECT_EQ(waited.at(1), "trouble 14") << "the schedule stands still meanwhile";
}

TEST_F(LaneWaits, ForASinkThatIsMisconfiguredUnavailableOrRemoved) {
  Add(1);
  Run();
  End(1, Kind::kMisconfigured);
  ASSERT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  Run();
  lane.SetGate(Lane::Gate::kUnavailable);
  Add(2);
  Run();
  RunAt(begin + 5s);
  lane.SetGate(Lane::Gate::kRemoved);
  RunAt(begin + 7s);
  lane.SetGate(Lane::Gate::kOpen);
  Run();
  EXPECT_EQ(waited.at(2), "trouble 7");
}

TEST_F(LaneWaits, ForAnEarlierDeliveryOfItsCall) {
  Add(1, kCall);
  Add(2, kCall);
  Run();
  now += 1s;
  const auto wait = End(1, Kind::kRetry).wait;
  Run();
  RunAt(now + wait);
  now += 1s;
  End(1);
  Run();
  EXPECT_EQ(waited.at(2), InSeconds({{WaitKind::kOrder, wait + 2s}}));
}

TEST_F(LaneWaits, ForTheEndOfItsCall) {
  lane.Add({{.seq = 1, .event = 1, .call_key = kCall, .is_held = true}, now, now + 5s});
  Run();
  RunAt(begin + 5s);
  EXPECT_EQ(waited.at(1), "settle 5");
}

TEST_F(LaneWaits, ForOneThingAfterAnother) {
  lane.SetPolicy(Policy(2, kOneASecond));
  lane.Pause();
  lane.Add({{.seq = 1, .event = 1, .call_key = kCall, .is_held = true}, now, now + 5s});
  Add(2), Add(3), Add(4);
  Run();
  RunAt(begin + 20s);
  lane.Resume(now);
  Run();
  ASSERT_EQ(waited, (std::map<DeliverySeq, std::string>{{2, "paused 20"}}));
  RunAt(begin + 21s);
  EXPECT_EQ(waited.at(3), "paused 20, pace 1");
  RunAt(begin + 22s);
  now = begin + 32s;
  End(2), End(3);
  Run();
  EXPECT_EQ(waited.at(4), "paused 20, pace 1, slot 11") << "the rate would have let it go at 22 s";
  RunAt(begin + 33s);
  EXPECT_EQ(waited.at(1), "settle 5, paused 15, pace 2, slot 11");
}

TEST_F(LaneWaits, ARetryWaitsForItselfWhileItsSinkIsPaused) {
  Add(1);
  Run();
  const auto wait = End(1, Kind::kRetry).wait;
  lane.Pause();
  Run();
  RunAt(begin + wait);
  now = begin + 60s;
  lane.Resume(now);
  Run();
  EXPECT_EQ(waited.at(1), InSeconds({{WaitKind::kRetry, wait}, {WaitKind::kPaused, 60s - wait}}));
}

TEST_F(LaneWaits, ABusySlotIsNotWhatALaterDeliveryOfACallWaitsFor) {
  lane.SetPolicy(Policy(1));
  Add(1, kCall);
  Add(2, kCall);
  Add(3);
  Run();
  now += 5s;
  End(1);
  Run();
  now += 2s;
  End(running.begin()->first);
  Run();
  EXPECT_EQ(waited.at(2), "order 5") << "it goes before 3, which came later";
  EXPECT_EQ(waited.at(3), "slot 7");
}

TEST_F(LaneWaits, AReplayWaitsSinceItWasAskedForAndWhatIsNotKnownIsLeftOut) {
  lane.Pause();
  Run();
  lane.Add({{.seq = 1, .event = 1, .attempts = 3, .is_replay = true}, now, now});
  lane.Add({{.seq = 2, .event = 2, .attempts = 3}, now, now});
  lane.Add({{.seq = 3, .event = 3}, now - 1h, now - 1h});
  Run();
  now += 10s;
  lane.Resume(now);
  Run();
  EXPECT_EQ(waited.at(1), "paused 10");
  EXPECT_EQ(waited.at(2), "") << "when its last attempt ended is not known";
  EXPECT_EQ(waited.at(3), "paused 10") << "the lane knows of no time before its own";
}

TEST_F(LaneWaits, AStepWaitsSinceTheOneBefore) {
  lane.SetPolicy(Policy(1));
  Add(1);
  RunAt(begin + 1s);
  now += 5s;
  End(1, Kind::kNext);
  lane.Pause();
  Run();
  now += 2s;
  lane.Resume(now);
  Run();
  EXPECT_EQ(waited.at(1), "paused 2");
}

TEST_F(LaneWaits, ForThePaceOfItsPlace) {
  for (DeliverySeq seq = 1; seq <= 3; ++seq) Add(seq), targets[seq] = {.place = kPlace, .pace = kOneASecond};
  Run();
  RunAt(begin + 1s);
  RunAt(begin + 2s);
  EXPECT_EQ(waited.at(1), "");
  EXPECT_EQ(waited.at(2), "pace 1");
  EXPECT_EQ(waited.at(3), "pace 2");
}

TEST_F(LaneWaits, ForThePauseThatItsPlaceAskedFor) {
  Add(1), Add(2);
  for (const DeliverySeq seq : {1, 2}) targets[seq] = {.place = kPlace, .pace = kOneASecond};
  Run();
  const auto wait = End(1, Kind::kRetry, 30s).wait;
  Run();
  now += 10s;
  lane.Resume(now);
  Run();
  EXPECT_EQ(waited.at(1), "throttle 10") << "the operator ended it: " << wait.count();
  RunAt(now + 1s);
  EXPECT_EQ(waited.at(2), "throttle 10, pace 1");
}

TEST_F(LaneWaits, ForAPlaceThatIsRefused) {
  for (DeliverySeq seq = 1; seq <= 4; ++seq) Add(seq), targets[seq] = {.place = kPlace};
  targets[3].place = RefusedPlaces::KeyOf("#gone");
  targets[2].place = targets[1].place = targets[3].place;
  targets[4].place = kOtherPlace;
  lane.SetPolicy(Policy(1));
  Run();
  Outcome refused = Made(Kind::kMisconfigured);
  refused.scope = Outcome::Scope::kPlace;
  refused.place = "#gone";
  now += 1s;
  End(1, refused);
  Run();
  End(4);
  Run();
  const MonoTime probe = begin + 6s;
  RunAt(probe);
  EXPECT_EQ(waited.at(2), "slot 1, trouble 5") << "the probe";
  now += 1s;
  End(2);
  Run();
  EXPECT_EQ(waited.at(3), "slot 1, trouble 6") << "the place works";
  now += 1s;
  End(3);
  Run();
  EXPECT_EQ(waited.at(1), "trouble 6, slot 1");
}

TEST_F(LaneWaits, ForAnotherDeliveryThatChangesTheSameThing) {
  Add(1), Add(2);
  for (const DeliverySeq seq : {1, 2}) targets[seq] = {.order = 5};
  Run();
  now += 3s;
  End(1);
  Run();
  EXPECT_EQ(waited.at(2), "order 3");
}

}  // namespace
}  // namespace hookswitch
