#pragma once
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/base/sync.h"
#include "core/journal/history.h"
#include "core/journal/search_filter.h"
#include "core/journal/search_names.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// The full text has one table for so many event numbers, so that retention drops whole tables.
inline constexpr EventSeq kEventsPerPart = 65'536;
/// The table of the full text of a part.
inline std::string TextTable(std::int64_t part) {
  return "text_" + std::to_string(part);
}
/// The hour of `time`, in which matches are counted: hours since 1970.
inline std::int64_t HourOf(WallTime time) {
  return std::chrono::floor<std::chrono::hours>(time).time_since_epoch().count();
}

/// A name of stored events, with how many have it.
struct NameCount {
  std::string text;
  std::int64_t events = 0;  ///< of paths: how often it came
};

/// How often a rule matched.
struct RuleHits {
  std::string rule;
  std::int64_t hits = 0;         ///< since the counting began
  std::int64_t hits_since = 0;   ///< since the hour that was asked for
  std::int64_t taken_since = 0;  ///< of these: earlier rules had taken all its sinks
  std::string taken_by{};        ///< the last that did, or ""
  WallTime last_hit{};
  EventSeq last_event = 0;
};

struct SourceCount {
  std::string source;
  std::int64_t events_since = 0;  ///< since the hour that was asked for
  WallTime last_at{};
};

/// The events of one call.
struct IndexedCall {
  std::size_t events = 0;
  WallTime first{}, last{};          ///< received; of no meaning without events
  std::vector<std::string> sources;  ///< in the order of their first event
  std::string agent;                 ///< of the newest event that has one
};

/// Reads a SearchIndex, on a connection of its own; one read at a time. After an error the next read opens the file
/// again. Errors: kInvalid (the file is damaged), kUnavailable. [thread: any]
class SearchReader {
 public:
  SearchReader(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}

  /// Events below `before` (0: from the newest), newest first, at most `limit`, that fit `filter`; if NeedsBody also
  /// others that the caller must tell apart. Ends at `deadline` (late by one part of the index, some 50 ms, at most)
  /// with what was found; then, or with a full page, `next` says where to go on. An event may have been removed from
  /// the journal meanwhile.
  Result<Page<EventSeq>> Find(const SearchFilter& filter, EventSeq before, std::size_t limit, MonoTime deadline)
      EXCLUDES(mu_);
  /// Events that may be of this call (their ids share a checksum), oldest first: at most `limit` after `after`.
  Result<std::vector<EventSeq>> EventsOfCall(std::string_view call_id, EventSeq after, std::size_t limit) EXCLUDES(mu_);
  /// What they are as a whole: those up to `through`, of `source` unless that is "".
  Result<IndexedCall> FindCall(std::string_view call_id, std::string_view source, EventSeq through) EXCLUDES(mu_);

  /// The stored names that contain `part` (ignoring case, ASCII only): those that begin with it first, then by number
  /// of events; at most `limit`.
  Result<std::vector<NameCount>> Names(NameKind kind, std::string_view part, std::size_t limit) EXCLUDES(mu_);
  /// How many events have a delivery in each state.
  Result<std::vector<NameCount>> States() EXCLUDES(mu_);
  /// When the counting of RuleHits and SourceCounts began: the receipt of the first event that was counted.
  Result<std::optional<WallTime>> CountedSince() EXCLUDES(mu_);
  Result<std::vector<RuleHits>> HitsOfRules(WallTime since) EXCLUDES(mu_);
  Result<std::vector<SourceCount>> EventsOfSources(WallTime since) EXCLUDES(mu_);

  /// Allows reads: the file is there.
  void Connect() EXCLUDES(mu_);
  /// Closes the file. Until Connect reads fail as kUnavailable.
  void Disconnect() EXCLUDES(mu_);
  /// Whether a read has found the file damaged since the last Disconnect.
  bool found_damage() const { return found_damage_.load(std::memory_order_relaxed); }

 private:
  template <class Read>
  auto WithConnection(Read read) -> decltype(read(std::declval<Database&>()));

  const std::string path_;
  const Clock& clock_;
  std::atomic<bool> found_damage_{false};
  Mutex mu_;
  bool is_allowed_ GUARDED_BY(mu_) = false;
  std::optional<Database> db_ GUARDED_BY(mu_);
};

/// The key of a call in the table `doc`; 0 for "".
std::int64_t SearchKeyOfCall(std::string_view call_id);

}  // namespace hookswitch
