#include "core/journal/sqlite_history.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include "core/journal/delivery_runs.h"
#include "core/journal/history.h"
#include "core/journal/rows.h"
#include "core/journal/sqlite.h"

namespace hookswitch {
namespace {

// Keys that one call reads; fewer for a text search, because bodies are about 3 KB each.
constexpr std::int64_t kRowsPerCall = 20'000;
constexpr std::int64_t kBodiesPerCall = 5'000;

Error NotThere(const std::string& what) {
  return {ErrorCode::kNotFound, what + " is not in the journal (any more)"};
}
Error Damaged(const std::string& what) {
  return {ErrorCode::kInvalid, what + " is damaged on disk"};
}
Error Unreadable(const std::string& what, const Error& error) {
  return {error.code, what + " cannot be read: " + error.message};
}
std::string NameOf(EventSeq event) {
  return "event " + std::to_string(event);
}
std::string NameOfDelivery(DeliverySeq delivery) {
  return "delivery " + DeliveryId(delivery);
}
bool IsDamage(const Error& error) {
  return error.code == ErrorCode::kInvalid;
}

/// The key range of one call.
struct Window {
  std::int64_t before = 0, first = 0;
  bool is_last = false;

  template <class T>
  std::int64_t Next(const Page<T>& page, std::size_t limit) const {
    if (page.items.size() == limit) return page.items.back().seq > first || !is_last ? page.items.back().seq : 0;
    return is_last ? 0 : first;
  }
};

/// At most `limit` rows below the key `before`, as `make` reads them.
template <class T, class Make>
Result<Page<T>> PageOf(Statement& rows, std::int64_t before, std::size_t limit, Make make) {
  Page<T> page;
  if (limit == 0) return page;
  rows.Bind(before > 0 ? before : std::numeric_limits<std::int64_t>::max());
  for (;;) {
    const auto row = rows.Next();
    // Damage in these tables must not hide anything else.
    if (!row && !IsDamage(row.error())) return row.error();
    if (!row || !*row) return page;
    if (page.items.size() == limit) break;
    page.items.push_back(make(rows));
  }
  rows.Reset();
  page.next = page.items.back().number;
  return page;
}

}  // namespace

/// One connection to the file, with its statements. Not thread-safe. Unusable after kUnavailable.
struct SqliteHistory::Connection {
  struct Statements {
    Statement events, newest_event, oldest_event;
    Statement deliveries, newest_delivery, oldest_delivery;
    Statement dead, newest_dead, oldest_dead;  ///< the same of dead ones only, by an index
    Statement event, body, delivery, attempt, runs, refused, actions, revisions, config;
  };

  static Result<std::unique_ptr<Connection>> Open(const std::string& path, std::uint16_t salt) {
    auto opened = Database::Open(path, Database::Mode::kRead);
    if (!opened) return opened.error();
    auto connection = std::make_unique<Connection>(std::move(*opened), salt);
    HSW_TRY(connection->Prepare());
    return connection;
  }

  /// The keys that a call reads: at most `rows` below `before`. Retention leaves long gaps, so it starts at an existing
  /// row.
  Result<Window> WindowOf(Statement& newest_below, Statement& oldest, std::int64_t before, std::int64_t rows) {
    Window window{before > 0 ? before : std::numeric_limits<std::int64_t>::max(), 1, true};
    const auto newest = newest_below.Bind(window.before).Next();
    if (newest && *newest) {
      window.before = newest_below.Int(0) + 1;
      newest_below.Reset();
    } else if (newest) {
      return Window{1, 1, true};
    } else if (!IsDamage(newest.error())) {
      return newest.error();
    }
    const auto first = oldest.Next();
    if (first && *first) {
      window.first = oldest.Int(0);
      oldest.Reset();
    } else if (!first && !IsDamage(first.error())) {
      return first.error();
    }
    if (window.before - window.first > rows) {
      window.first = window.before - rows;
      window.is_last = false;
    }
    return window;
  }

  Result<EventSummary> ReadEvent(EventSeq event) {
    const auto row = sql.event.Bind(event).Next();
    if (!row) return Unreadable(NameOf(event), row.error());
    if (!*row) return NotThere(NameOf(event));
    EventSummary summary = EventOf(sql.event, salt);
    sql.event.Reset();
    return summary;
  }

  Result<DeliverySummary> ReadDelivery(DeliverySeq seq, std::int64_t* last_attempt = nullptr) {
    const auto row = sql.delivery.Bind(seq).Next();
    if (!row) return Unreadable(NameOfDelivery(seq), row.error());
    if (!*row) return NotThere(NameOfDelivery(seq));
    auto delivery = DeliveryOf(sql.delivery);
    const std::int64_t attempt = sql.delivery.Int(kLastAttemptColumn);
    sql.delivery.Reset();
    if (!delivery) return Damaged(NameOfDelivery(seq));
    Explain(*delivery, attempt);
    if (last_attempt != nullptr) *last_attempt = attempt;
    return std::move(*delivery);
  }

  /// Whether the event's body contains `text`; false if it is unreadable.
  Result<bool> HasText(EventSeq event, const std::string& text) {
    const auto row = sql.body.Bind(event).Next();
    if (!row) return IsDamage(row.error()) ? Result(false) : Result<bool>(row.error());
    if (!*row) return false;
    const bool has = sql.body.Bytes(0).find(text) != std::string_view::npos;
    sql.body.Reset();
    return has;
  }

  /// Adds what the last attempt says; nothing if that is unreadable.
  void Explain(DeliverySummary& delivery, std::int64_t last_attempt) {
    if (last_attempt == 0) return;
    const auto row = sql.attempt.Bind(last_attempt).Next();
    if (!row || !*row) return;
    const auto attempt = AttemptOf(sql.attempt);
    sql.attempt.Reset();
    if (attempt) hookswitch::Explain(delivery, *attempt);
  }

  /// Oldest first.
  Result<std::vector<DeliverySummary>> DeliveriesOf(EventSeq seq) {
    const auto event = ReadEvent(seq);
    if (!event) return event.error();
    std::vector<DeliveryRun> runs;
    sql.runs.Bind(seq);
    for (;;) {
      const auto row = sql.runs.Next();
      // Damage in the table of replays must not hide anything else.
      if (!row && !IsDamage(row.error())) return row.error();
      if (!row || !*row) break;
      runs.push_back({sql.runs.Int(0), sql.runs.Int(1)});
    }
    std::vector<DeliverySummary> all;
    HSW_TRY(WalkRuns(runs, [&](DeliverySeq delivery) -> Result<std::optional<DeliverySeq>> {
      auto found = ReadDelivery(delivery);
      if (!found && found.error().code == ErrorCode::kUnavailable) return found.error();
      if (!found && !IsDamage(found.error())) return std::optional<DeliverySeq>();
      if (!found || found->event != seq) return std::optional<DeliverySeq>(0);
      Describe(*found, *event);
      const DeliverySeq fallback = found->fallback;
      all.push_back(std::move(*found));
      return std::optional(fallback);
    }));
    std::ranges::sort(all, {}, &DeliverySummary::seq);
    // A damaged run may list a delivery twice.
    const auto same = [](const DeliverySummary& a, const DeliverySummary& b) { return a.seq == b.seq; };
    all.erase(std::unique(all.begin(), all.end(), same), all.end());
    return all;
  }

  Result<Page<DeliverySummary>> ListDeliveriesOfEvent(const DeliveryFilter& filter, DeliverySeq before,
                                                      std::size_t limit) {
    Page<DeliverySummary> page;
    const auto event = ReadEvent(filter.event);
    if (!event && event.error().code == ErrorCode::kUnavailable) return event.error();
    if (!event || limit == 0) return page;
    auto all = DeliveriesOf(filter.event);
    if (!all) return all.error();
    for (auto delivery = all->rbegin(); delivery != all->rend(); ++delivery) {
      if (before > 0 && delivery->seq >= before) continue;
      if (page.items.size() == limit) {
        page.next = page.items.back().seq;
        break;
      }
      CountAsHeld(*delivery, filter.held_sinks);
      if (Matches(filter, *delivery) && MatchesEvent(filter, &*event)) page.items.push_back(std::move(*delivery));
    }
    return page;
  }

  Connection(Database opened, std::uint16_t salt_of_journal) : db(std::move(opened)), salt(salt_of_journal) {}

  Status Prepare() {
    const std::string event = "SELECT " + std::string(kEventColumns) + " FROM event WHERE seq ";
    // As the index has it: with a parameter SQLite would not use it.
    static_assert(static_cast<int>(DeliveryState::kDead) == 3);
    const std::string dead = " FROM delivery INDEXED BY delivery_dead WHERE state = 3 ";
    const std::string delivery = "SELECT " + kDeliveryColumns + " FROM delivery WHERE seq ";
    const std::pair<Statement*, std::string> statements[] = {
        {&sql.events, event + ">= ?1 AND seq <= ?2 ORDER BY seq DESC"},
        {&sql.newest_event, "SELECT seq FROM event WHERE seq < ? ORDER BY seq DESC LIMIT 1"},
        {&sql.oldest_event, "SELECT seq FROM event ORDER BY seq LIMIT 1"},
        {&sql.deliveries, delivery + ">= ?1 AND seq <= ?2 ORDER BY seq DESC"},
        {&sql.newest_delivery, "SELECT seq FROM delivery WHERE seq < ? ORDER BY seq DESC LIMIT 1"},
        {&sql.oldest_delivery, "SELECT seq FROM delivery ORDER BY seq LIMIT 1"},
        {&sql.dead, "SELECT " + kDeliveryColumns + dead + "AND seq >= ?1 AND seq <= ?2 ORDER BY seq DESC"},
        {&sql.newest_dead, "SELECT seq" + dead + "AND seq < ? ORDER BY seq DESC LIMIT 1"},
        {&sql.oldest_dead, "SELECT seq" + dead + "ORDER BY seq LIMIT 1"},
        {&sql.event, event + "= ?"},
        {&sql.body, "SELECT body FROM raw WHERE seq = ?"},
        {&sql.delivery, delivery + "= ?"},
        {&sql.attempt, "SELECT " + std::string(kAttemptColumns) + " FROM attempt WHERE seq = ?"},
        {&sql.runs,
         "SELECT first_delivery, deliveries FROM event WHERE seq = ?1 UNION ALL "
         "SELECT first_delivery, deliveries FROM replay WHERE event = ?1"},
        {&sql.revisions, "SELECT number, until_ms, headers, body FROM revision WHERE event = ? ORDER BY number"},
        {&sql.config, "SELECT hash, since_ms, text FROM config WHERE number = ?"},
        {&sql.refused,
         "SELECT number, at_ms, source, peer, http_status, error, detail, path FROM refused WHERE number < ? "
         "ORDER BY number DESC"},
        {&sql.actions,
         "SELECT number, at_ms, who, peer, action, target, detail, http_status, result FROM action WHERE number < ? "
         "ORDER BY number DESC"},
    };
    for (const auto& [statement, text] : statements) {
      auto prepared = db.Prepare(text);
      if (!prepared) return prepared.error();
      *statement = std::move(*prepared);
    }
    return Ok();
  }

  Database db;
  const std::uint16_t salt;
  Statements sql;
};

SqliteHistory::SqliteHistory(std::string path, std::uint16_t salt, CommitQueue& queue, const ChangeFeed& feed,
                             const std::atomic<DeliverySeq>& pending_floor)
    : QueuedHistory(queue, feed), path_(std::move(path)), salt_(salt), pending_floor_(pending_floor) {}
SqliteHistory::~SqliteHistory() = default;

void SqliteHistory::Close() {
  MutexLock lock(mu_);
  closed_ = true;
  connection_.reset();
}

template <class Read>
auto SqliteHistory::WithConnection(Read read) -> decltype(read(std::declval<Connection&>())) {
  MutexLock lock(mu_);
  if (closed_) return Error{ErrorCode::kUnavailable, "the journal is closed"};
  if (!connection_) {
    auto opened = Connection::Open(path_, salt_);
    if (!opened) return opened.error();
    connection_ = std::move(*opened);
  }
  auto result = read(*connection_);
  if (!result && result.error().code == ErrorCode::kUnavailable) connection_.reset();
  return result;
}

Result<Page<EventSummary>> SqliteHistory::ListEvents(const EventFilter& filter, EventSeq before, std::size_t limit) {
  return WithConnection([&](Connection& db) -> Result<Page<EventSummary>> {
    Page<EventSummary> page;
    if (limit == 0) return page;
    const auto window = db.WindowOf(db.sql.newest_event, db.sql.oldest_event, before,
                                    filter.text.empty() ? kRowsPerCall : kBodiesPerCall);
    if (!window) return window.error();
    std::optional<Error> failed;
    const auto done = ScanRowsBack(db.sql.events, window->before, window->first, [&](Statement& row) {
      EventSummary event = EventOf(row, salt_);
      if (!Matches(filter, event)) return true;
      if (!filter.text.empty()) {
        const auto has = db.HasText(event.seq, filter.text);
        if (!has) failed = has.error();
        if (!has || !*has) return !failed;
      }
      page.items.push_back(std::move(event));
      return page.items.size() < limit;
    });
    if (!done) return done.error();
    if (failed) return *failed;
    page.next = window->Next(page, limit);
    return page;
  });
}

Result<Page<DeliverySummary>> SqliteHistory::ListDeliveries(const DeliveryFilter& filter, DeliverySeq before,
                                                            std::size_t limit) {
  const DeliverySeq floor = pending_floor_.load(std::memory_order_acquire);
  return WithConnection([&](Connection& db) -> Result<Page<DeliverySummary>> {
    if (filter.event != 0) return db.ListDeliveriesOfEvent(filter, before, limit);
    Page<DeliverySummary> page;
    if (limit == 0) return page;
    const bool only_dead = filter.states == std::vector{DeliveryState::kDead};
    auto window = only_dead ? db.WindowOf(db.sql.newest_dead, db.sql.oldest_dead, before, kRowsPerCall)
                            : db.WindowOf(db.sql.newest_delivery, db.sql.oldest_delivery, before, kRowsPerCall);
    if (!window) return window.error();
    if (window->first <= floor && !filter.states.empty() && std::ranges::all_of(filter.states, IsOpen)) {
      window->first = floor;
      window->is_last = true;
    }
    std::optional<Error> failed;
    std::optional<EventSummary> event;  // of the previous row: deliveries of an event are adjacent
    EventSeq event_seq = 0;
    Statement& rows = only_dead ? db.sql.dead : db.sql.deliveries;
    const auto done = ScanRowsBack(rows, window->before, window->first, [&](Statement& row) {
      auto delivery = DeliveryOf(row);
      if (!delivery) return true;
      CountAsHeld(*delivery, filter.held_sinks);
      if (!Matches(filter, *delivery)) return true;
      if (delivery->event != std::exchange(event_seq, delivery->event)) {
        auto found = db.ReadEvent(delivery->event);
        event.reset();
        if (found) {
          event = std::move(*found);
        } else if (found.error().code == ErrorCode::kUnavailable) {
          failed = found.error();
          return false;
        }
      }
      if (!MatchesEvent(filter, event ? &*event : nullptr)) return true;
      if (event) Describe(*delivery, *event);
      db.Explain(*delivery, row.Int(kLastAttemptColumn));
      page.items.push_back(std::move(*delivery));
      return page.items.size() < limit;
    });
    if (!done) return done.error();
    if (failed) return *failed;
    page.next = window->Next(page, limit);
    return page;
  });
}

Result<EventSummary> SqliteHistory::FindEvent(EventSeq event) {
  return WithConnection([&](Connection& db) { return db.ReadEvent(event); });
}

Result<std::vector<DeliverySummary>> SqliteHistory::DeliveriesOf(EventSeq event) {
  return WithConnection([&](Connection& db) { return db.DeliveriesOf(event); });
}

Result<DeliverySummary> SqliteHistory::FindDelivery(DeliverySeq seq) {
  return WithConnection([&](Connection& db) -> Result<DeliverySummary> {
    auto delivery = db.ReadDelivery(seq);
    if (!delivery) return delivery;
    const auto event = db.ReadEvent(delivery->event);
    if (event) {
      Describe(*delivery, *event);
    } else if (event.error().code == ErrorCode::kUnavailable) {
      return event.error();
    }
    return delivery;
  });
}

Result<std::vector<StoredAttempt>> SqliteHistory::AttemptsOf(DeliverySeq seq) {
  return WithConnection([&](Connection& db) -> Result<std::vector<StoredAttempt>> {
    std::int64_t last_attempt = 0;
    const auto delivery = db.ReadDelivery(seq, &last_attempt);
    if (!delivery) return delivery.error();
    std::vector<StoredAttempt> attempts;
    while (last_attempt != 0) {
      const auto row = db.sql.attempt.Bind(last_attempt).Next();
      if (!row && !IsDamage(row.error())) return row.error();
      // A broken chain ends here: older attempts cannot be found.
      if (!row || !*row) break;
      const std::int64_t previous = db.sql.attempt.Int(0);
      auto attempt = AttemptOf(db.sql.attempt);
      db.sql.attempt.Reset();
      if (attempt) attempts.push_back(std::move(*attempt));
      last_attempt = previous < last_attempt ? previous : 0;
    }
    std::ranges::reverse(attempts);
    return attempts;
  });
}

Result<KeptConfig> SqliteHistory::LoadConfig(std::int64_t number) {
  return WithConnection([&](Connection& db) -> Result<KeptConfig> {
    const std::string name = "config " + std::to_string(number);
    Statement& row = db.sql.config;
    const auto found = row.Bind(number).Next();
    if (!found) return Unreadable(name, found.error());
    if (!*found) return NotThere(name);
    KeptConfig config{.since = Time(row.Int(1)), .text = std::string(row.Bytes(2))};
    const std::string hash(row.Bytes(0));
    row.Reset();
    if (hash.size() != config.hash.size()) return Damaged(name);
    std::memcpy(config.hash.data(), hash.data(), hash.size());
    return config;
  });
}

Result<std::vector<Revision>> SqliteHistory::RevisionsOf(EventSeq event) {
  return WithConnection([&](Connection& db) -> Result<std::vector<Revision>> {
    std::vector<Revision> all;
    db.sql.revisions.Bind(event);
    for (;;) {
      const auto row = db.sql.revisions.Next();
      if (!row) return row.error();
      if (!*row) return all;
      all.push_back({static_cast<std::uint32_t>(db.sql.revisions.Int(0)), Time(db.sql.revisions.Int(1)),
                     std::string(db.sql.revisions.Bytes(2)), std::string(db.sql.revisions.Bytes(3))});
    }
  });
}

Result<Extent> SqliteHistory::FindExtent() {
  return WithConnection([&](Connection& db) -> Result<Extent> {
    Extent extent{salt_, 0};
    const auto window = db.WindowOf(db.sql.newest_event, db.sql.oldest_event, 0, std::numeric_limits<EventSeq>::max());
    if (!window) return window.error();
    if (window->before > window->first) extent.oldest = window->first;
    return extent;
  });
}

Result<Page<RefusedRequest>> SqliteHistory::ListRefused(std::int64_t before, std::size_t limit) {
  return WithConnection([&](Connection& db) {
    return PageOf<RefusedRequest>(db.sql.refused, before, limit, [](const Statement& row) {
      return RefusedRequest{.at = Time(row.Int(1)),
                            .source = std::string(row.Bytes(2)),
                            .peer = std::string(row.Bytes(3)),
                            .http_status = static_cast<int>(row.Int(4)),
                            .error = std::string(row.Bytes(5)),
                            .detail = std::string(row.Bytes(6)),
                            .path = std::string(row.Bytes(7)),
                            .number = row.Int(0)};
    });
  });
}

Result<Page<OperatorAction>> SqliteHistory::ListActions(std::int64_t before, std::size_t limit) {
  return WithConnection([&](Connection& db) {
    return PageOf<OperatorAction>(db.sql.actions, before, limit, [](const Statement& row) {
      return OperatorAction{.at = Time(row.Int(1)),
                            .who = std::string(row.Bytes(2)),
                            .peer = std::string(row.Bytes(3)),
                            .action = std::string(row.Bytes(4)),
                            .target = std::string(row.Bytes(5)),
                            .detail = std::string(row.Bytes(6)),
                            .http_status = static_cast<int>(row.Int(7)),
                            .result = std::string(row.Bytes(8)),
                            .number = row.Int(0)};
    });
  });
}

}  // namespace hookswitch
