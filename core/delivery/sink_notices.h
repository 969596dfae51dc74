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

/// What people are to hear of one sink's troubles, and when: each trouble once and its end, dead letters and refused
/// places gathered, so that it never becomes a flood. Driven by the times it is given: no thread, no lock.
class SinkNotices {
 public:
  /// How long a sink fails before anybody hears of it.
  void SetPatience(std::chrono::milliseconds notify_after) { notify_after_ = notify_after; }

  void Dead(const std::string& reason, MonoTime now);
  void PlaceRefused(const std::string& place, const std::string& because, MonoTime now);
  /// No call into its plugin returns.
  void Unavailable() { is_unavailable_ = true; }

  /// What is to be said now. `because`: why the lane is in the state that it is in.
  std::vector<Message> Take(const std::string& sink, const Lane& lane, const std::string& because, MonoTime now);
  /// When Take may have something if nothing else happens; MonoTime::max() for never.
  MonoTime Next(const Lane& lane) const;

 private:
  MonoTime TellTroubleAt(const Lane& lane) const;

  std::chrono::milliseconds notify_after_ = std::chrono::minutes(5);
  bool told_ = false;                 ///< of the trouble that it is in
  std::uint32_t delivered_then_ = 0;  ///< when that was told
  bool is_unavailable_ = false;
  std::map<std::string, std::uint64_t> dead_, places_;  ///< by reason; by place, with why
  std::uint64_t gathered_ = 0;
  MonoTime gathered_at_ = MonoTime::max();  ///< when they are to be told
  MonoTime not_before_{};
};

}  // namespace hookswitch
