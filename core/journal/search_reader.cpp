#include "core/journal/search_reader.h"

#include <algorithm>
#include <bitset>
#include <limits>
#include <memory>

#include "core/base/hash.h"
#include "core/base/text.h"
#include "core/journal/rows.h"
#include "core/journal/search_sql.h"

namespace hookswitch {
namespace {

/// The events of one part that may fit, by their place in it.
using Places = std::bitset<kEventsPerPart>;
// Below this it is cheaper to look each event up than to read all rows of the part.
constexpr std::size_t kFewPlaces = 4096;
// Rows that are read between two looks at the clock.
constexpr std::size_t kRowsAtOnce = 256;

/// One search. Not longer than the transaction that it is in.
class Finder {
 public:
  Finder(Database& db, SearchSql sql, std::size_t limit, const Clock& clock, MonoTime deadline)
      : db_(db), sql_(std::move(sql)), limit_(limit), clock_(clock), deadline_(deadline) {}

  /// Adds what fits from `first` to below `end`, events of one part, newest first. Returns how far it came: everything
  /// from there on is done.
  Result<EventSeq> FindIn(EventSeq first, EventSeq end, std::vector<EventSeq>& found) {
    if (sql_.must.empty() && sql_.must_not.empty()) return ReadRows(first, RangeOf(first, end), nullptr, found);
    auto places = std::make_unique<Places>();
    if (sql_.must.empty()) {
      places->set();
    } else {
      HSW_TRY(ForWords(sql_.must, first, end, [&](std::size_t place) { places->set(place); }));
    }
    if (!sql_.must_not.empty()) {
      HSW_TRY(ForWords(sql_.must_not, first, end, [&](std::size_t place) { places->reset(place); }));
    }
    if (places->none()) return first;
    const bool few = places->count() <= kFewPlaces;
    return ReadRows(first, few ? ListOf(first, *places) : RangeOf(first, end), places.get(), found);
  }

 private:
  static std::string RangeOf(EventSeq first, EventSeq end) {
    return "seq >= " + std::to_string(first) + " AND seq < " + std::to_string(end);
  }

  static std::string ListOf(EventSeq first, const Places& places) {
    std::string list = "seq IN (";
    for (std::size_t place = 0; place < places.size(); ++place) {
      if (!places.test(place)) continue;
      if (list.back() != '(') list += ',';
      list += std::to_string(first + static_cast<EventSeq>(place));
    }
    return list + ')';
  }

  /// Reads the rows of `which` events in one statement, for SQLite makes the sets of numbers in it for each anew.
  Result<EventSeq> ReadRows(EventSeq first, const std::string& which, const Places* places,
                            std::vector<EventSeq>& found) {
    std::string text =
        "SELECT seq FROM doc" + std::string(sql_.by_call ? " INDEXED BY doc_call" : "") + " WHERE " + which;
    if (!sql_.where.empty()) text += " AND " + sql_.where;
    auto rows = db_.Prepare(text + " ORDER BY seq DESC");
    if (!rows) return rows.error();
    for (std::size_t read = 1;; ++read) {
      const auto row = rows->Next();
      if (!row) return row.error();
      if (!*row) return first;
      const EventSeq seq = rows->Int(0);
      if (!places || places->test(static_cast<std::size_t>(seq % kEventsPerPart))) found.push_back(seq);
      if (found.size() == limit_ || (read % kRowsAtOnce == 0 && clock_.Mono() >= deadline_)) return seq;
    }
  }

  template <class Take>
  Status ForWords(const std::string& query, EventSeq first, EventSeq end, Take take) {
    const std::string table = TextTable(first / kEventsPerPart);
    auto rows =
        db_.Prepare("SELECT rowid FROM " + table + " WHERE " + table + " MATCH ?1 AND rowid >= ?2 AND rowid < ?3");
    if (!rows) return rows.error();
    rows->Bind(std::string_view(query), first, end);
    for (;;) {
      const auto row = rows->Next();
      if (!row) return row.error();
      if (!*row) return Ok();
      take(static_cast<std::size_t>(rows->Int(0) % kEventsPerPart));
    }
  }

  Database& db_;
  const SearchSql sql_;
  const std::size_t limit_;
  const Clock& clock_;
  const MonoTime deadline_;
};

struct Part {
  std::int64_t number = 0, first_ms = 0, last_ms = 0;
};

Result<std::vector<Part>> PartsBelow(Database& db, EventSeq before) {
  auto select = db.Prepare("SELECT number, first_ms, last_ms FROM part WHERE number <= ? ORDER BY number DESC");
  if (!select) return select.error();
  select->Bind((before - 1) / kEventsPerPart);
  std::vector<Part> parts;
  for (;;) {
    const auto row = select->Next();
    if (!row) return row.error();
    if (!*row) return parts;
    parts.push_back({select->Int(0), select->Int(1), select->Int(2)});
  }
}

bool MayHave(const Part& part, const SearchFilter& filter) {
  return (!filter.since || part.last_ms >= Ms(*filter.since)) && (!filter.until || part.first_ms < Ms(*filter.until));
}

Result<std::vector<EventSeq>> SequenceOf(Statement& rows) {
  std::vector<EventSeq> found;
  for (;;) {
    const auto row = rows.Next();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back(rows.Int(0));
  }
}

}  // namespace

std::int64_t SearchKeyOfCall(std::string_view call_id) {
  return call_id.empty() ? 0 : static_cast<std::int64_t>(MixIn(0, call_id) | 1);
}

void SearchReader::Connect() {
  MutexLock lock(mu_);
  is_allowed_ = true;
}

void SearchReader::Disconnect() {
  MutexLock lock(mu_);
  is_allowed_ = false;
  db_.reset();
  found_damage_ = false;
}

// One transaction, so that what a read looks at in several statements belongs together.
template <class Read>
auto SearchReader::WithConnection(Read read) -> decltype(read(std::declval<Database&>())) {
  MutexLock lock(mu_);
  if (!is_allowed_) return Error{ErrorCode::kUnavailable, "the search index is being made again"};
  if (!db_) {
    auto opened = Database::Open(path_, Database::Mode::kRead);
    if (!opened) return opened.error();
    db_ = std::move(*opened);
  }
  if (Status begun = db_->Exec("BEGIN"); !begun) {
    db_.reset();
    return std::move(begun).error();
  }
  auto result = read(*db_);
  if (!result && result.error().code == ErrorCode::kInvalid) found_damage_ = true;
  if (const Status ended = db_->Exec("COMMIT"); !result || !ended) db_.reset();
  return result;
}

Result<Page<EventSeq>> SearchReader::Find(const SearchFilter& filter, EventSeq before, std::size_t limit,
                                          MonoTime deadline) {
  return WithConnection([&](Database& db) -> Result<Page<EventSeq>> {
    Page<EventSeq> page;
    if (limit == 0) return page;
    auto sql = MakeSearchSql(db, filter);
    if (!sql) return std::move(sql).error();
    if (sql->is_never) return page;
    if (before <= 0) before = std::numeric_limits<EventSeq>::max();
    const auto parts = PartsBelow(db, before);
    if (!parts) return parts.error();
    Finder finder(db, std::move(*sql), limit, clock_, deadline);
    for (const Part& part : *parts) {
      if (!MayHave(part, filter)) continue;
      const EventSeq first = part.number * kEventsPerPart;
      if (page.next != 0 && clock_.Mono() >= deadline) return page;
      const auto done = finder.FindIn(first, std::min(before, first + kEventsPerPart), page.items);
      if (!done) return done.error();
      page.next = *done;
      // The page is full, or the time is up.
      if (*done > first || page.items.size() == limit) return page;
    }
    page.next = 0;
    return page;
  });
}

Result<std::vector<EventSeq>> SearchReader::EventsOfCall(std::string_view call_id, EventSeq after, std::size_t limit) {
  return WithConnection([&](Database& db) -> Result<std::vector<EventSeq>> {
    auto rows = db.Prepare(
        "SELECT seq FROM doc INDEXED BY doc_call WHERE call_key = ?1 AND call_key <> 0 AND seq > ?2 ORDER BY seq "
        "LIMIT ?3");
    if (!rows) return rows.error();
    rows->Bind(SearchKeyOfCall(call_id), after, static_cast<std::int64_t>(limit));
    return SequenceOf(*rows);
  });
}

Result<IndexedCall> SearchReader::FindCall(std::string_view call_id, std::string_view source, EventSeq through) {
  return WithConnection([&](Database& db) -> Result<IndexedCall> {
    auto rows = db.Prepare(
        "SELECT received_ms, s.text, a.text FROM doc INDEXED BY doc_call LEFT JOIN value s ON s.id = source "
        "LEFT JOIN value a ON a.id = agent WHERE call_key = ?1 AND call_key <> 0 AND seq <= ?2 "
        "AND ?3 IN ('', s.text) ORDER BY seq");
    if (!rows) return rows.error();
    rows->Bind(SearchKeyOfCall(call_id), through, source);
    IndexedCall call;
    for (;;) {
      const auto row = rows->Next();
      if (!row) return row.error();
      if (!*row) return call;
      call.last = Time(rows->Int(0));
      if (call.events++ == 0) call.first = call.last;
      const std::string_view name = rows->Bytes(1), agent = rows->Bytes(2);
      if (std::ranges::find(call.sources, name) == call.sources.end()) call.sources.emplace_back(name);
      if (!agent.empty()) call.agent = agent;
    }
  });
}

Result<std::vector<NameCount>> SearchReader::Names(NameKind kind, std::string_view part, std::size_t limit) {
  const std::string wanted = ToLower(part);
  auto all = WithConnection([&](Database& db) -> Result<std::vector<NameCount>> {
    std::vector<NameCount> names;
    std::vector<std::int64_t> numbers;
    auto select = db.Prepare("SELECT text, events, id FROM value WHERE kind = ?");
    if (!select) return select.error();
    select->Bind(static_cast<int>(kind));
    for (;;) {
      const auto row = select->Next();
      if (!row) return row.error();
      if (!*row) break;
      if (ToLower(select->Bytes(0)).find(wanted) == std::string::npos) continue;
      names.push_back({std::string(select->Bytes(0)), select->Int(1)});
      numbers.push_back(select->Int(2));
    }
    if (kind != NameKind::kSink && kind != NameKind::kRule) return names;
    // These are counted by the outcomes that name them.
    auto outcomes = db.Prepare("SELECT code, events FROM outcome WHERE events > 0");
    if (!outcomes) return outcomes.error();
    for (;;) {
      const auto row = outcomes->Next();
      if (!row) return row.error();
      if (!*row) break;
      const auto deliveries = DeliveriesIn(outcomes->Bytes(0));
      for (std::size_t i = 0; i < names.size(); ++i) {
        const bool has = std::ranges::any_of(deliveries, [&](const CodedDelivery& one) {
          return (kind == NameKind::kSink ? one.sink : one.rule) == numbers[i];
        });
        if (has) names[i].events += outcomes->Int(1);
      }
    }
    std::erase_if(names, [](const NameCount& name) { return name.events == 0; });
    return names;
  });
  if (!all) return all;
  std::ranges::sort(*all, [&](const NameCount& a, const NameCount& b) {
    const bool a_first = ToLower(a.text).starts_with(wanted), b_first = ToLower(b.text).starts_with(wanted);
    if (a_first != b_first) return a_first;
    return a.events != b.events ? a.events > b.events : a.text < b.text;
  });
  if (all->size() > limit) all->resize(limit);
  return all;
}

Result<std::vector<NameCount>> SearchReader::States() {
  return WithConnection([&](Database& db) -> Result<std::vector<NameCount>> {
    std::vector<NameCount> states;
    for (int number = 0; const auto state = StateOf(number); ++number) {
      states.push_back({std::string(ToString(*state)), 0});
    }
    auto outcomes = db.Prepare("SELECT code, events FROM outcome");
    if (!outcomes) return outcomes.error();
    for (;;) {
      const auto row = outcomes->Next();
      if (!row) return row.error();
      if (!*row) return states;
      const auto deliveries = DeliveriesIn(outcomes->Bytes(0));
      for (std::size_t i = 0; i < states.size(); ++i) {
        const bool has = std::ranges::any_of(
            deliveries, [&](const CodedDelivery& one) { return static_cast<std::size_t>(one.state) == i; });
        if (has) states[i].events += outcomes->Int(1);
      }
    }
  });
}

Result<std::optional<WallTime>> SearchReader::CountedSince() {
  return WithConnection([&](Database& db) -> Result<std::optional<WallTime>> {
    const auto ms = db.QueryInt("SELECT value FROM meta WHERE key = 'counted_since_ms'");
    if (!ms) return ms.error();
    return *ms == 0 ? std::optional<WallTime>() : Time(*ms);
  });
}

Result<std::vector<RuleHits>> SearchReader::HitsOfRules(WallTime since) {
  return WithConnection([&](Database& db) -> Result<std::vector<RuleHits>> {
    std::vector<RuleHits> all;
    auto rows =
        db.Prepare("SELECT rule, hour, hits, taken, taken_by, last_ms, last_event FROM hit ORDER BY rule, hour");
    if (!rows) return rows.error();
    for (;;) {
      const auto row = rows->Next();
      if (!row) return row.error();
      if (!*row) return all;
      if (all.empty() || all.back().rule != rows->Bytes(0)) all.push_back({.rule = std::string(rows->Bytes(0))});
      RuleHits& hits = all.back();
      hits.hits += rows->Int(2);
      if (rows->Int(1) >= HourOf(since)) {
        hits.hits_since += rows->Int(2);
        hits.taken_since += rows->Int(3);
        if (rows->Int(3) != 0) hits.taken_by = rows->Bytes(4);
      }
      if (Time(rows->Int(5)) >= hits.last_hit) {
        hits.last_hit = Time(rows->Int(5));
        hits.last_event = rows->Int(6);
      }
    }
  });
}

Result<std::vector<SourceCount>> SearchReader::EventsOfSources(WallTime since) {
  return WithConnection([&](Database& db) -> Result<std::vector<SourceCount>> {
    std::vector<SourceCount> all;
    auto rows = db.Prepare("SELECT source, hour, events, last_ms FROM seen ORDER BY source, hour");
    if (!rows) return rows.error();
    for (;;) {
      const auto row = rows->Next();
      if (!row) return row.error();
      if (!*row) return all;
      if (all.empty() || all.back().source != rows->Bytes(0)) all.push_back({.source = std::string(rows->Bytes(0))});
      SourceCount& count = all.back();
      if (rows->Int(1) >= HourOf(since)) count.events_since += rows->Int(2);
      count.last_at = std::max(count.last_at, Time(rows->Int(3)));
    }
  });
}

}  // namespace hookswitch
