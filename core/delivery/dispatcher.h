#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/delivery/attempt.h"
#include "core/delivery/attempt_runner.h"
#include "core/delivery/closable_ref.h"
#include "core/delivery/delivery_plan.h"
#include "core/delivery/inbox.h"
#include "core/delivery/lane.h"
#include "core/delivery/lane_gauges.h"
#include "core/delivery/lane_runtime.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/workers.h"
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/event/wait.h"
#include "core/http/http_client.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/plugins/crash_marks.h"

namespace hookswitch {

/// Drives every pending delivery to its end: one lane per sink, paced, retried, in order per call. Lanes share nothing
/// that can block. All public functions return at once unless stated otherwise.
///
/// One thread, the scheduler, moves each delivery from its lane through its attempt to its journal record and back.
/// Workers, the HTTP client and the journal report to its inbox.
class Dispatcher {
 public:
  /// The references must outlive it, and `clock` the last scrape of `metrics`. Idle until Use and Start: what is
  /// accepted before is left to the backlog. Without `marks` it does not recognize a delivery that crashed the process.
  Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
             std::shared_ptr<CrashMarks> marks = nullptr);
  ~Dispatcher();

  /// Loads every pending delivery from the journal (blocks) and starts the scheduler. Call once, after Use, when what
  /// is pending is this process's to deliver. Errors: those of LoadPending and LoadLanes. [thread: control]
  [[nodiscard]] Status Start();

  // [thread: any]
  /// Replaces the plan. Lanes whose config and sink are unchanged keep their rate and state; lanes of removed sinks
  /// stay listed while they have pending deliveries.
  void Use(std::shared_ptr<const DeliveryPlan> plan);
  /// Enqueues newly stored deliveries. `event` saves reading it back; it is kept only while the lane's backlog is
  /// short. `ended_call`: a call that is over, so deliveries that are held until then are canceled; 0: none.
  void Accept(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries,
              std::uint64_t ended_call = 0);

  /// A stored event was revised: waiting deliveries send the new `event`. `changes` is what the journal did to its
  /// deliveries. `ended_call`: as in Accept.
  void Revise(std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes,
              std::uint64_t ended_call = 0);

  /// What other routers have stored in the journal. Before Start only their pauses count: the rest is left to the
  /// backlog.
  void Follow(OthersChanges changes);

  /// Starts nothing for `sink` until Resume or the end of `pause`. Blocks until the journal has stored the pause.
  /// Errors: kUnavailable (paused, but a restart will lift it), kNotFound (no such sink).
  [[nodiscard]] Status Pause(const std::string& sink, const hookswitch::Pause& pause = {});
  /// Result of Resume.
  struct Resumed {
    enum class How {
      kWorks,         ///< a delivery succeeded
      kFails,         ///< `because` says why
      kNothingToTry,  ///< no pending deliveries
      kNotKnownYet,   ///< no outcome within the patience
    } how = How::kNotKnownYet;
    std::string because;
    Status stored = Ok();  ///< errors as for Pause
  };
  /// Lifts the pause and any throttle, and probes a sink in trouble. Blocks for the journal, then until the first
  /// outcome, at most `patience`.
  Resumed Resume(const std::string& sink, std::chrono::milliseconds patience = {});
  std::vector<LaneStatus> Lanes() const;
  /// The lanes as last published: at once after a change of state, else every 20 ms while anything happens. Never
  /// waits for the scheduler.
  LaneSnapshot::Lanes RecentLanes() const { return snapshot_->Get(); }
  /// Why a waiting delivery is held although its sink is open (its place is refused); else empty.
  std::optional<std::string> PlaceThatHolds(const std::string& sink, DeliverySeq delivery) const;
  /// Sends a notice to the sink in defaults.notify_problems_to, if one is set.
  void Announce(const Message& notice);
  /// Removes the waiting ones among `deliveries` from their lanes and returns them; they will not start. Accept
  /// enqueues them again.
  std::vector<DeliverySeq> Release(std::vector<DeliverySeq> deliveries);
  /// Heartbeat: the scheduler's completed passes. Requests another one, so the number grows unless the thread hangs.
  /// Before Start it grows by itself.
  std::uint64_t Passes();
  /// For a clock that moves only when it is told: blocks until everything accepted before is handled, nothing is in
  /// flight and nothing more is due, then returns when a lane looks next; MonoTime::max(): never. Empty: not within
  /// `patience`, real time, as when a plugin hangs.
  std::optional<MonoTime> AwaitIdle(std::chrono::milliseconds patience);

  /// Stops starting deliveries, blocks up to `timeout` until those in flight are recorded, then cancels the rest.
  void Drain(std::chrono::milliseconds timeout);

 private:
  /// Limit of a job that waits for the journal.
  static constexpr std::chrono::milliseconds kStoreLimit = std::chrono::seconds(60);
  static std::chrono::milliseconds ToMs(MonoTime::duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  }

  /// A delivery from its start until its record is stored.
  struct InFlight {
    LaneRuntime* lane = nullptr;
    Lane::Ref ref = 0;
    std::uint64_t id = 0;              ///< number of the attempt; late reports of an earlier one do not match
    bool is_recording = false;         ///< it has its outcome; the journal does not have it yet
    std::shared_ptr<Attempt> attempt;  ///< nullptr: the delivery ends without an attempt
    MonoTime started{};
    WallTime started_wall{};
    bool given_up = false;  ///< a thread may still run the attempt: do not read what it writes
    std::string place{};    ///< the destination named by its request; "" for none
    Waits waits{};          ///< before `started`
    // With is_recording.
    bool ends = false;                ///< the verdict is final
    std::string fallback{}, story{};  ///< the fallback sink, and the text above its message
    WallTime ended{};

    /// The event, if it has been read; else nullptr.
    std::shared_ptr<const CallEvent> Event() const {
      return given_up || !attempt ? lane->EventOf(ref) : attempt->event();
    }
    bool Hopeless() const { return !given_up && attempt && attempt->hopeless(); }
  };

  Status StorePause(const std::string& sink, const std::optional<hookswitch::Pause>& pause) EXCLUDES(mu_);

  // dispatcher_thread.cpp: takes reports from the inbox and moves each delivery on. [thread: scheduler; LoadBacklog,
  // Restore: control; LaneFor, Add, FollowPause, SetPause, PublishLanes, StatusOfLanes, CancelAll: also callers of the
  // public functions]
  void Run() EXCLUDES(mu_);
  Status LoadBacklog() REQUIRES(mu_);
  void ApplyRevision(const Inbox::Accepted& revision) REQUIRES(mu_);
  void EndCall(std::uint64_t call_key, EventSeq event, MonoTime at) REQUIRES(mu_);
  bool IsLoaded(const PendingDelivery& delivery) const REQUIRES(mu_);
  void ForgetLoaded(DeliverySeq delivery) REQUIRES(mu_);
  void Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) REQUIRES(mu_);
  MonoTime AcceptedAt(const PendingDelivery& delivery, MonoTime now, WallTime wall) REQUIRES(mu_);
  DeliveryRoute RouteOf(const LaneRuntime& lane, const LaneDelivery& delivery) const REQUIRES(mu_);
  LaneRuntime& LaneFor(const std::string& sink) REQUIRES(mu_);
  void Restore(const LaneDue& due) REQUIRES(mu_);
  void FollowPause(const LaneDue& stored) REQUIRES(mu_);
  MonoTime StartAll() REQUIRES(mu_);
  void Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) REQUIRES(mu_);
  void Handle(Inbox::Progress progress) REQUIRES(mu_);
  bool Admit(InFlight& flight, const HttpRequest& request) REQUIRES(mu_);
  void LetGo(InFlight& flight) REQUIRES(mu_);
  void GiveUpOverdue(MonoTime now) REQUIRES(mu_);
  void GiveUp(const AttemptRunner::Overdue& job) REQUIRES(mu_);
  void Unanswered(std::uint64_t attempt) REQUIRES(mu_);
  void EndPauses(MonoTime now) REQUIRES(mu_);
  void SetPause(LaneRuntime& lane, const std::optional<hookswitch::Pause>& pause) REQUIRES(mu_);
  void PublishLanes() REQUIRES(mu_);
  std::vector<LaneStatus> StatusOfLanes() const REQUIRES(mu_);
  int TimesEnded(DeliverySeq delivery, std::string_view code) REQUIRES(mu_);
  Outcome Quarantine(const CrashMarks::Left& what, const std::string& sink) REQUIRES(mu_);
  Outcome Hung(const InFlight& flight) REQUIRES(mu_);
  void CancelAll() REQUIRES(mu_);

  // dispatcher_outcomes.cpp: applies outcomes. [thread: scheduler; Notify: any]
  void Conclude(InFlight& flight, Outcome outcome) REQUIRES(mu_);
  void EndWithoutAttempt(LaneRuntime& lane, const Lane::Ending& ending) REQUIRES(mu_);
  void Record(InFlight& flight, AttemptRecord record) REQUIRES(mu_);
  void Handle(const Inbox::Recorded& recorded) REQUIRES(mu_);
  bool FallsBack(const LaneRuntime& lane, const LaneDelivery& delivery) const REQUIRES(mu_);
  void NotifyOf(LaneRuntime& lane, MonoTime now) REQUIRES(mu_);
  void Notify(const std::string& about, const std::string& to, const Message& notice) REQUIRES(mu_);

  Journal& journal_;
  History& history_;
  const Clock& clock_;
  Metrics& metrics_;
  // For jobs that may outlive this object.
  const std::shared_ptr<JournalRef> journal_ref_ = std::make_shared<JournalRef>(journal_);
  const std::shared_ptr<ClosableRef<History>> history_ref_ = std::make_shared<ClosableRef<History>>(history_);
  const std::shared_ptr<CrashMarks> marks_;  ///< nullptr: crashes are not attributed to deliveries
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();

  mutable Mutex mu_;
  CondVar drained_;
  std::shared_ptr<const DeliveryPlan> plan_ GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<LaneRuntime>, std::less<>> lanes_ GUARDED_BY(mu_);
  std::vector<LaneRuntime*> settling_ GUARDED_BY(mu_);  ///< those of lanes_ that the end of a call concerns
  std::map<std::string, hookswitch::Pause> paused_ GUARDED_BY(mu_);  ///< also of sinks that are not in the config now
  CondVar concluded_;                                                ///< signaled on an outcome while Resume waits
  int waiting_ GUARDED_BY(mu_) = 0;                                  ///< callers of Resume that wait
  MonoTime published_ GUARDED_BY(mu_){};
  bool publish_now_ GUARDED_BY(mu_) = true;  ///< a lane's state has changed
  const std::shared_ptr<LaneSnapshot> snapshot_ = std::make_shared<LaneSnapshot>();
  Origins origins_ GUARDED_BY(mu_);
  std::unordered_map<DeliverySeq, InFlight> in_flight_ GUARDED_BY(mu_);
  std::set<DeliverySeq> unwanted_ GUARDED_BY(mu_);                       ///< canceled while in flight: not retried
  std::map<DeliverySeq, PendingDelivery> after_flight_ GUARDED_BY(mu_);  ///< of these: replayed since
  /// Deliveries that were inside a plugin when the previous process died; not yet recorded in the journal.
  std::unordered_map<DeliverySeq, CrashMarks::Left> left_ GUARDED_BY(mu_);
  std::vector<std::pair<DeliverySeq, WallTime>> loaded_ GUARDED_BY(mu_);  ///< the backlog: number and accepted_at
  MonoTime loaded_until_ GUARDED_BY(mu_){};
  std::pair<DeliverySeq, MonoTime> newest_ GUARDED_BY(mu_){};  ///< the highest DeliverySeq so far, and its acceptance
  std::uint64_t last_attempt_ GUARDED_BY(mu_) = 0;
  std::uint64_t last_notice_ GUARDED_BY(mu_) = 0;
  Jitter jitter_ GUARDED_BY(mu_);
  bool draining_ GUARDED_BY(mu_) = false;
  MonoTime next_overdue_check_ GUARDED_BY(mu_){};
  MonoTime next_look_ GUARDED_BY(mu_) = MonoTime::max();  ///< of the latest pass
  CondVar passed_;                                        ///< signaled after a pass while AwaitIdle waits
  int awaiting_ GUARDED_BY(mu_) = 0;                      ///< callers of AwaitIdle that wait
  std::vector<std::shared_ptr<Workers>> retired_
      GUARDED_BY(mu_);  ///< workers of replaced call sinks; kept until they are idle
  AttemptRunner runner_;
  std::atomic<std::uint64_t> passes_{0};
  std::atomic<bool> started_{false};
  std::thread thread_;
};

}  // namespace hookswitch
