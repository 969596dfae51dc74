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
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/http/http_client.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/message/composer.h"
#include "core/plugins/crash_marks.h"
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
  std::string notify_problems_to;  ///< the sink that hears of what is no sink's problem; "" for none
  std::uint64_t keep_bodies = 0;   ///< bytes of each request and response that an attempt keeps
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
  /// The next try of what waits, if it is known: now with kProbing; with kPaused: the pause's end.
  std::optional<WallTime> until;
  /// Places behind it that have refused what went there (at most 20), while it goes on with others.
  struct Place {
    std::string name, because;
    std::uint64_t waiting = 0;
    WallTime next_try{};
  };
  std::vector<Place> places{};
};
std::string_view ToString(LaneStatus::State state);

/// Sees every pending delivery to its end: one lane per sink, paced, retried, in order per call. Lanes share nothing
/// that can block. All functions are safe from any thread and return at once unless said otherwise.
class Dispatcher {
 public:
  /// The references outlive it. Does nothing until Use and Start. Without `marks` a delivery that ends the process is
  /// not told from any other.
  Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
             std::shared_ptr<CrashMarks> marks = nullptr);
  ~Dispatcher();

  /// Loads every pending delivery from the journal (blocks) and starts the scheduler's thread. Use first.
  [[nodiscard]] Status Start();
  /// Replaces the plan. Lanes whose config and sink stay the same keep their pace and state; lanes of removed sinks
  /// keep their deliveries and are shown.
  void Use(std::shared_ptr<const DeliveryPlan> plan);
  /// Takes over freshly stored deliveries. `event` saves reading it again; it is kept only while the lane is short.
  void Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries);

  /// A stored event has another content from now on: what waits carries it; `changes` is what the journal has made of
  /// its deliveries.
  void Revise(std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes);

  /// Starts nothing for `sink` until it is resumed or `pause` is over. Blocks until the journal knows, so that a
  /// restart does too. An error (kUnavailable) says that it does not: the sink is paused, and forgets it at a restart.
  /// kNotFound: there is no such sink.
  [[nodiscard]] Status Pause(const std::string& sink, const hookswitch::Pause& pause = {});
  /// How a sink went on after Resume.
  struct Resumed {
    enum class How {
      kWorks,         ///< something got through
      kFails,         ///< and why: `because`
      kNothingToTry,  ///< nothing waits, so nobody knows
      kNotKnownYet,   ///< no outcome came in time
    } how = How::kNotKnownYet;
    std::string because;
    Status stored = Ok();  ///< as Pause
  };
  /// Lifts a pause and whatever the sink has asked for, and probes it if it is in trouble. Blocks until the first
  /// outcome, at most `patience`.
  Resumed Resume(const std::string& sink, std::chrono::milliseconds patience = {});
  std::vector<LaneStatus> Lanes() const;
  /// Lanes as they were a moment ago: at most a second, or since when nothing has happened. Never waits.
  std::shared_ptr<const std::vector<LaneStatus>> RecentLanes() const;
  /// Why a delivery that waits is held although its sink is open: its place is refused. Empty for all others.
  std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) const;
  /// Tells the sink that defaults.notify_problems_to names; does nothing without one.
  void Announce(const Message& notice);
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
