#include "core/journal/reader.h"

#include <utility>

#include "core/journal/rows.h"
#include "core/journal/sqlite.h"
#include "core/journal/store.h"

namespace hookswitch {

Reader::Reader(std::string path, std::uint16_t salt) : path_(std::move(path)), salt_(salt) {}

Status Reader::Connect() {
  if (db_) return Ok();
  if (closed_) return Error{ErrorCode::kUnavailable, "the journal is closed"};
  auto opened = Database::Open(path_, Database::Mode::kRead);
  if (!opened) return opened.error();
  const std::pair<Statement*, std::string> statements[] = {
      {&pending_,
       "SELECT " + kPendingColumns + " FROM delivery WHERE seq >= ?1 AND seq <= ?2 AND state IN (0, 1) ORDER BY seq"},
      {&lanes_, "SELECT sink, due_ms, paused, until_ms, because FROM lane"},
      {&event_,
       "SELECT event.source, event.received_ms, raw.headers, raw.body, raw.sum, event.config FROM event LEFT JOIN raw "
       "USING (seq) "
       "WHERE event.seq = ?"},
      {&memory_, "SELECT text FROM memory WHERE sink = ? AND call_key = ?"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = opened->Prepare(text);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  db_ = std::move(*opened);
  return Ok();
}

void Reader::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  for (Statement* statement : {&pending_, &lanes_, &event_, &memory_}) *statement = Statement();
  db_.reset();
}

Result<std::vector<PendingDelivery>> Reader::LoadPending(DeliverySeq after, DeliverySeq last, std::size_t limit) {
  MutexLock lock(mu_);
  HSW_TRY(Connect());
  std::vector<PendingDelivery> page;
  if (limit == 0) return page;
  const auto skipped = ScanRows(pending_, after, last, [&](Statement& row) {
    if (IsSoundDelivery(row, kStateColumn, kSinkColumn)) page.push_back(PendingOf(row));
    return page.size() < limit;
  });
  if (!skipped) {
    db_.reset();
    return skipped.error();
  }
  return page;
}

Result<std::vector<LaneDue>> Reader::LoadLanes() {
  MutexLock lock(mu_);
  HSW_TRY(Connect());
  std::vector<LaneDue> lanes;
  for (;;) {
    const auto row = lanes_.Next();
    if (!row && row.error().code != ErrorCode::kInvalid) {
      db_.reset();
      return row.error();
    }
    if (!row || !*row) return lanes;
    LaneDue& lane = lanes.emplace_back(LaneDue{std::string(lanes_.Bytes(0)), Time(lanes_.Int(1))});
    if (lanes_.Int(2) != 0) lane.pause = Pause{Time(lanes_.Int(3)), std::string(lanes_.Bytes(4))};
  }
}

Result<StoredEvent> Reader::Load(EventSeq event) {
  MutexLock lock(mu_);
  HSW_TRY(Connect());
  event_.Bind(event);
  const auto row = event_.Next();
  if (!row) {
    if (row.error().code != ErrorCode::kInvalid) db_.reset();
    return Error{row.error().code, "event " + std::to_string(event) + " cannot be read: " + row.error().message};
  }
  if (!*row) return Error{ErrorCode::kNotFound, "event " + std::to_string(event) + " is not in the journal (any more)"};
  const WallTime received_at = Time(event_.Int(1));
  StoredEvent stored{.seq = event,
                     .id = EventId(received_at, salt_, event),
                     .source = std::string(event_.Bytes(0)),
                     .headers = std::string(event_.Bytes(2)),
                     .body = std::string(event_.Bytes(3)),
                     .received_at = received_at,
                     .config = event_.Int(5)};
  const bool sound =
      !event_.IsNull(3) && static_cast<std::uint64_t>(event_.Int(4)) == SumOf(stored.headers, stored.body);
  event_.Reset();
  if (!sound) return Error{ErrorCode::kInvalid, "event " + std::to_string(event) + " is damaged on disk"};
  return stored;
}

Result<std::string> Reader::LoadMemory(std::string_view sink, std::uint64_t call_key) {
  MutexLock lock(mu_);
  HSW_TRY(Connect());
  memory_.Bind(sink, call_key);
  const auto row = memory_.Next();
  if (!row) {
    if (row.error().code != ErrorCode::kInvalid) db_.reset();
    return Error{row.error().code, "what is remembered of a call cannot be read: " + row.error().message};
  }
  std::string text;
  if (*row) text = std::string(memory_.Bytes(0));
  memory_.Reset();
  return text;
}

}  // namespace hookswitch
