#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/journal/journal.h"
#include "core/journal/search_names.h"
#include "core/journal/search_reader.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// A delivery of an event, for SearchFilter::Deliveries.
struct IndexedDelivery {
  std::string sink, rule;
  DeliveryState state{};
  bool was_replayed = false;
};

/// A rule that matched an event when it was accepted.
struct IndexedMatch {
  std::string rule;
  std::string taken_by;  ///< the rule that took its last sink, if earlier ones took all of them; else ""
};

/// An event as the index takes it.
struct IndexedEvent {
  EventSeq seq = 0;
  WallTime received_at{};
  std::string source, call_id, agent, status, direction;  ///< "": none
  std::optional<double> duration, cost;
  std::uint32_t flags = 0;      ///< kUnmatched, kSkipped; the other flags follow from what follows
  std::uint32_t revisions = 0;  ///< how often later content has replaced it
  std::vector<IndexedDelivery> deliveries;
  std::string text;                ///< what its words are found in; without kMarkStart
  std::vector<std::string> marks;  ///< of its fields (MarkOf)
  std::vector<std::string> paths;  ///< of its data, to be suggested: "General.Outcome"
  std::vector<IndexedMatch> matches;
};

/// Finds events by what they are: a SQLite file beside the journal, `<journal>.search`, made from its events and behind
/// them. It holds nothing of its own, except how often rules matched: it may be deleted at any time and is made again.
/// core/journal/README.md describes the file.
///
/// What is removed is overwritten with zeros, once the log is emptied. FTS5 cannot take the words of one event out of a
/// table that does not keep its text, so the table is made again.
///
/// One thread writes, each call in one transaction that a power cut keeps or takes whole; any thread reads. Errors:
/// kInvalid (the file is damaged: call Reset), kUnavailable (not now).
class SearchIndex {
 public:
  /// How long words of a removed event may stay in the text of a part before that is made again.
  static constexpr std::chrono::hours kWordsKept{12};

  /// Opens or creates the index of the journal at `journal_path`. Begins anew if the file is damaged, of another
  /// version, of another journal (`salt`), or ahead of the journal (`newest`, the last number given to an event).
  /// Errors: kUnavailable (the folder is not writable, …). `clock` must outlive it.
  static Result<std::unique_ptr<SearchIndex>> Open(const std::string& journal_path, std::uint16_t salt, EventSeq newest,
                                                   const Clock& clock);

  // [thread: search]

  /// Adds events, or replaces those of the same number; except that words and marks are only added. From now on
  /// everything up to `through` is indexed. Counts the matches of events that are new.
  [[nodiscard]] Status Add(std::span<const IndexedEvent> events, EventSeq through);
  struct Outcomes {
    EventSeq event = 0;
    std::vector<IndexedDelivery> deliveries;
  };
  /// Replaces the deliveries of indexed events; skips others.
  [[nodiscard]] Status SetOutcomes(std::span<const Outcomes> changes);
  /// Removes indexed events from `first` to below `end` that are not among `kept` (ascending), a few thousand at most.
  /// Returns whether there are more. No search finds them any more; their words go with the last event of their part,
  /// or by RewriteText.
  [[nodiscard]] Result<bool> RemoveExcept(EventSeq first, EventSeq end, std::span<const EventSeq> kept);
  /// Returns an indexed event as Add takes it; empty if it is gone.
  using ReadIndexed = std::function<Result<std::optional<IndexedEvent>>(EventSeq)>;
  /// Makes the text of a part again, some events at a time, in which words of removed events have been for kWordsKept.
  /// Returns whether there is more to do. Errors: those of `read` too, and then the same events are read again.
  [[nodiscard]] Result<bool> RewriteText(const ReadIndexed& read);
  /// Forgets counts that are older than eight days, except when each rule matched last, and empties the log, in which
  /// what was removed may still be read.
  [[nodiscard]] Status Prune(WallTime now);
  /// Deletes the file and begins anew. After an error only Reset is allowed; reads fail until then.
  [[nodiscard]] Status Reset();
  /// Why Reset is needed: somebody has deleted or replaced the file, a reader found it damaged, or the last Reset
  /// failed; "" if it is not.
  std::string_view WhyReset() const;
  /// Says that every change of the journal is in it, for WasComplete. No changes follow.
  [[nodiscard]] Status NoteComplete();
  /// Whether the process before this one ended with NoteComplete, or the file is new. If not, changes of the journal
  /// may be missing.
  bool WasComplete() const { return was_complete_; }
  /// Indexed events with a delivery that has not ended, ascending: at most `limit` after `after`.
  [[nodiscard]] Result<std::vector<EventSeq>> OpenEvents(EventSeq after, std::size_t limit);
  /// Of an indexed event; empty if it is none.
  struct Row {
    WallTime received_at{};
    std::uint32_t revisions = 0;
  };
  [[nodiscard]] Result<std::optional<Row>> FindRow(EventSeq event);

  // [thread: any]

  /// The number of indexed events.
  std::uint64_t events() const { return events_.load(std::memory_order_relaxed); }

  /// Events up to here are indexed, newer ones are not.
  EventSeq through() const { return through_.load(std::memory_order_acquire); }
  SearchReader& reader() { return reader_; }
  /// Of its files.
  std::uint64_t BytesOnDisk() const;
  /// Why the file that was found could not be used, or "".
  const std::string& found_unusable() const { return found_unusable_; }

 private:
  struct Statements {
    Statement begin, commit, rollback, set_meta, add_meta;
    Statement find_doc, put_doc, set_outcomes, docs, remove_doc;
    Statement note_part, shrink_part, empty_parts, drop_part, outdated_part, note_removal, docs_from;
    Statement hit, seen;
  };
  /// The text of a part while it is made again, in a table of its own.
  struct Rewrite {
    std::int64_t part = 0;
    EventSeq next = 0;            ///< events below it are in the new table
    std::int64_t removed_ms = 0;  ///< when one was removed meanwhile; 0: none
    Statement text;               ///< inserts into the new table
  };
  /// A row of `doc`, as far as it is counted.
  struct Doc {
    EventSeq seq = 0;
    std::int64_t received_ms = 0, source = 0, agent = 0, status = 0, direction = 0, outcomes = 0, flags = 0;
  };

  SearchIndex(std::string path, std::uint16_t salt, const Clock& clock);
  /// Opens the file; kInvalid if it cannot be used as it is.
  Status Connect(EventSeq newest);
  Status Create();
  Status Prepare();
  Status InTransaction(const std::function<Status()>& change);
  Status AddOne(const IndexedEvent& event);
  Status AddText(const IndexedEvent& event);
  Result<Statement> MakeText(const std::string& table);
  static Status AddWords(const IndexedEvent& event, Statement& text);
  Status Count(const IndexedEvent& event);
  Result<std::optional<Doc>> FindDoc(EventSeq event);
  void CountNames(const Doc& doc, int by);
  Result<std::int64_t> OutcomesOf(std::span<const IndexedDelivery> deliveries);
  Status DropEmptyParts();
  Result<bool> BeginRewrite();
  Status EndRewrite();

  inline static const std::string kNewText = "text_new";  ///< the table that becomes text_N

  const std::string path_;
  const std::uint16_t salt_;
  const Clock& clock_;
  std::string found_unusable_;
  Database db_;
  Statements sql_;
  SearchNames names_;
  std::int64_t text_part_ = -1;  ///< of text_
  Statement text_;               ///< inserts into the full text of text_part_
  std::optional<Rewrite> rewrite_{};
  std::atomic<std::uint64_t> events_{0};
  std::uint64_t file_id_ = 0;  ///< inode; 0: not connected
  bool was_complete_ = true;
  std::atomic<EventSeq> through_{0};
  SearchReader reader_;
};

}  // namespace hookswitch
