#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/sync.h"
#include "core/journal/history.h"

namespace hookswitch {

/// Something that needs a person.
struct StatusProblem {
  enum class Severity { kError, kWarning } severity = Severity::kError;
  std::string_view kind;  ///< "sink", "config", "journal", "router"
  std::string name{};     ///< of the sink; else ""
  std::optional<WallTime> since{};
  std::optional<WallTime> until{};  ///< end of a pause, or the next try
  std::string text{};               ///< one sentence, without times
  std::string hint{};               ///< what to do
};

/// {"severity","kind","name","since","until","text","hint"}
json::object ToObject(const StatusProblem& problem);

/// Finds what needs a person: sinks that deliver nothing, dead deliveries, a failed reload, a journal that cannot be
/// written. [thread: any]
class ProblemFinder {
 public:
  /// The references outlive it.
  ProblemFinder(Router& router, History& history, const Clock& clock)
      : router_(router), history_(history), clock_(clock) {}

  /// The worst first. `status`: the router's. Blocks.
  std::vector<StatusProblem> Find(const RouterStatus& status) EXCLUDES(mu_);

 private:
  /// The newest dead delivery, as far as one call of ListDeliveries sees; once found, looked for again every few
  /// seconds.
  std::optional<DeliverySummary> NewestDead() EXCLUDES(mu_);

  Router& router_;
  History& history_;
  const Clock& clock_;
  Mutex mu_;
  MonoTime searched_ GUARDED_BY(mu_){};          ///< when NewestDead read the list
  DeliverySeq newest_dead_ GUARDED_BY(mu_) = 0;  ///< 0: none was found
};

}  // namespace hookswitch
