#include <algorithm>
#include <set>
#include <thread>
#include <utility>

#include "core/base/check.h"
#include "core/journal/copy/copy_end.h"
#include "core/journal/postgres/pg_connection.h"
#include "core/journal/postgres/pg_lease.h"
#include "core/journal/postgres/pg_rows.h"
#include "core/journal/postgres/pg_schema.h"
#include "core/journal/postgres/postgres_journal.h"

namespace hookswitch {
namespace {

/// Some statements read or make all of a table.
constexpr std::chrono::minutes kLongest{30};
constexpr const char* kInUse = "another router works on it now; stop it first";
/// By which a router that waits for the lease names who has it.
constexpr std::string_view kCopier = "hookswitch journal copy";

std::string_view KeyIn(const CopyTable& table) {
  if (table.name == "attempt") return "delivery, seq";
  if (table.name == "revision") return "event, number";
  if (table.name == "memory") return "sink, call_key";
  return table.columns.substr(0, table.columns.find(','));
}

/// Which partitions of events, deliveries and attempts it has.
bool IsPartitioned(const CopyTable& table) {
  return table.name == "event" || table.name == "delivery" || table.name == "attempt";
}

/// Dedup keys have a table of their own.
std::string SelectFrom(const CopyTable& table) {
  const std::string columns(table.columns);
  if (table.name != "event") return "SELECT " + columns + " FROM @" + std::string(table.name);
  return "SELECT " + columns.substr(0, columns.rfind(", ")) +
         ", coalesce(d.digest, '') FROM @event LEFT JOIN @dedup d ON d.event = seq";
}

std::string InsertInto(const CopyTable& table) {
  const std::string columns(table.columns), source = pg::Rows::Source("r", columns);
  const auto insert = [](std::string_view name, const std::string& of) {
    return "INSERT INTO @" + std::string(name) + "(" + of + ") OVERRIDING SYSTEM VALUE SELECT " + of;
  };
  if (table.name != "event") return insert(table.name, columns) + " FROM " + source;
  return "WITH r AS (SELECT * FROM " + source + "), stored AS (" +
         insert(table.name, columns.substr(0, columns.rfind(", "))) +
         " FROM r) INSERT INTO @dedup(digest, event) SELECT digest, seq FROM r";
}

class PostgresEnd final : public CopyEnd {
 public:
  static Result<std::unique_ptr<CopyEnd>> Open(const std::string& url, const std::string& schema, CopySide side,
                                               std::chrono::milliseconds lease_length, const Clock& clock) {
    pg::Place place{.url = url, .schema = schema};
    const pg::Place hurried = place;
    place.patience = kLongest;
    auto connection = pg::Connection::Open(place);
    if (!connection) return Error{connection.error().code, "PostgreSQL: " + connection.error().message};
    std::unique_ptr<PostgresEnd> end(new PostgresEnd(std::move(*connection), lease_length));
    pg::Connection& database = *end->connection_;
    if (side == CopySide::kSource) {
      const auto there = database.Run("SELECT to_regclass('@meta') IS NOT NULL");
      if (!there) return end->Named(there.error());
      if (there->Int(pg::kFirstRow, 0) == 0) {
        return end->Named({ErrorCode::kInvalid, "it has no journal: correct the URL or the schema"});
      }
    }
    if (const auto made = pg::PrepareSchema(database); !made) return end->Named(made.error());
    database.Send(
        "INSERT INTO @router(name, instance, seen) VALUES(convert_from($1, 'UTF8'), 0, '-infinity') "
        "ON CONFLICT DO NOTHING",
        pg::Params().Add(kCopier));
    database.Send("SELECT number FROM @router WHERE name = convert_from($1, 'UTF8')", pg::Params().Add(kCopier));
    const auto ours = database.Receive();
    if (!ours) return end->Named(ours.error());
    end->router_ = ours->back().Int(pg::kFirstRow, 0);
    HSW_TRY(end->AwaitNoRouter(lease_length));
    auto lease = pg::Lease::Open(hurried, {.router = end->router_, .length = lease_length}, clock);
    if (!lease) return end->Named(lease.error());
    end->lease_ = std::move(*lease);
    if (!end->lease_->was_taken()) return end->Named({ErrorCode::kUnavailable, kInUse});
    return std::unique_ptr<CopyEnd>(std::move(end));
  }

  std::string Name() const override { return connection_->Description(); }

  Result<std::string> LoadMeta(std::string_view key) override {
    const auto found =
        Run("SELECT convert_to(value, 'UTF8') FROM @meta WHERE key = convert_from($1, 'UTF8')", pg::Params().Add(key));
    if (!found) return found.error();
    return found->rows() == 0 ? std::string() : pg::Text(*found, pg::kFirstRow, 0);
  }
  Status SaveMeta(std::string_view key, std::string_view value) override {
    return Alone([&] { SendMeta(key, value); });
  }

  Result<CopyNumbers> LoadNumbers() override {
    const auto found =
        Run("SELECT (SELECT value::bigint FROM @meta WHERE key = 'salt'), "
            "greatest(e.last_value, (SELECT coalesce(max(seq), 0) FROM @event)) + 1, "
            "greatest(d.last_value, (SELECT coalesce(max(seq), 0) FROM @delivery)) + 1 "
            "FROM @event_number e, @delivery_number d");
    if (!found) return found.error();
    return CopyNumbers{found->Int(pg::kFirstRow, 0), found->Int(pg::kFirstRow, 1), found->Int(pg::kFirstRow, 2)};
  }

  Result<std::string> FindContent() override {
    for (const char* table : {"event", "dedup", "delivery", "attempt", "more", "revision", "memory", "lane", "config",
                              "refused", "action"}) {
      const auto has = Run("SELECT EXISTS(SELECT 1 FROM @" + std::string(table) + ")");
      if (!has) return has.error();
      if (has->Int(pg::kFirstRow, 0) != 0) return std::string(table);
    }
    return std::string();
  }

  Result<CopyPage> Read(const CopyTable& table, const CopyRow& after, std::size_t limit) override {
    if (table.name == "event" && !has_read_index_) {
      if (const auto made = Run("CREATE INDEX IF NOT EXISTS dedup_copied ON @dedup(event)"); !made) return made.error();
      has_read_index_ = true;
    }
    const std::string key(KeyIn(table));
    std::string sql = SelectFrom(table);
    pg::Params params;
    for (const CopyValue& value : after) {
      sql += (params.size() == 0 ? " WHERE (" + key + ") > ($" : ", $") + std::to_string(params.size() + 1);
      std::visit([&](const auto& one) { params.Add(one); }, value);
    }
    if (!after.empty()) sql += ")";
    const auto found = Run(sql + " ORDER BY " + key + " LIMIT " + std::to_string(limit), params);
    if (!found) return found.error();
    CopyPage page;
    for (int i = 0; i < found->rows(); ++i) {
      CopyRow& row = page.rows.emplace_back();
      for (std::size_t column = 0; column < table.kinds.size(); ++column) {
        if (table.kinds[column] == 'i') {
          row.emplace_back(found->Int(i, static_cast<int>(column)));
        } else {
          row.emplace_back(pg::Text(*found, i, static_cast<int>(column)));
        }
      }
    }
    // The columns of a key are the first ones.
    const auto parts = static_cast<std::ptrdiff_t>(std::ranges::count(key, ',')) + 1;
    if (!page.rows.empty()) page.last.assign(page.rows.back().begin(), page.rows.back().begin() + parts);
    return page;
  }

  Status Write(const CopyTable& table, std::span<const CopyRow> rows, std::string_view key,
               std::string_view value) override {
    pg::Rows stored;
    std::set<std::int64_t> parts;
    for (const CopyRow& row : rows) {
      stored.AddRow(row);
      if (IsPartitioned(table)) parts.insert(std::get<std::int64_t>(row.front()) / pg::kPartSize);
    }
    for (const std::int64_t part : parts) {
      if (Status made = pg::MakePart(*connection_, part); !made) return Named(made.error());
    }
    return Alone([&] {
      connection_->Send(InsertInto(table), stored.Take());
      SendMeta(key, value);
    });
  }

  Status Complete(const CopyNumbers& numbers) override {
    return Alone([&] {
      connection_->Send(
          "INSERT INTO @more SELECT d.event, d.seq FROM @delivery d JOIN @event e ON e.seq = d.event "
          "WHERE d.seq < e.first_delivery OR d.seq >= e.first_delivery + e.deliveries ON CONFLICT DO NOTHING");
      connection_->Send("SELECT setval('@event_number', $1, false), setval('@delivery_number', $2, false)",
                        pg::Params().Add(numbers.next_event).Add(numbers.next_delivery));
      connection_->Send(
          "INSERT INTO @config_use SELECT DISTINCT seq / $1, config FROM @event WHERE config <> 0 "
          "ON CONFLICT DO NOTHING",
          pg::Params().Add(pg::kPartSize));
      for (const char* table : {"config", "refused", "action"}) {
        std::string sql =
            "SELECT setval(pg_get_serial_sequence('@#', 'number'), greatest(max(number), 1), max(number) >= 1) FROM @#";
        for (std::size_t at; (at = sql.find('#')) != std::string::npos;) sql.replace(at, 1, table);
        connection_->Send(sql);
      }
      connection_->Send("SELECT setval('@attempt_seq', greatest(max(seq), 1), max(seq) >= 1) FROM @attempt");
      SendMeta("salt", std::to_string(numbers.salt));
    });
  }

  Status DropReadIndex() override {
    if (const auto removed = Run("DROP INDEX IF EXISTS @dedup_copied"); !removed) return removed.error();
    has_read_index_ = false;
    return Ok();
  }

 private:
  PostgresEnd(std::unique_ptr<pg::Connection> connection, std::chrono::milliseconds lease_length)
      : lease_length_(lease_length), connection_(std::move(connection)) {}

  /// Waits while a router seems to be at work, which may have ended without saying so; an error names one that is.
  Status AwaitNoRouter(std::chrono::milliseconds patience) {
    const auto give_up = std::chrono::steady_clock::now() + patience;
    for (;;) {
      const auto found = Run("SELECT convert_to(min(name), 'UTF8') FROM @router WHERE " + IsAtWork(), Ours(patience));
      if (!found) return found.error();
      const std::string name = pg::Text(*found, pg::kFirstRow, 0);
      if (name.empty()) return Ok();
      if (std::chrono::steady_clock::now() > give_up) {
        return Named({ErrorCode::kUnavailable, "the router \"" + name + "\" works on it; stop it first"});
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
  }
  /// Of a row of `router`: another one, seen within the time $2.
  static std::string IsAtWork() {
    return "number <> $1 AND seen > clock_timestamp() - make_interval(secs => $2 / 1000.0)";
  }
  pg::Params Ours(std::chrono::milliseconds lease) const { return pg::Params().Add(router_).Add(lease.count()); }

  Error Named(const Error& error) const {
    if (connection_->sqlstate() == pg::Fence::kLostState) return {ErrorCode::kUnavailable, Name() + ": " + kInUse};
    return {error.code, Name() + ": " + error.message};
  }
  Result<pg::Answer> Run(const std::string& sql, const pg::Params& params = {}) {
    auto answer = connection_->Run(sql, params);
    if (!answer) return Named(answer.error());
    return answer;
  }
  void SendMeta(std::string_view key, std::string_view value) {
    if (value.empty()) {
      connection_->Send("DELETE FROM @meta WHERE key = convert_from($1, 'UTF8')", pg::Params().Add(key));
      return;
    }
    connection_->Send(
        "INSERT INTO @meta VALUES(convert_from($1, 'UTF8'), convert_from($2, 'UTF8')) "
        "ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        pg::Params().Add(key).Add(value));
  }
  /// Sends what `send` sends in a transaction that is stored only while the lease is ours.
  template <class Send>
  Status Alone(Send send) {
    connection_->Begin();
    send();
    // One that has begun to accept since would need no lease for that.
    connection_->Send("SELECT 1 / CASE WHEN EXISTS(SELECT 1 FROM @router WHERE " + IsAtWork() + ") THEN 0 ELSE 1 END",
                      Ours(lease_length_));
    lease_->fence().Send(*connection_);
    connection_->Send("COMMIT");
    const auto done = connection_->Receive();
    if (done) return Ok();
    connection_->Rollback();
    return Named(done.error());
  }

  const std::chrono::milliseconds lease_length_;
  const std::unique_ptr<pg::Connection> connection_;
  std::int64_t router_ = 0;
  std::unique_ptr<pg::Lease> lease_;
  bool has_read_index_ = false;
};

}  // namespace

Result<std::unique_ptr<CopyEnd>> OpenPostgresCopyEnd(const std::string& url, const std::string& schema, CopySide side,
                                                     std::chrono::milliseconds lease, const Clock& clock) {
  if (!IsSchemaName(schema)) {
    return Error{ErrorCode::kInvalid,
                 "a schema's name has a to z, 0 to 9 and _, begins with no digit, and has at most 63 characters: \"" +
                     schema + "\" is none"};
  }
  return PostgresEnd::Open(url, schema, side, lease, clock);
}

}  // namespace hookswitch
