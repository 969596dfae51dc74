#include <algorithm>

#include "core/base/check.h"
#include "core/base/log.h"
#include "core/base/time_text.h"
#include "core/delivery/delivery_log.h"
#include "core/delivery/dispatcher.h"
#include "core/delivery/notice.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

std::string Attempts(std::uint32_t count) {
  return std::to_string(count) + (count == 1 ? " attempt" : " attempts");
}

std::string StoryOfAttempts(const std::string& sink, const LaneDelivery& delivery, const Outcome& outcome) {
  std::string story = "Not delivered to " + sink + " after " + Attempts(delivery.attempts) + ": " +
                      (outcome.reason.empty() ? outcome.code : outcome.reason);
  if (outcome.may_have_been_delivered) story += " (it may have arrived all the same)";
  return story;
}

/// As what an outcome counts in the last hour; a step that is followed by another counts as nothing.
std::optional<HourCounts::What> CountedAs(DeliveryState state, Outcome::Kind kind) {
  if (state == DeliveryState::kDead) return HourCounts::What::kDead;
  if (kind == Outcome::Kind::kDelivered) return HourCounts::What::kDelivered;
  if (kind == Outcome::Kind::kNext) return {};
  return HourCounts::What::kRetried;
}

}  // namespace

bool Dispatcher::FallsBack(const LaneRuntime& lane, const LaneDelivery& delivery) const {
  return !delivery.is_fallback && !lane.fallback.empty() && lane.fallback != lane.name &&
         plan_->lanes.contains(lane.fallback);
}

void Dispatcher::Conclude(InFlight& flight, Outcome outcome) {
  LaneRuntime& lane = *flight.lane;
  const Attempt::Facts& facts = flight.attempt->facts();
  const MonoTime now = clock_.Mono();
  const WallTime wall = clock_.Wall();
  const milliseconds latency = ToMs(now - flight.started);
  const bool was_throttled = lane.lane.StateAt(now) == Lane::State::kThrottled;
  if (outcome.scope == Outcome::Scope::kPlace && outcome.place.empty()) outcome.place = flight.place;
  const Lane::Verdict verdict = lane.lane.Finish(flight.ref, outcome, now, jitter_);
  const LaneDelivery& delivery = lane.lane[flight.ref];
  if (facts.sink && outcome.kind != Outcome::Kind::kDelivered) {
    outcome.reason = facts.sink->Mask(std::move(outcome.reason));
    outcome.action = facts.sink->Mask(std::move(outcome.action));
  }
  if (verdict.refused) outcome.reason += " (refused again and again, while others got through)";
  const bool dead = verdict.state == DeliveryState::kDead;
  if (dead && !flight.Hopeless() && FallsBack(lane, delivery)) {
    flight.fallback = lane.fallback;
    flight.story = StoryOfAttempts(lane.name, delivery, outcome);
  }
  const auto event = flight.Event();
  LogAttempt(lane, {.attempt = *flight.attempt,
                    .event_id = event ? std::string_view(event->id) : std::string_view(),
                    .outcome = outcome,
                    .verdict = verdict,
                    .fallback = flight.fallback,
                    .latency = latency,
                    .accepted = delivery.accepted,
                    .now = now});
  LogLaneChange(lane, outcome, verdict, was_throttled);
  if (const auto counted = CountedAs(verdict.state, outcome.kind)) lane.last_hour->Count(*counted, wall);
  const std::string& why = outcome.reason.empty() ? outcome.code : outcome.reason;
  if (facts.route.rule != kNoticeRule) {
    if (dead && flight.fallback.empty()) lane.notices.Dead(why, now);
    if (verdict.place_refused) lane.notices.PlaceRefused(outcome.place, why, now);
  }
  if (verdict.change != Lane::Change::kNone) publish_now_ = true;
  ++lane.concluded;
  lane.last_outcome.kind = outcome.kind;
  lane.last_outcome.reason = outcome.action.empty() ? why : why + "; " + outcome.action;
  if (waiting_ > 0) concluded_.NotifyAll();

  AttemptRecord record{
      .delivery = facts.delivery.seq,
      .event = facts.delivery.event,
      .sink = facts.route.sink,
      .call_key = facts.delivery.call_key,
      .number = facts.number(),
      .trigger = facts.trigger(),
      .started_at = flight.started_wall,
      .latency = latency,
      .outcome = {},
      .state = flight.fallback.empty() ? verdict.state : DeliveryState::kFellBack,
      .due = verdict.wait > milliseconds(0) ? wall + verdict.wait : WallTime{},
      .step = delivery.step,
      .first_failed = delivery.first_failed == MonoTime{} ? WallTime{} : wall - ToMs(now - delivery.first_failed),
      .lane_due = {},
      .fallback_sink = {}};
  for (const Wait& wait : flight.waits) lane.series.Waited(wait);
  record.waits = std::move(flight.waits);
  const auto times = flight.attempt->times();
  record.connect = times.connect;
  record.first_byte = times.first_byte;
  if (verdict.change == Lane::Change::kThrottled) record.lane_due = wall + ToMs(lane.lane.throttled_until() - now);
  if (!flight.given_up) {
    record.request = flight.attempt->TakeRequest();
    record.response = flight.attempt->TakeResponse();
  }
  const bool goes_on = outcome.kind == Outcome::Kind::kNext;
  if (goes_on) lane.RememberSecrets(flight.ref, std::move(outcome.state_secrets), facts.delivery.step, facts.state);
  if (verdict.state == DeliveryState::kPending) {
    lane.Remember(flight.ref, event, goes_on ? outcome.state : facts.state);
  }
  if (!goes_on) outcome.state = facts.state;  // a failed step is retried from its own state
  if (const auto* secret = lane.SecretStateOf(flight.ref)) {
    record.step = secret->stored_step;
    outcome.state = secret->stored_state;
  }
  record.outcome = std::move(outcome);
  Record(flight, std::move(record));
}

void Dispatcher::EndWithoutAttempt(LaneRuntime& lane, const Lane::Ending& ending) {
  const LaneDelivery& delivery = lane.lane[ending.ref];
  const auto [entry, is_new] = in_flight_.try_emplace(delivery.seq);
  HSW_CHECK(is_new, "what ends without an attempt has none");
  InFlight& flight = entry->second;
  flight = {.lane = &lane, .ref = ending.ref, .id = ++last_attempt_, .attempt = nullptr, .started_wall = clock_.Wall()};
  Outcome outcome;
  DeliveryState state = DeliveryState::kDead;
  switch (ending.why) {
    case Lane::End::kReplaced:
      state = DeliveryState::kCanceled;
      outcome.code = "replaced";
      outcome.reason = "a later status of the call took its place";
      break;
    case Lane::End::kSettled:
      state = DeliveryState::kCanceled;
      outcome.code = "settled";
      outcome.reason = "the call's final event came, and is sent instead";
      break;
    case Lane::End::kTooOld:
      outcome.code = "too_old";
      outcome.reason = "it waited longer than the sink's max_age";
      break;
    case Lane::End::kGivenUp:
      outcome.code = "gave_up";
      outcome.reason = "the sink has failed since " +
                       ToRfc3339(clock_.Wall() - ToMs(clock_.Mono() - lane.lane.troubled_since())) + ": " + lane.reason;
      break;
    case Lane::End::kRefused: {
      const auto* place = lane.lane.refused_places().Find(ending.place);
      outcome.code = "place_refused";
      outcome.reason = (place ? place->name + " is refused: " + place->reason : "its place is refused") +
                       " (again and again, while others got through)";
      break;
    }
  }
  if (state == DeliveryState::kDead && FallsBack(lane, delivery)) {
    flight.fallback = lane.fallback;
    flight.story = "Not delivered to " + lane.name + ": " + outcome.reason;
  }
  if (state == DeliveryState::kDead) lane.last_hour->Count(HourCounts::What::kDead, flight.started_wall);
  if (state == DeliveryState::kDead && !flight.fallback.empty()) state = DeliveryState::kFellBack;
  if (state == DeliveryState::kDead && origins_.Rule(delivery.origin) != kNoticeRule) {
    lane.notices.Dead(outcome.reason, clock_.Mono());
  }
  const auto event = flight.Event();
  LogEnding(lane, {.delivery = DeliveryId(delivery.seq),
                   .event_id = event ? std::string_view(event->id) : std::string_view(),
                   .outcome = outcome,
                   .state = state,
                   .fallback = flight.fallback});
  AttemptRecord record{.delivery = delivery.seq,
                       .event = delivery.event,
                       .sink = lane.name,
                       .call_key = delivery.call_key,
                       .number = 0,
                       .started_at = flight.started_wall,
                       .outcome = std::move(outcome),
                       .state = state,
                       .step = delivery.step,
                       .fallback_sink = {}};
  Record(flight, std::move(record));
}

void Dispatcher::Record(InFlight& flight, AttemptRecord record) {
  record.fallback_sink = flight.fallback;
  record.fallback_story = flight.story;
  flight.ended = record.EndedAt();
  flight.is_recording = true;
  flight.ends = record.state != DeliveryState::kPending;
  journal_.Record(std::move(record));
}

void Dispatcher::Handle(const Inbox::Recorded& recorded) {
  auto node = in_flight_.extract(recorded.delivery);
  if (node.empty()) return;
  InFlight& flight = node.mapped();
  HSW_CHECK(flight.is_recording, "only what was passed to Record is reported as recorded");
  LaneRuntime& lane = *flight.lane;
  if (recorded.fallback != 0) {
    const LaneDelivery& delivery = lane.lane[flight.ref];
    // It queues behind the backlog of that sink.
    PendingDelivery fallback{
        {.seq = recorded.fallback, .event = delivery.event, .call_key = delivery.call_key, .is_fallback = true},
        RouteOf(lane, delivery)};
    fallback.sink = flight.fallback;
    fallback.accepted_at = flight.ended;
    fallback.story = flight.story;
    Add(std::move(fallback), flight.Event());
  }
  // A delivery whose record could not be stored is not retried: its attempts would no longer be counted.
  const bool ends = unwanted_.erase(recorded.delivery) != 0 || flight.ends || !recorded.stored;
  if (ends) lane.Forget(flight.ref);
  lane.lane.Settle(flight.ref, ends);
  LetGo(flight);
  if (auto again = after_flight_.extract(recorded.delivery); !again.empty() && ends) {
    Add(std::move(again.mapped()), nullptr);
  }
}

void Dispatcher::NotifyOf(LaneRuntime& lane, MonoTime now) {
  for (const Message& notice : lane.notices.Take(lane.name, lane.lane, lane.reason, now)) {
    if (lane.notify != lane.name) Notify(lane.name, lane.notify, notice);
  }
}

// Runs on a worker, because the journal may block.
void Dispatcher::Notify(const std::string& about, const std::string& to, const Message& notice) {
  if (to.empty()) return;
  const WallTime now = clock_.Wall();
  const std::string unique =
      std::string(kOwnSource) + '\n' + about + '\n' + ToRfc3339(now) + '\n' + std::to_string(++last_notice_);
  runner_.workers().Post(
      0, 0, kStoreLimit,
      [inbox = inbox_, journal = journal_ref_, to, body = NoticeBody(notice), dedup = DigestOf(unique), now] {
        const NewDelivery delivery{.sink = to, .rule = kNoticeRule, .template_name = {}};
        NewEvent event;
        event.source = kOwnSource;
        event.body = body;
        event.dedup = dedup;
        event.received_at = now;
        event.note = "a notice of hookswitch";
        event.deliveries = std::span(&delivery, 1);
        const auto stored = journal->With([&](Journal& open) { return open.Append(event); });
        if (!stored) return;  // hookswitch was stopping
        const Result<Accepted>& accepted = *stored;
        if (!accepted) {
          log::Error("notice_not_stored", {{"to", to}, {"reason", accepted.error().message}});
          return;
        }
        inbox->Accept({nullptr, StoredDeliveries(event, *accepted)});
      });
}

}  // namespace hookswitch
