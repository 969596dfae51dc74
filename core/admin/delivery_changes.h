#pragma once
#include <atomic>
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

/// What became of a filter's deliveries.
struct BulkResult {
  bool busy = false;  ///< another one runs, so nothing was looked at
  std::size_t matched = 0, changed = 0;
  std::vector<DeliverySeq> first;  ///< of those that changed (with dry_run: that matched), oldest first; at most 100
  Status end = Ok();               ///< why it stopped early; what has changed until then stays so
};

/// What an operator does with deliveries, each change durable before the router hears of it. Safe from any thread;
/// blocks. Errors are those of History.
///
/// Of those by filter one runs at a time, in steps of a few hundred deliveries: a change to a single one waits for a
/// step at most. A step costs what it changes; looking for what matches reads each delivery once.
class DeliveryChanges {
 public:
  /// The references outlive it.
  DeliveryChanges(History& history, Journal& journal, const Clock& clock, Router& router)
      : history_(history), journal_(journal), clock_(clock), router_(router) {}

  /// Sends a stored event along `routes` once more, whatever became of it before.
  Result<std::vector<DeliverySeq>> ReplayEvent(EventSeq event, std::span<const Route> routes);
  /// Tries a delivery that has ended again. False if it has not ended.
  Result<bool> Replay(DeliverySeq delivery);
  /// All that the filter lists, oldest first; those that came in between are left alone.
  BulkResult Replay(const BulkRequest& request, const Holds& holds);
  /// Cancels what is dead or waits and is not in flight.
  BulkResult Purge(const BulkRequest& request, const Holds& holds);

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
  void PutBack(std::span<const DeliverySeq> deliveries) REQUIRES(mu_);

  History& history_;
  Journal& journal_;
  const Clock& clock_;
  Router& router_;
  std::atomic<bool> bulk_runs_{false};
  Mutex mu_;  ///< one step at a time: a purge must not cancel what a replay has just handed over
  std::set<DeliverySeq> replayed_ GUARDED_BY(mu_);  ///< singly, since the one by filter that runs has begun
};

}  // namespace hookswitch
