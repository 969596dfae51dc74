#pragma once
#include <chrono>
#include <cstdint>

#include "core/base/clock.h"
#include "core/config/config.h"
#include "core/delivery/breaker.h"
#include "core/delivery/lane_slots.h"

namespace hookswitch {

/// Whether a sink as a whole is in trouble, and when it is probed. While it is, one delivery at a time goes out as a
/// probe. A value, driven by the times passed in; not thread-safe.
///
/// Failing: the breaker opened. Misconfigured: nothing gets through; the lane decides, with the help of `is_certain`.
class SinkTrouble {
 public:
  using Ref = LaneSlots::Ref;
  enum class Kind : std::uint8_t { kNone, kMisconfigured, kFailing };

  void SetPolicy(const config::Breaker& policy) { breaker_.SetPolicy(policy); }

  Kind kind() const { return kind_; }
  explicit operator bool() const { return kind_ != Kind::kNone; }
  /// Start of the trouble, or the last Resume.
  MonoTime since() const { return since_; }
  /// When the next probe may start, if the last one has ended.
  MonoTime probe_at() const { return probe_at_; }
  /// Enough deliveries were refused in a row to be certain that it is the sink: only probes go out.
  bool is_certain() const { return is_certain_; }
  /// Number of the current run of refusals with nothing delivered between.
  std::uint32_t run() const { return run_; }

  /// Something got through to the sink. Does not end the trouble.
  void GotThrough(MonoTime now);
  /// An attempt failed. Returns whether the breaker opens: the sink is now failing.
  bool Failed(MonoTime now);
  /// A delivery was refused. `is_first`: for the first time in this run. `blames_sink`: the response says that no
  /// delivery would get through.
  void Refused(bool is_first, bool blames_sink);
  /// Nothing gets through.
  void EnterMisconfigured(MonoTime now);
  /// Ends the trouble.
  void Leave();

  bool is_probing() const { return probe_ != LaneSlots::kNone; }
  void StartProbe(Ref ref) { probe_ = ref; }
  /// Returns whether `ref` was the probe.
  bool EndProbe(Ref ref);
  /// The last probe showed nothing about the sink: another follows after the same wait.
  void RepeatProbe(MonoTime now) { probe_at_ = now + probe_wait_; }
  /// The last probe failed: another follows after twice the wait.
  void ProbeFailed(MonoTime now);
  /// Whether the next probe of a failing sink prefers a delivery not tried before: every second one does, so that one
  /// bad delivery does not keep the sink closed. Call once per probe.
  bool PreferUntried();

  /// On the operator's request: the next probe may start at once.
  void Resume(MonoTime now);
  /// The sink was replaced: forgets all about the old one.
  void Renew();

 private:
  void Enter(Kind kind, std::chrono::milliseconds wait, MonoTime now);

  Kind kind_ = Kind::kNone;
  bool is_certain_ = false;
  bool prefer_untried_ = true;
  Breaker breaker_;
  MonoTime since_{}, probe_at_{};
  std::chrono::milliseconds probe_wait_{};
  Ref probe_ = LaneSlots::kNone;
  std::uint32_t run_ = 1;
  std::uint32_t refused_ = 0;  ///< deliveries refused in this run
};

}  // namespace hookswitch
