#pragma once
#include <atomic>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/admin/holds.h"
#include "core/admin/query.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/base/sync.h"
#include "core/event/outcome.h"
#include "core/journal/history.h"
#include "core/journal/journal.h"
#include "core/routing/route_table.h"

namespace hookswitch {

/// Result of a replay or purge by filter.
struct BulkResult {
  std::size_t matched = 0, changed = 0;
  std::vector<DeliverySeq> first;  ///< of the changed ones (with dry_run: the matched ones), oldest first; at most 100
  Status end = Ok();               ///< why it stopped early; changes made before that stand
};

/// Result of a replay of many events.
struct EventReplayResult {
  std::size_t changed = 0;                       ///< events that got new deliveries (with dry_run: would get)
  std::size_t no_rule = 0;                       ///< events that no current rule matches
  std::size_t not_a_call = 0;                    ///< events that are no call, or unreadable now
  std::map<std::string, std::size_t> by_sink{};  ///< new deliveries of each sink
  std::vector<DeliverySeq> first{};              ///< of the new deliveries, oldest first; at most 100
  Status end = Ok();                             ///< why it stopped early; changes made before that stand
};

/// Replays and purges deliveries for an operator. A replay is durable before the router gets it; a purge takes waiting
/// deliveries from the router, cancels them, and returns them to the router if that fails. Errors are those of History.
/// [thread: any] Blocks.
///
/// Replays and purges by filter run one at a time (BulkTurn), in steps of a few hundred deliveries: a change to a
/// single delivery waits for one step at most. The cost of a step depends on what it changes; finding the matches reads
/// each delivery once.
class DeliveryChanges {
 public:
  /// The references outlive it.
  DeliveryChanges(History& history, Journal& journal, const Clock& clock, Router& router)
      : history_(history), journal_(journal), clock_(clock), router_(router) {}

  /// Adds and enqueues a delivery of a stored event for each of `routes`, whatever became of earlier ones; returns
  /// them.
  Result<std::vector<DeliverySeq>> ReplayEvent(EventSeq event, std::span<const Route> routes);
  /// The turn to replay or purge by filter, for as long as it lives; false: another request has it. Who looks for what
  /// is to be changed needs it already, since that takes the longest.
  class BulkTurn {
   public:
    explicit BulkTurn(DeliveryChanges& changes) : changes_(changes), has_(!changes.bulk_runs_.exchange(true)) {}
    ~BulkTurn() {
      if (has_) changes_.EndBulk();
    }
    BulkTurn(const BulkTurn&) = delete;
    BulkTurn& operator=(const BulkTurn&) = delete;
    explicit operator bool() const { return has_; }

   private:
    DeliveryChanges& changes_;
    const bool has_;
  };
  /// ReplayEvent for each of `events`, by the current rules.
  EventReplayResult ReplayEvents(const BulkTurn&, std::span<const EventSeq> events, bool dry_run);
  /// Requeues a delivery that has ended. False if it has not ended.
  Result<bool> Replay(DeliverySeq delivery);
  /// Requeues the matching deliveries that have ended, oldest first. New deliveries that arrive meanwhile are not
  /// included.
  BulkResult Replay(const BulkTurn&, const BulkRequest& request, const Holds& holds);
  /// Cancels the matching deliveries that are dead or waiting, but not those in flight.
  BulkResult Purge(const BulkTurn&, const BulkRequest& request, const Holds& holds);

 private:
  struct Match {
    DeliverySeq seq = 0;
    bool waits = false;
  };
  using Change = Result<std::vector<DeliverySeq>> (DeliveryChanges::*)(std::span<const Match> chunk);

  Result<std::vector<Match>> List(const DeliveryFilter& filter, const Holds& holds);
  BulkResult Apply(const BulkRequest& request, const Holds& holds, Change change) EXCLUDES(mu_);
  void ApplyTo(std::span<const Match> all, Change change, BulkResult& result) EXCLUDES(mu_);
  Result<std::vector<DeliverySeq>> ReplayChunk(std::span<const Match> chunk) REQUIRES(mu_);
  Result<std::vector<DeliverySeq>> PurgeChunk(std::span<const Match> chunk) REQUIRES(mu_);
  Status ReplayOne(EventSeq event, bool dry_run, EventReplayResult& result) EXCLUDES(mu_);
  void PutBack(std::span<const DeliverySeq> deliveries) REQUIRES(mu_);
  void EndBulk() EXCLUDES(mu_);

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  std::atomic<bool> bulk_runs_{false};
  Mutex mu_;  ///< one step at a time: a purge must not cancel what a replay has just enqueued
  std::set<DeliverySeq> replayed_ GUARDED_BY(mu_);  ///< replayed singly since the running bulk change began
};

}  // namespace hookswitch
