#include "tests/fakes/memory_journal.h"

#include <algorithm>

#include "core/journal/history.h"

namespace hookswitch {

struct MemoryJournal::Disk {
  struct Event {
    StoredEvent stored;
    EventSummary summary;
    std::uint64_t call_key = 0, content = 0;
    std::vector<Revision> revisions;
    bool damaged = false;
  };
  struct Delivery {
    PendingDelivery pending;
    DeliveryState state = DeliveryState::kPending;
    bool was_replayed = false;
    WallTime accepted_at{};
    std::optional<WallTime> replayed_at;
    DeliverySeq fallback = 0;
    std::string code, reason;  ///< if it is as it is without an attempt
    std::vector<StoredAttempt> attempts;
    bool damaged = false;
  };
  std::map<EventSeq, Event> events;
  std::map<DeliverySeq, Delivery> deliveries;
  std::map<Digest, std::pair<EventSeq, std::string>> digests;
  std::map<std::pair<std::string, std::uint64_t>, std::string, std::less<>> memory;
  std::map<std::string, LaneDue> lanes;
  std::vector<KeptConfig> configs;  ///< numbers count from 1
  std::vector<AttemptRecord> records;
  std::vector<RefusedRequest> refused;
  std::int64_t last_refused = 0;  ///< the number of the newest
  std::vector<OperatorAction> actions;
  EventSeq next_event = 1;
  DeliverySeq next_delivery = 1;

  static bool Ended(const Delivery& delivery) {
    return delivery.state != DeliveryState::kPending && delivery.state != DeliveryState::kHeld;
  }
  std::uint64_t Pending() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(deliveries, [](const auto& entry) { return !Ended(entry.second); }));
  }
  std::int64_t NumberOf(const KeptConfig* config, std::size_t max_size) {
    if (config == nullptr || config->text.size() > max_size) return 0;
    const auto known = std::ranges::find(configs, config->hash, &KeptConfig::hash);
    if (known != configs.end()) return known - configs.begin() + 1;
    configs.push_back(*config);
    return static_cast<std::int64_t>(configs.size());
  }
  Delivery& Add(EventSeq event, std::uint64_t call_key, WallTime accepted_at, const NewDelivery& made) {
    const DeliverySeq seq = next_delivery++;
    Delivery& delivery = deliveries[seq];
    delivery.pending = MakePending(made, seq, event, call_key, accepted_at);
    delivery.accepted_at = accepted_at;
    delivery.state = delivery.pending.is_held ? DeliveryState::kHeld : DeliveryState::kPending;
    return delivery;
  }
};

namespace {

constexpr std::uint16_t kSalt = 0x5a17;
constexpr std::size_t kRefusedKept = 1000;
constexpr std::size_t kActionsKept = 10'000;
constexpr std::size_t kActionsWaiting = 1000;

Error NotThere() {
  return {ErrorCode::kNotFound, "it is not in the journal (any more)"};
}

StoredAttempt AttemptOf(const AttemptRecord& record) {
  const Outcome& outcome = record.outcome;
  StoredAttempt attempt;
  attempt.number = record.number;
  attempt.trigger = record.trigger;
  attempt.started_at = record.started_at;
  attempt.latency = record.latency;
  attempt.kind = outcome.kind;
  attempt.may_have_been_delivered = outcome.may_have_been_delivered;
  attempt.http_status = outcome.http_status;
  attempt.code = outcome.code;
  attempt.reason = outcome.reason;
  attempt.action = outcome.action;
  attempt.remote_id = outcome.remote_id;
  attempt.request = record.request;
  attempt.response = record.response;
  attempt.waits = record.waits;
  attempt.connect = record.connect;
  attempt.first_byte = record.first_byte;
  return attempt;
}

/// At most `limit` of `rows` (oldest first) numbered below `before`, newest first.
template <class T>
Page<T> NewestOf(const std::vector<T>& rows, std::int64_t before, std::size_t limit) {
  Page<T> page;
  for (auto row = rows.rbegin(); row != rows.rend() && limit != 0; ++row) {
    if (before > 0 && row->number >= before) continue;
    if (page.items.size() == limit) {
      page.next = page.items.back().number;
      break;
    }
    page.items.push_back(*row);
  }
  return page;
}

}  // namespace

std::shared_ptr<MemoryJournal::Disk> MemoryJournal::MakeDisk() {
  return std::make_shared<Disk>();
}

MemoryJournal::MemoryJournal(std::shared_ptr<Disk> disk, std::uint64_t max_backlog)
    : disk_(std::move(disk)), max_backlog_(max_backlog) {
  MutexLock lock(mu_);
  Publish();
}

void MemoryJournal::Publish() {
  feed_.Publish(disk_->next_event - 1, disk_->last_refused);
}

Status MemoryJournal::CheckOpen() const {
  if (closed_) return Error{ErrorCode::kUnavailable, "the journal is closed"};
  return Ok();
}

Status MemoryJournal::CheckWritable() const {
  HSW_TRY(CheckOpen());
  if (!unwritable_reason_.empty()) return Error{ErrorCode::kUnavailable, unwritable_reason_};
  return Ok();
}

void MemoryJournal::Close() {
  MutexLock lock(mu_);
  closed_ = true;
}

void MemoryJournal::SetMaxSize(std::size_t bytes) {
  MutexLock lock(mu_);
  max_size_ = bytes;
}

Result<Accepted> MemoryJournal::Append(const NewEvent& event) {
  MutexLock lock(mu_);
  HSW_TRY(CheckWritable());
  HSW_TRY(CheckRoom(event));
  return Add(event);
}

void MemoryJournal::AppendAllThen(std::span<const NewEvent> events, AppendedAll done) {
  const auto append = [&]() -> Result<std::vector<Accepted>> {
    MutexLock lock(mu_);
    HSW_TRY(CheckWritable());
    for (const NewEvent& event : events) HSW_TRY(CheckRoom(event));
    std::vector<Accepted> accepted;
    for (const NewEvent& event : events) accepted.push_back(Add(event));
    return accepted;
  };
  done(append());
}

Status MemoryJournal::CheckRoom(const NewEvent& event) const {
  if (disk_->digests.contains(event.dedup)) return Ok();
  const std::vector<std::string> full = Full();
  const auto goes_there = [&](const std::string& sink) {
    return std::ranges::any_of(event.deliveries, [&](const NewDelivery& delivery) { return delivery.sink == sink; });
  };
  if (std::ranges::any_of(full, goes_there)) {
    return Error{ErrorCode::kFull, "too many deliveries wait already (max_backlog)"};
  }
  if (event.body.size() > max_size_) return Error{ErrorCode::kTooLarge, "this event cannot be stored"};
  return Ok();
}

Accepted MemoryJournal::Add(const NewEvent& event) {
  if (const auto first = disk_->digests.find(event.dedup); first != disk_->digests.end()) {
    Accepted accepted{.event = first->second.first, .id = first->second.second, .duplicate = true, .first_delivery = 0};
    const std::uint64_t content = disk_->events.at(accepted.event).content;
    if (event.content != 0 && content != 0 && content != event.content) {
      accepted.revised = Revise(accepted.event, event);
    }
    return accepted;
  }
  const EventSeq seq = disk_->next_event++;
  const std::string id = EventId(event.received_at, kSalt, seq);
  const std::int64_t config = disk_->NumberOf(event.config, max_size_);
  disk_->events[seq] = {.stored = {seq, id, std::string(event.source), std::string(event.headers),
                                   std::string(event.body), event.received_at, config},
                        .summary = {.seq = seq,
                                    .id = id,
                                    .received_at = event.received_at,
                                    .source = std::string(event.source),
                                    .call_id = std::string(event.call_id),
                                    .agent = std::string(event.agent),
                                    .status = std::string(event.status),
                                    .note = std::string(event.note),
                                    .deliveries = static_cast<std::uint32_t>(event.deliveries.size()),
                                    .config = config},
                        .call_key = event.call_key,
                        .content = event.content,
                        .revisions = {}};
  disk_->digests[event.dedup] = {seq, id};
  if (!event.carry.empty() && event.call_key != 0) disk_->memory[{std::string(kNoSink), event.call_key}] = event.carry;
  const DeliverySeq first_delivery = event.deliveries.empty() ? 0 : disk_->next_delivery;
  for (const NewDelivery& delivery : event.deliveries) {
    feed_.Add(disk_->Add(seq, event.call_key, event.received_at, delivery).pending.seq);
  }
  Publish();
  return Accepted{.event = seq, .id = id, .duplicate = false, .first_delivery = first_delivery};
}

Accepted::Revised MemoryJournal::Revise(EventSeq seq, const NewEvent& revised) {
  Accepted::Revised changes;
  Disk::Event& event = disk_->events.at(seq);
  const std::uint32_t number = event.revisions.empty() ? 0 : event.revisions.back().number + 1;
  event.revisions.push_back({number, revised.received_at, event.stored.headers, event.stored.body});
  if (event.revisions.size() > 16) event.revisions.erase(event.revisions.begin());
  if (!revised.carry.empty() && event.call_key != 0) {
    disk_->memory[{std::string(kNoSink), event.call_key}] = revised.carry;
  }
  event.stored.headers = revised.headers;
  event.stored.body = revised.body;
  event.summary.agent = revised.agent;
  event.summary.status = revised.status;
  event.summary.note = revised.note;
  ++event.summary.revisions;
  event.stored.config = event.summary.config = disk_->NumberOf(revised.config, max_size_);
  event.content = revised.content;
  std::map<std::string, bool> reached;  // and whether it waits
  for (auto& [id, delivery] : disk_->deliveries) {
    if (delivery.pending.event != seq || delivery.state == DeliveryState::kCanceled) continue;
    const std::string& sink = delivery.pending.sink;
    const auto route = std::ranges::find(revised.deliveries, std::string_view(sink), &NewDelivery::sink);
    const bool wanted = route != revised.deliveries.end();
    if (wanted && route->ends_call && delivery.state == DeliveryState::kHeld) {
      delivery.state = DeliveryState::kPending;
      delivery.pending.is_held = false;
      delivery.pending.ends_call = true;
      delivery.pending.due = {};
      feed_.Add(id);
    }
    if (!wanted && !Disk::Ended(delivery)) {
      delivery.state = DeliveryState::kCanceled;
      delivery.code = "canceled";
      delivery.reason = "the event was revised, and no rule wants it here";
      changes.canceled.push_back(id);
      feed_.Add(id);
      continue;
    }
    reached[sink] = reached[sink] || !Disk::Ended(delivery);
  }
  for (const NewDelivery& route : revised.deliveries) {
    const auto found = reached.find(std::string(route.sink));
    if (found != reached.end() && (found->second || !route.updates)) continue;
    changes.added.push_back(disk_->Add(seq, event.call_key, revised.received_at, route).pending);
    feed_.Add(changes.added.back().seq);
  }
  feed_.AddRevised(seq);
  Publish();
  return changes;
}

MemoryJournal::Told MemoryJournal::Store(const AttemptRecord& record) {
  const auto found = disk_->deliveries.find(record.delivery);
  if (found == disk_->deliveries.end()) return {.delivery = record.delivery};
  if (found->second.damaged || record.request.size() > max_size_) return {.delivery = record.delivery, .stored = false};
  disk_->records.push_back(record);
  auto& delivery = found->second;
  DeliverySeq fallback = 0;
  if (!record.fallback_sink.empty()) {
    PendingDelivery& pending = disk_
                                   ->Add(delivery.pending.event, delivery.pending.call_key, record.EndedAt(),
                                         {.sink = record.fallback_sink,
                                          .rule = delivery.pending.rule,
                                          .template_name = delivery.pending.template_name})
                                   .pending;
    pending.is_fallback = true;
    pending.story = record.fallback_story;
    delivery.fallback = fallback = pending.seq;
  }
  delivery.code = delivery.reason = "";
  if (record.number == 0) {
    delivery.code = record.outcome.code;
    delivery.reason = record.outcome.reason;
  } else {
    delivery.attempts.push_back(AttemptOf(record));
    delivery.pending.is_replay = false;
  }
  delivery.pending.is_held = record.state == DeliveryState::kHeld;
  if (!IsOpen(record.state) || delivery.state != DeliveryState::kCanceled) delivery.state = record.state;
  delivery.pending.due = record.due;
  delivery.pending.first_failed = record.first_failed;
  delivery.pending.attempts = std::max(delivery.pending.attempts, record.number);
  delivery.pending.step = record.step;
  if (record.outcome.kind == Outcome::Kind::kNext) {
    delivery.pending.state = record.outcome.state;
  } else if (record.step == 0) {
    delivery.pending.state.clear();
  }
  if (record.lane_due != WallTime{}) disk_->lanes[record.sink].due = record.lane_due;
  if (record.outcome.has_memory) disk_->memory[{record.sink, record.call_key}] = record.outcome.memory;
  feed_.Add(record.delivery);
  if (fallback != 0) feed_.Add(fallback);
  Publish();
  return {.delivery = record.delivery, .fallback = fallback};
}

void MemoryJournal::Record(AttemptRecord record) {
  Recorded recorded;
  Told told;
  {
    MutexLock lock(mu_);
    if (closed_) return;
    if (!unwritable_reason_.empty()) {
      waiting_.push_back(std::move(record));
      return;
    }
    told = Store(record);
    recorded = on_recorded_;
  }
  if (recorded) recorded(told.delivery, told.fallback, told.stored);
}

void MemoryJournal::SetUnwritable(std::string reason) {
  Recorded recorded;
  std::vector<Told> stored;
  {
    MutexLock lock(mu_);
    unwritable_reason_ = std::move(reason);
    if (!unwritable_reason_.empty()) return;
    for (const AttemptRecord& record : waiting_) stored.push_back(Store(record));
    waiting_.clear();
    for (OperatorAction& action : waiting_actions_) Store(std::move(action));
    waiting_actions_.clear();
    recorded = on_recorded_;
  }
  if (!recorded) return;
  for (const Told& told : stored) recorded(told.delivery, told.fallback, told.stored);
}

void MemoryJournal::OnRecorded(Recorded recorded) {
  MutexLock lock(mu_);
  on_recorded_ = std::move(recorded);
}

void MemoryJournal::RecordRefused(RefusedRequest refused) {
  MutexLock lock(mu_);
  disk_->refused.push_back(std::move(refused));
  ++disk_->last_refused;
  if (disk_->refused.size() > kRefusedKept) disk_->refused.erase(disk_->refused.begin());
  disk_->refused.back().number = disk_->last_refused;
  Publish();
}

void MemoryJournal::Store(OperatorAction action) {
  action.number = disk_->actions.empty() ? 1 : disk_->actions.back().number + 1;
  disk_->actions.push_back(std::move(action));
  if (disk_->actions.size() > kActionsKept) disk_->actions.erase(disk_->actions.begin());
}

void MemoryJournal::RecordAction(OperatorAction action) {
  MutexLock lock(mu_);
  if (closed_) return;
  if (unwritable_reason_.empty()) {
    Store(std::move(action));
  } else if (waiting_actions_.size() < kActionsWaiting) {
    waiting_actions_.push_back(std::move(action));
  }
}

Result<Page<OperatorAction>> MemoryJournal::ListActions(std::int64_t before, std::size_t limit) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  return NewestOf(disk_->actions, before, limit);
}

Result<std::vector<PendingDelivery>> MemoryJournal::LoadPending(DeliverySeq after, std::size_t limit) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  std::vector<PendingDelivery> page;
  for (auto it = disk_->deliveries.upper_bound(after); it != disk_->deliveries.end() && page.size() < limit; ++it) {
    if (!disk_->Ended(it->second)) page.push_back(it->second.pending);
  }
  return page;
}

Result<std::vector<LaneDue>> MemoryJournal::LoadLanes() {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  std::vector<LaneDue> lanes;
  for (const auto& [sink, lane] : disk_->lanes) lanes.push_back({sink, lane.due, lane.pause});
  return lanes;
}

Result<StoredEvent> MemoryJournal::Load(EventSeq event) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  const auto found = disk_->events.find(event);
  if (found == disk_->events.end()) return Error{ErrorCode::kNotFound, "event is not in the journal (any more)"};
  if (found->second.damaged) return Error{ErrorCode::kInvalid, "event is damaged on disk"};
  return found->second.stored;
}

Result<std::string> MemoryJournal::LoadMemory(std::string_view sink, std::uint64_t call_key) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  const auto found = disk_->memory.find(std::pair{std::string(sink), call_key});
  return found == disk_->memory.end() ? std::string() : found->second;
}

std::vector<std::string> MemoryJournal::Full() const {
  std::vector<std::string> full;
  if (max_backlog_ == 0) return full;
  std::map<std::string, std::uint64_t> waiting;
  for (const auto& [seq, delivery] : disk_->deliveries) waiting[delivery.pending.sink] += !Disk::Ended(delivery);
  for (const auto& [sink, count] : waiting) {
    if (count >= max_backlog_) full.push_back(sink);
  }
  return full;
}

JournalStats MemoryJournal::Stats() {
  MutexLock lock(mu_);
  JournalStats stats;
  stats.events = disk_->events.size();
  stats.pending = disk_->Pending();
  stats.full = Full();
  for (const auto& [seq, event] : disk_->events) {
    stats.bytes += event.stored.body.size() + event.stored.headers.size();
    stats.bad_rows += event.damaged;
  }
  stats.unwritable_reason = unwritable_reason_;
  return stats;
}

DeliverySummary MemoryJournal::Summary(DeliverySeq seq) const {
  const Disk::Delivery& delivery = disk_->deliveries.at(seq);
  const PendingDelivery& pending = delivery.pending;
  DeliverySummary summary{pending, pending};
  summary.accepted_at = delivery.accepted_at;
  summary.replayed_at = delivery.replayed_at;
  summary.due = pending.due;
  summary.state = delivery.state;
  summary.was_replayed = delivery.was_replayed;
  summary.fallback = delivery.fallback;
  summary.code = delivery.code;
  summary.reason = delivery.reason;
  if (!delivery.attempts.empty()) Explain(summary, delivery.attempts.back());
  summary.story = pending.story;
  if (const auto event = disk_->events.find(pending.event); event != disk_->events.end()) {
    Describe(summary, event->second.summary);
  }
  return summary;
}

Result<Page<EventSummary>> MemoryJournal::ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  Page<EventSummary> page;
  for (auto it = disk_->events.rbegin(); it != disk_->events.rend(); ++it) {
    const auto& [seq, event] = *it;
    if (before > 0 && seq >= before) continue;
    if (page.items.size() == limit) {
      if (limit != 0) page.next = page.items.back().seq;
      break;
    }
    if (!Matches(filter, event.summary) || event.stored.body.find(filter.text) == std::string::npos) continue;
    page.items.push_back(event.summary);
  }
  return page;
}

Result<Page<DeliverySummary>> MemoryJournal::ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                            std::size_t limit) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  Page<DeliverySummary> page;
  for (auto it = disk_->deliveries.rbegin(); it != disk_->deliveries.rend(); ++it) {
    if (before > 0 && it->first >= before) continue;
    if (page.items.size() == limit) {
      if (limit != 0) page.next = page.items.back().seq;
      break;
    }
    DeliverySummary delivery = Summary(it->first);
    CountAsHeld(delivery, filter.held_sinks);
    const auto event = disk_->events.find(delivery.event);
    if (!Matches(filter, delivery)) continue;
    if (!MatchesEvent(filter, event == disk_->events.end() ? nullptr : &event->second.summary)) continue;
    page.items.push_back(std::move(delivery));
  }
  return page;
}

Result<EventSummary> MemoryJournal::FindEvent(EventSeq event) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  const auto found = disk_->events.find(event);
  if (found == disk_->events.end()) return NotThere();
  return found->second.summary;
}

Result<std::vector<DeliverySummary>> MemoryJournal::DeliveriesOf(EventSeq event) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  if (!disk_->events.contains(event)) return NotThere();
  std::vector<DeliverySummary> all;
  for (const auto& [seq, delivery] : disk_->deliveries) {
    if (delivery.pending.event == event) all.push_back(Summary(seq));
  }
  return all;
}

Result<DeliverySummary> MemoryJournal::FindDelivery(DeliverySeq delivery) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  if (!disk_->deliveries.contains(delivery)) return NotThere();
  return Summary(delivery);
}

Result<std::vector<StoredAttempt>> MemoryJournal::AttemptsOf(DeliverySeq delivery) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  const auto found = disk_->deliveries.find(delivery);
  if (found == disk_->deliveries.end()) return NotThere();
  return found->second.attempts;
}

Result<std::vector<PendingDelivery>> MemoryJournal::Revive(std::span<const DeliverySeq> deliveries, WallTime now) {
  MutexLock lock(mu_);
  HSW_TRY(CheckWritable());
  std::vector<PendingDelivery> revived;
  for (const DeliverySeq seq : deliveries) {
    const auto found = disk_->deliveries.find(seq);
    if (found == disk_->deliveries.end() || !Disk::Ended(found->second)) continue;
    Disk::Delivery& delivery = found->second;
    delivery.state = DeliveryState::kPending;
    delivery.was_replayed = true;
    delivery.code = delivery.reason = "";
    delivery.pending.is_replay = true;
    delivery.pending.is_held = false;
    delivery.replayed_at = delivery.pending.accepted_at = now;
    delivery.pending.first_failed = delivery.pending.due = {};
    delivery.pending.step = 0;
    delivery.pending.state.clear();
    revived.push_back(delivery.pending);
    feed_.Add(seq);
  }
  Publish();
  return revived;
}

Result<std::vector<PendingDelivery>> MemoryJournal::AddDeliveries(EventSeq event,
                                                                  std::span<const NewDelivery> deliveries,
                                                                  WallTime now) {
  MutexLock lock(mu_);
  HSW_TRY(CheckWritable());
  const auto found = disk_->events.find(event);
  if (found == disk_->events.end()) return NotThere();
  std::vector<PendingDelivery> added;
  for (const NewDelivery& made : deliveries) {
    Disk::Delivery& delivery = disk_->Add(event, found->second.call_key, now, made);
    delivery.was_replayed = delivery.pending.is_replay = true;
    added.push_back(delivery.pending);
    feed_.Add(delivery.pending.seq);
  }
  Publish();
  return added;
}

Result<std::vector<DeliverySeq>> MemoryJournal::Cancel(std::span<const DeliverySeq> deliveries,
                                                       const std::string& reason) {
  MutexLock lock(mu_);
  HSW_TRY(CheckWritable());
  std::vector<DeliverySeq> canceled;
  for (const DeliverySeq seq : deliveries) {
    const auto found = disk_->deliveries.find(seq);
    if (found == disk_->deliveries.end()) continue;
    Disk::Delivery& delivery = found->second;
    if (delivery.state == DeliveryState::kDelivered || delivery.state == DeliveryState::kCanceled ||
        delivery.state == DeliveryState::kFellBack) {
      continue;
    }
    delivery.state = DeliveryState::kCanceled;
    delivery.code = "canceled";
    delivery.reason = reason;
    canceled.push_back(seq);
    feed_.Add(seq);
  }
  Publish();
  return canceled;
}

Status MemoryJournal::SavePause(const std::string& sink, const std::optional<Pause>& pause) {
  MutexLock lock(mu_);
  HSW_TRY(CheckWritable());
  disk_->lanes[sink].pause = pause;
  if (!pause) disk_->lanes[sink].due = WallTime{};
  return Ok();
}

Result<KeptConfig> MemoryJournal::LoadConfig(std::int64_t config) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  if (config < 1 || static_cast<std::size_t>(config) > disk_->configs.size()) return NotThere();
  return disk_->configs[static_cast<std::size_t>(config) - 1];
}

Result<std::vector<Revision>> MemoryJournal::RevisionsOf(EventSeq event) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  const auto found = disk_->events.find(event);
  if (found == disk_->events.end()) return std::vector<Revision>();
  return found->second.revisions;
}

Result<Extent> MemoryJournal::FindExtent() {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  return Extent{kSalt, disk_->events.empty() ? 0 : disk_->events.begin()->first};
}

Result<Page<RefusedRequest>> MemoryJournal::ListRefused(std::int64_t before, std::size_t limit) {
  MutexLock lock(mu_);
  HSW_TRY(CheckOpen());
  return NewestOf(disk_->refused, before, limit);
}

void MemoryJournal::DamageDelivery(DeliverySeq delivery) {
  MutexLock lock(mu_);
  if (const auto found = disk_->deliveries.find(delivery); found != disk_->deliveries.end())
    found->second.damaged = true;
}

void MemoryJournal::Damage(EventSeq event) {
  MutexLock lock(mu_);
  if (const auto found = disk_->events.find(event); found != disk_->events.end()) found->second.damaged = true;
}

void MemoryJournal::Forget(EventSeq event) {
  MutexLock lock(mu_);
  disk_->events.erase(event);
  std::erase_if(disk_->digests, [&](const auto& digest) { return digest.second.first == event; });
}

std::vector<AttemptRecord> MemoryJournal::Records() const {
  MutexLock lock(mu_);
  return disk_->records;
}

std::vector<RefusedRequest> MemoryJournal::Refused() const {
  MutexLock lock(mu_);
  return disk_->refused;
}

std::optional<DeliveryState> MemoryJournal::StateOf(DeliverySeq delivery) const {
  MutexLock lock(mu_);
  const auto found = disk_->deliveries.find(delivery);
  if (found == disk_->deliveries.end()) return {};
  return found->second.state;
}

}  // namespace hookswitch
