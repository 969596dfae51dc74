#include "core/delivery/expiry.h"

namespace hookswitch {
namespace {
constexpr std::chrono::seconds kSweepEvery{1};
}  // namespace

void Expiry::SetLimits(std::optional<std::chrono::milliseconds> max_age, std::chrono::milliseconds give_up_after) {
  max_age_ = max_age;
  give_up_after_ = give_up_after;
  SweepAnew();
}

MonoTime Expiry::Deadline(const LaneSlot& slot, const SinkTrouble& trouble) const {
  const MonoTime too_old = max_age_ ? slot.accepted + *max_age_ : MonoTime::max();
  if (trouble.kind() != SinkTrouble::Kind::kFailing) return too_old;
  const bool has_failed = slot.first_failed != MonoTime{};
  const MonoTime since = has_failed ? FailingSince(slot) : std::max(slot.accepted, trouble.since());
  return std::min(too_old, std::max(since, not_before_) + give_up_after_);
}

void Expiry::NoteDeadlineOf(const LaneSlot& slot, const SinkTrouble& trouble) {
  const MonoTime deadline = Deadline(slot, trouble);
  next_sweep_ = std::min(next_sweep_, deadline);
  earliest_ = std::min(earliest_, deadline);
}

void Expiry::SweepAnew() {
  next_sweep_ = MonoTime{};
  sweep_from_ = 0;
}

void Expiry::Sweep(LaneSlots& slots, const CallQueues& calls, const SinkTrouble& trouble, EndingQueue& endings,
                   MonoTime now) {
  if (sweep_from_ == 0) earliest_ = MonoTime::max();
  if (max_age_ || trouble.kind() == SinkTrouble::Kind::kFailing) {
    for (LaneSlots::Ref ref = sweep_from_; ref < slots.capacity(); ++ref) {
      const LaneSlot& slot = slots[ref];
      if (slot.phase != LaneSlot::Phase::kWaiting) continue;
      const MonoTime deadline = Deadline(slot, trouble);
      if (deadline > now || !calls.IsFirst(slots, ref)) {
        earliest_ = std::min(earliest_, deadline);
      } else if (endings.size() >= EndingQueue::kMost) {
        sweep_from_ = ref;
        next_sweep_ = now;
        return;
      } else {
        const bool is_too_old = max_age_ && slot.accepted + *max_age_ <= now;
        endings.Add(slots, {.ref = ref, .why = is_too_old ? EndReason::kTooOld : EndReason::kGivenUp});
      }
    }
  }
  sweep_from_ = 0;
  next_sweep_ = earliest_ == MonoTime::max() ? earliest_ : std::max(earliest_, now + kSweepEvery);
}

}  // namespace hookswitch
