#include "tests/fakes/memory_journal.h"

#include <algorithm>

namespace hookswitch {

struct MemoryJournal::Disk {
  struct Event {
    StoredEvent stored;
    bool damaged = false;
  };
  struct Delivery {
    PendingDelivery pending;
    DeliveryState state = DeliveryState::kPending;
    bool damaged = false;
  };
  std::map<EventSeq, Event> events;
  std::map<DeliverySeq, Delivery> deliveries;
  std::map<Digest, std::pair<EventSeq, std::string>> digests;
  std::map<std::pair<std::string, std::uint64_t>, std::string, std::less<>> memory;
  std::map<std::string, WallTime> lanes;
  std::vector<AttemptRecord> records;
  std::vector<RefusedRequest> refused;
  EventSeq next_event = 1;
  DeliverySeq next_delivery = 1;

  bool Ended(const Delivery& delivery) const {
    return delivery.state != DeliveryState::kPending && delivery.state != DeliveryState::kHeld;
  }
  std::uint64_t Pending() const {
    return static_cast<std::uint64_t>(
        std::ranges::count_if(deliveries, [this](const auto& entry) { return !Ended(entry.second); }));
  }
};

namespace {
constexpr std::uint16_t kSalt = 0x5a17;
constexpr std::size_t kRefusedKept = 1000;
}  // namespace

std::shared_ptr<MemoryJournal::Disk> MemoryJournal::MakeDisk() {
  return std::make_shared<Disk>();
}

MemoryJournal::MemoryJournal(std::shared_ptr<Disk> disk, std::uint64_t max_backlog)
    : disk_(std::move(disk)), max_backlog_(max_backlog) {}

Result<Accepted> MemoryJournal::Append(const NewEvent& event) {
  MutexLock lock(mu_);
  if (!unwritable_because_.empty()) return Error{ErrorCode::kUnavailable, unwritable_because_};
  if (const auto first = disk_->digests.find(event.dedup); first != disk_->digests.end()) {
    return Accepted{.event = first->second.first, .id = first->second.second, .duplicate = true, .first_delivery = 0};
  }
  if (max_backlog_ != 0 && !event.deliveries.empty() && disk_->Pending() >= max_backlog_) {
    return Error{ErrorCode::kFull, "too many deliveries wait already (max_backlog)"};
  }
  const EventSeq seq = disk_->next_event++;
  const std::string id = EventId(event.received_at, kSalt, seq);
  disk_->events[seq].stored = {
      seq, id, std::string(event.source), std::string(event.headers), std::string(event.body), event.received_at};
  disk_->digests[event.dedup] = {seq, id};
  const DeliverySeq first_delivery = event.deliveries.empty() ? 0 : disk_->next_delivery;
  for (const NewDelivery& delivery : event.deliveries) {
    PendingDelivery pending;
    pending.seq = disk_->next_delivery++;
    pending.event = seq;
    pending.call_key = event.call_key;
    pending.accepted_at = event.received_at;
    pending.sink = delivery.sink;
    pending.rule = delivery.rule;
    pending.template_name = delivery.template_name;
    disk_->deliveries[pending.seq] = {pending};
  }
  return Accepted{.event = seq, .id = id, .duplicate = false, .first_delivery = first_delivery};
}

MemoryJournal::Told MemoryJournal::Store(const AttemptRecord& record) {
  const auto found = disk_->deliveries.find(record.delivery);
  if (found == disk_->deliveries.end()) return {.delivery = record.delivery};
  if (found->second.damaged) return {.delivery = record.delivery, .stored = false};
  disk_->records.push_back(record);
  auto& delivery = found->second;
  DeliverySeq fallback = 0;
  if (!record.fallback_sink.empty()) {
    fallback = disk_->next_delivery++;
    PendingDelivery pending;
    pending.seq = fallback;
    pending.event = delivery.pending.event;
    pending.call_key = delivery.pending.call_key;
    pending.accepted_at = record.EndedAt();
    pending.is_fallback = true;
    pending.sink = record.fallback_sink;
    pending.rule = delivery.pending.rule;
    pending.template_name = delivery.pending.template_name;
    disk_->deliveries[fallback] = {pending};
  }
  delivery.state = record.state;
  delivery.pending.due = record.due;
  delivery.pending.attempts = std::max(delivery.pending.attempts, record.number);
  delivery.pending.step = record.step;
  if (record.outcome.kind == Outcome::Kind::kNext) {
    delivery.pending.state = record.outcome.state;
  } else if (record.step == 0) {
    delivery.pending.state.clear();
  }
  if (record.lane_due != WallTime{}) disk_->lanes[record.sink] = record.lane_due;
  if (record.outcome.has_memory) disk_->memory[{record.sink, record.call_key}] = record.outcome.memory;
  return {.delivery = record.delivery, .fallback = fallback};
}

void MemoryJournal::Record(AttemptRecord record) {
  Recorded recorded;
  Told told;
  {
    MutexLock lock(mu_);
    if (!unwritable_because_.empty()) {
      waiting_.push_back(std::move(record));
      return;
    }
    told = Store(record);
    recorded = on_recorded_;
  }
  if (recorded) recorded(told.delivery, told.fallback, told.stored);
}

void MemoryJournal::SetUnwritable(std::string because) {
  Recorded recorded;
  std::vector<Told> stored;
  {
    MutexLock lock(mu_);
    unwritable_because_ = std::move(because);
    if (!unwritable_because_.empty()) return;
    for (const AttemptRecord& record : waiting_) stored.push_back(Store(record));
    waiting_.clear();
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
  if (disk_->refused.size() > kRefusedKept) disk_->refused.erase(disk_->refused.begin());
}

Result<std::vector<PendingDelivery>> MemoryJournal::LoadPending(DeliverySeq after, std::size_t limit) {
  MutexLock lock(mu_);
  std::vector<PendingDelivery> page;
  for (auto it = disk_->deliveries.upper_bound(after); it != disk_->deliveries.end() && page.size() < limit; ++it) {
    if (!disk_->Ended(it->second)) page.push_back(it->second.pending);
  }
  return page;
}

Result<std::vector<LaneDue>> MemoryJournal::LoadLanes() {
  MutexLock lock(mu_);
  std::vector<LaneDue> lanes;
  for (const auto& [sink, due] : disk_->lanes) lanes.push_back({sink, due});
  return lanes;
}

Result<StoredEvent> MemoryJournal::Load(EventSeq event) {
  MutexLock lock(mu_);
  const auto found = disk_->events.find(event);
  if (found == disk_->events.end()) return Error{ErrorCode::kNotFound, "event is not in the journal (any more)"};
  if (found->second.damaged) return Error{ErrorCode::kInvalid, "event is damaged on disk"};
  return found->second.stored;
}

Result<std::string> MemoryJournal::LoadMemory(std::string_view sink, std::uint64_t call_key) {
  MutexLock lock(mu_);
  const auto found = disk_->memory.find(std::pair{std::string(sink), call_key});
  return found == disk_->memory.end() ? std::string() : found->second;
}

JournalStats MemoryJournal::Stats() {
  MutexLock lock(mu_);
  JournalStats stats;
  stats.events = disk_->events.size();
  stats.pending = disk_->Pending();
  for (const auto& [seq, event] : disk_->events) {
    stats.bytes += event.stored.body.size() + event.stored.headers.size();
    stats.bad_rows += event.damaged;
  }
  stats.unwritable_because = unwritable_because_;
  return stats;
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
