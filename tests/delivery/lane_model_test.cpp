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
  enum class Phase { kWaiting, kRunning, kRecording };
  struct Known {
    Lane::Ref ref = 0;
    std::uint64_t call = 0;
    Phase phase = Phase::kWaiting;
    MonoTime not_before{};
    bool ends = false;
  };

  LanePolicy MakePolicy() {
    rate_ = Pick(2) ? config::Rate{Pick(20) + 1, 1s, Pick(5) + 1} : config::Rate{};
    concurrency_ = Pick(6) + 1;
    return {rate_, concurrency_, {{1s, 5s, 20s}, 10min}};
  }
  int Pick(int count) { return static_cast<int>(random_() % static_cast<unsigned>(count)); }

  void Step(bool finishing) {
    const int what = Pick(100);
    if (!finishing && what < 25) return Add();
    if (!finishing && what == 25) return lane_.Pause();
    if (what == 26 || (finishing && what < 5)) {
      frozen_until_ = MonoTime{};  // the operator overrules Retry-After
      return lane_.Resume(now_);
    }
    if (what == 27) return lane_.Renew();
    if (what == 28 && !finishing) return lane_.SetGate(static_cast<Lane::Gate>(Pick(3)));
    if (what == 29 || finishing) lane_.SetGate(Lane::Gate::kOpen);
    if (what < 50) return Start();
    if (what < 70) return Finish(finishing);
    if (what < 90) return Settle();
    now_ += std::chrono::milliseconds(Pick(finishing ? 20'000 : 500));
  }

  void Add() {
    const DeliverySeq seq = ++last_seq_;
    const std::uint64_t call = static_cast<std::uint64_t>(Pick(8));
    const MonoTime due = now_ + std::chrono::milliseconds(Pick(4) == 0 ? Pick(2000) : 0);
    model_[seq] = {lane_.Add({.seq = seq, .event = seq, .call_key = call, .accepted = now_, .due = due}), call,
                   Phase::kWaiting, due, false};
  }

  void Start() {
    const MonoTime promised = lane_.NextLook();
    const auto ref = lane_.Start(now_);
    if (!ref) return;
    EXPECT_LE(promised, now_) << "NextLook told a time that was too late";
    const DeliverySeq seq = lane_[*ref].seq;
    const auto found = model_.find(seq);
    ASSERT_NE(found, model_.end()) << "an ended delivery started";
    Known& known = found->second;
    ASSERT_EQ(known.phase, Phase::kWaiting) << "two attempts of one delivery at once";
    EXPECT_LE(known.not_before, now_) << "before its time";
    EXPECT_LE(frozen_until_, now_) << "in spite of Retry-After";
    if (known.call != 0) {
      for (const auto& [other, state] : model_) {
        if (other >= seq) break;
        ASSERT_NE(state.call, known.call) << "overtook an earlier event of its call";
      }
    }
    known.phase = Phase::kRunning;
    EXPECT_LE(static_cast<int>(Count(Phase::kRunning) + Count(Phase::kRecording)), concurrency_);
    CheckPace();
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
    } else {
      outcome.kind = Outcome::Kind::kNext;
    }
    const auto verdict = lane_.Finish(known.ref, outcome, now_, jitter_);
    known.phase = Phase::kRecording;
    known.ends = verdict.state != DeliveryState::kPending;
    known.not_before = verdict.change == Lane::Change::kThrottled ? now_ : now_ + verdict.wait;
  }

  void Settle() {
    const auto found = Any(Phase::kRecording);
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

  std::mt19937_64 random_;
  Jitter jitter_;
  config::Rate rate_;
  int concurrency_ = 1;
  Lane lane_;
  MonoTime now_{1h};
  MonoTime frozen_until_{};
  DeliverySeq last_seq_ = 0;
  std::map<DeliverySeq, Known> model_;
  std::deque<MonoTime> starts_;
};

class LaneModel : public testing::TestWithParam<std::uint64_t> {};

TEST_P(LaneModel, KeepsItsPromisesInAnyInterleaving) {
  Walk(GetParam()).Run(4000);
}

INSTANTIATE_TEST_SUITE_P(Seeds, LaneModel, testing::Range<std::uint64_t>(1, 41));

}  // namespace
}  // namespace hookswitch
