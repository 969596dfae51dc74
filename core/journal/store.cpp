#include "core/journal/store.h"

#include <cstring>
#include <utility>

#include "core/base/hash.h"
#include "core/base/log.h"
#include "core/journal/copy/copy_mark.h"
#include "core/journal/rows.h"
#include "core/journal/schema.h"
#include "core/journal/sqlite.h"

namespace hookswitch {
namespace {

// The floor only speeds up the next start, so it is stored now and then.
constexpr DeliverySeq kFloorStep = 1000;
constexpr std::int64_t kActionsKept = 10'000;

std::string_view AsText(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::uint64_t SumOf(std::string_view headers, std::string_view body) {
  return MixIn(MixIn(0, headers), body);
}

Result<std::unique_ptr<Store>> Store::Open(const std::string& path, int page_size) {
  std::unique_ptr<Store> store(new Store(path, page_size));
  HSW_TRY(store->Connect());
  const auto floor = store->db_.QueryInt("SELECT value FROM meta WHERE key = 'pending_floor'");
  if (!floor) return floor.error();
  store->stored_floor_ = std::max<DeliverySeq>(*floor, 1);
  HSW_TRY(store->LoadAfter(0, store->stored_floor_ - 1));
  const auto refused = store->db_.QueryInt("SELECT max(number) + 1 FROM refused");
  store->next_refused_ = refused ? *refused : 0;
  const auto memories = store->db_.QueryInt("SELECT EXISTS(SELECT 1 FROM memory)");
  store->has_memory_ = !memories || *memories != 0;
  return store;
}

Result<Database> OpenForWriting(const std::string& path, int page_size) {
  auto opened = Database::Open(path, Database::Mode::kWrite);
  if (!opened) return opened.error();
  Database& db = *opened;
  HSW_TRY(db.Exec(("PRAGMA page_size = " + std::to_string(page_size)).c_str()));
  const auto mode = db.QueryText("PRAGMA journal_mode = WAL");
  if (!mode) return mode.error();
  if (*mode != "wal") {
    return Error{ErrorCode::kUnavailable,
                 "its file system cannot keep a write-ahead log (SQLite's journal_mode stays \"" + *mode +
                     "\"): put journal.path on a local disk"};
  }
  HSW_TRY(
      db.Exec("PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -32768;"
              " PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST;"
              // Keep a long log and overwrite it in place, which syncs faster than growing it.
              " PRAGMA journal_size_limit = 134217728"));
  return opened;
}

Status Store::Connect() {
  auto opened = OpenForWriting(path_, page_size_);
  if (!opened) return opened.error();
  Database& db = *opened;
  const auto schema = PrepareSchema(db);
  if (!schema) return schema.error();
  const auto mark = db.QueryText("SELECT value FROM meta WHERE key = 'copy'");
  if (!mark) return mark.error();
  HSW_TRY(CheckUsable(*mark));
  salt_ = schema->salt;
  if (schema->found != 0 && schema->found != schema->version) {
    log::Info("journal_upgraded", {{"file", path_}, {"from", schema->found}, {"to", schema->version}});
  }
  const auto page_size = db.QueryInt("PRAGMA page_size");
  if (!page_size) return page_size.error();
  page_size_ = static_cast<int>(*page_size);

  const std::string one_pending = "SELECT " + kPendingColumns + " FROM delivery WHERE seq = ?";
  Statements sql;
  const std::pair<Statement*, std::string_view> statements[] = {
      {&sql.begin, "BEGIN IMMEDIATE"},
      {&sql.commit, "COMMIT"},
      {&sql.rollback, "ROLLBACK"},
      {&sql.event, "INSERT INTO event VALUES(?,?,?,?,?,?,?,?,?,?,?,?,0,?)"},
      {&sql.raw, "INSERT INTO raw VALUES(?,?,?,?)"},
      {&sql.delivery, "INSERT INTO delivery VALUES(?,?,?,?,?,?,0,0,0,0,0,?,?,?,'',zeroblob(16),?,'','','',0,0)"},
      {&sql.received_ms, "SELECT received_ms FROM event WHERE seq = ?"},
      {&sql.content_of, "SELECT content, config FROM event WHERE seq = ?"},
      {&sql.runs_of,
       "SELECT first_delivery, deliveries FROM event WHERE seq = ?1 UNION ALL "
       "SELECT first_delivery, deliveries FROM replay WHERE event = ?1"},
      {&sql.delivery_of, "SELECT event, sink, state, fallback FROM delivery WHERE seq = ?"},
      {&sql.keep_revision,
       "INSERT INTO revision SELECT seq, revisions, ?2, headers, body FROM event JOIN raw USING (seq) WHERE seq = ?1"},
      {&sql.revise_raw, "UPDATE raw SET sum = ?2, headers = ?3, body = ?4 WHERE seq = ?1"},
      {&sql.revise_event,
       "UPDATE event SET agent = ?2, status = ?3, note = ?4, content = ?5, config = ?6, revisions = revisions + 1 "
       "WHERE seq = ?1"},
      {&sql.drop_revisions,
       "DELETE FROM revision WHERE event = ?1 AND number < (SELECT revisions FROM event WHERE seq = ?1) - 16"},
      {&sql.attempt,
       "INSERT INTO attempt SELECT NULL, last_attempt, seq, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
       "?14, ?15, ?16, ?17 FROM delivery WHERE seq = ?1"},
      {&sql.update,
       "UPDATE delivery SET state = ?2, due_ms = ?3, attempts = max(attempts, ?4), step = ?5, "
       "last_attempt = max(last_attempt, ?6), fallback = max(fallback, ?7), "
       "carried = CASE WHEN ?8 THEN ?9 WHEN ?5 = 0 THEN '' ELSE carried END, room = x'', code = ?10, because = ?11, "
       "flags = CASE WHEN ?4 THEN flags & ~8 ELSE flags END, first_failed_ms = ?12 WHERE seq = ?1"},
      {&sql.keep_fallback,
       "INSERT OR IGNORE INTO replay SELECT event, fallback, 1 FROM delivery WHERE seq = ? AND fallback != 0"},
      {&sql.fallback,
       "INSERT INTO delivery SELECT ?2, event, call_key, ?4, 0, 0, 0, 0, 0, 0, 1, ?3, rule, template, '', "
       "zeroblob(16), 0, ?5, '', '', 0, 0 FROM delivery WHERE seq = ?1"},
      {&sql.memory,
       "INSERT INTO memory VALUES(?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET event = max(event, ?3), text = ?4"},
      {&sql.lane, "INSERT INTO lane VALUES(?1, ?2, 0, 0, '') ON CONFLICT DO UPDATE SET due_ms = ?2"},
      {&sql.pause,
       "INSERT INTO lane VALUES(?1, 0, ?2, ?3, ?4) ON CONFLICT DO UPDATE SET paused = ?2, until_ms = ?3, because = ?4, "
       "due_ms = CASE WHEN ?2 THEN due_ms ELSE 0 END"},
      {&sql.call_of, "SELECT call_key FROM event WHERE seq = ?"},
      {&sql.revive,
       "UPDATE delivery SET state = 0, replayed_ms = ?2, due_ms = 0, step = 0, carried = '', code = '', because = '', "
       "flags = flags | 12, room = x'', first_failed_ms = 0 WHERE seq = ?1"},
      {&sql.cancel, "UPDATE delivery SET state = 4, code = 'canceled', because = ?2, room = x'' WHERE seq = ?1"},
      {&sql.release, "UPDATE delivery SET state = 0, due_ms = 0, flags = flags | 2 WHERE seq = ?"},
      {&sql.one_pending, one_pending},
      {&sql.replay, "INSERT INTO replay VALUES(?, ?, ?)"},
      {&sql.config, "INSERT INTO config VALUES(NULL,?,?,?)"},
      {&sql.remove_config, "DELETE FROM config WHERE number = ?"},
      {&sql.refused, "INSERT OR REPLACE INTO refused VALUES(?,?,?,?,?,?,?,?,?)"},
      {&sql.action, "INSERT INTO action VALUES(NULL,?,?,?,?,?,?,?,?)"},
      {&sql.drop_actions, "DELETE FROM action WHERE number <= ?"},
      {&sql.set_meta, "UPDATE meta SET value = ?2 WHERE key = ?1"},
      {&sql.probe,
       "INSERT OR REPLACE INTO meta SELECT 'probe', ifnull((SELECT value FROM meta WHERE key = 'probe'), 0) + 1"},
      {&sql.page_count, "PRAGMA page_count"},
      {&sql.free_count, "PRAGMA freelist_count"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = db.Prepare(text);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  // The old connection stays open until the new one has read the log. With no connection open, SQLite would rebuild the
  // log's index, and a commit reported as failed could become visible.
  std::swap(sql_, sql);
  std::swap(db_, db);
  ++connection_;
  log_frames_ = 0;
  db_.TrackLogLength(&log_frames_);
  return Ok();
}

Status Store::Reconnect() {
  HSW_TRY(Connect());
  // A failed commit may still be on disk.
  return LoadAfter(next_event_ - 1, next_delivery_ - 1);
}

Status Store::Close() {
  Status emptied = db_.TruncateLog();
  sql_ = {};
  db_.Close();
  return emptied;
}

Status Store::LoadAfter(EventSeq event, DeliverySeq delivery) {
  const auto last_event = db_.QueryInt(
      "SELECT max((SELECT value FROM meta WHERE key = 'next_event') - 1, ifnull((SELECT max(seq) FROM event), 0))");
  if (!last_event) return last_event.error();
  const auto last_delivery = db_.QueryInt(
      "SELECT max((SELECT value FROM meta WHERE key = 'next_delivery') - 1, ifnull((SELECT max(seq) FROM delivery), "
      "0))");
  if (!last_delivery) return last_delivery.error();

  auto events =
      db_.Prepare("SELECT seq, dedup, received_ms, config FROM event WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq");
  if (!events) return events.error();
  const auto bad_events = ScanRows(*events, event, *last_event, [&](Statement& row) {
    ++events_;
    runs_.Add(row.Int(0), row.Int(2));
    configs_.Count(row.Int(3), 1);
    const std::string_view bytes = row.Bytes(1);
    Digest digest;
    if (bytes.size() != digest.size()) {
      ++bad_rows_;
      return true;
    }
    std::memcpy(digest.data(), bytes.data(), digest.size());
    if (dedup_.Find(digest) == 0) dedup_.Insert(digest, row.Int(0));
    return true;
  });
  if (!bad_events) return bad_events.error();

  auto deliveries = db_.Prepare("SELECT seq, state, sink FROM delivery WHERE seq >= ?1 AND seq <= ?2 ORDER BY seq");
  if (!deliveries) return deliveries.error();
  std::int64_t unsound = 0;
  const auto bad_deliveries = ScanRows(*deliveries, delivery, *last_delivery, [&](Statement& row) {
    if (!IsSoundDelivery(row, 1, 2)) {
      ++unsound;
    } else if (IsOpen(*StateOf(row.Int(1)))) {
      pending_.Set(row.Int(0), row.Bytes(2), true);
    }
    return true;
  });
  if (!bad_deliveries) return bad_deliveries.error();

  const std::int64_t bad = *bad_events + *bad_deliveries + unsound;
  if (bad != 0) log::Error("journal_rows_damaged", {{"file", path_}, {"rows", bad}});
  bad_rows_ += static_cast<std::uint64_t>(bad);
  next_event_ = std::max(next_event_, *last_event + 1);
  next_delivery_ = std::max(next_delivery_, *last_delivery + 1);
  return LoadConfigs();
}

Status Store::Begin() {
  undo_.next_event = next_event_;
  undo_.next_delivery = next_delivery_;
  undo_.stored_floor = stored_floor_;
  undo_.next_refused = next_refused_;
  undo_.events = events_;
  undo_.digests.clear();
  pending_.Begin();
  configs_.Begin();
  in_transaction_ = true;
  return sql_.begin.Run();
}

Status Store::CheckBacklog(const NewEvent& event, std::uint64_t max_backlog) const {
  if (max_backlog == 0) return Ok();
  for (const NewDelivery& delivery : event.deliveries) {
    if (pending_.CountOf(delivery.sink) < max_backlog) continue;
    if (dedup_.Find(event.dedup) != 0) break;
    return Error{ErrorCode::kFull, std::to_string(max_backlog) + " deliveries wait for the sink \"" +
                                       std::string(delivery.sink) + "\" already (journal.max_backlog)"};
  }
  return Ok();
}

Status Store::Append(const NewEvent& event, std::uint64_t sum, Accepted& accepted, WallTime& accepted_at) {
  if (const EventSeq first = dedup_.Find(event.dedup); first != 0) {
    accepted = {.event = first, .id = {}, .duplicate = true, .first_delivery = 0};
    accepted_at = event.received_at;
    // If the first event's row is damaged, the id still contains its EventSeq.
    sql_.received_ms.Bind(first);
    if (const auto row = sql_.received_ms.Next(); row && *row) {
      accepted_at = WallTime(std::chrono::milliseconds(sql_.received_ms.Int(0)));
      sql_.received_ms.Reset();
    }
    if (event.content == 0) return Ok();
    std::uint64_t content = 0;
    std::int64_t config = 0;
    if (const auto row = sql_.content_of.Bind(first).Next(); row && *row) {
      content = static_cast<std::uint64_t>(sql_.content_of.Int(0));
      config = sql_.content_of.Int(1);
      sql_.content_of.Reset();
    }
    if (content == 0 || content == event.content) return Ok();
    configs_.Count(config, -1);
    return Revise(first, event, sum, accepted.revised.emplace());
  }
  const auto count = static_cast<std::int64_t>(event.deliveries.size());
  const auto config = NumberOf(event.config);
  if (!config) return config.error();
  const EventSeq seq = next_event_;
  const DeliverySeq first_delivery = count == 0 ? 0 : next_delivery_;
  HSW_TRY(sql_.event
              .Bind(seq, Ms(event.received_at), Statement::Blob{AsText(event.dedup)}, event.call_key, first_delivery,
                    count, event.source, event.call_id, event.agent, event.status, event.note, event.content, *config)
              .Run());
  HSW_TRY(sql_.raw.Bind(seq, sum, event.headers, Statement::Blob{event.body}).Run());
  HSW_TRY(KeepCarry(seq, event));
  for (const NewDelivery& delivery : event.deliveries) {
    HSW_TRY(AddDelivery(seq, event.call_key, event.received_at, delivery, FlagsOf(delivery)));
  }
  ++next_event_;
  ++events_;
  dedup_.Insert(event.dedup, seq);
  runs_.Add(seq, Ms(event.received_at));
  configs_.Count(*config, 1);
  undo_.digests.emplace_back(event.dedup, seq);
  accepted = {.event = seq, .id = {}, .duplicate = false, .first_delivery = first_delivery};
  accepted_at = event.received_at;
  return Ok();
}

Status Store::KeepCarry(EventSeq seq, const NewEvent& event) {
  if (event.carry.empty() || event.call_key == 0) return Ok();
  has_memory_ = true;
  return sql_.memory.Bind(kNoSink, event.call_key, seq, event.carry).Run();
}

Status Store::AddDelivery(EventSeq event, std::uint64_t call_key, WallTime accepted, const NewDelivery& delivery,
                          std::int64_t flags) {
  const bool held = delivery.hold.count() > 0;
  HSW_TRY(sql_.delivery
              .Bind(next_delivery_, event, call_key, Ms(accepted),
                    static_cast<int>(held ? DeliveryState::kHeld : DeliveryState::kPending),
                    held ? Ms(accepted + delivery.hold) : 0, delivery.sink, delivery.rule, delivery.template_name,
                    flags)
              .Run());
  pending_.Set(next_delivery_++, delivery.sink, true);
  return Ok();
}

Status Store::Record(const AttemptRecord& record, DeliverySeq& fallback) {
  fallback = 0;
  const Outcome& outcome = record.outcome;
  const bool attempted = record.number != 0;
  DeliveryState state = record.state;
  if (IsOpen(state) && !pending_.Contains(record.delivery)) {
    std::set<DeliverySeq> damaged;
    const auto before = FindDelivery(record.delivery, damaged);
    if (!before) return before.error();
    // A delivery canceled while in flight stays canceled, unless it has ended otherwise.
    if (*before && (*before)->state == DeliveryState::kCanceled) state = DeliveryState::kCanceled;
  }
  std::int64_t attempt = 0;
  if (attempted) {
    const std::string waits = ToText(record.waits);
    HSW_TRY(sql_.attempt
                .Bind(record.delivery, record.number, Ms(record.started_at), record.latency.count(),
                      static_cast<int>(outcome.kind), outcome.may_have_been_delivered, outcome.http_status,
                      outcome.code, outcome.reason, outcome.action, outcome.remote_id, static_cast<int>(record.trigger),
                      record.request, record.response, waits, Ms(record.connect), Ms(record.first_byte))
                .Run());
    if (db_.Changes() == 0) return Ok();
    attempt = db_.LastInsertRowid();
  }
  const bool falls_back = !record.fallback_sink.empty();
  // A replayed delivery may fall back again; keep the earlier fallback reachable from the event.
  if (falls_back) HSW_TRY(sql_.keep_fallback.Bind(record.delivery).Run());
  const std::string_view code = attempted ? std::string_view() : outcome.code;
  const std::string_view reason = attempted ? std::string_view() : outcome.reason;
  HSW_TRY(sql_.update
              .Bind(record.delivery, static_cast<int>(state), Ms(record.due), record.number, record.step, attempt,
                    falls_back ? next_delivery_ : 0, outcome.kind == Outcome::Kind::kNext, outcome.state, code, reason,
                    Ms(record.first_failed))
              .Run());
  if (db_.Changes() == 0) return Ok();
  if (falls_back) {
    fallback = next_delivery_++;
    HSW_TRY(
        sql_.fallback.Bind(record.delivery, fallback, record.fallback_sink, Ms(record.EndedAt()), record.fallback_story)
            .Run());
    pending_.Set(fallback, record.fallback_sink, true);
  }
  pending_.Set(record.delivery, record.sink, IsOpen(state));
  if (outcome.has_memory) {
    HSW_TRY(sql_.memory.Bind(record.sink, record.call_key, record.event, outcome.memory).Run());
    has_memory_ = true;
  }
  if (record.lane_due != WallTime{}) HSW_TRY(sql_.lane.Bind(record.sink, Ms(record.lane_due)).Run());
  return Ok();
}

Status Store::RecordRefused(const RefusedRequest& refused) {
  const std::int64_t number = next_refused_++;
  return sql_.refused
      .Bind(number % kRefusedKept, number, Ms(refused.at), refused.source, refused.peer, refused.http_status,
            refused.error, refused.detail, refused.path)
      .Run();
}

Status Store::RecordAction(const OperatorAction& action) {
  HSW_TRY(sql_.action
              .Bind(Ms(action.at), action.who, action.peer, action.action, action.target, action.detail,
                    action.http_status, action.result)
              .Run());
  return sql_.drop_actions.Bind(db_.LastInsertRowid() - kActionsKept).Run();
}

Status Store::Probe() {
  return sql_.probe.Run();
}

Status Store::Commit() {
  const DeliverySeq floor = pending_floor();
  if (floor < stored_floor_ || floor >= stored_floor_ + kFloorStep) {
    HSW_TRY(sql_.set_meta.Bind(std::string_view("pending_floor"), floor).Run());
    stored_floor_ = floor;
  }
  HSW_TRY(sql_.commit.Run());
  in_transaction_ = false;
  return Ok();
}

Status Store::CommitRemoval(std::span<const RemovedEvent> removed) {
  events_ -= removed.size();
  // Numbers are never reused, even after the last row is deleted.
  HSW_TRY(sql_.set_meta.Bind(std::string_view("next_event"), next_event_).Run());
  HSW_TRY(sql_.set_meta.Bind(std::string_view("next_delivery"), next_delivery_).Run());
  HSW_TRY(Commit());
  for (const RemovedEvent& event : removed) {
    dedup_.Erase(event.dedup, event.seq);
    configs_.Count(event.config, -1);
  }
  return Ok();
}

Result<Database::CheckpointResult> Store::Checkpoint() {
  auto done = db_.Checkpoint();
  // Nothing to checkpoint until the next commit, which updates the length.
  if (done && done->frames >= 0 && done->checkpointed == done->frames) log_frames_ = 0;
  return done;
}

void Store::Rollback() {
  if (!std::exchange(in_transaction_, false)) return;
  // Fails if SQLite has already rolled back, which is fine.
  (void)sql_.rollback.Run();
  next_event_ = undo_.next_event;
  runs_.RemoveFrom(next_event_);
  next_delivery_ = undo_.next_delivery;
  stored_floor_ = undo_.stored_floor;
  next_refused_ = undo_.next_refused;
  events_ = undo_.events;
  for (const auto& [digest, event] : undo_.digests) dedup_.Erase(digest, event);
  undo_.digests.clear();
  pending_.Rollback();
  configs_.Rollback();
}

Result<std::uint64_t> Store::Bytes() {
  std::int64_t pages = 0;
  for (const auto& [statement, sign] : {std::pair{&sql_.page_count, 1}, std::pair{&sql_.free_count, -1}}) {
    const auto row = statement->Next();
    if (!row) return row.error();
    pages += sign * statement->Int(0);
    statement->Reset();
  }
  return static_cast<std::uint64_t>(pages * page_size_);
}

}  // namespace hookswitch
