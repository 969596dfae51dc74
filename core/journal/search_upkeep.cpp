#include <algorithm>
#include <set>

#include "core/journal/rows.h"
#include "core/journal/search_index.h"

// What keeps a SearchIndex small, and what is still to be done in it.
namespace hookswitch {
namespace {

// Rows that one call of RemoveExcept removes at most.
constexpr std::size_t kRemovedAtOnce = 4096;
// Events that one call of RewriteText reads at most, and bytes of text after which it reads no more.
constexpr std::size_t kRewrittenAtOnce = 64, kTextAtOnce = 1 << 20;
constexpr std::chrono::hours kCountsKept{8 * 24};
// Stands for the hours before those, whose counts are summed up in one row.
constexpr std::int64_t kBefore = -1;

}  // namespace

Result<bool> SearchIndex::RemoveExcept(EventSeq first, EventSeq end, std::span<const EventSeq> kept) {
  std::vector<Doc> gone;
  sql_.docs.Bind(first, end);
  while (gone.size() < kRemovedAtOnce) {
    const auto row = sql_.docs.Next();
    if (!row) return row.error();
    if (!*row) break;
    Doc doc{sql_.docs.Int(0), sql_.docs.Int(1), sql_.docs.Int(2), sql_.docs.Int(3),
            sql_.docs.Int(4), sql_.docs.Int(5), sql_.docs.Int(6)};
    if (!std::ranges::binary_search(kept, doc.seq)) gone.push_back(doc);
  }
  sql_.docs.Reset();
  if (gone.empty()) return false;
  const std::int64_t now = Ms(clock_.Wall());
  HSW_TRY(InTransaction([&]() -> Status {
    for (const Doc& doc : gone) {
      CountNames(doc, -1);
      HSW_TRY(sql_.remove_doc.Bind(doc.seq).Run());
      HSW_TRY(sql_.shrink_part.Bind(doc.seq / kEventsPerPart, now).Run());
      --events_;
    }
    HSW_TRY(names_.Flush());
    HSW_TRY(DropEmptyParts());
    return names_.RemoveUnused();
  }));
  const auto is_in_new_text = [&](const Doc& doc) { return doc.seq / kEventsPerPart == rewrite_->part; };
  if (rewrite_ && rewrite_->removed_ms == 0 && std::ranges::any_of(gone, is_in_new_text)) rewrite_->removed_ms = now;
  return gone.size() == kRemovedAtOnce;
}

Status SearchIndex::DropEmptyParts() {
  std::set<std::int64_t> empty;
  for (;;) {
    const auto row = sql_.empty_parts.Next();
    if (!row) return row.error();
    if (!*row) break;
    // Events that come belong into the newest.
    if (const std::int64_t part = sql_.empty_parts.Int(0); part != through() / kEventsPerPart) empty.insert(part);
  }
  for (const std::int64_t part : empty) {
    if (part == text_part_) {
      text_ = {};
      text_part_ = -1;
    }
    if (rewrite_ && part == rewrite_->part) {
      rewrite_.reset();
      HSW_TRY(db_.Exec(("DROP TABLE IF EXISTS " + kNewText).c_str()));
    }
    HSW_TRY(db_.Exec(("DROP TABLE IF EXISTS " + TextTable(part)).c_str()));
    HSW_TRY(sql_.drop_part.Bind(part).Run());
  }
  return Ok();
}

Result<bool> SearchIndex::RewriteText(const ReadIndexed& read) {
  if (!rewrite_) return BeginRewrite();
  std::vector<EventSeq> indexed;
  sql_.docs_from.Bind(rewrite_->next, (rewrite_->part + 1) * kEventsPerPart,
                      static_cast<std::int64_t>(kRewrittenAtOnce));
  for (;;) {
    const auto row = sql_.docs_from.Next();
    if (!row) return row.error();
    if (!*row) break;
    indexed.push_back(sql_.docs_from.Int(0));
  }
  std::vector<IndexedEvent> events;
  std::size_t looked = 0, text = 0;
  for (; looked < indexed.size() && text < kTextAtOnce; ++looked) {
    auto event = read(indexed[looked]);
    if (!event) return std::move(event).error();
    if (!*event) continue;
    text += (*event)->text.size();
    events.push_back(std::move(**event));
  }
  const bool is_last = looked == indexed.size() && looked < kRewrittenAtOnce;
  HSW_TRY(InTransaction([&]() -> Status {
    for (const IndexedEvent& event : events) HSW_TRY(AddWords(event, rewrite_->text));
    return is_last ? EndRewrite() : Ok();
  }));
  if (is_last) {
    rewrite_.reset();
  } else {
    rewrite_->next = indexed[looked - 1] + 1;
  }
  return true;
}

/// Returns whether there is a part whose text is to be made again.
Result<bool> SearchIndex::BeginRewrite() {
  const WallTime now = clock_.Wall();
  const auto row = sql_.outdated_part.Bind(Ms(now - kWordsKept), Ms(now)).Next();
  if (!row) return row.error();
  if (!*row) return false;
  Rewrite rewrite;
  rewrite.part = sql_.outdated_part.Int(0);
  rewrite.next = rewrite.part * kEventsPerPart;
  sql_.outdated_part.Reset();
  HSW_TRY(InTransaction([&]() -> Status {
    HSW_TRY(db_.Exec(("DROP TABLE IF EXISTS " + kNewText).c_str()));
    auto text = MakeText(kNewText);
    if (!text) return text.error();
    rewrite.text = std::move(*text);
    return Ok();
  }));
  rewrite_ = std::move(rewrite);
  return true;
}

/// Puts the new table in the place of the old.
Status SearchIndex::EndRewrite() {
  rewrite_->text = {};
  text_ = {};
  text_part_ = -1;
  const std::string table = TextTable(rewrite_->part);
  HSW_TRY(db_.Exec(("DROP TABLE IF EXISTS " + table).c_str()));
  HSW_TRY(db_.Exec(("ALTER TABLE " + kNewText + " RENAME TO " + table).c_str()));
  return sql_.note_removal.Bind(rewrite_->part, rewrite_->removed_ms).Run();
}

Status SearchIndex::Prune(WallTime now) {
  const std::string before = std::to_string(HourOf(now - kCountsKept));
  const std::string rest = std::to_string(kBefore);
  const std::string sql = "INSERT OR REPLACE INTO hit SELECT rule, " + rest +
                          ", sum(hits), sum(taken), taken_by, max(last_ms), last_event " + "FROM hit WHERE hour < " +
                          before + " GROUP BY rule; " +                                               //
                          "DELETE FROM hit WHERE hour < " + before + " AND hour <> " + rest + "; " +  //
                          "INSERT OR REPLACE INTO seen SELECT source, " + rest +
                          ", sum(events), max(last_ms) FROM seen WHERE hour < " + before +
                          " GROUP BY source; DELETE FROM seen WHERE hour < " + before + " AND hour <> " + rest;
  HSW_TRY(InTransaction([&] { return db_.Exec(sql.c_str()); }));
  // While somebody reads the file it cannot be emptied: the next time, then.
  if (const Status emptied = db_.TruncateLog(); !emptied && emptied.error().code != ErrorCode::kUnavailable) {
    return emptied.error();
  }
  return Ok();
}

Result<std::vector<EventSeq>> SearchIndex::OpenEvents(EventSeq after, std::size_t limit) {
  std::string numbers;
  auto outcomes = db_.Prepare("SELECT id, code FROM outcome WHERE events > 0");
  if (!outcomes) return outcomes.error();
  for (;;) {
    const auto row = outcomes->Next();
    if (!row) return row.error();
    if (!*row) break;
    const auto deliveries = DeliveriesIn(outcomes->Bytes(1));
    if (std::ranges::none_of(deliveries, [](const CodedDelivery& one) { return IsOpen(one.state); })) continue;
    numbers += (numbers.empty() ? "" : ",") + std::to_string(outcomes->Int(0));
  }
  auto rows = db_.Prepare("SELECT seq FROM doc WHERE seq > ?1 AND outcomes IN (" + numbers + ") ORDER BY seq LIMIT ?2");
  if (!rows) return rows.error();
  rows->Bind(after, static_cast<std::int64_t>(limit));
  std::vector<EventSeq> open;
  for (;;) {
    const auto row = rows->Next();
    if (!row) return row.error();
    if (!*row) return open;
    open.push_back(rows->Int(0));
  }
}

}  // namespace hookswitch
