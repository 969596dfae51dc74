#pragma once
#include <array>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.h"

// What a store keeps in memory of its tables, loaded at the start: which event has a dedup key, which deliveries have
// not ended, when events were received, and which configs they name. Not thread-safe.
namespace hookswitch {

/// Map from the dedup digest of each stored event to its EventSeq; exact, about 35 bytes per event.
///
/// Open addressing in 256 parts that grow independently, so that no growth takes longer than a commit. Not thread-safe.
class DedupSet {
 public:
  /// The event stored under `digest`, or 0.
  EventSeq Find(const Digest& digest) const;
  /// Adds `digest`, which must not be in the set.
  void Insert(const Digest& digest, EventSeq event);
  /// Removes `digest` if it maps to `event`; after retention the same digest may map to a later event.
  void Erase(const Digest& digest, EventSeq event);
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    Digest digest;
    EventSeq event;  ///< 0: empty
  };
  struct Part {
    std::unique_ptr<Slot[]> slots;
    std::uint32_t capacity = 0;  ///< a power of two, or 0
    std::uint32_t used = 0;
  };
  static std::uint64_t HashOf(const Digest& digest);
  static void Place(Part& part, const Digest& digest, EventSeq event);
  static void Grow(Part& part);

  std::array<Part, 256> parts_;
  std::size_t size_ = 0;
};

/// Set of deliveries that have not ended, with a count per sink. Numbers that are close together share a word; gaps
/// between them cost nothing. Not thread-safe.
class PendingSet {
 public:
  bool Contains(DeliverySeq delivery) const;
  /// `sink` must be the same in every call for a delivery.
  void Set(DeliverySeq delivery, std::string_view sink, bool pending);
  std::uint64_t size() const { return size_; }
  std::uint64_t CountOf(std::string_view sink) const;
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  const Counts& counts() const { return counts_; }
  /// Sinks with at least `count` pending deliveries.
  std::vector<std::string> WithAtLeast(std::uint64_t count) const;
  /// All deliveries below this have ended. `next`: number of the next new delivery.
  DeliverySeq Floor(DeliverySeq next) const;

  /// Starts recording changes, so that Rollback can undo them all.
  void Begin() { changed_.clear(); }
  void Rollback();

 private:
  void Flip(DeliverySeq delivery, std::uint64_t& of_sink);

  std::map<std::int64_t, std::uint64_t> words_;  ///< by DeliverySeq / 64; none is 0
  std::uint64_t size_ = 0;
  Counts counts_;  ///< never erased, so that pointers to the counts stay valid
  std::vector<std::pair<DeliverySeq, std::uint64_t*>> changed_;
};

/// The stored configs by hash, and how many events name each. Not thread-safe.
class ConfigUse {
 public:
  /// The number of the config with this hash; 0: it is not stored.
  std::int64_t Find(const Digest& hash) const;
  void Insert(const Digest& hash, std::int64_t config);
  void Erase(std::int64_t config);
  /// Forgets which configs are stored, not what events name.
  void EraseAll() { numbers_.clear(); }
  /// Adds `by` (1 or -1) to the number of events that name `config`. 0, which is no config, may be given.
  void Count(std::int64_t config, int by);
  /// Stored configs that no event names. Never the one with the highest number, so that numbers are not used again.
  std::vector<std::int64_t> Unused() const;

  /// Starts recording changes, so that Rollback can undo them all.
  void Begin();
  void Rollback();

 private:
  std::map<Digest, std::int64_t> numbers_;
  std::map<std::int64_t, std::int64_t> events_;
  std::vector<Digest> inserted_;
  std::vector<std::pair<std::int64_t, int>> counted_;
};

/// Groups stored events into runs of non-decreasing time of receipt: once one event of a run is too young to remove, so
/// is the rest. A run ends where the wall clock was set back. Usually there is one run.
///
/// Requests are stored nearly in order of receipt; disorder of up to kDisorderMs does not end a run. Not thread-safe.
class TimeRuns {
 public:
  static constexpr std::int64_t kDisorderMs = 60'000;
  static constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

  /// Adds an event; its number must be higher than all before.
  void Add(EventSeq event, std::int64_t received_ms);
  /// Undoes Add for `event` and all later ones.
  void RemoveFrom(EventSeq event);

  /// The part of a run not checked yet.
  struct Rest {
    EventSeq run = 0;   ///< first event of the run; identifies it
    EventSeq next = 0;  ///< next event to check
    EventSeq end = 0;   ///< the first event after the run
  };
  /// The run whose next event is oldest, if received at or before `cutoff_ms`.
  std::optional<Rest> OldestUntil(std::int64_t cutoff_ms) const;
  /// The run whose next event was accepted first, whatever its time.
  std::optional<Rest> First() const;

  /// Marks `rest.run` as checked below `next`, which was received at `next_ms` (kNever: no more events). `skipped`:
  /// some of them are still stored; Restart must check them again.
  void Advance(const Rest& rest, EventSeq next, std::int64_t next_ms, bool skipped);
  /// Makes runs with skipped events start from their beginning again.
  void Restart();

 private:
  struct Run {
    EventSeq next = 0;
    std::int64_t next_ms = 0;  ///< kNever: fully checked
    std::int64_t newest_ms = 0;
    bool skipped = false;
  };
  using Runs = std::map<EventSeq, Run>;
  Rest RestOf(Runs::const_iterator run) const;
  void SetNext(Runs::iterator run, EventSeq next, std::int64_t next_ms);

  Runs runs_;                                           ///< by first event; the last run grows
  std::set<std::pair<std::int64_t, EventSeq>> by_age_;  ///< next_ms and run, of runs not fully checked
};

}  // namespace hookswitch
