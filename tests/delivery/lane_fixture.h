#pragma once
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "core/delivery/lane.h"

namespace hookswitch {

using namespace std::chrono_literals;
using Kind = Outcome::Kind;
using Change = Lane::Change;

inline LanePolicy Policy(int concurrency = 8, config::Rate rate = {}) {
  return {rate, concurrency, {{2s, 10s, 30s}, 24h}};
}

inline Outcome Made(Kind kind, std::optional<std::chrono::milliseconds> retry_after = {}) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.answered = true;
  outcome.retry_after = retry_after;
  return outcome;
}

/// A lane, a time and short words for what happens.
struct LaneTest : testing::Test {
  Lane::Ref Add(DeliverySeq seq, std::uint64_t call = 0) {
    return lane.Add({{.seq = seq, .event = seq, .call_key = call}, now, now});
  }
  /// Starts the next and tells its number; 0 for none.
  DeliverySeq Start() {
    const auto ref = lane.Start(now);
    if (!ref) return 0;
    started = *ref;
    return lane[*ref].seq;
  }
  Lane::Verdict Finish(Lane::Ref ref, Outcome outcome) {
    const auto verdict = lane.Finish(ref, outcome, now, jitter);
    lane.Settle(ref);
    return verdict;
  }
  Lane::Verdict Finish(Kind kind, std::optional<std::chrono::milliseconds> retry_after = {}) {
    return Finish(started, Made(kind, retry_after));
  }
  DeliverySeq StartAt(MonoTime time) {
    now = time;
    return Start();
  }

  Lane lane{Policy()};
  Jitter jitter{1};
  MonoTime now{1h};
  Lane::Ref started = 0;
};

}  // namespace hookswitch
