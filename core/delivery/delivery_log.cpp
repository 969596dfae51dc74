#include "core/delivery/delivery_log.h"

#include <utility>

#include "core/base/log.h"
#include "core/base/time_text.h"
#include "core/delivery/failure_reason.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

double Seconds(MonoTime::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

void LogAttempt(LaneRuntime& lane, const Concluded& concluded) {
  const auto& [attempt, event_id, outcome, verdict, fallback, latency, accepted, now] = concluded;
  const LaneSeries& series = lane.series;
  const Attempt::Facts& facts = attempt.facts();
  series.attempt_seconds.Observe(Seconds(latency));
  switch (outcome.kind) {
    case Outcome::Kind::kDelivered:
      series.delivered.Add();
      series.delivery_seconds.Observe(Seconds(now - accepted));
      log::Info("delivery_delivered", {{"delivery", attempt.id()},
                                       {"event_id", event_id},
                                       {"sink", facts.route.sink},
                                       {"attempt", facts.number()},
                                       {"latency_ms", latency.count()}});
      return;
    case Outcome::Kind::kRetry: series.retry.Add(); break;
    case Outcome::Kind::kRejected: series.rejected.Add(); break;
    case Outcome::Kind::kMisconfigured: series.misconfigured.Add(); break;
    case Outcome::Kind::kNext: break;
  }
  if (outcome.kind != Outcome::Kind::kNext) series.Failed(FailureReasonOf(outcome));
  if (verdict.state == DeliveryState::kDead && !fallback.empty()) {
    series.fell_back.Add();
    log::Warn("delivery_fell_back", {{"delivery", attempt.id()},
                                     {"event_id", event_id},
                                     {"sink", facts.route.sink},
                                     {"fallback", fallback},
                                     {"attempt", facts.number()},
                                     {"code", outcome.code},
                                     {"http_status", outcome.http_status},
                                     {"answer_bytes", outcome.answer_bytes},
                                     {"may_have_been_delivered", outcome.may_have_been_delivered}});
  } else if (verdict.state == DeliveryState::kDead) {
    series.dead.Add();
    log::Error("delivery_dead", {{"delivery", attempt.id()},
                                 {"event_id", event_id},
                                 {"sink", facts.route.sink},
                                 {"attempt", facts.number()},
                                 {"code", outcome.code},
                                 {"http_status", outcome.http_status},
                                 {"answer_bytes", outcome.answer_bytes},
                                 {"gave_up", verdict.gave_up},
                                 {"may_have_been_delivered", outcome.may_have_been_delivered}});
  } else if (outcome.kind == Outcome::Kind::kMisconfigured) {
    const auto suppressed = lane.LimitFailureLog(now);
    if (!suppressed) return;
    log::Warn("delivery_refused", {{"delivery", attempt.id()},
                                   {"event_id", event_id},
                                   {"sink", facts.route.sink},
                                   {"attempt", facts.number()},
                                   {"place", outcome.place},
                                   {"code", outcome.code},
                                   {"http_status", outcome.http_status},
                                   {"answer_bytes", outcome.answer_bytes},
                                   {"action", outcome.action},
                                   {"next_ms", verdict.wait.count()},
                                   {"untold_before", *suppressed}});
  } else if (outcome.kind == Outcome::Kind::kRetry) {
    const auto suppressed = lane.LimitFailureLog(now);
    if (!suppressed) return;
    log::Warn("delivery_retry", {{"delivery", attempt.id()},
                                 {"event_id", event_id},
                                 {"sink", facts.route.sink},
                                 {"attempt", facts.number()},
                                 {"code", outcome.code},
                                 {"http_status", outcome.http_status},
                                 {"answer_bytes", outcome.answer_bytes},
                                 {"next_ms", verdict.wait.count()},
                                 {"untold_before", *suppressed},
                                 {"may_have_been_delivered", outcome.may_have_been_delivered}});
  }
}

void LogEnding(LaneRuntime& lane, const Ended& ended) {
  const auto& [delivery, event_id, outcome, state, fallback] = ended;
  if (state == DeliveryState::kCanceled) {
    lane.series.canceled.Add();
    log::Info("delivery_canceled",
              {{"delivery", delivery}, {"event_id", event_id}, {"sink", lane.name}, {"code", outcome.code}});
  } else if (!fallback.empty()) {
    lane.series.fell_back.Add();
    log::Warn("delivery_fell_back", {{"delivery", delivery},
                                     {"event_id", event_id},
                                     {"sink", lane.name},
                                     {"fallback", fallback},
                                     {"code", outcome.code}});
  } else {
    lane.series.dead.Add();
    log::Error("delivery_dead",
               {{"delivery", delivery}, {"event_id", event_id}, {"sink", lane.name}, {"code", outcome.code}});
  }
}

void LogLaneChange(LaneRuntime& lane, const Outcome& outcome, const Lane::Verdict& verdict, bool was_throttled) {
  const std::string& why = outcome.reason.empty() ? outcome.code : outcome.reason;
  const bool got_through = outcome.kind == Outcome::Kind::kDelivered || outcome.kind == Outcome::Kind::kNext;
  const auto log_resumed = [&] {
    lane.reason.clear();
    lane.log_next_probe = lane.trouble_logged = false;
    log::Info("lane_resumed", {{"sink", lane.name}});
  };
  if (verdict.place_works) log::Info("place_works", {{"sink", lane.name}});
  switch (verdict.change) {
    case Lane::Change::kNone:
      // A reload or the operator had cleared the trouble; now a delivery got through.
      if (got_through && lane.trouble_logged && !lane.lane.in_trouble()) log_resumed();
      return;
    case Lane::Change::kThrottled: {
      const milliseconds asked = outcome.retry_after.value_or(milliseconds(0));
      const milliseconds most = lane.lane.policy().retry.max_retry_after;
      lane.reason = why + "; asked by the other side: " + FormatDuration(asked);
      if (asked > most) lane.reason += ", kept to " + FormatDuration(most);
      if (was_throttled) return;
      log::Warn("lane_throttled", {{"sink", lane.name},
                                   {"code", outcome.code},
                                   {"http_status", outcome.http_status},
                                   {"asked_ms", asked.count()},
                                   {"next_ms", verdict.wait.count()}});
      return;
    }
    case Lane::Change::kFailing:
      lane.reason = why;
      lane.trouble_logged = true;
      log::Warn("lane_failing", {{"sink", lane.name}, {"code", outcome.code}, {"http_status", outcome.http_status}});
      return;
    case Lane::Change::kPausedItself:
    case Lane::Change::kProbeFailed:
      lane.reason = outcome.action.empty() ? why : why + "; " + outcome.action;
      // A failed probe is not logged, except the one after the operator's resume.
      if (verdict.change == Lane::Change::kProbeFailed && !std::exchange(lane.log_next_probe, false)) return;
      lane.trouble_logged = true;
      if (lane.lane.is_misconfigured()) {
        log::Error("lane_paused", {{"sink", lane.name},
                                   {"code", outcome.code},
                                   {"http_status", outcome.http_status},
                                   {"action", outcome.action}});
      } else {
        log::Warn("lane_failing", {{"sink", lane.name}, {"code", outcome.code}, {"http_status", outcome.http_status}});
      }
      return;
    case Lane::Change::kReopened: return log_resumed();
  }
}

}  // namespace hookswitch
