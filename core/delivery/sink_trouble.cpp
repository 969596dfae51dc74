#include "core/delivery/sink_trouble.h"

#include <algorithm>
#include <utility>

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

// Probes of a misconfigured sink; those of a failing one are the breaker's policy.
constexpr milliseconds kFirstProbe{250};
constexpr milliseconds kLongestProbe = std::chrono::minutes(10);
// Deliveries refused in a row until the sink is to blame; fewer if the response blames the sink itself.
constexpr std::uint32_t kRefusedInARow = 4, kRefusedInARowBySink = 2;

}  // namespace

void SinkTrouble::GotThrough(MonoTime now) {
  breaker_.Worked(now);
  ++run_;
  refused_ = 0;
  if (kind_ != Kind::kMisconfigured) is_certain_ = false;
}

bool SinkTrouble::Failed(MonoTime now) {
  if (!breaker_.Failed(now)) return false;
  Enter(Kind::kFailing, breaker_.policy().wait, now);
  return true;
}

void SinkTrouble::Refused(bool is_first, bool blames_sink) {
  if (is_first) ++refused_;
  if (refused_ >= (blames_sink ? kRefusedInARowBySink : kRefusedInARow)) is_certain_ = true;
}

void SinkTrouble::EnterMisconfigured(MonoTime now) {
  Enter(Kind::kMisconfigured, kFirstProbe, now);
}

void SinkTrouble::Enter(Kind kind, milliseconds wait, MonoTime now) {
  kind_ = kind;
  since_ = now;
  probe_wait_ = wait;
  probe_at_ = now + wait;
}

void SinkTrouble::Leave() {
  kind_ = Kind::kNone;
  is_certain_ = false;
}

bool SinkTrouble::EndProbe(Ref ref) {
  if (probe_ != ref) return false;
  probe_ = LaneSlots::kNone;
  return true;
}

void SinkTrouble::ProbeFailed(MonoTime now) {
  probe_wait_ = std::min(probe_wait_ * 2, kind_ == Kind::kMisconfigured ? kLongestProbe : breaker_.policy().max_wait);
  probe_at_ = now + probe_wait_;
}

bool SinkTrouble::PreferUntried() {
  return std::exchange(prefer_untried_, !prefer_untried_);
}

void SinkTrouble::Resume(MonoTime now) {
  if (kind_ == Kind::kNone) return;
  since_ = now;
  probe_wait_ = kind_ == Kind::kFailing ? breaker_.policy().wait : kFirstProbe;
  probe_at_ = now;
}

void SinkTrouble::Renew() {
  Leave();
  breaker_ = Breaker(breaker_.policy());
  ++run_;
  refused_ = 0;
  probe_ = LaneSlots::kNone;
}

}  // namespace hookswitch
