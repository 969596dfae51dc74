#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "core/base/check.h"
#include "core/journal/copy/copy_end.h"
#include "core/journal/journal_files.h"
#include "core/journal/rows.h"
#include "core/journal/schema.h"
#include "core/journal/sqlite_journal.h"
#include "core/journal/store.h"

namespace hookswitch {
namespace {

/// How a CopyTable lies in the file.
struct SqliteForm {
  std::string_view name;
  std::string_view key;
  std::string_view select;                  ///< the columns of CopyTable, and where they are
  std::array<std::string_view, 2> inserts;  ///< what stores a row: ?1 is its first column
};

// Of an event one value more is read and bound, after its columns: raw.sum. `room` is as Store leaves it.
constexpr SqliteForm kForms[] = {
    {"config", "number", "number, hash, since_ms, text FROM config", {"INSERT INTO config VALUES(?1, ?2, ?3, ?4)"}},
    {"event",
     "seq",
     "seq, received_ms, call_key, content, config, first_delivery, deliveries, revisions, source, call_id, agent, "
     "status, note, headers, body, dedup, sum FROM event LEFT JOIN raw USING(seq)",
     {"INSERT INTO event(seq, received_ms, call_key, content, config, first_delivery, deliveries, revisions, source, "
      "call_id, agent, status, note, dedup) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?16)",
      "INSERT INTO raw(seq, sum, headers, body) VALUES(?1, ?17, ?14, ?15)"}},
    {"delivery",
     "seq",
     "seq, event, call_key, accepted_ms, replayed_ms, due_ms, first_failed_ms, fallback, state, "
     "flags | ((is_fallback != 0) << 4), attempts, step, sink, rule, template, carried, story, code, because "
     "FROM delivery",
     {"INSERT INTO delivery(seq, event, call_key, accepted_ms, replayed_ms, due_ms, first_failed_ms, fallback, state, "
      "flags, attempts, step, sink, rule, template, carried, story, code, because, is_fallback, last_attempt, room) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10 & ~16, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, "
      "?10 >> 4 & 1, 0, CASE WHEN ?9 < 2 THEN zeroblob(16) ELSE x'' END)"}},
    {"attempt",
     "seq",
     "delivery, seq, number, \"trigger\", started_ms, latency_ms, kind, may_have_been_delivered, http_status, "
     "connect_ms, first_byte_ms, code, reason, action, remote_id, request, response, waits FROM attempt",
     {"INSERT INTO attempt(delivery, seq, number, \"trigger\", started_ms, latency_ms, kind, may_have_been_delivered, "
      "http_status, connect_ms, first_byte_ms, code, reason, action, remote_id, request, response, waits, previous) "
      "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, "
      "ifnull((SELECT last_attempt FROM delivery WHERE seq = ?1), 0))",
      "UPDATE delivery SET last_attempt = ?2 WHERE seq = ?1"}},
    {"revision",
     "event, number",
     "event, number, until_ms, headers, body FROM revision",
     {"INSERT INTO revision VALUES(?1, ?2, ?3, ?4, ?5)"}},
    {"memory",
     "sink, call_key",
     "sink, call_key, event, text FROM memory",
     {"INSERT INTO memory VALUES(?1, ?2, ?3, ?4)"}},
    {"lane",
     "sink",
     "sink, due_ms, paused, until_ms, because FROM lane",
     {"INSERT INTO lane(sink, due_ms, paused, until_ms, because) VALUES(?1, ?2, ?3, ?4, ?5)"}},
    {"refused",
     "number",
     "number, at_ms, source, peer, http_status, error, detail, path FROM refused",
     {"INSERT OR REPLACE INTO refused(slot, number, at_ms, source, peer, http_status, error, detail, path) "
      "VALUES(?1 % 1000, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"}},
    {"action",
     "number",
     "number, at_ms, who, peer, action, target, detail, http_status, result FROM action",
     {"INSERT INTO action VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"}},
};
static_assert(kRefusedKept == 1000, "as the slot is made above");

const SqliteForm& FormOf(const CopyTable& table) {
  for (const SqliteForm& form : kForms) {
    if (form.name == table.name) return form;
  }
  Unreachable();
}

void BindValue(Statement& statement, int index, char kind, const CopyValue& value) {
  if (kind == 'i') {
    statement.BindAt(index, std::get<std::int64_t>(value));
  } else if (kind == 't') {
    statement.BindAt(index, std::string_view(std::get<std::string>(value)));
  } else {
    statement.BindAt(index, Statement::Blob{std::get<std::string>(value)});
  }
}

/// What is kept of the last row of a page: the columns of its key.
std::vector<std::size_t> KeyOf(const CopyTable& table, std::string_view key) {
  std::vector<std::size_t> columns;
  for (std::size_t start = 0; start < key.size();) {
    const std::size_t end = std::min(key.find(", ", start), key.size());
    columns.push_back(ColumnOf(table, key.substr(start, end - start)));
    start = end + 2;
  }
  return columns;
}

class SqliteEnd final : public CopyEnd {
 public:
  SqliteEnd(std::string path, JournalLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}
  ~SqliteEnd() override {
    // So that the file alone is complete.
    if (db_.IsOpen()) (void)db_.TruncateLog().has_value();
  }

  Status Open() {
    auto opened = OpenForWriting(path_, SqliteTuning().page_size);
    if (!opened) return Named(opened.error());
    db_ = std::move(*opened);
    if (const auto schema = PrepareSchema(db_); !schema) return Named(schema.error());
    return Did(db_.Exec("PRAGMA wal_autocheckpoint = 2000"));
  }

  std::string Name() const override { return path_; }

  Result<std::string> LoadMeta(std::string_view key) override {
    auto statement = db_.Prepare("SELECT value FROM meta WHERE key = ?");
    if (!statement) return Named(statement.error());
    const auto row = statement->Bind(key).Next();
    if (!row) return Named(row.error());
    return *row ? std::string(statement->Bytes(0)) : std::string();
  }
  Status SaveMeta(std::string_view key, std::string_view value) override { return Did(PutMeta(key, value)); }

  Result<CopyNumbers> LoadNumbers() override {
    CopyNumbers numbers;
    for (const auto& [number, sql] :
         {std::pair{&numbers.salt, "SELECT value FROM meta WHERE key = 'salt'"},
          std::pair{&numbers.next_event,
                    "SELECT max((SELECT value FROM meta WHERE key = 'next_event'), ifnull(max(seq), 0) + 1) "
                    "FROM event"},
          std::pair{&numbers.next_delivery,
                    "SELECT max((SELECT value FROM meta WHERE key = 'next_delivery'), ifnull(max(seq), 0) + 1) "
                    "FROM delivery"}}) {
      const auto found = db_.QueryInt(sql);
      if (!found) return Named(found.error());
      *number = *found;
    }
    return numbers;
  }

  Result<std::string> FindContent() override {
    for (const char* table : {"event", "raw", "delivery", "attempt", "replay", "revision", "memory", "lane", "config",
                              "refused", "action"}) {
      const auto has = db_.QueryInt("SELECT EXISTS(SELECT 1 FROM " + std::string(table) + ")");
      if (!has) return Named(has.error());
      if (*has != 0) return std::string(table);
    }
    return std::string();
  }

  Result<CopyPage> Read(const CopyTable& table, const CopyRow& after, std::size_t limit) override {
    const SqliteForm& form = FormOf(table);
    const std::vector<std::size_t> key = KeyOf(table, form.key);
    std::string sql = "SELECT " + std::string(form.select);
    if (!after.empty()) {
      sql += " WHERE (" + std::string(form.key) + ") > (?";
      for (std::size_t i = 1; i < key.size(); ++i) sql += ", ?";
      sql += ")";
    }
    auto rows = db_.Prepare(sql + " ORDER BY " + std::string(form.key) + " LIMIT " + std::to_string(limit));
    if (!rows) return Named(rows.error());
    rows->Bind();
    for (std::size_t i = 0; i < after.size(); ++i) {
      BindValue(*rows, static_cast<int>(i) + 1, table.kinds[key[i]], after[i]);
    }
    CopyPage page;
    for (;;) {
      const auto found = rows->Next();
      if (!found) return Damaged(table, page, found.error());
      if (!*found) break;
      CopyRow& row = page.rows.emplace_back();
      for (std::size_t i = 0; i < table.kinds.size(); ++i) {
        const int column = static_cast<int>(i);
        if (table.kinds[i] == 'i') {
          row.emplace_back(rows->Int(column));
        } else {
          row.emplace_back(std::string(rows->Bytes(column)));
        }
      }
      if (!IsSound(table, *rows)) {
        return Damaged(table, page, Error{ErrorCode::kInvalid, "it is not as it was stored"});
      }
    }
    if (!page.rows.empty()) {
      for (const std::size_t column : key) page.last.push_back(page.rows.back()[column]);
    }
    return page;
  }

  Status Write(const CopyTable& table, std::span<const CopyRow> rows, std::string_view key,
               std::string_view value) override {
    return Alone([&]() -> Status {
      for (const std::string_view sql : FormOf(table).inserts) {
        if (sql.empty()) continue;
        auto prepared = db_.Prepare(sql);
        if (!prepared) return prepared.error();
        inserts_.push_back(std::move(*prepared));
      }
      for (const CopyRow& row : rows) {
        for (Statement& insert : inserts_) {
          insert.Bind();
          const std::size_t count = std::min(row.size(), static_cast<std::size_t>(insert.Parameters()));
          for (std::size_t i = 0; i < count; ++i) {
            BindValue(insert, static_cast<int>(i) + 1, table.kinds[i], row[i]);
          }
          if (static_cast<std::size_t>(insert.Parameters()) > row.size()) {
            const auto text = [&](std::string_view column) -> const std::string& {
              return std::get<std::string>(row[ColumnOf(table, column)]);
            };
            insert.BindAt(insert.Parameters(), static_cast<std::int64_t>(SumOf(text("headers"), text("body"))));
          }
          HSW_TRY(insert.Run());
        }
      }
      return PutMeta(key, value);
    });
  }

  Status Complete(const CopyNumbers& numbers) override {
    return Alone([&]() -> Status {
      // A delivery that its event's own numbers do not lead to, nor the `fallback` of an earlier one.
      HSW_TRY(db_.Exec(
          "INSERT OR IGNORE INTO replay SELECT d.event, d.seq, 1 FROM delivery d JOIN event e ON e.seq = d.event "
          "WHERE (d.seq < e.first_delivery OR d.seq >= e.first_delivery + e.deliveries) "
          "AND d.seq NOT IN (SELECT fallback FROM delivery WHERE fallback > seq)"));
      for (const auto& [key, number] : {std::pair{"salt", numbers.salt}, std::pair{"next_event", numbers.next_event},
                                        std::pair{"next_delivery", numbers.next_delivery}}) {
        HSW_TRY(db_.Exec(("UPDATE meta SET value = " + std::to_string(number) + " WHERE key = '" + key + "'").c_str()));
      }
      return db_.Exec(
          "UPDATE meta SET value = ifnull((SELECT min(seq) FROM delivery WHERE state < 2), "
          "(SELECT value FROM meta WHERE key = 'next_delivery')) WHERE key = 'pending_floor'");
    });
  }

 private:
  Error Named(const Error& error) const { return {error.code, path_ + ": " + error.message}; }
  Status Did(Status status) const {
    if (status) return status;
    return Named(status.error());
  }
  Error Damaged(const CopyTable& table, const CopyPage& page, const Error& error) const {
    std::string where = "table " + std::string(table.name);
    if (!page.rows.empty() && table.kinds.front() == 'i') {
      where += ", at or after " + std::string(table.columns.substr(0, table.columns.find(','))) + " " +
               std::to_string(std::get<std::int64_t>(page.rows.back().front()));
    }
    return Named({error.code, where + ": " + error.message + " (`hookswitch journal verify` names what is damaged)"});
  }
  /// Whether the row is one that we wrote; what is damaged must not be copied as if it were not.
  static bool IsSound(const CopyTable& table, const Statement& row) {
    const auto at = [&](std::string_view column) { return static_cast<int>(ColumnOf(table, column)); };
    if (table.name == "delivery") return IsSoundDelivery(row, at("state"), at("sink"));
    if (table.name != "event") return true;
    const int sum = static_cast<int>(table.kinds.size());
    return row.Bytes(at("digest")).size() == Digest().size() && !row.IsNull(sum) &&
           static_cast<std::uint64_t>(row.Int(sum)) == SumOf(row.Bytes(at("headers")), row.Bytes(at("body")));
  }
  Status PutMeta(std::string_view key, std::string_view value) {
    auto statement =
        db_.Prepare(value.empty() ? "DELETE FROM meta WHERE key = ?1" : "INSERT OR REPLACE INTO meta VALUES(?1, ?2)");
    if (!statement) return statement.error();
    statement->Bind(key);
    if (!value.empty()) statement->BindAt(2, value);
    return statement->Run();
  }
  /// Runs `change` in a transaction.
  template <class Change>
  Status Alone(Change change) {
    Status done = db_.Exec("BEGIN IMMEDIATE");
    if (done) done = change();
    inserts_.clear();
    if (done) done = db_.Exec("COMMIT");
    if (done) return done;
    (void)db_.Exec("ROLLBACK").has_value();
    return Named(done.error());
  }

  const std::string path_;  ///< links resolved
  const JournalLock lock_;
  Database db_;
  std::vector<Statement> inserts_;
};

}  // namespace

Result<std::unique_ptr<CopyEnd>> OpenSqliteCopyEnd(const std::string& path, CopySide side) {
  const std::string file = RealPath(path);
  if (side == CopySide::kSource && !std::ifstream(file)) {
    return Error{ErrorCode::kInvalid, file + " cannot be read: " + std::strerror(errno)};
  }
  HSW_TRY(MakeFolderFor(file));
  auto lock = JournalLock::Take(file);
  if (!lock) return std::move(lock).error();
  HSW_TRY(MakeFile(file));
  auto end = std::make_unique<SqliteEnd>(file, std::move(*lock));
  HSW_TRY(end->Open());
  return std::unique_ptr<CopyEnd>(std::move(end));
}

}  // namespace hookswitch
