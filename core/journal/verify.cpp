#include "core/journal/verify.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "core/journal/rows.h"
#include "core/journal/scan.h"
#include "core/journal/schema.h"
#include "core/journal/sqlite.h"
#include "core/journal/store.h"

namespace hookswitch {
namespace {

constexpr std::size_t kListed = 1000;

class Verifier {
 public:
  explicit Verifier(Database& db) : db_(db) {}

  Result<VerifyReport> Run() {
    HSW_TRY(Prepare());
    HSW_TRY(CheckPages());
    HSW_TRY(CheckEvents());
    HSW_TRY(CheckBodies());
    HSW_TRY(CheckDeliveries());
    HSW_TRY(CheckAttempts());
    HSW_TRY(CheckReplays());
    return std::move(report_);
  }

 private:
  struct Statements {
    Statement events, bodies, deliveries, attempts, has_event, has_body, delivery, attempt, replays;
  };

  Status Prepare() {
    const std::pair<Statement*, std::string_view> statements[] = {
        {&sql_.events,
         "SELECT seq, first_delivery, deliveries, length(dedup) FROM event WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.bodies, "SELECT seq, sum, headers, body FROM raw WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.deliveries,
         "SELECT seq, event, state, last_attempt, fallback FROM delivery WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.attempts, "SELECT seq, delivery, kind FROM attempt WHERE seq >= ? AND seq <= ? ORDER BY seq"},
        {&sql_.has_event, "SELECT 1 FROM event WHERE seq = ?"},
        {&sql_.has_body, "SELECT 1 FROM raw WHERE seq = ?"},
        {&sql_.delivery, "SELECT event FROM delivery WHERE seq = ?"},
        {&sql_.attempt, "SELECT delivery, previous FROM attempt WHERE seq = ?"},
        {&sql_.replays, "SELECT event, first_delivery, deliveries FROM replay ORDER BY event, first_delivery"},
    };
    for (const auto& [statement, text] : statements) {
      auto prepared = db_.Prepare(text);
      if (!prepared) return prepared.error();
      *statement = std::move(*prepared);
    }
    return Ok();
  }

  void Bad(const char* table, std::int64_t key, std::string what) {
    ++report_.bad;
    if (report_.listed.size() < kListed) report_.listed.push_back({table, key, std::move(what)});
  }

  // Damage is what is looked for: only other errors end the check.
  Status CheckPages() {
    auto check = db_.Prepare("PRAGMA integrity_check(1000)");
    if (!check) return check.error();
    for (;;) {
      const auto row = check->Next();
      if (!row && row.error().code != ErrorCode::kInvalid) return row.error();
      if (!row) Bad("file", 0, row.error().message);
      if (!row || !*row) return Ok();
      if (check->Bytes(0) != "ok") Bad("file", 0, std::string(check->Bytes(0)));
    }
  }

  /// The greatest key there may be: a damaged last page must not hide what a start would still read.
  Result<std::int64_t> LastOf(const std::string& table, const char* next) {
    std::int64_t last = 0;
    for (const std::string& sql :
         {"SELECT value - 1 FROM meta WHERE key = '" + std::string(next) + "'", "SELECT max(seq) FROM " + table}) {
      const auto found = db_.Ask(sql);
      if (!found && found.error().code != ErrorCode::kInvalid) return found.error();
      if (found) last = std::max(last, *found);
    }
    return last;
  }

  Status Scan(const char* table, const char* next, Statement& rows, const std::function<void(Statement& row)>& look) {
    const auto last = LastOf(table, next);
    if (!last) return last.error();
    const auto skipped = ScanRows(rows, 0, *last, [&](Statement& row) {
      look(row);
      return !failed_;
    });
    if (!skipped) return skipped.error();
    if (failed_) return *failed_;
    if (*skipped != 0) {
      Bad(table, 0, std::to_string(*skipped) + " numbers lie in pages that cannot be read");
      report_.bad += static_cast<std::uint64_t>(*skipped) - 1;
    }
    return Ok();
  }

  /// Whether `statement` has a row for `key`, which then is current until Reset; what cannot be read is not there.
  bool Find(Statement& statement, std::int64_t key) {
    const auto row = statement.Bind(key).Next();
    if (!row && row.error().code != ErrorCode::kInvalid) failed_ = row.error();
    return row && *row;
  }
  bool Has(Statement& statement, std::int64_t key) {
    const bool has = Find(statement, key);
    statement.Reset();
    return has;
  }
  bool IsDeliveryOf(EventSeq event, DeliverySeq delivery) {
    const bool is = Find(sql_.delivery, delivery) && sql_.delivery.Int(0) == event;
    sql_.delivery.Reset();
    return is;
  }

  void CheckRun(const char* table, EventSeq event, DeliverySeq first, std::int64_t count) {
    for (DeliverySeq delivery = first; delivery - first < count; ++delivery) {
      if (IsDeliveryOf(event, delivery)) continue;
      return Bad(table, event, "its delivery " + std::to_string(delivery) + " is not there");
    }
  }

  Status CheckEvents() {
    return Scan("event", "next_event", sql_.events, [this](Statement& row) {
      ++report_.events;
      const EventSeq event = row.Int(0);
      if (row.Int(3) != static_cast<std::int64_t>(Digest().size())) Bad("event", event, "its dedup key is damaged");
      if (!Has(sql_.has_body, event)) Bad("event", event, "its body is not there");
      CheckRun("event", event, row.Int(1), row.Int(2));
    });
  }

  Status CheckBodies() {
    return Scan("raw", "next_event", sql_.bodies, [this](Statement& row) {
      const EventSeq event = row.Int(0);
      if (static_cast<std::uint64_t>(row.Int(1)) != SumOf(row.Bytes(2), row.Bytes(3))) {
        Bad("raw", event, "headers and body do not have the sum they were stored with");
      }
      if (!Has(sql_.has_event, event)) Bad("raw", event, "its event is not there");
    });
  }

  Status CheckDeliveries() {
    const auto floor = db_.Ask("SELECT value FROM meta WHERE key = 'pending_floor'");
    if (!floor && floor.error().code != ErrorCode::kInvalid) return floor.error();
    return Scan("delivery", "next_delivery", sql_.deliveries, [&](Statement& row) {
      ++report_.deliveries;
      const DeliverySeq delivery = row.Int(0), fallback = row.Int(4);
      const EventSeq event = row.Int(1);
      const auto state = StateOf(row.Int(2));
      if (!state) Bad("delivery", delivery, "its state is none");
      if (state && IsOpen(*state)) {
        ++report_.pending;
        if (floor && delivery < *floor) Bad("delivery", delivery, "it waits, but a start would not look at it");
      }
      if (!Has(sql_.has_event, event))
        Bad("delivery", delivery, "its event " + std::to_string(event) + " is not there");
      if (fallback != 0 && (fallback <= delivery || !IsDeliveryOf(event, fallback))) {
        Bad("delivery", delivery, "its fallback " + std::to_string(fallback) + " is not there");
      }
      CheckChain(delivery, row.Int(3));
    });
  }

  void CheckChain(DeliverySeq delivery, std::int64_t attempt) {
    while (attempt != 0) {
      const bool is_its = Find(sql_.attempt, attempt) && sql_.attempt.Int(0) == delivery;
      const std::int64_t previous = is_its ? sql_.attempt.Int(1) : 0;
      sql_.attempt.Reset();
      if (!is_its || previous >= attempt || previous < 0) {
        return Bad("delivery", delivery, "its attempts end at " + std::to_string(attempt));
      }
      attempt = previous;
    }
  }

  Status CheckAttempts() {
    // No number of the next attempt is kept: SQLite gives them.
    return Scan("attempt", "", sql_.attempts, [this](Statement& row) {
      ++report_.attempts;
      if (!Has(sql_.delivery, row.Int(1))) Bad("attempt", row.Int(0), "its delivery is not there");
      if (row.Int(2) < 0 || row.Int(2) > static_cast<std::int64_t>(Outcome::Kind::kNext)) {
        Bad("attempt", row.Int(0), "its outcome is none");
      }
    });
  }

  Status CheckReplays() {
    for (;;) {
      const auto row = sql_.replays.Next();
      if (!row && row.error().code != ErrorCode::kInvalid) return row.error();
      if (!row) Bad("replay", 0, row.error().message);
      if (!row || !*row) return Ok();
      const EventSeq event = sql_.replays.Int(0);
      if (!Has(sql_.has_event, event)) Bad("replay", event, "its event is not there");
      CheckRun("replay", event, sql_.replays.Int(1), sql_.replays.Int(2));
      if (failed_) return *failed_;
    }
  }

  Database& db_;
  Statements sql_;
  VerifyReport report_;
  std::optional<Error> failed_;
};

}  // namespace

Result<VerifyReport> VerifyJournal(const std::string& path) {
  const auto named = [&path](const Error& error) {
    return Error{error.code, "journal " + path + ": " + error.message};
  };
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return named({ErrorCode::kUnavailable, std::strerror(errno)});
  auto db = Database::Open(path, Database::Mode::kRead);
  if (!db) return named(db.error());
  if (Status known = CheckSchema(*db); !known) return named(known.error());
  // One transaction, so that what a router adds meanwhile is not half seen.
  if (Status begun = db->Exec("BEGIN"); !begun) return named(begun.error());
  auto report = Verifier(*db).Run();
  if (!report) return named(report.error());
  return report;
}

}  // namespace hookswitch
