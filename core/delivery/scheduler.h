#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/sync.h"
#include "core/delivery/attempt.h"
#include "core/delivery/dispatcher.h"
#include "core/delivery/inbox.h"
#include "core/delivery/lane_runtime.h"
#include "core/delivery/store_handle.h"
#include "core/journal/history.h"

namespace hookswitch {

/// The Dispatcher's inside: owns the lanes and everything in flight, and moves each delivery from its lane through its
/// attempt to its record and back. One thread runs it; workers, the HTTP client and the journal report to its inbox.
struct Scheduler {
  Scheduler(Journal& the_journal, History& the_history, HttpClient& the_http, const Clock& the_clock,
            Metrics& the_metrics, std::shared_ptr<CrashMarks> the_marks);
  ~Scheduler();

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

  // scheduler.cpp: in, and on their way
  void Run() EXCLUDES(mu);
  Status LoadBacklog() REQUIRES(mu);
  void Revise(const Inbox::Accepted& revision) REQUIRES(mu);
  void Add(PendingDelivery delivery, std::shared_ptr<const CallEvent> event) REQUIRES(mu);
  MonoTime AcceptedAt(const PendingDelivery& delivery, MonoTime now, WallTime wall) REQUIRES(mu);
  LaneRuntime& LaneFor(const std::string& sink) REQUIRES(mu);
  void Restore(const LaneDue& due) REQUIRES(mu);
  MonoTime StartAll() REQUIRES(mu);
  void Begin(LaneRuntime& lane, Lane::Ref ref, MonoTime now) REQUIRES(mu);
  void Handle(Inbox::Progress progress) REQUIRES(mu);
  bool Admit(InFlight& flight, const HttpRequest& request) REQUIRES(mu);
  void LetGo(InFlight& flight) REQUIRES(mu);
  void PostInterpret(InFlight& flight, HttpResult result) REQUIRES(mu);
  void GiveUpOverdue(MonoTime now) REQUIRES(mu);
  void Overdue(std::uint64_t attempt) REQUIRES(mu);
  void Unanswered(std::uint64_t attempt) REQUIRES(mu);
  void EndPauses(MonoTime now) REQUIRES(mu);
  void SetPause(LaneRuntime& lane, const std::optional<Pause>& pause) REQUIRES(mu);
  void PublishLanes() REQUIRES(mu);
  std::vector<LaneStatus> StatusOfLanes() const REQUIRES(mu);
  int TimesEnded(DeliverySeq delivery, std::string_view code) REQUIRES(mu);
  Outcome Quarantine(const CrashMarks::Left& left, const std::string& sink) REQUIRES(mu);
  Outcome Hung(const InFlight& flight) REQUIRES(mu);
  void CancelAll() REQUIRES(mu);

  // outcomes.cpp: what becomes of them
  void Conclude(InFlight& flight, Outcome outcome) REQUIRES(mu);
  void EndWithoutAttempt(LaneRuntime& lane, const Lane::Ending& ending) REQUIRES(mu);
  void Record(InFlight& flight, AttemptRecord record) REQUIRES(mu);
  void Handle(const Inbox::Recorded& recorded) REQUIRES(mu);
  bool FallsBack(const LaneRuntime& lane, const LaneDelivery& delivery) const REQUIRES(mu);
  void NotifyOf(LaneRuntime& lane, MonoTime now) REQUIRES(mu);
  void Notify(const std::string& about, const std::string& to, const Message& notice) REQUIRES(mu);

  Journal& journal;
  History& history;
  HttpClient& http;
  const Clock& clock;
  Metrics& metrics;
  // For threads that may stay behind.
  const std::shared_ptr<JournalHandle> handle = std::make_shared<JournalHandle>(journal);
  const std::shared_ptr<HistoryHandle> history_handle = std::make_shared<HistoryHandle>(history);
  const std::shared_ptr<CrashMarks> marks;  ///< nullptr: crashes are not told apart from any other end
  const std::shared_ptr<Inbox> inbox = std::make_shared<Inbox>();

  mutable Mutex mu;
  CondVar drained;
  std::shared_ptr<const DeliveryPlan> plan GUARDED_BY(mu);
  std::map<std::string, std::unique_ptr<LaneRuntime>, std::less<>> lanes GUARDED_BY(mu);
  std::map<std::string, Pause> paused GUARDED_BY(mu);  ///< also sinks that the config does not have now
  CondVar concluded;                                   ///< an attempt has its outcome, and somebody waits for it
  int waiting GUARDED_BY(mu) = 0;                      ///< those who do
  MonoTime published GUARDED_BY(mu){};
  bool publish_now GUARDED_BY(mu) = true;  ///< a lane has changed its state
  mutable Mutex recent_mu;
  std::shared_ptr<const std::vector<LaneStatus>> recent GUARDED_BY(recent_mu) =
      std::make_shared<const std::vector<LaneStatus>>();
  Origins origins GUARDED_BY(mu);
  std::unordered_map<DeliverySeq, InFlight> in_flight GUARDED_BY(mu);
  std::set<DeliverySeq> unwanted GUARDED_BY(mu);  ///< in flight, and canceled: not tried again if they fail
  /// What the process before left inside a plugin, not told to the journal.
  std::unordered_map<DeliverySeq, CrashMarks::Left> left GUARDED_BY(mu);
  std::pair<DeliverySeq, MonoTime> newest GUARDED_BY(mu){};  ///< the highest number so far, and when it was accepted
  std::uint64_t last_attempt GUARDED_BY(mu) = 0;
  std::uint64_t last_notice GUARDED_BY(mu) = 0;
  Jitter jitter GUARDED_BY(mu);
  bool draining GUARDED_BY(mu) = false;
  MonoTime next_overdue_check GUARDED_BY(mu){};
  std::vector<std::shared_ptr<Workers>> retired GUARDED_BY(mu);  ///< of call sinks that went; kept until they are idle
  std::unique_ptr<Workers> renderers;
  std::atomic<std::uint64_t> passes{0};
  std::thread thread;

  /// Outlives the Scheduler in Metrics.
  struct Gauges {
    Mutex mu;
    const Scheduler* scheduler GUARDED_BY(mu) = nullptr;
  };
  const std::shared_ptr<Gauges> gauges = std::make_shared<Gauges>();
  void SetGauges() const EXCLUDES(mu);
};

/// Of a job that waits for the journal.
inline constexpr std::chrono::milliseconds kStoreLimit = std::chrono::seconds(60);
/// Render and Interpret are pure: one that takes so long will not come back.
inline constexpr std::chrono::milliseconds kPureLimit = std::chrono::seconds(5);

inline std::chrono::milliseconds ToMs(MonoTime::duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace hookswitch
