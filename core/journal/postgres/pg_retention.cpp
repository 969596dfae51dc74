#include "core/journal/postgres/pg_retention.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "core/journal/postgres/pg_rows.h"
#include "core/journal/postgres/pg_schema.h"

namespace hookswitch::pg {
namespace {

constexpr std::int64_t kScanned = 50'000, kLookedAt = 5000, kTrimmed = 500, kSwept = 4000;  // rows a step
constexpr std::chrono::seconds kRecheckEvery{60};
/// Rows of events that were removed one by one.
constexpr std::chrono::minutes kSweepEvery{10};
constexpr std::int64_t kAnyTime = std::numeric_limits<std::int64_t>::max();
/// Numbers stay below 2^53: JSON's readers know no larger ones exactly.
constexpr std::int64_t kEndOfNumbers = std::int64_t{1} << 53;

/// `sql` with the number of a partition for "#", its first number for "{" and the one after its last for "}".
std::string Of(std::int64_t part, std::string_view sql) {
  std::string text;
  for (const char c : sql) {
    switch (c) {
      case '#': text += std::to_string(part); break;
      case '{': text += std::to_string(part * kPartSize); break;
      case '}': text += std::to_string((part + 1) * kPartSize); break;
      default: text += c;
    }
  }
  return text;
}

/// Events of a partition that wait: they have an open delivery.
constexpr std::string_view kWaiting =
    "SELECT event FROM @delivery WHERE state < 2 AND event >= { AND event < } UNION "
    "SELECT m.event FROM @more m JOIN @delivery d ON d.seq = m.delivery "
    "WHERE m.event >= { AND m.event < } AND d.state < 2";
/// Deliveries of a partition that stay though their event may lie in another.
constexpr std::string_view kForOthers =
    "SELECT seq FROM @delivery_# WHERE state < 2 UNION "
    "SELECT m.delivery FROM @more m JOIN @event e ON e.seq = m.event "
    "WHERE (m.event < { OR m.event >= }) AND m.delivery >= { AND m.delivery < }";
/// Deliveries of the events $1.
constexpr std::string_view kOfEvents =
    "SELECT s.seq FROM @event e, generate_series(e.first_delivery, e.first_delivery + e.deliveries - 1) s(seq) "
    "WHERE e.seq = ANY($1) UNION SELECT m.delivery FROM @more m WHERE m.event = ANY($1)";
constexpr std::string_view kPartTables[] = {"event", "delivery", "attempt"};

/// A table outside the partitions whose rows name events.
struct Named {
  /// The next rows in the order of their key (a, b), after the one ($1, $2).
  std::string_view page;
  /// Removes those of the rows r(a, b, event), whose events are gone; the first only what depends on them.
  std::string_view first, remove;
};
constexpr Named kNamed[] = {
    {"SELECT DISTINCT ''::bytea AS a, event AS b, event FROM (SELECT event FROM @revision WHERE event > $2 "
     "ORDER BY event LIMIT $3) rows",
     "", "DELETE FROM @revision t USING r WHERE t.event = r.event"},
    {"SELECT DISTINCT ''::bytea AS a, event AS b, event FROM (SELECT event FROM @more WHERE event > $2 "
     "ORDER BY event LIMIT $3) rows",
     ", gone AS (DELETE FROM @delivery d USING r, @more m WHERE m.event = r.event AND d.seq = m.delivery AND "
     "d.state >= 2 RETURNING d.seq) DELETE FROM @attempt t USING gone WHERE t.delivery = gone.seq",
     "DELETE FROM @more t USING r WHERE t.event = r.event AND "
     "(SELECT d.seq FROM @delivery d WHERE d.seq = t.delivery) IS NULL"},
    {"SELECT sink AS a, call_key AS b, event FROM @memory WHERE (sink, call_key) > ($1, $2) "
     "ORDER BY sink, call_key LIMIT $3",
     "", "DELETE FROM @memory t USING r WHERE t.sink = r.a AND t.call_key = r.b AND t.event = r.event"},
    {"SELECT digest AS a, 0::bigint AS b, event FROM @dedup WHERE digest > $1 ORDER BY digest LIMIT $3", "",
     "DELETE FROM @dedup t USING r WHERE t.digest = r.a AND t.event = r.event"},
};

/// lock_timeout, or a deadlock.
bool IsLocked(std::string_view sqlstate) {
  return sqlstate == "55P03" || sqlstate.starts_with("40");
}

/// Few rows are found by their keys among many, and nothing is known yet of new tables; to compile a statement takes
/// longer than to run it.
void SendPlanByKeys(Connection& connection) {
  for (const char* way : {"enable_hashjoin", "enable_mergejoin", "enable_seqscan", "jit"}) {
    connection.Send("SET LOCAL " + std::string(way) + " = off");
  }
}

}  // namespace

Result<bool> Retention::Step() {
  if (!connection_ || connection_->IsLost()) {
    auto opened = Connection::Open(place_);
    if (!opened) return std::move(opened).error();
    connection_ = std::move(*opened);
    // What was last begun may have been done, by us or by another process.
    parts_.clear();
    sweep_ = {};
    is_sweep_due_ = true;
    sweep_at_ = {};
  }
  auto done = StepOnce();
  if (done) return done;
  return Failed(std::move(done).error());
}

Result<bool> Retention::Failed(Error error) {
  const std::string state = connection_->sqlstate();
  connection_->Rollback();
  if (state == Fence::kLostState) return false;
  if (IsLocked(state) && ++locked_out_ < options_.most_locked_out) return false;
  return error;
}

Status Retention::Commit() {
  // The last of all, so that the lease can be renewed meanwhile.
  fence_().Send(*connection_);
  connection_->Send("COMMIT");
  auto done = connection_->Receive();
  return done ? Ok() : Status(std::move(done).error());
}

Result<bool> Retention::StepOnce() {
  if (is_sweep_due_ && clock_.Mono() >= sweep_at_) return SweepOnce();
  connection_->Send(
      "SELECT greatest(e.last_value, d.last_value), removed FROM @event_number e, @delivery_number d, @counter");
  connection_->Send(
      "SELECT substr(c.relname, 7)::bigint, c.oid::bigint FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
      "WHERE i.inhparent = '@event'::regclass ORDER BY 1");
  connection_->Send(
      "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint FROM pg_class c JOIN pg_namespace n "
      "ON n.oid = c.relnamespace WHERE n.nspname = convert_from($1, 'UTF8') AND c.relkind = 'r'",
      Params().Add(connection_->schema()));
  const auto found = connection_->Receive();
  if (!found) return found.error();
  const std::int64_t newest = (*found)[0].Int(kFirstRow, 0) / kPartSize;
  removed_ = static_cast<std::uint64_t>((*found)[0].Int(kFirstRow, 1));
  const Answer& tables = (*found)[1];
  const bool by_size = options_.size != 0 && static_cast<std::uint64_t>((*found)[2].Int(kFirstRow, 0)) > options_.size;
  std::map<std::int64_t, Part> parts;
  bool has_newest = false;
  for (int row = 0; row < tables.rows(); ++row) {
    const std::int64_t number = tables.Int(row, 0), table = tables.Int(row, 1);
    has_newest = has_newest || number == newest;
    if (number >= newest) continue;
    auto known = parts_.extract(number);
    parts[number] = known && known.mapped().table == table ? known.mapped() : Part{.table = table};
  }
  parts_ = std::move(parts);
  if (has_newest) {
    const auto full = IsFull(newest);
    if (!full) return full.error();
    if (*full) return BeginPart(newest + 1);
  }
  for (auto& [number, part] : parts_) {
    if (clock_.Mono() < part.recheck_at) continue;
    auto done = Reduce(number, part, by_size);
    // One that is damaged must not hold up the others.
    if (!done && !IsLocked(connection_->sqlstate())) part.recheck_at = clock_.Mono() + kRecheckEvery;
    if (!done || *done) return done;
  }
  locked_out_ = 0;
  return false;
}

Result<bool> Retention::IsFull(std::int64_t part) {
  connection_->Send(Of(part, "SELECT received_ms FROM @event_# ORDER BY seq LIMIT 1"));
  connection_->Send(Of(part,
                       "SELECT pg_total_relation_size('@event_#') + pg_total_relation_size('@delivery_#') + "
                       "pg_total_relation_size('@attempt_#')"));
  const auto found = connection_->Receive();
  if (!found) return found.error();
  if ((*found)[0].rows() == 0) return false;
  if (options_.age.count() != 0) {
    // Also if it began long after now: the clock was set back, and those after the change must not wait for it.
    const std::int64_t age = Ms(clock_.Wall()) - (*found)[0].Int(kFirstRow, 0);
    if (std::max(age, -age) >= options_.age.count() / options_.parts) return true;
  }
  return options_.size != 0 && static_cast<std::uint64_t>((*found)[1].Int(kFirstRow, 0)) >=
                                   options_.size / static_cast<std::uint64_t>(options_.parts);
}

Result<bool> Retention::BeginPart(std::int64_t next) {
  if ((next + 1) * kPartSize >= kEndOfNumbers) return false;
  HSW_TRY(MakePart(*connection_, next));
  const auto begun = BeginAlone(*connection_);
  if (!begun || !*begun) return begun;
  SendMoveTo(*connection_, next);
  HSW_TRY(Commit());
  return true;
}

Result<bool> Retention::Reduce(std::int64_t number, Part& part, bool by_size) {
  const std::int64_t now_ms = Ms(clock_.Wall());
  const std::int64_t cutoff_ms =
      options_.age.count() == 0 ? std::numeric_limits<std::int64_t>::min() : now_ms - options_.age.count();
  if (!part.is_scanned) {
    if (part.scanned == 0 && !by_size) {
      const auto last = connection_->Run(Of(number, "SELECT received_ms FROM @event_# ORDER BY seq DESC LIMIT 1"));
      if (!last) return last.error();
      const std::int64_t last_ms = last->rows() == 0 ? cutoff_ms : last->Int(kFirstRow, 0);
      if (last_ms > cutoff_ms && last_ms <= now_ms) return false;
    }
    return Scan(number, part);
  }
  if (!by_size && part.newest_ms > cutoff_ms) {
    // An event from the future (the clock was set back since) must not hold up the others.
    if (options_.age.count() == 0 || part.newest_ms <= now_ms) return false;
    return Trim(number, part, cutoff_ms);
  }
  if (part.trimmed != 0) return Trim(number, part, kAnyTime);
  const std::string most = std::to_string(options_.most_copied + 1);
  connection_->Send(Of(number, "SELECT count(*), coalesce(sum(length(e.body) + length(e.headers)), 0)::bigint FROM (" +
                                   std::string(kWaiting) + " LIMIT " + most +
                                   ") w JOIN @event_# e ON e.seq = w.event"));
  connection_->Send(
      Of(number, "SELECT count(*) FROM (SELECT 1 FROM (" + std::string(kForOthers) + ") o LIMIT " + most + ") c"));
  const auto found = connection_->Receive();
  if (!found) return found.error();
  const std::int64_t waiting = (*found)[0].Int(kFirstRow, 0), bytes = (*found)[0].Int(kFirstRow, 1);
  const std::int64_t copied = std::max(waiting, (*found)[1].Int(kFirstRow, 0));
  const std::int64_t removable = part.events - waiting;
  if (removable <= 0 && copied != 0) {
    part.recheck_at = clock_.Mono() + kRecheckEvery;
    return false;
  }
  const bool is_worth_it = waiting == 0 || removable > options_.few_removed || by_size;
  if (is_worth_it && copied <= options_.most_copied && bytes <= options_.most_bytes_copied) {
    return Replace(number, part);
  }
  return Trim(number, part, kAnyTime);
}

Result<bool> Retention::Scan(std::int64_t number, Part& part) {
  const auto found = connection_->Run(
      Of(number,
         "SELECT count(*), coalesce(max(seq), 0), coalesce(max(received_ms), 0) FROM (SELECT seq, received_ms FROM "
         "@event_# WHERE seq > $1 ORDER BY seq LIMIT $2) e"),
      Params().Add(part.scanned).Add(kScanned));
  if (!found) return found.error();
  const std::int64_t count = found->Int(kFirstRow, 0);
  if (count != 0) {
    part.scanned = found->Int(kFirstRow, 1);
    part.newest_ms = std::max(part.newest_ms, found->Int(kFirstRow, 2));
    part.events += count;
  }
  part.is_scanned = count < kScanned;
  return true;
}

/// Drops the partition, and puts a copy of what stays in its place.
Result<bool> Retention::Replace(std::int64_t number, const Part& part) {
  const auto begun = BeginAlone(*connection_);
  if (!begun || !*begun) return begun;
  SendPlanByKeys(*connection_);
  connection_->Send(Of(number,
                       "LOCK TABLE ONLY @event, ONLY @delivery, ONLY @attempt, @event_#, @delivery_#, @attempt_# "
                       "IN ACCESS EXCLUSIVE MODE"));
  for (const std::string_view table : kPartTables) {
    const std::string name = "@" + std::string(table);
    connection_->Send(
        Of(number, "CREATE TABLE " + name + "_#_kept (LIKE " + name + " INCLUDING DEFAULTS INCLUDING STORAGE)"));
  }
  connection_->Send(Of(number, "INSERT INTO @event_#_kept SELECT e.* FROM (" + std::string(kWaiting) +
                                   ") w JOIN @event_# e ON e.seq = w.event"));
  connection_->Send(Of(number, "INSERT INTO @delivery_#_kept SELECT d.* FROM (" + std::string(kForOthers) +
                                   " UNION SELECT s.seq FROM @event_#_kept e, generate_series(e.first_delivery, "
                                   "e.first_delivery + e.deliveries - 1) s(seq) UNION SELECT m.delivery FROM "
                                   "@event_#_kept e JOIN @more m ON m.event = e.seq) k "
                                   "JOIN @delivery_# d ON d.seq = k.seq"));
  connection_->Send(Of(number,
                       "INSERT INTO @attempt_#_kept SELECT a.* FROM @delivery_#_kept d "
                       "JOIN @attempt_# a ON a.delivery = d.seq"));
  connection_->Send(Of(number, "SELECT (SELECT count(*) FROM @event_#_kept), (SELECT count(*) FROM @delivery_#_kept)"));
  const auto kept = connection_->Receive();
  if (!kept) return kept.error();
  const std::int64_t events = kept->back().Int(kFirstRow, 0);
  const bool is_empty = events == 0 && kept->back().Int(kFirstRow, 1) == 0;
  connection_->Send(
      Of(number, "DELETE FROM @config_use WHERE part = # AND config NOT IN (SELECT config FROM @event_#_kept)"));
  connection_->Send(
      "DELETE FROM @config c WHERE NOT EXISTS(SELECT 1 FROM @config_use u WHERE u.config = c.number) AND "
      "number < (SELECT max(number) FROM @config)");
  for (const std::string_view table : kPartTables) {
    const std::string name = "@" + std::string(table);
    connection_->Send(Of(number, "ALTER TABLE " + name + " DETACH PARTITION " + name + "_#"));
    connection_->Send(Of(number, "DROP TABLE " + name + "_#"));
    if (is_empty) {
      connection_->Send(Of(number, "DROP TABLE " + name + "_#_kept"));
      continue;
    }
    connection_->Send(Of(number, "ALTER TABLE " + name + "_#_kept RENAME TO " + std::string(table) + "_#"));
    connection_->Send(
        Of(number, "ALTER TABLE " + name + " ATTACH PARTITION " + name + "_# FOR VALUES FROM ({) TO (})"));
  }
  connection_->Send("UPDATE @counter SET removed = removed + $1",
                    Params().Add(std::max<std::int64_t>(part.events - events, 0)));
  HSW_TRY(Commit());
  is_sweep_due_ = true;
  sweep_at_ = {};
  return true;
}

/// Removes the next rows of a partition that were received until `cutoff_ms` and do not wait.
Result<bool> Retention::Trim(std::int64_t number, Part& part, std::int64_t cutoff_ms) {
  const auto begun = BeginAlone(*connection_);
  if (!begun || !*begun) return begun;
  SendPlanByKeys(*connection_);
  connection_->Send(
      Of(number, "SELECT coalesce(max(seq), 0) FROM (SELECT seq FROM @event_# WHERE seq > $1 ORDER BY seq LIMIT $2) e"),
      Params().Add(part.trimmed).Add(kLookedAt));
  const auto range = connection_->Receive();
  if (!range) return range.error();
  const EventSeq end = range->back().Int(kFirstRow, 0);
  // Who lets one of them wait again has locked it too, and is waited for.
  connection_->Send(Of(number,
                       "SELECT e.seq FROM @event_# e WHERE e.seq > $1 AND e.seq <= $2 AND e.received_ms <= $3 AND NOT "
                       "EXISTS(SELECT 1 "
                       "FROM @delivery_# d WHERE d.seq >= e.first_delivery AND d.seq < e.first_delivery + "
                       "e.deliveries AND d.state < 2) AND NOT EXISTS(SELECT 1 FROM @more m JOIN @delivery d "
                       "ON d.seq = m.delivery WHERE m.event = e.seq AND d.state < 2) "
                       "ORDER BY e.seq LIMIT $4 FOR UPDATE OF e"),
                    Params().Add(part.trimmed).Add(end).Add(cutoff_ms).Add(kTrimmed));
  const auto page = connection_->Receive();
  if (!page) return page.error();
  std::vector<std::int64_t> events;
  for (int row = 0; row < page->back().rows(); ++row) events.push_back(page->back().Int(row, 0));
  // 0 after the last event.
  const EventSeq next = static_cast<std::int64_t>(events.size()) < kTrimmed ? end : events.back();
  const auto found = connection_->Run(
      "SELECT seq, event, state FROM @delivery WHERE seq IN (" + std::string(kOfEvents) + ") FOR UPDATE",
      Params().Add(events));
  if (!found) return found.error();
  std::set<std::int64_t> stay;
  for (int row = 0; row < found->rows(); ++row) {
    if (IsOpen(static_cast<DeliveryState>(found->Int(row, 2)))) stay.insert(found->Int(row, 1));
  }
  std::vector<std::int64_t> deliveries;
  for (int row = 0; row < found->rows(); ++row) {
    if (!stay.contains(found->Int(row, 1))) deliveries.push_back(found->Int(row, 0));
  }
  std::erase_if(events, [&](std::int64_t event) { return stay.contains(event); });
  const auto removed = static_cast<std::int64_t>(events.size());
  connection_->Send("DELETE FROM @attempt WHERE delivery = ANY($1)", Params().Add(deliveries));
  connection_->Send("DELETE FROM @delivery WHERE seq = ANY($1)", Params().Add(deliveries));
  connection_->Send("DELETE FROM @more WHERE event = ANY($1)", Params().Add(events));
  connection_->Send("DELETE FROM @revision WHERE event = ANY($1)", Params().Add(events));
  connection_->Send("DELETE FROM @event WHERE seq = ANY($1)", Params().Add(events));
  connection_->Send("UPDATE @counter SET removed = removed + $1", Params().Add(removed));
  HSW_TRY(Commit());
  part.events -= removed;
  part.trimmed = next;
  is_sweep_due_ = is_sweep_due_ || removed != 0;
  if (next == 0) part.recheck_at = clock_.Mono() + kRecheckEvery;
  return true;
}

/// Removes rows of events that are gone: the next ones of a table.
Result<bool> Retention::SweepOnce() {
  const auto begun = BeginAlone(*connection_);
  if (!begun || !*begun) return begun;
  const Named& named = kNamed[sweep_.table];
  const auto page = connection_->Run(
      "SELECT a, b, event, (SELECT e.seq FROM @event e WHERE e.seq = p.event) IS NULL "
      "FROM (" +
          std::string(named.page) + ") p ORDER BY a, b",
      Params().Add(sweep_.text).Add(sweep_.number).Add(kSwept));
  if (!page) return page.error();
  Rows gone;
  for (int row = 0; row < page->rows(); ++row) {
    if (page->Int(row, 3) != 0) gone.Add(page->Bytes(row, 0), page->Int(row, 1), page->Int(row, 2));
  }
  if (!gone.empty()) {
    static const std::string kGone = "WITH r AS (SELECT * FROM " + Rows::Source("r", "a, b, event") + ") ";
    const Params rows = gone.Take();
    if (!named.first.empty()) {
      connection_->Send(kGone + std::string(named.first), rows);
    }
    connection_->Send(kGone + std::string(named.remove), rows);
  }
  HSW_TRY(Commit());
  if (page->rows() != 0) {
    sweep_.text = page->Bytes(page->rows() - 1, 0);
    sweep_.number = page->Int(page->rows() - 1, 1);
    return true;
  }
  sweep_ = {.table = sweep_.table + 1};
  if (sweep_.table < std::size(kNamed)) return true;
  sweep_ = {};
  is_sweep_due_ = false;
  sweep_at_ = clock_.Mono() + kSweepEvery;
  return true;
}

}  // namespace hookswitch::pg
