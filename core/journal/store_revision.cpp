#include <algorithm>

#include "core/journal/rows.h"
#include "core/journal/store.h"

// Revisions: a known event arrives with different content.
namespace hookswitch {

Result<std::vector<Store::StoredDelivery>> Store::DeliveriesOfEvent(EventSeq event) {
  std::vector<std::pair<DeliverySeq, std::int64_t>> runs;
  sql_.runs_of.Bind(event);
  for (;;) {
    const auto row = sql_.runs_of.Next();
    if (!row) return row.error();
    if (!*row) break;
    runs.emplace_back(sql_.runs_of.Int(0), sql_.runs_of.Int(1));
  }
  std::vector<StoredDelivery> all;
  for (const auto& [first, count] : runs) {
    for (DeliverySeq place = first; place - first < count; ++place) {
      bool is_there = false;
      for (DeliverySeq seq = place; seq != 0;) {
        const auto row = sql_.delivery_of.Bind(seq).Next();
        if (!row) return row.error();
        if (!*row) break;
        const bool is_its = sql_.delivery_of.Int(0) == event;
        const auto state = StateOf(sql_.delivery_of.Int(2));
        const DeliverySeq fallback = sql_.delivery_of.Int(3);
        if (is_its && state) all.push_back({seq, std::string(sql_.delivery_of.Bytes(1)), *state});
        sql_.delivery_of.Reset();
        is_there = true;
        // A fallback is of the same event and always stored later; anything else is damage.
        seq = is_its && fallback > seq ? fallback : 0;
      }
      // Rows of a run are removed together, so a row after a gap is damage.
      if (!is_there) break;
    }
  }
  return all;
}

Status Store::Revise(EventSeq event, const NewEvent& revised, std::uint64_t sum, Accepted::Revised& changes) {
  HSW_TRY(sql_.keep_revision.Bind(event, Ms(revised.received_at)).Run());
  HSW_TRY(sql_.revise_raw.Bind(event, sum, revised.headers, Statement::Blob{revised.body}).Run());
  HSW_TRY(sql_.revise_event.Bind(event, revised.agent, revised.status, revised.note, revised.content).Run());
  HSW_TRY(sql_.drop_revisions.Bind(event).Run());

  const auto all = DeliveriesOfEvent(event);
  if (!all) return all.error();
  for (const StoredDelivery& delivery : *all) {
    const bool wanted =
        std::ranges::any_of(revised.deliveries, [&](const NewDelivery& route) { return route.sink == delivery.sink; });
    if (wanted || !IsOpen(delivery.state)) continue;
    HSW_TRY(sql_.cancel.Bind(delivery.seq, std::string_view("the event was revised, and no rule wants it here")).Run());
    pending_.Set(delivery.seq, delivery.sink, false);
    changes.canceled.push_back(delivery.seq);
  }
  std::vector<NewDelivery> more;
  for (const NewDelivery& route : revised.deliveries) {
    bool was_reached = false, waits = false;
    for (const StoredDelivery& delivery : *all) {
      if (delivery.sink != route.sink || delivery.state == DeliveryState::kCanceled) continue;
      was_reached = true;
      waits = waits || IsOpen(delivery.state);
    }
    if (!was_reached || (route.updates && !waits)) more.push_back(route);
  }
  return AddLater(event, more, revised.received_at, 0, changes.added);
}

}  // namespace hookswitch
