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
#include "core/delivery/delivery_plan.h"
#include "core/delivery/inbox.h"
#include "core/delivery/lane.h"
#include "core/delivery/lane_runtime.h"
#include "core/delivery/lane_status.h"
#include "core/delivery/store_handle.h"
#include "core/delivery/workers.h"
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/http/http_client.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/plugins/crash_marks.h"

namespace hookswitch {

/// Sees every pending delivery to its end: one lane per sink, paced, retried, in order per call. Lanes share nothing
/// that can block. All functions are safe from any thread and return at once unless said otherwise.
///
/// One thread moves each delivery from its lane through its attempt to its record and back. Workers, the HTTP client
/// and the journal report to its inbox.
class Dispatcher {
 public:
  /// The references outlive it. Does nothing until Use and Start. Without `marks` a delivery that ends the process is
  /// not told from any other.
  Dispatcher(Journal& journal, History& history, HttpClient& http, const Clock& clock, Metrics& metrics,
             std::shared_ptr<CrashMarks> marks = nullptr);
  ~Dispatcher();

  /// Loads every pending delivery from the journal (blocks) and starts the thread. Use first.
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
  /// How many passes the thread has made; asks for one more, so that the number grows unless the thread hangs.
  std::uint64_t Passes();

  /// Starts nothing new, waits (blocks) up to `timeout` for what is in flight and its records, cancels the rest.
  void Drain(std::chrono::milliseconds timeout);

 private:
  /// Of a job that waits for the journal.
  static constexpr std::chrono::milliseconds kStoreLimit = std::chrono::seconds(60);
  /// Render and Interpret are pure: one that takes so long will not come back.
  static constexpr std::chrono::milliseconds kPureLimit = std::chrono::seconds(5);
  static std::chrono::milliseconds ToMs(MonoTime::duration duration) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
  }

  enum class Stage { kRendering, kSending, kInterpreting, kCalling, kRecording };
  /// A delivery between its lane and its record.
  struct InFlight {
    LaneRuntime* lane = nullptr;
    Lane::Ref ref = 0;
    std::uint64_t id = 0;  ///< tells this attempt from an earlier one whose answer comes late
    Stage stage = Stage::kRendering;
    std::shared_ptr<Attempt> attempt;  ///< nullptr: it ends without one
    MonoTime started{};
    WallTime started_wall{};
    bool given_up = false;  ///< a thread may still be in the attempt: nothing that it writes may be read
    bool ends = false;      ///< with kRecording: the verdict is final
    std::string place{};    ///< that its request named; "" for none
    MonoTime send_deadline = MonoTime::max();  ///< with kSending: an answer that comes later is not waited for
    std::string fallback{}, story{};  ///< with kRecording: the sink that a new delivery goes to, and what it tells
    WallTime ended{};                 ///< with kRecording

    /// The event, if it is known to have been read.
    std::shared_ptr<const CallEvent> Event() const {
      return given_up || !attempt ? lane->EventOf(ref) : attempt->event();
    }
    bool Hopeless() const { return !given_up && attempt && attempt->hopeless(); }
  };

  Status StorePause(const std::string& sink, const std::optional<hookswitch::Pause>& pause) EXCLUDES(mu_);

  // dispatcher_thread.cpp: the thread that takes what is new and moves each delivery on
  void Run() EXCLUDES(mu_);
  Status LoadBacklog() REQUIRES(mu_);
  void ApplyRevision(const Inbox::Accepted& revision) REQUIRES(mu_);
  void Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) REQUIRES(mu_);
  MonoTime AcceptedAt(const PendingDelivery& delivery, MonoTime now, WallTime wall) REQUIRES(mu_);
  LaneRuntime& LaneFor(const std::string& sink) REQUIRES(mu_);
  void Restore(const LaneDue& due) REQUIRES(mu_);
  MonoTime StartAll() REQUIRES(mu_);
  void Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) REQUIRES(mu_);
  void Handle(Inbox::Progress progress) REQUIRES(mu_);
  bool Admit(InFlight& flight, const HttpRequest& request) REQUIRES(mu_);
  void LetGo(InFlight& flight) REQUIRES(mu_);
  void PostInterpret(InFlight& flight, HttpResult result) REQUIRES(mu_);
  void GiveUpOverdue(MonoTime now) REQUIRES(mu_);
  void Overdue(std::uint64_t attempt) REQUIRES(mu_);
  void Unanswered(std::uint64_t attempt) REQUIRES(mu_);
  void EndPauses(MonoTime now) REQUIRES(mu_);
  void SetPause(LaneRuntime& lane, const std::optional<hookswitch::Pause>& pause) REQUIRES(mu_);
  void PublishLanes() REQUIRES(mu_);
  std::vector<LaneStatus> StatusOfLanes() const REQUIRES(mu_);
  int TimesEnded(DeliverySeq delivery, std::string_view code) REQUIRES(mu_);
  Outcome Quarantine(const CrashMarks::Left& what, const std::string& sink) REQUIRES(mu_);
  Outcome Hung(const InFlight& flight) REQUIRES(mu_);
  void CancelAll() REQUIRES(mu_);

  // dispatcher_outcomes.cpp: what becomes of them
  void Conclude(InFlight& flight, Outcome outcome) REQUIRES(mu_);
  void EndWithoutAttempt(LaneRuntime& lane, const Lane::Ending& ending) REQUIRES(mu_);
  void Record(InFlight& flight, AttemptRecord record) REQUIRES(mu_);
  void Handle(const Inbox::Recorded& recorded) REQUIRES(mu_);
  bool FallsBack(const LaneRuntime& lane, const LaneDelivery& delivery) const REQUIRES(mu_);
  void NotifyOf(LaneRuntime& lane, MonoTime now) REQUIRES(mu_);
  void Notify(const std::string& about, const std::string& to, const Message& notice) REQUIRES(mu_);

  Journal& journal_;
  History& history_;
  HttpClient& http_;
  const Clock& clock_;
  Metrics& metrics_;
  // For threads that may stay behind.
  const std::shared_ptr<JournalHandle> journal_handle_ = std::make_shared<JournalHandle>(journal_);
  const std::shared_ptr<HistoryHandle> history_handle_ = std::make_shared<HistoryHandle>(history_);
  const std::shared_ptr<CrashMarks> marks_;  ///< nullptr: crashes are not told apart from any other end
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();

  mutable Mutex mu_;
  CondVar drained_;
  std::shared_ptr<const DeliveryPlan> plan_ GUARDED_BY(mu_);
  std::map<std::string, std::unique_ptr<LaneRuntime>, std::less<>> lanes_ GUARDED_BY(mu_);
  std::map<std::string, hookswitch::Pause> paused_ GUARDED_BY(mu_);  ///< also sinks that the config does not have now
  CondVar concluded_;                ///< an attempt has its outcome, and somebody waits for it
  int waiting_ GUARDED_BY(mu_) = 0;  ///< those who do
  MonoTime published_ GUARDED_BY(mu_){};
  bool publish_now_ GUARDED_BY(mu_) = true;  ///< a lane has changed its state
  mutable Mutex recent_mu_;
  std::shared_ptr<const std::vector<LaneStatus>> recent_ GUARDED_BY(recent_mu_) =
      std::make_shared<const std::vector<LaneStatus>>();
  Origins origins_ GUARDED_BY(mu_);
  std::unordered_map<DeliverySeq, InFlight> in_flight_ GUARDED_BY(mu_);
  std::set<DeliverySeq> unwanted_ GUARDED_BY(mu_);  ///< in flight, and canceled: not tried again if they fail
  /// What the process before left inside a plugin, not told to the journal.
  std::unordered_map<DeliverySeq, CrashMarks::Left> left_ GUARDED_BY(mu_);
  std::pair<DeliverySeq, MonoTime> newest_ GUARDED_BY(mu_){};  ///< the highest number so far, and when it was accepted
  std::uint64_t last_attempt_ GUARDED_BY(mu_) = 0;
  std::uint64_t last_notice_ GUARDED_BY(mu_) = 0;
  Jitter jitter_ GUARDED_BY(mu_);
  bool draining_ GUARDED_BY(mu_) = false;
  MonoTime next_overdue_check_ GUARDED_BY(mu_){};
  std::vector<std::shared_ptr<Workers>> retired_
      GUARDED_BY(mu_);  ///< of call sinks that went; kept until they are idle
  std::unique_ptr<Workers> renderers_;
  std::atomic<std::uint64_t> passes_{0};
  std::thread thread_;

  /// Outlives the Dispatcher in Metrics.
  struct Gauges {
    Mutex mu;
    const Dispatcher* dispatcher GUARDED_BY(mu) = nullptr;
  };
  const std::shared_ptr<Gauges> gauges_ = std::make_shared<Gauges>();
  void SetGauges() const EXCLUDES(mu_);
};

}  // namespace hookswitch
