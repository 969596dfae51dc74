#include "core/admin/live_reading.h"

#include <algorithm>
#include <utility>

#include "core/admin/event_rows.h"
#include "core/admin/history_json.h"

namespace hookswitch {
namespace {

constexpr std::size_t kLists = 3;  // share the bytes

}  // namespace

LiveReading::LiveReading(Router& router, History& history, Journal& journal, LiveKinds kinds, Limits limits,
                         LiveCursor& progress)
    : router_(router),
      history_(history),
      journal_(journal),
      kinds_(kinds),
      limits_(limits),
      progress_(progress),
      changes_(history.Changes(progress.changes)) {}

std::vector<LiveMessage> LiveReading::Run() {
  const bool is_other_journal = changes_.newest_event < progress_.event;
  if (is_other_journal) progress_.event = changes_.newest_event;
  progress_.refused = std::min(progress_.refused, changes_.newest_refused);
  if (changes_.lost) AddGap(kLiveEvent | kLiveDelivery, {});
  if (is_other_journal) AddGap(kLiveRefused, {});
  const std::size_t refused = Wanted(kLiveRefused, changes_.newest_refused - progress_.refused);
  const std::size_t events = Wanted(kLiveEvent, changes_.newest_event - progress_.event + std::ssize(changes_.revised));
  const std::size_t deliveries = Wanted(kLiveDelivery, std::ssize(changes_.deliveries));
  // Each list has a share of the rows, and what the others do not need.
  ReadRefused(refused, std::min(refused, std::max(limits_.rows / 4, Rest(events + deliveries))));
  if (!ReadEvents(events, std::min(events, std::max(Rest(used_) / 2, Rest(used_ + deliveries))))) {
    return std::move(messages_);
  }
  ReadDeliveries(deliveries, Rest(used_));
  return std::move(messages_);
}

void LiveReading::ReadRefused(std::size_t needed, std::size_t rows) {
  bytes_ = 0;
  Rows kept;
  if (rows != 0) {
    const auto page = history_.ListRefused(changes_.newest_refused + 1, rows);
    if (!page) return;
    for (const RefusedRequest& refused : page->items) {
      if (refused.number <= progress_.refused || !Keep(kept, ToObject(refused), refused.number)) break;
    }
  }
  used_ += kept.size();
  if (kept.size() < needed) {
    progress_.refused = kept.empty() ? changes_.newest_refused : kept.back().number - 1;
    LeaveOut(kLiveRefused, needed - kept.size());
  }
  AddRows(kLiveRefused, kept, progress_.refused);
  progress_.refused = changes_.newest_refused;
}

/// False: the journal cannot be read now.
bool LiveReading::ReadEvents(std::size_t needed, std::size_t rows) {
  bytes_ = 0;
  Rows fresh, revised;
  std::size_t taken = 0;
  if (!ReadNewEvents(rows, fresh, taken) || !ReadRevisedEvents(rows, revised, taken)) return false;
  used_ += taken;
  AddRows(kLiveEvent, revised, progress_.event);
  if (taken < needed) {
    progress_.event = fresh.empty() ? changes_.newest_event : fresh.back().number - 1;
    LeaveOut(kLiveEvent, needed - taken);
  }
  AddRows(kLiveEvent, fresh, progress_.event);
  progress_.event = changes_.newest_event;
  return true;
}

bool LiveReading::ReadNewEvents(std::size_t rows, Rows& kept, std::size_t& taken) {
  if (rows == 0 || changes_.newest_event <= progress_.event) return true;
  const auto page = history_.ListEvents({}, changes_.newest_event + 1, rows);
  if (!page) return false;
  for (const EventSummary& event : page->items) {
    if (event.seq <= progress_.event || !KeepEvent(event, event.seq, kept)) break;
    ++taken;
  }
  return true;
}

bool LiveReading::ReadRevisedEvents(std::size_t rows, Rows& kept, std::size_t& taken) {
  for (auto seq = changes_.revised.rbegin(); seq != changes_.revised.rend() && taken < rows; ++seq, ++taken) {
    if (*seq > progress_.event) continue;  // it is new: it was read with its revision
    const auto event = history_.FindEvent(*seq);
    if (!event && event.error().code == ErrorCode::kUnavailable) return false;
    if (event && !KeepEvent(*event, 0, kept)) break;
  }
  return true;
}

/// False: no more events fit.
bool LiveReading::KeepEvent(const EventSummary& event, std::int64_t number, Rows& kept) {
  auto row = ReadRow(event, CurrentHolds(), history_, journal_, router_);
  // One that was removed meanwhile, or is damaged, is in no list.
  if (!row) return row.error().code != ErrorCode::kUnavailable;
  for (DeliverySummary& delivery : row->deliveries) {
    const DeliverySeq seq = delivery.seq;
    known_.insert_or_assign(seq, std::move(delivery));
  }
  return Keep(kept, std::move(row->row), number);
}

void LiveReading::ReadDeliveries(std::size_t needed, std::size_t rows) {
  bytes_ = 0;
  Rows kept;
  std::size_t taken = 0, read = 0;
  for (auto seq = changes_.deliveries.rbegin(); seq != changes_.deliveries.rend() && taken < needed; ++seq, ++taken) {
    auto known = known_.find(*seq);
    if (known == known_.end()) {
      if (read == rows) break;
      ++read;
      auto found = history_.FindDelivery(*seq);
      if (!found && found.error().code == ErrorCode::kUnavailable) return;
      if (!found) continue;
      known = known_.emplace(*seq, std::move(*found)).first;
    }
    if (!Keep(kept, ToObject(known->second, CurrentHolds().Of(known->second)), 0)) break;
  }
  used_ += read;
  if (kept.empty()) progress_.changes = changes_.next;
  if (taken < needed) LeaveOut(kLiveDelivery, needed - taken);
  if (!kept.empty()) AddDeliveries(std::move(kept));
}

/// Only the last one moves the cursor.
void LiveReading::AddDeliveries(Rows kept) {
  std::int64_t unnumbered = 0;
  const Rows last{std::move(kept.front())};
  kept.erase(kept.begin());
  AddRows(kLiveDelivery, kept, unnumbered);
  progress_.changes = changes_.next;
  AddRows(kLiveDelivery, last, unnumbered);
}

std::size_t LiveReading::Wanted(LiveKind kind, std::int64_t count) const {
  return (kinds_ & kind) != 0 ? static_cast<std::size_t>(count) : 0;
}

std::size_t LiveReading::Rest(std::size_t others) const {
  return limits_.rows - std::min(limits_.rows, others);
}

/// False: `row` is beyond the bytes of its list.
bool LiveReading::Keep(Rows& kept, json::object row, std::int64_t number) {
  Row one{ToText(json::value(std::move(row))), number};
  bytes_ += one.data.size();
  if (bytes_ > limits_.bytes / kLists) return false;
  kept.push_back(std::move(one));
  return true;
}

/// Adds messages, oldest first. `number`: the cursor's of the list.
void LiveReading::AddRows(LiveKind kind, const Rows& rows, std::int64_t& number) {
  for (auto row = rows.rbegin(); row != rows.rend(); ++row) {
    if (row->number != 0) number = row->number;
    messages_.push_back(MakeLiveMessage(kind, row->data, progress_));
  }
}

void LiveReading::AddGap(LiveKinds kinds, std::optional<std::size_t> missed) {
  if ((kinds & kinds_) != 0) messages_.push_back(MakeGap(kinds & kinds_, missed, progress_));
}

void LiveReading::LeaveOut(LiveKind kind, std::size_t missed) {
  is_short_ = true;
  // If changes are lost, a gap of unknown size was told already.
  if (kind == kLiveRefused || !changes_.lost) AddGap(kind, missed);
}

const Holds& LiveReading::CurrentHolds() {
  if (!holds_) holds_.emplace(router_.Lanes(), router_);
  return *holds_;
}

}  // namespace hookswitch
