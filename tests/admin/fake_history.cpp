#include "tests/admin/fake_history.h"

#include <algorithm>

#include "core/journal/history.h"

namespace hookswitch {
namespace {

constexpr std::uint16_t kSalt = 0x5a17;
constexpr WallTime kBegin{std::chrono::milliseconds(1'772'614'923'114)};

bool Is(const std::string& wanted, const std::string& value) {
  return wanted.empty() || wanted == value;
}

template <class Rows, class Take>
auto PageOf(const Rows& rows, std::int64_t before, std::size_t limit, std::size_t rows_per_page, Take take) {
  Page<std::decay_t<decltype(*take(rows.begin()->second))>> page;
  auto row = before == 0 ? rows.end() : rows.lower_bound(before);
  for (std::size_t looked = 0; row != rows.begin() && looked < rows_per_page && page.items.size() < limit; ++looked) {
    --row;
    if (auto item = take(row->second)) page.items.push_back(*item);
  }
  page.next = row == rows.begin() ? 0 : row->first;
  return page;
}

PendingDelivery PendingOf(const DeliverySummary& summary) {
  PendingDelivery pending{summary, summary};
  pending.is_replay = true;
  return pending;
}

}  // namespace

EventSummary& FakeHistory::AddEvent(EventSeq seq) {
  EventSummary& event = events[seq];
  event.seq = seq;
  event.received_at = kBegin + std::chrono::seconds(seq);
  event.id = EventId(event.received_at, kSalt, seq);
  event.source = "bolna";
  event.call_id = "call-" + std::to_string(seq);
  event.agent = "billing-eu";
  event.status = "completed";
  return event;
}

DeliverySummary& FakeHistory::AddDelivery(DeliverySeq seq, DeliveryState state, const std::string& sink) {
  if (!events.contains(1)) AddEvent(1);
  Delivery& delivery = deliveries[seq];
  delivery.source = "bolna";
  delivery.summary.seq = seq;
  delivery.summary.event = 1;
  delivery.summary.event_id = events[1].id;
  delivery.summary.state = state;
  delivery.summary.sink = sink;
  delivery.summary.rule = "everything";
  delivery.summary.accepted_at = kBegin + std::chrono::seconds(seq);
  return delivery.summary;
}

Result<Page<EventSummary>> FakeHistory::ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) {
  HSW_TRY(on_read());
  if (on_page) on_page();
  last_event_filter = filter;
  return PageOf(events, before, limit, rows_per_page,
                [&](const EventSummary& event) { return Matches(filter, event) ? &event : nullptr; });
}

Result<Page<DeliverySummary>> FakeHistory::ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                          std::size_t limit) {
  HSW_TRY(on_read());
  if (on_page) on_page();
  last_delivery_filter = filter;
  return PageOf(deliveries, before, limit, rows_per_page, [&](const Delivery& row) -> const DeliverySummary* {
    const DeliverySummary& delivery = row.summary;
    DeliveryState state = delivery.state;
    if (IsOpen(state) && std::ranges::count(filter.held_sinks, delivery.sink) != 0) state = DeliveryState::kHeld;
    if (!filter.states.empty() && std::ranges::count(filter.states, state) == 0) return nullptr;
    const bool in_time = (!filter.since || delivery.accepted_at >= *filter.since) &&
                         (!filter.until || delivery.accepted_at < *filter.until);
    return in_time && Is(filter.sink, delivery.sink) && Is(filter.source, row.source) && Is(filter.rule, delivery.rule)
               ? &delivery
               : nullptr;
  });
}

Result<EventSummary> FakeHistory::FindEvent(EventSeq event) {
  HSW_TRY(on_read());
  const auto found = events.find(event);
  if (found == events.end()) return Error{ErrorCode::kNotFound, "no such event"};
  return found->second;
}

Result<std::vector<DeliverySummary>> FakeHistory::DeliveriesOf(EventSeq event) {
  HSW_TRY(on_read());
  std::vector<DeliverySummary> found;
  for (const auto& [seq, delivery] : deliveries) {
    if (delivery.summary.event == event) found.push_back(delivery.summary);
  }
  return found;
}

Result<DeliverySummary> FakeHistory::FindDelivery(DeliverySeq delivery) {
  HSW_TRY(on_read());
  const auto found = deliveries.find(delivery);
  if (found == deliveries.end()) return Error{ErrorCode::kNotFound, "no such delivery"};
  return found->second.summary;
}

Result<std::vector<StoredAttempt>> FakeHistory::AttemptsOf(DeliverySeq delivery) {
  HSW_TRY(on_read());
  const auto found = deliveries.find(delivery);
  if (found == deliveries.end()) return Error{ErrorCode::kNotFound, "no such delivery"};
  return found->second.attempts;
}

Result<std::vector<PendingDelivery>> FakeHistory::Revive(std::span<const DeliverySeq> wanted, WallTime now) {
  changes.push_back(wanted.size());
  HSW_TRY(on_change());
  std::vector<PendingDelivery> revived;
  for (const DeliverySeq seq : wanted) {
    const auto found = deliveries.find(seq);
    if (found == deliveries.end() || IsOpen(found->second.summary.state)) continue;
    found->second.summary.state = DeliveryState::kPending;
    found->second.summary.accepted_at = now;
    revived.push_back(PendingOf(found->second.summary));
  }
  return revived;
}

Result<std::vector<PendingDelivery>> FakeHistory::AddDeliveries(EventSeq event, std::span<const NewDelivery> wanted,
                                                                WallTime now) {
  changes.push_back(wanted.size());
  HSW_TRY(on_change());
  std::vector<PendingDelivery> added;
  for (const NewDelivery& one : wanted) {
    const DeliverySeq seq = deliveries.empty() ? 1 : deliveries.rbegin()->first + 1;
    DeliverySummary& summary = AddDelivery(seq, DeliveryState::kPending, std::string(one.sink));
    summary.event = event;
    summary.rule = one.rule;
    summary.accepted_at = now;
    added.push_back(PendingOf(summary));
  }
  return added;
}

Result<std::vector<DeliverySeq>> FakeHistory::Cancel(std::span<const DeliverySeq> wanted, const std::string& reason) {
  changes.push_back(wanted.size());
  HSW_TRY(on_change());
  std::vector<DeliverySeq> canceled;
  for (const DeliverySeq seq : wanted) {
    const auto found = deliveries.find(seq);
    if (found == deliveries.end() || found->second.summary.state == DeliveryState::kDelivered ||
        found->second.summary.state == DeliveryState::kCanceled) {
      continue;
    }
    found->second.summary.state = DeliveryState::kCanceled;
    found->second.summary.reason = reason;
    canceled.push_back(seq);
  }
  return canceled;
}

Result<KeptConfig> FakeHistory::LoadConfig(std::int64_t config) {
  const auto found = configs.find(config);
  if (found == configs.end()) return Error{ErrorCode::kNotFound, "config is not in the journal (any more)"};
  return found->second;
}

Result<std::vector<Revision>> FakeHistory::RevisionsOf(EventSeq event) {
  HSW_TRY(on_read());
  return revisions[event];
}

Result<Page<RefusedRequest>> FakeHistory::ListRefused(std::int64_t before, std::size_t limit) {
  HSW_TRY(on_read());
  Page<RefusedRequest> page;
  for (std::int64_t i = static_cast<std::int64_t>(refused.size()); i-- > 0;) {
    if (before > 0 && i + 1 >= before) continue;
    if (page.items.size() == limit) {
      page.next = i + 2;
      break;
    }
    page.items.push_back(refused[static_cast<std::size_t>(i)]);
  }
  return page;
}

void FakeHistory::RecordAction(OperatorAction action) {
  MutexLock lock(actions_mu_);
  action.number = static_cast<std::int64_t>(actions.size()) + 1;
  actions.push_back(std::move(action));
}

Result<Page<OperatorAction>> FakeHistory::ListActions(std::int64_t before, std::size_t limit) {
  HSW_TRY(on_read());
  MutexLock lock(actions_mu_);
  Page<OperatorAction> page;
  for (auto action = actions.rbegin(); action != actions.rend(); ++action) {
    if (before > 0 && action->number >= before) continue;
    if (page.items.size() == limit) {
      page.next = page.items.back().number;
      break;
    }
    page.items.push_back(*action);
  }
  return page;
}

Status FakeHistory::SavePause(const std::string&, const std::optional<Pause>&) {
  return Ok();
}

}  // namespace hookswitch
