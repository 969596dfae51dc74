#include <map>
#include <set>

#include "tests/delivery/lane_fixture.h"

// What becomes of deliveries that the other side refuses because something is misconfigured: the one, its place, or the
// sink.
namespace hookswitch {
namespace {

using Scope = Outcome::Scope;

struct RefusalTest : LaneTest {
  static Outcome Refused(Scope scope = Scope::kUnknown, std::string place = {}) {
    Outcome outcome = Made(Kind::kMisconfigured);
    outcome.scope = scope;
    outcome.place = std::move(place);
    outcome.reason = "it says no";
    return outcome;
  }
  Lane::Verdict Refuse(Scope scope = Scope::kUnknown, std::string place = {}) {
    return Finish(started, Refused(scope, std::move(place)));
  }
  /// Runs the lane until `until`: `answer` says what becomes of each delivery. When each got through.
  template <class Answer>
  std::map<DeliverySeq, MonoTime> Run(MonoTime until, Answer answer) {
    std::map<DeliverySeq, MonoTime> delivered;
    for (;;) {
      while (const auto ending = lane.NextEnding(now)) {
        ended[lane[ending->ref].seq] = ending->why;
        lane.Settle(ending->ref);
      }
      if (const auto ref = lane.Start(now)) {
        const DeliverySeq seq = lane[*ref].seq;
        const Outcome outcome = answer(seq);
        ++attempts[seq];
        const auto verdict = Finish(*ref, outcome);
        if (verdict.state == DeliveryState::kDelivered) delivered[seq] = now;
        if (verdict.state == DeliveryState::kDead) dead[seq] = verdict;
        continue;
      }
      const MonoTime next = std::min(lane.NextLook(), lane.NextEndingLook());
      EXPECT_GT(next, now) << "it would spin";
      if (next > until || next <= now) return delivered;
      now = next;
    }
  }

  std::map<DeliverySeq, Lane::Verdict> dead;
  std::map<DeliverySeq, Lane::End> ended;
  std::map<DeliverySeq, int> attempts;
};

TEST_F(RefusalTest, OneThatIsRefusedHoldsNothingElse) {
  for (int i = 1; i <= 5; ++i) Add(i), now += 1ms;
  ASSERT_EQ(Start(), 1);
  const auto verdict = Refuse();
  EXPECT_EQ(verdict.state, DeliveryState::kPending);
  EXPECT_EQ(verdict.change, Change::kNone) << "there are others to try";
  for (int i = 2; i <= 5; ++i) {
    ASSERT_EQ(Start(), i);
    Finish(Kind::kDelivered);
  }
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  EXPECT_EQ(lane.NextLook(), now - 4ms + 5s + 3ms + 1ms) << "then the refused one, five seconds later";
}

TEST_F(RefusalTest, OneThatIsRefusedAgainAndAgainWhileOthersGetThroughEnds) {
  Add(1);
  const MonoTime begin = now;
  int others = 1;
  const auto answer = [&](DeliverySeq seq) { return seq == 1 ? Refused() : Made(Kind::kDelivered); };
  for (int second = 0; second < 120; ++second) {
    Add(++others);
    Run(now + 1s, answer);
    now = begin + std::chrono::seconds(second + 1);
  }
  ASSERT_TRUE(dead.contains(1));
  EXPECT_TRUE(dead[1].refused);
  EXPECT_EQ(attempts[1], 3);
}

// A sink of which one part refuses for a moment, as behind a load balancer: it closes and reopens many times a second.
TEST_F(RefusalTest, NoTroubleShorterThanHalfAMinuteEndsAnything) {
  for (const Scope scope : {Scope::kUnknown, Scope::kSink}) {
    lane = Lane(Policy());
    dead.clear(), attempts.clear();
    const MonoTime begin = now;
    DeliverySeq last = 0;
    int turn = 0;
    const auto answer = [&](DeliverySeq) {
      return now < begin + 34s && ++turn % 3 != 0 ? Refused(scope) : Made(Kind::kDelivered);
    };
    std::size_t delivered = 0;
    for (int i = 1; i <= 1000; ++i) {
      for (int n = 0; n < 3; ++n) Add(++last);
      delivered += Run(begin + 100ms * i, answer).size();
      now = begin + 100ms * i;
    }
    EXPECT_TRUE(dead.empty()) << dead.size();
    EXPECT_EQ(delivered, static_cast<std::size_t>(last));
    for (const auto& [seq, count] : attempts) ASSERT_LE(count, 8) << seq;
    now += 1h;
  }
}

TEST_F(RefusalTest, WhileNothingGetsThroughNothingEndsAndNothingBurnsATry) {
  for (int i = 1; i <= 20; ++i) Add(i), now += 1ms;
  const auto delivered = Run(now + 48h, [](DeliverySeq) { return Refused(); });
  EXPECT_TRUE(delivered.empty());
  EXPECT_TRUE(dead.empty());
  EXPECT_EQ(lane.pending(), 20u);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  // Mended: everything goes out with the next probe.
  const MonoTime mended = now;
  const auto then = Run(now + 11min, [](DeliverySeq) { return Made(Kind::kDelivered); });
  EXPECT_EQ(then.size(), 20u);
  for (const auto& [seq, at] : then) EXPECT_EQ(at, then.begin()->second) << seq;
  EXPECT_LE(then.begin()->second, mended + 10min);
}

TEST_F(RefusalTest, ASinkIsMisconfiguredWhenNothingGetsThrough) {
  for (int i = 1; i <= 9; ++i) Add(i), now += 1ms;
  for (int i = 1; i <= 3; ++i) {
    ASSERT_EQ(Start(), i);
    EXPECT_EQ(Refuse().change, Change::kNone) << i;
  }
  ASSERT_EQ(Start(), 4);
  EXPECT_EQ(Refuse().change, Change::kPausedItself) << "four in a row are no accident";
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  EXPECT_TRUE(lane.certainly_misconfigured());
  EXPECT_EQ(Start(), 0);
}

TEST_F(RefusalTest, AnAnswerThatSaysItIsTheSinkIsBelievedSooner) {
  for (int i = 1; i <= 9; ++i) Add(i), now += 1ms;
  ASSERT_EQ(Start(), 1);
  EXPECT_EQ(Refuse(Scope::kSink).change, Change::kNone);
  ASSERT_EQ(Start(), 2);
  EXPECT_EQ(Refuse(Scope::kSink).change, Change::kPausedItself);
  EXPECT_TRUE(lane.certainly_misconfigured());
}

TEST_F(RefusalTest, ProbesTakeWhatWasNotTriedWithGrowingPatienceUpToTenMinutes) {
  for (int i = 1; i <= 30; ++i) Add(i), now += 1ms;
  Start(), Refuse(Scope::kSink);
  Start(), Refuse(Scope::kSink);
  std::set<DeliverySeq> probed;
  std::vector<std::chrono::milliseconds> waits;
  for (int i = 0; i < 15; ++i) {
    const MonoTime look = lane.NextLook();
    waits.push_back(std::chrono::duration_cast<std::chrono::milliseconds>(look - now));
    now = look;
    ASSERT_NE(Start(), 0);
    EXPECT_EQ(lane.StateAt(now), Lane::State::kProbing);
    const auto probe = started;
    EXPECT_TRUE(probed.insert(lane[probe].seq).second) << "another one each time";
    EXPECT_GT(lane[probe].seq, 2);
    EXPECT_EQ(Start(), 0) << "one probe at a time";
    EXPECT_EQ(Finish(probe, Refused(Scope::kSink)).change, Change::kProbeFailed);
  }
  EXPECT_EQ(waits, (std::vector<std::chrono::milliseconds>{250ms, 500ms, 1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s,
                                                           512s, 600s, 600s, 600s}));
}

TEST_F(RefusalTest, ALonelyOneIsProbedAgainAndANewOneAtOnce) {
  Add(1);
  Start();
  EXPECT_EQ(Refuse().change, Change::kPausedItself) << "there is no other to try";
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  EXPECT_FALSE(lane.certainly_misconfigured());
  now += 1ms;
  EXPECT_EQ(Start(), 0);
  Add(2);
  EXPECT_EQ(Start(), 2) << "it may be what is wrong with the first";
  EXPECT_EQ(Finish(Kind::kDelivered).change, Change::kReopened);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  EXPECT_EQ(Start(), 0) << "the refused one has its own time";
}

TEST_F(RefusalTest, AProbeThatIsRejectedReopensTheLane) {
  for (int i = 1; i <= 5; ++i) Add(i);
  Start(), Refuse(Scope::kSink);
  Start(), Refuse(Scope::kSink);
  StartAt(lane.NextLook());
  EXPECT_EQ(Finish(Kind::kRejected).change, Change::kReopened);
}

TEST_F(RefusalTest, AProbeThatSentNothingReopensNothing) {
  for (int i = 1; i <= 5; ++i) Add(i);
  Start(), Refuse(Scope::kSink);
  Start(), Refuse(Scope::kSink);
  StartAt(lane.NextLook());
  Outcome unsent = Made(Kind::kRejected);
  unsent.answered = false;
  EXPECT_EQ(Finish(started, unsent).change, Change::kNone);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
}

TEST_F(RefusalTest, AMisconfiguredSinkGivesNothingUp) {
  Add(1);
  Start();
  Refuse();
  StartAt(now + 1000h);
  EXPECT_EQ(Refuse().state, DeliveryState::kPending);
}

TEST_F(RefusalTest, NinetyGoodOnesAreOutInTwoSecondsWhateverTenAreRefused) {
  for (const Scope scope : {Scope::kUnknown, Scope::kSink, Scope::kPlace}) {
    for (int seed = 0; seed < 50; ++seed) {
      lane = Lane(Policy());
      dead.clear(), ended.clear(), attempts.clear();
      std::set<DeliverySeq> bad;
      for (std::uint64_t state = static_cast<std::uint64_t>(seed) + 1; bad.size() < 10;) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        bad.insert(static_cast<DeliverySeq>((state >> 33) % 100) + 1);
      }
      const MonoTime begin = now;
      const auto answer = [&](DeliverySeq seq) {
        return bad.contains(seq) ? Refused(scope, scope == Scope::kPlace ? "archived" : "") : Made(Kind::kDelivered);
      };
      std::map<DeliverySeq, MonoTime> delivered;
      for (int i = 1; i <= 100; ++i) {
        Add(i);
        for (const auto& [seq, at] : Run(now + 10ms, answer))
          delivered[seq] = at - std::chrono::milliseconds(10) * (seq - 1);
        now = begin + 10ms * i;
      }
      for (const auto& [seq, at] : Run(begin + 3min, answer))
        delivered[seq] = at - std::chrono::milliseconds(10) * (seq - 1);
      ASSERT_EQ(delivered.size(), 90u) << seed;
      for (const auto& [seq, at] : delivered) EXPECT_LE(at - begin, 2s) << seq << " of " << seed;
      // The last of them are still among themselves: what is refused alone is held, not ended.
      EXPECT_EQ(dead.size() + ended.size() + lane.pending(), 10u);
      now = begin + 10min;
      for (int i = 101; i <= 140; ++i) {
        Add(i);
        Run(now + 30s, [&](DeliverySeq seq) { return seq > 100 ? Made(Kind::kDelivered) : answer(seq); });
        now += 30s;
      }
      EXPECT_EQ(lane.pending(), 0u) << "every one of them ends";
      EXPECT_EQ(dead.size() + ended.size(), 10u);
      now += 1h;
    }
  }
}

TEST_F(RefusalTest, APlaceThatIsRefusedHoldsWhatGoesThereAndNothingElse) {
  // As a bot does: the place is known when the request is made.
  const auto place_of = [](DeliverySeq seq) { return RefusedPlaces::KeyOf(seq % 2 == 0 ? "good" : "archived"); };
  for (int i = 1; i <= 20; ++i) Add(i), now += 1ms;
  std::set<DeliverySeq> sent_to_archived, delivered;
  while (const auto ref = lane.Start(now)) {
    const DeliverySeq seq = lane[*ref].seq;
    if (!lane.Admit(*ref, {.place = place_of(seq)}, now)) continue;
    if (seq % 2 == 0) {
      delivered.insert(seq);
      Finish(*ref, Made(Kind::kDelivered));
    } else {
      sent_to_archived.insert(seq);
      const auto verdict = Finish(*ref, Refused(Scope::kPlace, "archived"));
      EXPECT_TRUE(verdict.place_refused);
      EXPECT_EQ(verdict.change, Change::kNone);
    }
  }
  EXPECT_EQ(delivered.size(), 10u);
  EXPECT_EQ(sent_to_archived, std::set<DeliverySeq>{1}) << "the others wait";
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  ASSERT_EQ(lane.refused_places().all().size(), 1u);
  EXPECT_EQ(lane.refused_places().all().begin()->second.waiting.size(), 10u);
  ASSERT_NE(lane.PlaceThatHolds(3), nullptr);
  EXPECT_EQ(lane.PlaceThatHolds(3)->name, "archived");
  EXPECT_EQ(lane.PlaceThatHolds(4), nullptr);
  // The probe takes one that was not tried; the place works again, and everything goes out in order.
  ASSERT_EQ(StartAt(lane.NextLook()), 3);
  EXPECT_TRUE(lane.Admit(started, {.place = place_of(3)}, now));
  EXPECT_TRUE(Finish(Kind::kDelivered).place_works);
  for (const DeliverySeq seq : {5, 7, 9, 11, 13, 15, 17, 19, 1}) {
    ASSERT_EQ(Start(), seq);
    ASSERT_TRUE(lane.Admit(started, {.place = place_of(seq)}, now));
    Finish(Kind::kDelivered);
  }
  EXPECT_EQ(lane.pending(), 0u);
}

TEST_F(RefusalTest, WhatWaitsForAPlaceThatGoesOnRefusingEndsWhenOthersGetThrough) {
  const auto answer = [](DeliverySeq seq) {
    return seq % 2 == 0 ? Made(Kind::kDelivered) : Refused(Scope::kPlace, "archived");
  };
  for (int i = 1; i <= 20; ++i) Add(i), now += 1ms;
  Run(now + 2min, answer);
  EXPECT_EQ(dead.size() + ended.size(), 10u);
  for (const auto& [seq, verdict] : dead) EXPECT_TRUE(verdict.refused);
  for (const auto& [seq, why] : ended) EXPECT_EQ(why, Lane::End::kRefused);
}

TEST_F(RefusalTest, APlaceThatIsAllThatASinkHasEndsNothing) {
  for (int i = 1; i <= 5; ++i) Add(i), now += 1ms;
  Run(now + 24h, [](DeliverySeq) { return Refused(Scope::kPlace, "the only one"); });
  EXPECT_TRUE(dead.empty());
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(lane.pending(), 5u);
}

/// One delivery to "general" was refused, two more wait for it, and the probe is started.
struct PlaceProbeTest : LaneTest {
  static Lane::Target To(const std::string& place) { return {.place = RefusedPlaces::KeyOf(place)}; }
  static Outcome RefusedBy(const std::string& place) {
    Outcome outcome = Made(Kind::kMisconfigured);
    outcome.scope = Outcome::Scope::kPlace;
    outcome.place = place;
    return outcome;
  }
  void SetUp() override {
    Add(1), Add(2), Add(3);
    ASSERT_EQ(Start(), 1);
    ASSERT_TRUE(lane.Admit(started, To("general"), now));
    Finish(started, RefusedBy("general"));
    for (const DeliverySeq seq : {2, 3}) {
      ASSERT_EQ(Start(), seq);
      ASSERT_FALSE(lane.Admit(started, To("general"), now));
    }
    ASSERT_EQ(StartAt(lane.NextLook()), 2);
  }
  /// Another probe follows, and what waits is delivered when it gets through.
  void ExpectTheOthersGetThrough() {
    for (int left = 3; left > 0 && lane.pending() > 0; --left) {
      ASSERT_NE(lane.NextLook(), MonoTime::max()) << lane.pending() << " wait for ever";
      now = std::max(now, lane.NextLook());
      while (Start() != 0) {
        ASSERT_TRUE(lane.Admit(started, To("general"), now));
        Finish(Kind::kDelivered);
      }
    }
    EXPECT_EQ(lane.pending(), 0u);
  }
};

TEST_F(PlaceProbeTest, AStepThatGetsThroughShowsThatThePlaceWorks) {
  ASSERT_TRUE(lane.Admit(started, To("general"), now));
  EXPECT_TRUE(Finish(Kind::kNext).place_works);
  ExpectTheOthersGetThrough();
}

TEST_F(PlaceProbeTest, AProbeThatIsDeliveredElsewhereHoldsNothing) {
  ASSERT_TRUE(lane.Admit(started, To("sales"), now)) << "the event was revised";
  Finish(Kind::kDelivered);
  ExpectTheOthersGetThrough();
}

TEST_F(PlaceProbeTest, AProbeThatLeavesHoldsNothing) {
  ASSERT_TRUE(lane.Admit(started, To("general"), now));
  Finish(started, Made(Kind::kMisconfigured));
  EXPECT_EQ(lane.Release({2}).size(), 1u);
  ExpectTheOthersGetThrough();
}

TEST_F(PlaceProbeTest, AProbeThatAnotherPlaceRefusesHoldsNothing) {
  ASSERT_TRUE(lane.Admit(started, To("sales"), now));
  Finish(started, RefusedBy("sales"));
  EXPECT_EQ(lane.Release({2}).size(), 1u);
  ExpectTheOthersGetThrough();
}

TEST_F(LaneTest, AProbeThatWaitsForItsTurnBehindOneThatWaitsForThePlaceHoldsNothing) {
  Lane::Target target = PlaceProbeTest::To("general");
  target.order = 7;
  Add(1), Add(3);
  ASSERT_EQ(Start(), 1);
  ASSERT_TRUE(lane.Admit(started, PlaceProbeTest::To("general"), now));
  const auto refused = started;
  ASSERT_EQ(Start(), 3);
  Finish(refused, PlaceProbeTest::RefusedBy("general"));
  ASSERT_FALSE(lane.Admit(started, target, now)) << "it has the turn, and waits for the place";
  lane.Add({{.seq = 2, .event = 2, .attempts = 1}, now, now});
  ASSERT_EQ(Start(), 2);
  ASSERT_FALSE(lane.Admit(started, target, now)) << "the older one takes the turn, and waits for the place, too";
  for (int i = 0; i < 10 && lane.pending() > 0; ++i) {
    ASSERT_NE(lane.NextLook(), MonoTime::max()) << lane.pending() << " wait for ever";
    now = std::max(now, lane.NextLook());
    while (const DeliverySeq seq = Start()) {
      if (lane.Admit(started, seq == 1 ? PlaceProbeTest::To("general") : target, now)) Finish(Kind::kDelivered);
    }
  }
  EXPECT_EQ(lane.pending(), 0u);
}

TEST_F(RefusalTest, ResumeProbesPlacesAndTheSinkAtOnce) {
  Add(1);
  Start(), Refuse(Scope::kPlace, "archived");
  EXPECT_GT(lane.NextLook(), now);
  lane.Resume(now);
  EXPECT_EQ(Start(), 1);
}

TEST_F(RefusalTest, ANewSinkForgetsWhatTheOldOneRefused) {
  for (int i = 1; i <= 6; ++i) Add(i);
  Start(), Refuse(Scope::kPlace, "archived");
  Start(), Refuse(Scope::kSink);
  Start(), Refuse(Scope::kSink);
  ASSERT_EQ(lane.StateAt(now), Lane::State::kMisconfigured);
  lane.Renew(now);
  EXPECT_EQ(lane.StateAt(now), Lane::State::kOpen);
  std::set<DeliverySeq> all;
  while (const DeliverySeq seq = Start()) all.insert(seq), Finish(Kind::kDelivered);
  EXPECT_EQ(all.size(), 6u);
}

// Order across calls.

struct OrderTest : LaneTest {
  bool Admit(Lane::Ref ref, SendOrder::Key key = 7) { return lane.Admit(ref, {.order = key}, now); }
};

TEST_F(OrderTest, WhatChangesOneThingGoesOneByOneAlsoOverARetry) {
  Add(1, 100), Add(2, 200), Add(3, 300);
  ASSERT_EQ(Start(), 1);
  const auto trigger = started;
  EXPECT_TRUE(Admit(trigger));
  ASSERT_EQ(Start(), 2);
  EXPECT_FALSE(Admit(started)) << "the one before is on its way";
  ASSERT_EQ(Start(), 3);
  EXPECT_FALSE(Admit(started));
  EXPECT_EQ(Start(), 0);
  Finish(trigger, Made(Kind::kRetry));
  EXPECT_EQ(Start(), 0) << "nor while it waits for its retry";
  ASSERT_EQ(StartAt(lane.NextLook()), 1);
  EXPECT_TRUE(Admit(started));
  Finish(Kind::kDelivered);
  ASSERT_EQ(Start(), 2);
  EXPECT_TRUE(Admit(started));
  Finish(Kind::kRejected);
  ASSERT_EQ(Start(), 3);
  EXPECT_TRUE(Admit(started));
  Finish(Kind::kDelivered);
  EXPECT_EQ(lane.pending(), 0u);
}

TEST_F(OrderTest, OtherThingsAreNotHeld) {
  Add(1), Add(2);
  ASSERT_EQ(Start(), 1);
  EXPECT_TRUE(Admit(started, 7));
  ASSERT_EQ(Start(), 2);
  EXPECT_TRUE(Admit(started, 8));
}

TEST_F(OrderTest, AnEarlierOneThatComesLateHasItsTurnFirst) {
  Add(2, 200);
  ASSERT_EQ(Start(), 2);
  const auto later = started;
  EXPECT_TRUE(Admit(later));
  Finish(later, Made(Kind::kRetry));
  Add(1, 100);
  ASSERT_EQ(Start(), 1);
  EXPECT_TRUE(Admit(started)) << "the later one is not on its way";
  const auto earlier = started;
  ASSERT_EQ(StartAt(lane.NextLook()), 2);
  EXPECT_FALSE(Admit(started));
  Finish(earlier, Made(Kind::kDelivered));
  ASSERT_EQ(Start(), 2);
  EXPECT_TRUE(Admit(started));
  Finish(Kind::kDelivered);
  EXPECT_EQ(lane.pending(), 0u);
}

TEST_F(OrderTest, OneThatChangesSomethingElseInItsNextStepGivesItsTurn) {
  Add(1, 100), Add(2, 200);
  ASSERT_EQ(Start(), 1);
  EXPECT_TRUE(Admit(started, 7));
  const auto first = started;
  ASSERT_EQ(Start(), 2);
  EXPECT_FALSE(Admit(started, 7));
  Finish(first, Made(Kind::kNext));
  ASSERT_EQ(Start(), 1);
  EXPECT_TRUE(Admit(started, 8));
  ASSERT_EQ(Start(), 2) << "the first changes another thing now";
  EXPECT_TRUE(Admit(started, 7));
  Finish(Kind::kDelivered);
  Finish(first, Made(Kind::kDelivered));
  EXPECT_EQ(lane.pending(), 0u);
  Add(10);
  ASSERT_EQ(Start(), 10);
  EXPECT_TRUE(Admit(started, 7)) << "nobody has the turn";
}

TEST_F(OrderTest, OneThatIsLetGoGivesItsTurn) {
  Add(1, 100), Add(2, 200), Add(3, 300);
  ASSERT_EQ(Start(), 1);
  EXPECT_TRUE(Admit(started));
  const auto first = started;
  ASSERT_EQ(Start(), 2);
  Admit(started);
  ASSERT_EQ(Start(), 3);
  Admit(started);
  Finish(first, Made(Kind::kRetry));
  EXPECT_EQ(lane.Release({2}).size(), 1u);
  EXPECT_EQ(lane.Release({1}).size(), 1u);
  ASSERT_EQ(Start(), 3);
  EXPECT_TRUE(Admit(started));
  Finish(Kind::kDelivered);
  EXPECT_EQ(lane.pending(), 0u);
}

// What it costs to look.

TEST_F(LaneTest, KnowsItsOldestAndFindsByNumberWhateverTheBacklog) {
  constexpr int kMany = 300'000;
  for (int i = 1; i <= kMany; ++i) Add(i), now += 1us;
  // One pass over all of them takes milliseconds; so many of them would take minutes.
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(lane.Oldest());
  std::vector<DeliverySeq> some;
  for (int i = 0; i < 1000; ++i) some.push_back(kMany - i * 7);
  for (int i = 0; i < 300; ++i) lane.Release({kMany / 2 + i});
  EXPECT_EQ(lane.Release(some).size(), 1000u);
  const MonoTime first = *lane.Oldest();
  lane.Release({1, 2, 3});
  EXPECT_EQ(*lane.Oldest(), first + 3us);
}

}  // namespace
}  // namespace hookswitch
