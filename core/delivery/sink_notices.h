#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/lane.h"
#include "core/event/message.h"

namespace hookswitch {

/// Decides which notices about one sink go out, and when: each trouble and its end once; dead letters and refused
/// places in batches. Driven by the times passed in; not thread-safe.
class SinkNotices {
 public:
  /// How long a sink fails before a notice goes out.
  void SetPatience(std::chrono::milliseconds notify_after) { notify_after_ = notify_after; }

  void Dead(const std::string& reason, MonoTime now);
  void PlaceRefused(const std::string& place, const std::string& reason, MonoTime now);
  /// Its plugin is stuck: the lane was closed.
  void Unavailable() { is_unavailable_ = true; }

  /// The notices to send now. `reason`: of the lane's state.
  std::vector<Message> Take(const std::string& sink, const Lane& lane, const std::string& reason, MonoTime now);
  /// When Take may next return a notice if nothing else happens; MonoTime::max() for never.
  MonoTime Next(const Lane& lane) const;

 private:
  MonoTime TroubleNoticeAt(const Lane& lane) const;

  std::chrono::milliseconds notify_after_ = std::chrono::minutes(5);
  bool notified_ = false;             ///< a notice of the current trouble went out
  std::uint32_t delivered_then_ = 0;  ///< the lane's `delivered` at that time
  bool is_unavailable_ = false;
  std::map<std::string, std::uint64_t> dead_, places_;  ///< counts by reason; by place and reason
  std::uint64_t gathered_ = 0;
  MonoTime send_batch_at_ = MonoTime::max();  ///< when the batch is sent
  MonoTime not_before_{};
};

}  // namespace hookswitch
