#pragma once
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/journal/journal.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// What a name in the index is one of. Stored: never renumber.
enum class NameKind : std::uint8_t {
  kAgent = 1,
  kStatus = 2,
  kSource = 3,
  kDirection = 4,
  kSink = 5,
  kRule = 6,
  kPath = 7,  ///< of data
};

/// A delivery as `outcome.code` has it: the numbers of its sink and rule.
struct CodedDelivery {
  std::int64_t sink = 0, rule = 0;
  DeliveryState state{};
  bool was_replayed = false;
  auto operator<=>(const CodedDelivery&) const = default;
};
/// The code of a set of deliveries: equal for equal sets.
std::string CodeOf(std::vector<CodedDelivery> deliveries);
/// The deliveries of a code; a damaged one has fewer.
std::vector<CodedDelivery> DeliveriesIn(std::string_view code);

/// Writes the tables `value` (names and their numbers) and `outcome` (sets of deliveries and their numbers) of a
/// SearchIndex, with how many events have each. Counts are written by Flush. [thread: search]
class SearchNames {
 public:
  /// Uses `db` from now on, which outlives it or the next Use. Reads both tables.
  Status Use(Database& db);
  /// Forgets what was not flushed, after a rollback.
  Status Reload();
  /// Closes the statements.
  void Release();

  /// The number of a name, made if it is new; 0 for "". Of more than a thousand paths the rest are not kept (0).
  Result<std::int64_t> NumberOf(NameKind kind, std::string_view text);
  Result<std::int64_t> OutcomeNumber(std::string_view code);
  /// Counts `by` events more. `number` may be 0.
  void Count(std::int64_t number, int by, WallTime received_at);
  void CountOutcome(std::int64_t number, int by);
  Status Flush();
  /// Deletes what no event has any more, after Flush: of paths those that came last before the oldest indexed event.
  Status RemoveUnused();

 private:
  struct Statements {
    Statement add, count, add_outcome, count_outcome, remove, remove_paths, remove_outcomes;
  };
  struct Change {
    std::int64_t events = 0, last_ms = 0;
  };

  Database* db_ = nullptr;
  Statements sql_;
  std::unordered_map<std::string, std::int64_t> numbers_;   ///< by kind and text
  std::unordered_map<std::string, std::int64_t> outcomes_;  ///< by code
  std::size_t paths_ = 0;
  std::map<std::int64_t, Change> changes_;
  std::map<std::int64_t, std::int64_t> outcome_changes_;
};

}  // namespace hookswitch
