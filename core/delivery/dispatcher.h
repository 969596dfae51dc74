#pragma once
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/config/config.h"
#include "core/delivery/crash_marks.h"
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/http/http_client.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/message/composer.h"
#include "core/plugins/sink.h"
#include "core/sources/source.h"

namespace hookswitch {

/// Everything delivering needs of one config generation. Immutable but for the sinks, which take care of themselves.
struct DeliveryPlan {
  struct Lane {
    config::Sink config;         ///< policy: rate, concurrency, timeout, retry, fallback
    std::shared_ptr<Sink> sink;  ///< nullptr: its plugin is unavailable; deliveries wait
    std::string unavailable_because{};
    std::chrono::milliseconds settle{};  ///< the longest `settle` of a rule that sends to it
  };
  std::map<std::string, Lane, std::less<>> lanes;
  std::map<std::string, std::shared_ptr<const Source>, std::less<>> sources;  ///< by name, to read stored events again
  std::shared_ptr<const Composer> composer;
  std::uint64_t keep_bodies = 0;  ///< bytes of each request and response that an attempt keeps
};

/// A lane as people see it.
struct LaneStatus {
  std::string sink;
  enum class State {
    kOpen,
    kThrottled,
    kPaused,
    kMisconfigured,
    kFailing,  ///< the breaker is open
    kProbing,
    kUnavailable,
    kRemoved
  } state = State::kOpen;
  std::string because;        ///< why it is not open
  std::uint64_t pending = 0;  ///< waiting, in flight included
  std::uint64_t in_flight = 0;
  std::optional<WallTime> oldest;  ///< acceptance of the oldest pending delivery
  std::optional<WallTime> until;   ///< with kThrottled, kMisconfigured and kFailing: next try
};
std::string_view ToString(LaneStatus::State state);

/// Sees every pending delivery to its end: one lane per sink, paced, retried, in order per call. Lanes share nothing
/// that can block. All functions are safe from any thread and return at once unless said otherwise.
class Dispatcher {
 public:
  /// The references outlive it. Does nothing until Use and Start. Without `marks` a delivery that ends the process is
  /// not told from any other.
  Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
             std::unique_ptr<CrashMarks> marks = nullptr);
  ~Dispatcher();

  /// Loads every pending delivery from the journal (blocks) and starts the scheduler's thread. Use first.
  [[nodiscard]] Status Start();
  /// Replaces the plan. Lanes whose config and sink stay the same keep their pace and state; lanes of removed sinks
  /// keep their deliveries and are shown.
  void Use(std::shared_ptr<const DeliveryPlan> plan);
  /// Takes over freshly stored deliveries. `event` saves reading it again; it is kept only while the lane is short.
  void Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries);

  /// Both block until the journal knows, so that a restart does; a journal that cannot be written is told to the log.
  void Pause(const std::string& sink);
  void Resume(const std::string& sink);
  std::vector<LaneStatus> Lanes() const;
  /// Lets go of those among `deliveries` that wait, and returns them: none of them is started any more. Accept takes
  /// them back.
  std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries);
  /// How many passes the scheduler has made; asks for one more, so that the number grows unless the scheduler hangs.
  std::uint64_t Passes();

  /// Starts nothing new, waits (blocks) up to `timeout` for what is in flight and its records, cancels the rest.
  void Drain(std::chrono::milliseconds timeout);

 private:
  std::unique_ptr<struct Scheduler> scheduler_;
};

}  // namespace hookswitch
