#pragma once
#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/sync.h"
#include "core/delivery/closable_ref.h"
#include "core/delivery/delivery_plan.h"
#include "core/event/call_event.h"
#include "core/event/delivery.h"
#include "core/event/message.h"
#include "core/event/outcome.h"
#include "core/http/http_client.h"
#include "core/journal/journal.h"
#include "core/plugins/crash_marks.h"
#include "core/plugins/masker.h"
#include "core/plugins/sink.h"

namespace hookswitch {

using JournalRef = ClosableRef<Journal>;

/// One attempt at one step of a delivery: from the stored event to the outcome.
///
/// Uses the plan, sink and event that it began with, whatever a reload does. Its functions run one at a time, on any
/// thread; only those tagged may run concurrently with them.
class Attempt {
 public:
  enum class Stage : std::uint8_t {
    kPreparing,  ///< Prepare and Render; for a call sink, Deliver
    kSending,
    kInterpreting,
    kReturned  ///< the plugin has returned, and what follows does not block
  };

  struct Facts {
    DeliveryCore delivery;
    DeliveryRoute route;
    std::string state{};                       ///< from the previous step
    std::string story{};                       ///< why the sink that it fell back from gave up; else ""
    std::vector<std::string> state_secrets{};  ///< the credentials in `state`
    std::chrono::milliseconds timeout{};
    WallTime now{};  ///< start of the attempt
    std::shared_ptr<const DeliveryPlan> plan;
    std::shared_ptr<Sink> sink;
    std::shared_ptr<JournalRef> journal;
    std::shared_ptr<CrashMarks> marks;  ///< where plugin calls are marked for crash detection; may be nullptr
    /// Of a delivery that the journal does not have.
    struct Unstored {
      std::string id;
      Message message;
      std::string raw_body;
    };
    std::optional<Unstored> unstored{};  ///< then there is an event, and `journal` is not used

    /// 1 for the first attempt.
    std::uint32_t number() const { return delivery.attempts + 1; }
    Trigger trigger() const;
  };
  /// `event` nullptr: Prepare reads it from the journal.
  Attempt(Facts facts, std::shared_ptr<const CallEvent> event);

  /// Reads the event and composes the message. Returns an outcome only on failure: kRejected if no retry can help (sets
  /// `hopeless`), else kRetry. May block on the journal.
  std::optional<Outcome> Prepare();
  /// HTTP sinks, after Prepare. Calls into the plugin.
  std::variant<HttpRequest, Outcome> Render();
  /// Before the request or the call goes out: an outcome if what is pending is no longer this process's to deliver
  /// (Journal::OwnsPending), as after it was frozen: another one may have sent it. [thread: any]
  std::optional<Outcome> LeaseOver() const;
  /// HTTP sinks, after Render: the request goes to the HTTP client now. False: the attempt was given up or canceled; do
  /// not send.
  bool BeginSending(MonoTime now) EXCLUDES(mu_);
  /// The HTTP client has reported `result`; Interpret follows.
  void EndSending(const HttpResult& result) EXCLUDES(mu_);
  /// HTTP sinks, after EndSending: turns the response (or transport error) into an outcome. `now` resolves dates in
  /// Retry-After.
  Outcome Interpret(const HttpResult& result, WallTime now);
  /// Call sinks, after Prepare. Blocks until the plugin returns.
  Outcome Deliver();

  // [thread: any]
  Stage stage() const EXCLUDES(mu_);
  /// With kSending: since when.
  MonoTime sending_since() const EXCLUDES(mu_);
  /// Of its HTTP exchange, as in HttpResult.
  struct Times {
    std::optional<std::chrono::milliseconds> connect{}, first_byte{};
  };
  Times times() const EXCLUDES(mu_);
  void Cancel() { canceled_ = true; }
  bool canceled() const { return canceled_; }
  enum class GaveUp {
    kInside,   ///< a thread is inside the plugin; the sink will use a new instance
    kOutside,  ///< no thread is inside, and none will enter
    kMovedOn   ///< the attempt is no longer at `stage`
  };
  /// Gives up an attempt whose job for `stage` is overdue.
  GaveUp GiveUp(Stage stage) EXCLUDES(mu_);
  /// Gives up an attempt whose request the HTTP client does not report. False: the client has reported.
  bool GiveUpSending() EXCLUDES(mu_);

  const Facts& facts() const { return facts_; }
  const std::string& id() const { return id_; }
  /// nullptr if it could not be read. Like hopeless(), valid only after the attempt's last function has returned.
  const std::shared_ptr<const CallEvent>& event() const { return event_; }
  /// The event is unreadable, so a fallback could not deliver it either.
  bool hopeless() const { return hopeless_; }
  /// The request and the response, secrets masked, cut at the plan's keep_bodies bytes; "" if there was none. Moved
  /// out: call once.
  std::string TakeRequest() { return std::move(request_); }
  std::string TakeResponse() { return std::move(response_); }

 private:
  void PluginReturned() EXCLUDES(mu_);
  std::optional<Outcome> Read();
  std::optional<Outcome> Understand(const StoredEvent& stored);
  std::optional<Outcome> UnderstandNotice(const StoredEvent& stored);
  Outcome Hopeless(std::string code, std::string reason);
  void Classify(Outcome& outcome) const;
  /// Adds credentials found in responses of this delivery; masks them from now on.
  void Learn(std::vector<std::string> credentials);
  std::string Mask(std::string_view text, std::size_t most = std::string_view::npos) const;
  void MaskTexts(Outcome& outcome) const;
  void LearnFrom(const HttpResponse& response, Outcome& outcome);
  void FindStateSecrets(Outcome& outcome);
  std::string Kept(std::string_view head, std::string_view body) const;
  std::optional<std::string> RawBody() const;
  CrashMarks::Where Preparing() const;
  SinkDelivery View() const;

  const Facts facts_;
  const std::string id_;
  std::shared_ptr<const CallEvent> event_;
  Message message_;
  std::string memory_;
  std::string request_, response_;
  std::vector<std::string> learned_;
  std::optional<plugins::Masker> learned_masker_;  ///< of `learned_`, if there are any
  bool hopeless_ = false;
  std::atomic<bool> canceled_{false};
  mutable Mutex mu_;
  Stage stage_ GUARDED_BY(mu_) = Stage::kPreparing;
  MonoTime sending_since_ GUARDED_BY(mu_){};
  Times times_ GUARDED_BY(mu_);
  mutable SinkCall call_;
};

}  // namespace hookswitch
