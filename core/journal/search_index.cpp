#include "core/journal/search_index.h"

#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/journal/journal_files.h"
#include "core/journal/rows.h"
#include "core/journal/search_filter.h"

namespace hookswitch {
namespace {

constexpr std::int64_t kIndexVersion = 2;
// doc.flags has the number of revisions above the bits of EventFlag.
constexpr int kRevisionsShift = 8;

// `doc`: an event by what it is, narrow, because searches read all of it; names by their number in `value` (0: none),
// `outcomes` the number of its set of deliveries. `part`: what the full text of its events (text_N) covers;
// `removed_ms`: since when it has words of removed ones, or 0. `hit`, `seen`: by the hour (HourOf).
constexpr const char* kTables = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE doc(
  seq INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, source INTEGER NOT NULL, agent INTEGER NOT NULL,
  status INTEGER NOT NULL, direction INTEGER NOT NULL, flags INTEGER NOT NULL, outcomes INTEGER NOT NULL,
  duration REAL, cost REAL, call_key INTEGER NOT NULL);
CREATE INDEX doc_call ON doc(call_key);
CREATE TABLE value(
  id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, text TEXT NOT NULL, events INTEGER NOT NULL, last_ms INTEGER NOT NULL);
CREATE TABLE outcome(id INTEGER PRIMARY KEY, code BLOB NOT NULL, events INTEGER NOT NULL);
CREATE TABLE part(
  number INTEGER PRIMARY KEY, docs INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,
  removed_ms INTEGER NOT NULL);
CREATE TABLE hit(
  rule TEXT NOT NULL, hour INTEGER NOT NULL, hits INTEGER NOT NULL, taken INTEGER NOT NULL, taken_by TEXT NOT NULL,
  last_ms INTEGER NOT NULL, last_event INTEGER NOT NULL, PRIMARY KEY(rule, hour)) WITHOUT ROWID;
CREATE TABLE seen(
  source TEXT NOT NULL, hour INTEGER NOT NULL, events INTEGER NOT NULL, last_ms INTEGER NOT NULL,
  PRIMARY KEY(source, hour)) WITHOUT ROWID;
)sql";

std::uint64_t FileId(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

Error Unusable(const std::string& why) {
  return {ErrorCode::kInvalid, why};
}

}  // namespace

SearchIndex::SearchIndex(std::string path, std::uint16_t salt, const Clock& clock)
    : path_(std::move(path)), salt_(salt), clock_(clock), reader_(path_, clock) {}

Result<std::unique_ptr<SearchIndex>> SearchIndex::Open(const std::string& journal_path, std::uint16_t salt,
                                                       EventSeq newest, const Clock& clock) {
  std::unique_ptr<SearchIndex> index(new SearchIndex(RealPath(journal_path) + ".search", salt, clock));
  if (Status connected = index->Connect(newest); !connected) {
    if (connected.error().code != ErrorCode::kInvalid) return std::move(connected).error();
    index->found_unusable_ = connected.error().message;
    HSW_TRY(index->Reset());
  }
  return index;
}

Status SearchIndex::Reset() {
  // Nothing of the old file is read from here on, whether the new one can be made or not.
  reader_.Disconnect();
  file_id_ = 0;
  names_.Release();
  sql_ = {};
  text_ = {};
  text_part_ = -1;
  rewrite_.reset();
  db_ = {};
  through_ = 0;
  events_ = 0;
  for (const char* part : {"", "-wal", "-shm"}) std::remove((path_ + part).c_str());
  return Connect(0);
}

Status SearchIndex::Connect(EventSeq newest) {
  HSW_TRY(MakeFile(path_));
  auto opened = Database::Open(path_, Database::Mode::kWrite);
  if (!opened) return std::move(opened).error();
  db_ = std::move(*opened);
  HSW_TRY(
      db_.Exec("PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; "
               "PRAGMA secure_delete = ON; PRAGMA cell_size_check = 1; PRAGMA journal_size_limit = 16777216"));
  const auto tables = db_.QueryInt("SELECT count(*) FROM sqlite_schema");
  if (!tables) return tables.error();
  if (*tables == 0) HSW_TRY(Create());
  const auto ours = db_.QueryInt(
      "SELECT count(*) FROM sqlite_schema WHERE name IN "
      "('meta', 'doc', 'doc_call', 'value', 'outcome', 'part', 'hit', 'seen')");
  if (!ours) return ours.error();
  if (*ours != 8) return Unusable("it is no search index");
  const auto meta = [&](const char* key) {
    return db_.QueryInt("SELECT value FROM meta WHERE key = '" + std::string(key) + "'");
  };
  const auto version = meta("version"), salt = meta("salt"), through = meta("through"), complete = meta("complete");
  for (const auto* value : {&version, &salt, &through, &complete}) {
    if (!*value) return value->error();
  }
  if (*version != kIndexVersion) return Unusable("it is of another version of hookswitch");
  if (*salt != salt_) return Unusable("it is of another journal");
  if (*through > newest) return Unusable("it is ahead of the journal");
  const auto events = db_.QueryInt("SELECT count(*) FROM doc");
  if (!events) return events.error();
  events_ = static_cast<std::uint64_t>(*events);
  // One that the process before did not end.
  HSW_TRY(db_.Exec(("DROP TABLE IF EXISTS " + kNewText).c_str()));
  HSW_TRY(Prepare());
  HSW_TRY(names_.Use(db_));
  file_id_ = FileId(path_);
  was_complete_ = *complete != 0;
  if (was_complete_) HSW_TRY(sql_.set_meta.Bind(std::string_view("complete"), 0).Run());
  through_.store(*through, std::memory_order_release);
  reader_.Connect();
  return Ok();
}

Status SearchIndex::Create() {
  const std::string values = "INSERT INTO meta VALUES('version', " + std::to_string(kIndexVersion) + "), ('salt', " +
                             std::to_string(salt_) + "), ('through', 0), ('complete', 1)";
  HSW_TRY(db_.Exec("BEGIN IMMEDIATE"));
  HSW_TRY(db_.Exec(kTables));
  HSW_TRY(db_.Exec(values.c_str()));
  return db_.Exec("COMMIT");
}

Status SearchIndex::Prepare() {
  const std::pair<Statement*, std::string_view> statements[] = {
      {&sql_.begin, "BEGIN IMMEDIATE"},
      {&sql_.commit, "COMMIT"},
      {&sql_.rollback, "ROLLBACK"},
      {&sql_.set_meta, "INSERT OR REPLACE INTO meta VALUES(?, ?)"},
      {&sql_.add_meta, "INSERT OR IGNORE INTO meta VALUES(?, ?)"},
      {&sql_.find_doc, "SELECT received_ms, source, agent, status, direction, outcomes, flags FROM doc WHERE seq = ?"},
      {&sql_.put_doc, "INSERT OR REPLACE INTO doc VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)"},
      {&sql_.set_outcomes, "UPDATE doc SET outcomes = ?2 WHERE seq = ?1"},
      {&sql_.docs,
       "SELECT seq, received_ms, source, agent, status, direction, outcomes FROM doc WHERE seq >= ? AND seq < ? "
       "ORDER BY seq"},
      {&sql_.remove_doc, "DELETE FROM doc WHERE seq = ?"},
      {&sql_.note_part,
       "INSERT INTO part VALUES(?1, ?2, ?3, ?3, 0) ON CONFLICT(number) DO UPDATE SET docs = docs + ?2, "
       "first_ms = min(first_ms, ?3), last_ms = max(last_ms, ?3)"},
      {&sql_.shrink_part,
       "UPDATE part SET docs = docs - 1, removed_ms = CASE removed_ms WHEN 0 THEN ?2 ELSE removed_ms END "
       "WHERE number = ?1"},
      {&sql_.empty_parts, "SELECT number FROM part WHERE docs <= 0"},
      {&sql_.drop_part, "DELETE FROM part WHERE number = ?"},
      // The clock may have been set back.
      {&sql_.outdated_part,
       "SELECT number FROM part WHERE removed_ms <> 0 AND (removed_ms <= ?1 OR removed_ms > ?2) ORDER BY number LIMIT "
       "1"},
      {&sql_.note_removal, "UPDATE part SET removed_ms = ?2 WHERE number = ?1"},
      {&sql_.docs_from, "SELECT seq FROM doc WHERE seq >= ? AND seq < ? ORDER BY seq LIMIT ?"},
      {&sql_.hit,
       "INSERT INTO hit VALUES(?1, ?2, 1, ?3, ?4, ?5, ?6) ON CONFLICT(rule, hour) DO UPDATE SET hits = hits + 1, "
       "taken = taken + ?3, taken_by = CASE WHEN ?3 THEN ?4 ELSE taken_by END, "
       "last_event = CASE WHEN ?5 >= last_ms THEN ?6 ELSE last_event END, last_ms = max(last_ms, ?5)"},
      {&sql_.seen,
       "INSERT INTO seen VALUES(?1, ?2, 1, ?3) ON CONFLICT(source, hour) DO UPDATE SET events = events + 1, "
       "last_ms = max(last_ms, ?3)"},
  };
  for (const auto& [statement, text] : statements) {
    auto prepared = db_.Prepare(text);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  return Ok();
}

Status SearchIndex::InTransaction(const std::function<Status()>& change) {
  const std::uint64_t events_before = events_.load();
  HSW_TRY(sql_.begin.Run());
  Status done = change();
  if (done) done = sql_.commit.Run();
  if (done) return done;
  // Fails if SQLite has already rolled back, which is fine.
  (void)sql_.rollback.Run();
  events_ = events_before;
  text_ = {};
  text_part_ = -1;
  rewrite_.reset();
  if (const Status reloaded = names_.Reload(); !reloaded && done.error().code != ErrorCode::kInvalid) return reloaded;
  return done;
}

Status SearchIndex::Add(std::span<const IndexedEvent> events, EventSeq through) {
  const EventSeq end = std::max(through, this->through());
  HSW_TRY(InTransaction([&]() -> Status {
    for (const IndexedEvent& event : events) {
      HSW_TRY(AddOne(event));
      HSW_TRY(AddText(event));
      if (event.seq > this->through()) HSW_TRY(Count(event));
    }
    HSW_TRY(names_.Flush());
    return sql_.set_meta.Bind(std::string_view("through"), end).Run();
  }));
  through_.store(end, std::memory_order_release);
  return Ok();
}

Status SearchIndex::AddOne(const IndexedEvent& event) {
  Doc doc;
  doc.seq = event.seq;
  doc.received_ms = Ms(event.received_at);
  doc.flags = (event.flags & (kUnmatched | kSkipped)) | std::int64_t{event.revisions} << kRevisionsShift;
  if (event.revisions != 0) doc.flags |= kRevised;
  const std::tuple<std::int64_t*, NameKind, const std::string&> names[] = {
      {&doc.source, NameKind::kSource, event.source},
      {&doc.agent, NameKind::kAgent, event.agent},
      {&doc.status, NameKind::kStatus, event.status},
      {&doc.direction, NameKind::kDirection, event.direction}};
  for (const auto& [number, kind, text] : names) {
    const auto found = names_.NumberOf(kind, text);
    if (!found) return found.error();
    *number = *found;
  }
  const auto outcomes = OutcomesOf(event.deliveries);
  if (!outcomes) return outcomes.error();
  doc.outcomes = *outcomes;
  const auto before = FindDoc(event.seq);
  if (!before) return before.error();
  if (*before) CountNames(**before, -1);
  CountNames(doc, 1);
  HSW_TRY(sql_.put_doc
              .Bind(doc.seq, doc.received_ms, doc.source, doc.agent, doc.status, doc.direction, doc.flags, doc.outcomes,
                    event.duration, event.cost, SearchKeyOfCall(event.call_id))
              .Run());
  events_ += *before ? 0 : 1;
  return sql_.note_part.Bind(event.seq / kEventsPerPart, *before ? 0 : 1, doc.received_ms).Run();
}

// A table without content and positions. Without content an event cannot be taken out again, but it can be added again:
// SQLite merges the rows of one number. That is what a revised event wants, whose earlier words stay searched.
Result<Statement> SearchIndex::MakeText(const std::string& table) {
  const std::string create = "CREATE VIRTUAL TABLE IF NOT EXISTS " + table +
                             " USING fts5(words, content = '', columnsize = 0, detail = none, prefix = '1 2 3', "
                             "tokenize = 'unicode61 remove_diacritics 2')";
  HSW_TRY(db_.Exec(create.c_str()));
  return db_.Prepare("INSERT INTO " + table + "(rowid, words) VALUES(?, ?)");
}

Status SearchIndex::AddText(const IndexedEvent& event) {
  const std::int64_t part = event.seq / kEventsPerPart;
  if (part != text_part_) {
    text_ = {};
    auto text = MakeText(TextTable(part));
    if (!text) return text.error();
    text_ = std::move(*text);
    text_part_ = part;
  }
  HSW_TRY(AddWords(event, text_));
  // What the new table does not have yet is read for it as it is then.
  const bool is_in_both = rewrite_ && part == rewrite_->part && event.seq < rewrite_->next;
  return is_in_both ? AddWords(event, rewrite_->text) : Ok();
}

Status SearchIndex::AddWords(const IndexedEvent& event, Statement& text) {
  std::string words = event.text;
  for (const std::string& mark : event.marks) (words += '\n') += mark;
  return text.Bind(event.seq, std::string_view(words)).Run();
}

Status SearchIndex::Count(const IndexedEvent& event) {
  const std::int64_t hour = HourOf(event.received_at);
  HSW_TRY(sql_.add_meta.Bind(std::string_view("counted_since_ms"), Ms(event.received_at)).Run());
  HSW_TRY(sql_.seen.Bind(std::string_view(event.source), hour, Ms(event.received_at)).Run());
  for (const IndexedMatch& match : event.matches) {
    HSW_TRY(sql_.hit
                .Bind(std::string_view(match.rule), hour, match.taken_by.empty() ? 0 : 1,
                      std::string_view(match.taken_by), Ms(event.received_at), event.seq)
                .Run());
  }
  for (const std::string& path : event.paths) {
    const auto number = names_.NumberOf(NameKind::kPath, path);
    if (!number) return number.error();
    names_.Count(*number, 1, event.received_at);
  }
  return Ok();
}

Result<std::optional<SearchIndex::Doc>> SearchIndex::FindDoc(EventSeq event) {
  const auto row = sql_.find_doc.Bind(event).Next();
  if (!row) return row.error();
  if (!*row) return std::optional<Doc>();
  const Doc doc{event,
                sql_.find_doc.Int(0),
                sql_.find_doc.Int(1),
                sql_.find_doc.Int(2),
                sql_.find_doc.Int(3),
                sql_.find_doc.Int(4),
                sql_.find_doc.Int(5),
                sql_.find_doc.Int(6)};
  sql_.find_doc.Reset();
  return std::optional(doc);
}

void SearchIndex::CountNames(const Doc& doc, int by) {
  for (const std::int64_t name : {doc.source, doc.agent, doc.status, doc.direction}) {
    names_.Count(name, by, Time(doc.received_ms));
  }
  names_.CountOutcome(doc.outcomes, by);
}

Result<std::int64_t> SearchIndex::OutcomesOf(std::span<const IndexedDelivery> deliveries) {
  std::vector<CodedDelivery> coded;
  for (const IndexedDelivery& delivery : deliveries) {
    const auto sink = names_.NumberOf(NameKind::kSink, delivery.sink);
    if (!sink) return sink.error();
    const auto rule = names_.NumberOf(NameKind::kRule, delivery.rule);
    if (!rule) return rule.error();
    coded.push_back({*sink, *rule, delivery.state, delivery.was_replayed});
  }
  return names_.OutcomeNumber(CodeOf(std::move(coded)));
}

Status SearchIndex::SetOutcomes(std::span<const Outcomes> changes) {
  return InTransaction([&]() -> Status {
    for (const Outcomes& change : changes) {
      const auto doc = FindDoc(change.event);
      if (!doc) return doc.error();
      if (!*doc) continue;
      const auto outcomes = OutcomesOf(change.deliveries);
      if (!outcomes) return outcomes.error();
      if (*outcomes == (*doc)->outcomes) continue;
      names_.CountOutcome((*doc)->outcomes, -1);
      names_.CountOutcome(*outcomes, 1);
      HSW_TRY(sql_.set_outcomes.Bind(change.event, *outcomes).Run());
    }
    return names_.Flush();
  });
}

Result<std::optional<SearchIndex::Row>> SearchIndex::FindRow(EventSeq event) {
  const auto doc = FindDoc(event);
  if (!doc) return doc.error();
  if (!*doc) return std::optional<Row>();
  return std::optional(Row{Time((*doc)->received_ms), static_cast<std::uint32_t>((*doc)->flags >> kRevisionsShift)});
}

std::string_view SearchIndex::WhyReset() const {
  if (file_id_ == 0) return "it could not be made again";
  if (FileId(path_) != file_id_) return "somebody has deleted it";
  return reader_.found_damage() ? "it is damaged" : "";
}

Status SearchIndex::NoteComplete() {
  return sql_.set_meta.Bind(std::string_view("complete"), 1).Run();
}

std::uint64_t SearchIndex::BytesOnDisk() const {
  return FileSize(path_) + FileSize(path_ + "-wal") + FileSize(path_ + "-shm");
}

}  // namespace hookswitch
