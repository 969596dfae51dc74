#include "core/delivery/sink_notices.h"

#include <algorithm>
#include <utility>

#include "core/delivery/notice.h"

namespace hookswitch {
namespace {

using std::chrono::seconds;

// A refusal may be the delivery's own fault; after this long without a success it is the sink's.
constexpr seconds kUncertainFor{15};
// One notice covers this time; the next follows after five minutes at the earliest.
constexpr seconds kGatherFor{10};
constexpr seconds kNextGathering{300};
constexpr std::size_t kMostReasons = 10;

/// Counts `what`, or "other reasons" once the map is full.
void Count(std::map<std::string, std::uint64_t>& counts, const std::string& what) {
  ++counts[counts.size() < kMostReasons || counts.contains(what) ? what : "other reasons"];
}

}  // namespace

void SinkNotices::Dead(const std::string& reason, MonoTime now) {
  Count(dead_, reason);
  ++gathered_;
  send_batch_at_ = std::min(send_batch_at_, std::max(now + kGatherFor, not_before_));
}

void SinkNotices::PlaceRefused(const std::string& place, const std::string& reason, MonoTime now) {
  Count(places_, place + ": " + reason);
  send_batch_at_ = std::min(send_batch_at_, std::max(now + kGatherFor, not_before_));
}

MonoTime SinkNotices::TroubleNoticeAt(const Lane& lane) const {
  if (notified_ || !lane.in_trouble()) return MonoTime::max();
  if (lane.certainly_misconfigured()) return MonoTime{};
  return lane.troubled_since() + (lane.is_misconfigured() ? kUncertainFor : notify_after_);
}

MonoTime SinkNotices::Next(const Lane& lane) const {
  return is_unavailable_ ? MonoTime{} : std::min(TroubleNoticeAt(lane), send_batch_at_);
}

std::vector<Message> SinkNotices::Take(const std::string& sink, const Lane& lane, const std::string& reason,
                                       MonoTime now) {
  std::vector<Message> notices;
  const std::uint64_t pending = lane.pending();
  if (std::exchange(is_unavailable_, false)) {
    notices.push_back(BrokenNotice(sink, reason, pending));
    notified_ = true;
    delivered_then_ = lane.delivered();
  } else if (TroubleNoticeAt(lane) <= now) {
    notices.push_back(lane.is_misconfigured() ? BrokenNotice(sink, reason, pending)
                                              : FailingNotice(sink, reason, pending));
    notified_ = true;
    delivered_then_ = lane.delivered();
  } else if (notified_ && !lane.in_trouble() && lane.delivered() != delivered_then_) {
    notices.push_back(WorksAgainNotice(sink, pending));
    notified_ = false;
  }
  if (send_batch_at_ <= now) {
    if (!dead_.empty()) notices.push_back(DeadNotice(sink, gathered_, dead_, pending));
    if (!places_.empty()) notices.push_back(PlacesNotice(sink, places_, pending));
    dead_.clear();
    places_.clear();
    gathered_ = 0;
    send_batch_at_ = MonoTime::max();
    not_before_ = now + kNextGathering;
  }
  return notices;
}

}  // namespace hookswitch
