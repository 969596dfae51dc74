#include "core/delivery/test_message.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/delivery/attempt.h"
#include "core/delivery/attempt_runner.h"
#include "core/delivery/inbox.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kTitle = "Test from hookswitch";
constexpr std::string_view kText = "Somebody tests whether messages arrive here. There was no call.";
constexpr std::string_view kCallId = "hookswitch-test";
// Bytes of the request and the response to show.
constexpr std::uint64_t kShown = 16 * 1024;
constexpr milliseconds kCheckEvery{100};

/// What to do about an outcome whose plugin says nothing of it; "" if that is not known.
std::string_view AdviceFor(const Outcome& outcome) {
  static constexpr std::pair<std::string_view, std::string_view> kByCode[] = {
      {"dns_failed", "check the host in the sink's config, and that this machine can look names up"},
      {"connect_failed",
       "check host and port in the sink's config, and that a firewall lets this machine connect there"},
      {"tls_failed", "check that the port speaks TLS 1.2 or later, and that the URL needs https"},
      {"timeout",
       "the other side is slow, or a firewall drops what is sent to it; if it is only slow, raise the sink's timeout"},
      {"reset", "the other side, or a proxy before it, closed the connection: its log may say why"},
      {"bad_response", "something else than the service answers there: check the URL and what stands before it"},
      {"too_large", "something else than the service answers there: check the URL and what stands before it"},
      {"plugin_hung", "the plugin is at fault: fix or replace it"},
      {"plugin_exception", "the plugin is at fault: fix or replace it"},
      {"plugin_fault", "the plugin is at fault: fix or replace it"}};
  const auto* found = std::ranges::find(kByCode, outcome.code, &std::pair<std::string_view, std::string_view>::first);
  if (found != std::end(kByCode)) return found->second;
  switch (outcome.http_status / 100) {
    case 3: return "the service has moved: correct the URL, redirects are not followed";
    case 5: return "the service has trouble of its own: deliveries are tried again by retry.schedule";
    default: break;
  }
  if (outcome.http_status == 401 || outcome.http_status == 403) return "check the credential in the sink's config";
  if (outcome.http_status == 404) return "check the URL in the sink's config";
  if (outcome.http_status == 429) return "the service limits how much may be sent: deliveries wait as it asks";
  return {};
}

/// Runs the steps of one test on the calling thread, which does what the scheduler does for deliveries.
class Tester {
 public:
  Tester(const DeliveryPlan::Lane& lane, HttpClient& http, const Clock& clock, std::shared_ptr<CrashMarks> marks)
      : lane_(lane), clock_(clock), marks_(std::move(marks)), runner_(inbox_, http, clock) {
    // Only this sink, whose config classifies outcomes.
    auto plan = std::make_shared<DeliveryPlan>();
    plan->lanes.emplace(lane.config.name, lane);
    plan->keep_bodies = kShown;
    plan_ = std::move(plan);
  }

  TestResult Run() {
    const MonoTime begin = clock_.Mono();
    TestResult result;
    for (const CallStatus status : kTestStatuses) {
      event_ = std::make_shared<const CallEvent>(TestEvent(status, clock_.Wall()));
      result = RunSteps();
      // Its plugin did not even make a request.
      const bool unsent = lane_.sink->kind() == Sink::Kind::kHttp && step_ == 0 && result.request.empty();
      if (!unsent || result.outcome.kind != Outcome::Kind::kRejected) break;
    }
    result.latency = std::chrono::duration_cast<milliseconds>(clock_.Mono() - begin);
    Outcome& outcome = result.outcome;
    for (std::string* text : {&outcome.reason, &outcome.action}) *text = lane_.sink->Mask(*text);
    const bool failed = outcome.kind != Outcome::Kind::kDelivered;
    if (failed && outcome.action.empty()) outcome.action = AdviceFor(outcome);
    return result;
  }

 private:
  TestResult RunSteps() {
    TestResult result;
    step_ = 0;
    do {
      attempt_ = MakeAttempt(std::move(result.outcome));
      result.outcome = Send();
      if (given_up_) break;
      result.request = attempt_->TakeRequest();
      result.response = attempt_->TakeResponse();
    } while (result.outcome.kind == Outcome::Kind::kNext && ++step_ < kMostSteps);
    return result;
  }

  std::shared_ptr<Attempt> MakeAttempt(Outcome before) const {
    const std::string& sink = lane_.config.name;
    Attempt::Facts facts{.delivery = {.step = step_},
                         .route = {.sink = sink, .rule = "test"},
                         .state = std::move(before.state),
                         .state_secrets = std::move(before.state_secrets),
                         .timeout = lane_.config.timeout,
                         .now = clock_.Wall(),
                         .plan = plan_,
                         .sink = lane_.sink,
                         .journal = nullptr,
                         .marks = marks_};
    facts.unstored = {"test", TestMessage(sink, *event_), ToJson(*event_)};
    return std::make_shared<Attempt>(std::move(facts), event_);
  }

  Outcome Send() {
    AttemptRunner::Run run{attempt_, ++last_attempt_};
    if (lane_.sink->kind() == Sink::Kind::kCall) {
      runner_.Call(run, runner_.workers(), lane_.config.timeout + AttemptRunner::kCallGrace);
    } else {
      runner_.Start(run);
    }
    for (;;) {
      Inbox::Batch batch;
      inbox_->Take(batch, kCheckEvery);
      for (auto& progress : batch.progress) {
        if (progress.attempt != run.id) continue;
        // A request with a pace or an order is not sent before somebody lets it.
        auto* request = std::get_if<HttpRequest>(&progress.what);
        if (!request) return std::move(std::get<Outcome>(progress.what));
        runner_.Send(run, std::move(*request));
      }
      if (auto outcome = Overdue(run.id)) return std::move(*outcome);
    }
  }

  /// The outcome if a plugin hangs or the HTTP client does not report.
  std::optional<Outcome> Overdue(std::uint64_t id) {
    Outcome outcome;
    for (const auto& job : AttemptRunner::TakeOverdue(runner_.workers())) {
      if (job.id != id) continue;
      const auto gave_up = attempt_->GiveUp(job.stage);
      if (gave_up == Attempt::GaveUp::kMovedOn) continue;
      given_up_ = true;
      outcome.may_have_been_delivered =
          lane_.sink->kind() == Sink::Kind::kCall || job.stage == Attempt::Stage::kInterpreting;
      outcome.code = gave_up == Attempt::GaveUp::kInside ? "plugin_hung" : "given_up";
      outcome.reason = gave_up == Attempt::GaveUp::kInside ? "the plugin did not return in time"
                                                           : "it waited too long for its turn in the plugin";
      if (gave_up == Attempt::GaveUp::kInside)
        log::Error("plugin_stuck", {{"sink", lane_.config.name}, {"delivery", "test"}});
      return outcome;
    }
    if (attempt_->stage() != Attempt::Stage::kSending) return {};
    if (clock_.Mono() < attempt_->sending_since() + lane_.config.timeout + AttemptRunner::kAnswerGrace) return {};
    if (!attempt_->GiveUpSending()) return {};
    given_up_ = true;
    outcome.code = "timeout";
    outcome.reason = "the deadline passed, and the HTTP client did not say so";
    outcome.may_have_been_delivered = true;
    return outcome;
  }

  const DeliveryPlan::Lane& lane_;
  const Clock& clock_;
  const std::shared_ptr<CrashMarks> marks_;
  std::shared_ptr<const CallEvent> event_;
  std::shared_ptr<const DeliveryPlan> plan_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  AttemptRunner runner_;
  std::shared_ptr<Attempt> attempt_;
  std::uint32_t step_ = 0;
  std::uint64_t last_attempt_ = 0;
  bool given_up_ = false;  ///< a thread may still run the attempt
};

}  // namespace

CallEvent TestEvent(CallStatus status, WallTime now) {
  CallEvent event;
  event.id = EventId(now, 0, 0);
  event.source = event.source_title = kOwnSource;
  event.call_id = kCallId;
  event.received_at = now;
  event.status = status;
  event.stage = StageOf(status);
  event.raw_status = ToString(status);
  event.summary = std::string(kTitle) + ". " + std::string(kText);
  event.meta.emplace("test", "true");
  return event;
}

Message TestMessage(const std::string& sink, const CallEvent& event) {
  Message message;
  message.title = kTitle;
  message.fields = {{"Sink", sink}, {"Call ID", event.call_id}, {"Status", event.raw_status}};
  message.text = kText;
  message.at = event.received_at;
  return message;
}

TestResult SendTestMessage(const DeliveryPlan::Lane& lane, HttpClient& http, const Clock& clock,
                           std::shared_ptr<CrashMarks> marks) {
  return Tester(lane, http, clock, std::move(marks)).Run();
}

}  // namespace hookswitch
