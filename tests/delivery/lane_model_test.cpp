#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <map>
#include <random>
#include <set>

#include "core/delivery/lane.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

/// Drives a Lane with random events and outcomes beside a model so simple that it can be believed.
class Walk {
 public:
  explicit Walk(std::uint64_t seed) : random_(seed), jitter_(seed), lane_(MakePolicy()) {}

  void Run(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFatalFailure(); ++i) Step(false);
    for (int i = 0; i < 200'000 && lane_.pending() > 0 && !testing::Test::HasFatalFailure(); ++i) Step(true);
    EXPECT_EQ(lane_.pending(), 0u) << "every delivery ends";
    EXPECT_EQ(lane_.in_flight(), 0u);
    EXPECT_TRUE(model_.empty());
  }

 private:
  enum class Phase { kWaiting, kRunning, kRecording, kEnding };
  struct Known {
    Lane::Ref ref = 0;
    std::uint64_t call = 0;
    Phase phase = Phase::kWaiting;
    MonoTime not_before{};
    MonoTime accepted{};
    MonoTime waits_since{};  ///< acceptance, or the end of the last attempt
    bool tried = false;
    bool ends = false;
    bool failed = false, refused = false;
    bool held = false, newest_only = false, stepped = false;
  };

  LanePolicy MakePolicy() {
    rate_ = Pick(2) ? config::Rate{Pick(20) + 1, 1s, Pick(5) + 1} : config::Rate{};
    concurrency_ = Pick(6) + 1;
    if (Pick(3) == 0) max_age_ = std::chrono::minutes(Pick(30) + 1);
    config::Breaker breaker;
    breaker.failures = Pick(4) + 2;
    breaker.window = 20s;
    return {rate_, concurrency_, {{1s, 5s, 20s}, 10min}, breaker, max_age_, kSettle};
  }
  int Pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

  void Step(bool finishing) {
    const int what = Pick(100);
    if (!finishing && what < 24) return Add();
    if (!finishing && what >= 24 && what < 26) return lane_.Pause();
    if (what == 26 || (finishing && what < 5)) {
      frozen_until_ = MonoTime{};  // the operator overrules Retry-After
      return lane_.Resume(now_);
    }
    if (what == 27) return lane_.Renew(now_);
    if (what == 28 && !finishing) return lane_.SetGate(static_cast<Lane::Gate>(Pick(3)));
    if (what == 29 || finishing) lane_.SetGate(Lane::Gate::kOpen);
    if (what < 35) return End();
    if (what == 35 && !finishing) return Release();
    if (what < 50) return Start();
    if (what < 70) return Finish(finishing);
    if (what < 90) return Settle();
    now_ += std::chrono::milliseconds(Pick(finishing ? 20'000 : 500));
  }

  void Add() {
    const DeliverySeq seq = ++last_seq_;
    const std::uint64_t call = static_cast<std::uint64_t>(Pick(8));
    const int kind = Pick(6);
    const bool held = kind == 0 && call != 0;
    const bool ends_call = kind == 1;
    const bool newest_only = Pick(3) == 0;
    MonoTime due = now_ + std::chrono::milliseconds(Pick(4) == 0 ? Pick(2000) : 0);
    if (held) due = now_ + kSettle;
    if (ends_call) ended_[call].push_back(now_);
    const Lane::Ref ref = lane_.Add({{.seq = seq,
                                      .event = seq,
                                      .call_key = call,
                                      .is_held = held,
                                      .newest_only = newest_only,
                                      .ends_call = ends_call},
                                     now_,
                                     due});
    last_of_call_[call] = seq;
    model_[seq] = {.ref = ref,
                   .call = call,
                   .phase = Phase::kWaiting,
                   .not_before = due,
                   .accepted = now_,
                   .waits_since = now_,
                   .held = held,
                   .newest_only = newest_only};
  }

  void End() {
    const bool paused = lane_.StateAt(now_) == Lane::State::kPaused;
    const bool failing = lane_.StateAt(now_) == Lane::State::kFailing || lane_.StateAt(now_) == Lane::State::kProbing ||
                         lane_.StateAt(now_) == Lane::State::kUnavailable;
    const auto ending = lane_.NextEnding(now_);
    if (!ending) return;
    const DeliverySeq seq = lane_[ending->ref].seq;
    const auto found = model_.find(seq);
    ASSERT_NE(found, model_.end()) << "an ended delivery ended again";
    Known& known = found->second;
    ASSERT_EQ(known.phase, Phase::kWaiting) << "ended while in flight";
    switch (ending->why) {
      case Lane::End::kReplaced:
        EXPECT_TRUE(known.newest_only || known.held);
        EXPECT_FALSE(known.stepped) << "half of it is delivered";
        EXPECT_GT(last_of_call_[known.call], seq) << "replaced by nothing newer";
        break;
      case Lane::End::kSettled:
        EXPECT_TRUE(known.held);
        EXPECT_TRUE(ended_.contains(known.call)) << "its call has not ended";
        break;
      case Lane::End::kTooOld:
        ASSERT_TRUE(max_age_);
        EXPECT_GE(now_, known.accepted + *max_age_);
        EXPECT_FALSE(paused);
        break;
      case Lane::End::kGivenUp:
        EXPECT_TRUE(failing);
        EXPECT_GE(now_, known.accepted + 10min);
        EXPECT_FALSE(paused);
        break;
      case Lane::End::kRefused:
        EXPECT_TRUE(refused_places_.contains(ending->place)) << "a place that never refused anything";
        break;
    }
    known.phase = Phase::kEnding;
    known.ends = true;
  }

  void Release() {
    std::vector<DeliverySeq> some;
    for (const auto& [seq, known] : model_) {
      if (Pick(20) == 0) some.push_back(seq);
    }
    for (const auto& [seq, ref] : lane_.Release(some)) {
      const auto found = model_.find(seq);
      ASSERT_NE(found, model_.end());
      EXPECT_EQ(found->second.phase, Phase::kWaiting) << "let go of what is in flight";
      EXPECT_EQ(found->second.ref, ref);
      model_.erase(found);
    }
    EXPECT_EQ(lane_.pending(), model_.size());
  }

  void Start() {
    const MonoTime promised = lane_.NextLook();
    const bool probes = lane_.StateAt(now_) == Lane::State::kFailing;
    const auto ref = lane_.Start(now_);
    if (!ref) return;
    EXPECT_LE(promised, now_) << "NextLook told a time that was too late";
    const DeliverySeq seq = lane_[*ref].seq;
    const auto found = model_.find(seq);
    ASSERT_NE(found, model_.end()) << "an ended delivery started";
    Known& known = found->second;
    ASSERT_EQ(known.phase, Phase::kWaiting) << "two attempts of one delivery at once";
    if (known.held) {
      for (const MonoTime ended : ended_[known.call]) {
        EXPECT_FALSE(ended >= known.accepted && ended < known.not_before) << "its call's real end came in time";
      }
    }
    if ((!probes && !known.refused) || known.held) {
      EXPECT_LE(known.not_before, now_) << "before its time";
    }
    EXPECT_LE(frozen_until_, now_) << "in spite of Retry-After";
    if (known.call != 0) {
      for (const auto& [other, state] : model_) {
        if (other >= seq) break;
        if (state.phase == Phase::kEnding) continue;  // it is not sent any more
        if (state.held && state.not_before > now_) continue;
        if (state.held && !known.held) continue;  // it steps aside
        ASSERT_NE(state.call, known.call) << "overtook an earlier event of its call";
      }
    }
    CheckWaits(*ref, known);
    known.phase = Phase::kRunning;
    EXPECT_LE(static_cast<int>(Count(Phase::kRunning) + Count(Phase::kRecording)), concurrency_);
    CheckPace();
  }

  /// Whatever happened, no more is told than the delivery waited.
  void CheckWaits(Lane::Ref ref, const Known& known) {
    std::chrono::milliseconds sum{};
    std::set<WaitKind> kinds;
    for (const Wait& wait : lane_.WaitsOf(ref, now_)) {
      EXPECT_GT(wait.time, 0ms);
      EXPECT_TRUE(kinds.insert(wait.kind).second) << ToString(wait.kind) << " twice";
      sum += wait.time;
    }
    EXPECT_LE(sum, now_ - known.waits_since);
    EXPECT_FALSE(kinds.contains(WaitKind::kPace) && rate_.max == 0);
    EXPECT_FALSE(kinds.contains(WaitKind::kOrder) && known.call == 0);
    EXPECT_FALSE(kinds.contains(WaitKind::kSettle) && !known.held);
    EXPECT_FALSE(kinds.contains(WaitKind::kRetry) && !known.tried);
  }

  void CheckPace() {
    if (rate_.max == 0) return;
    starts_.push_back(now_);
    // In any span that ends now, at most burst + span * max / per.
    std::size_t made = 0;
    for (auto it = starts_.rbegin(); it != starts_.rend() && made < 200; ++it) {
      ++made;
      const double span = std::chrono::duration<double>(now_ - *it).count();
      ASSERT_LE(static_cast<double>(made), rate_.burst + span * rate_.max + 1e-6);
    }
  }

  void Finish(bool finishing) {
    const auto found = Any(Phase::kRunning);
    if (found == model_.end()) return;
    Known& known = found->second;
    Outcome outcome;
    outcome.answered = Pick(8) != 0;
    const int what = Pick(100);
    if (what < (finishing ? 80 : 40)) {
      outcome.kind = Outcome::Kind::kDelivered;
    } else if (what < 85) {
      outcome.kind = Outcome::Kind::kRetry;
    } else if (what < 90) {
      outcome.kind = Outcome::Kind::kRetry;
      outcome.retry_after = std::chrono::milliseconds(Pick(3000) + 100);
      frozen_until_ = std::max(frozen_until_, now_ + *outcome.retry_after);
    } else if (what < 94) {
      outcome.kind = Outcome::Kind::kRejected;
    } else if (what < 97) {
      outcome.kind = Outcome::Kind::kMisconfigured;
      const int scope = Pick(3);
      if (scope == 0) outcome.scope = Outcome::Scope::kSink;
      if (scope == 1) {
        outcome.scope = Outcome::Scope::kPlace;
        outcome.place = "place " + std::to_string(Pick(3));
        refused_places_.insert(RefusedPlaces::KeyOf(outcome.place));
      }
    } else {
      outcome.kind = Outcome::Kind::kNext;
    }
    const auto verdict = lane_.Finish(known.ref, outcome, now_, jitter_);
    known.phase = Phase::kRecording;
    known.waits_since = now_;
    known.tried = true;
    known.ends = verdict.state != DeliveryState::kPending;
    known.not_before = verdict.change == Lane::Change::kThrottled ? now_ : now_ + verdict.wait;
    known.failed = known.failed || outcome.kind == Outcome::Kind::kRetry;
    known.refused = known.refused || outcome.kind == Outcome::Kind::kMisconfigured;
    known.stepped = known.stepped || outcome.kind == Outcome::Kind::kNext;
    known.held = false;
    if (verdict.change != Lane::Change::kReopened) return;
    for (auto& [seq, other] : model_) {
      if (other.failed) other.not_before = std::min(other.not_before, now_);
    }
  }

  void Settle() {
    auto found = Any(Phase::kRecording);
    if (found == model_.end() || Pick(2) == 0) found = Any(Phase::kEnding);
    if (found == model_.end()) return;
    lane_.Settle(found->second.ref);
    if (found->second.ends) {
      model_.erase(found);
    } else {
      found->second.phase = Phase::kWaiting;
    }
    EXPECT_EQ(lane_.pending(), model_.size());
  }

  std::map<DeliverySeq, Known>::iterator Any(Phase phase) {
    const auto count = Count(phase);
    if (count == 0) return model_.end();
    auto skip = Pick(static_cast<int>(count));
    for (auto it = model_.begin();; ++it) {
      if (it->second.phase == phase && skip-- == 0) return it;
    }
  }
  std::ptrdiff_t Count(Phase phase) const {
    return std::count_if(model_.begin(), model_.end(), [&](const auto& entry) { return entry.second.phase == phase; });
  }

  static constexpr std::chrono::milliseconds kSettle{5000};
  std::mt19937_64 random_;
  Jitter jitter_;
  config::Rate rate_;
  std::optional<std::chrono::milliseconds> max_age_;
  int concurrency_ = 1;
  Lane lane_;
  MonoTime now_{1h};
  MonoTime frozen_until_{};
  DeliverySeq last_seq_ = 0;
  std::map<DeliverySeq, Known> model_;
  std::deque<MonoTime> starts_;
  std::map<std::uint64_t, std::vector<MonoTime>> ended_;  ///< calls, and when
  std::map<std::uint64_t, DeliverySeq> last_of_call_;
  std::set<RefusedPlaces::Key> refused_places_;
};

class LaneModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LaneModel, KeepsItsPromisesInAnyInterleaving) {
  Walk(GetParam()).Run(4000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LaneModel, testing::Range<std::uint64_t>(1, 201));

}  // namespace
}  // namespace hookswitch
