#pragma once
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "core/admin/event_reading.h"
#include "core/base/ids.h"
#include "core/base/sync.h"
#include "core/journal/history.h"

namespace hookswitch {

/// How the config that an event names read and routed it.
struct PastReading {
  EventReading reading;
  struct Config {
    Digest hash{};
    WallTime since{};         ///< when it came into use
    bool is_current = false;  ///< the running config reads and routes alike
  };
  std::optional<Config> config{};  ///< empty: unknown
};

/// The configs that stored events name, compiled on demand; the last few used are kept in memory. [thread: any]
class PastConfigs {
 public:
  /// `history` must outlive it.
  explicit PastConfigs(History& history) : history_(history) {}

  /// Sets the running config: what names one of the same hash is read and routed by these.
  void Use(const Digest& hash, SourceMap sources, std::shared_ptr<const RouteTable> routes) EXCLUDES(mu_);
  /// Blocks; for a large config that is not in memory as long as it takes to compile, one at a time.
  PastReading Read(const StoredEvent& stored) EXCLUDES(mu_, compiling_mu_);
  /// The same without the rules, for an event that the running config does not read. nullptr: the config that the event
  /// names does not read it either, is the running one, or is unknown.
  std::shared_ptr<const CallEvent> Normalize(const StoredEvent& stored) EXCLUDES(mu_, compiling_mu_);

 private:
  struct Compiled {
    SourceMap sources;
    std::shared_ptr<const RouteTable> routes;
    std::string why_not;  ///< with neither of them
  };
  struct Known {
    std::int64_t number = 0;
    Digest hash{};
    WallTime since{};
    std::shared_ptr<const Compiled> compiled{};  ///< nullptr: not yet
  };
  /// The config that an event names: as far as it is known, and as far as it can be used.
  struct Named {
    std::optional<PastReading::Config> config{};
    std::shared_ptr<const Compiled> compiled{};  ///< nullptr: `why_not` says why
    std::string why_not{};
  };
  Named NamedBy(const StoredEvent& stored) EXCLUDES(mu_, compiling_mu_);
  /// Of the config that `number` names; loads it if it is not known.
  Result<Known> Find(std::int64_t number) EXCLUDES(mu_);
  std::shared_ptr<const Compiled> CompiledOf(std::int64_t number) EXCLUDES(mu_, compiling_mu_);
  /// Keeps `known`, as compiled if it was before.
  void Remember(Known known) EXCLUDES(mu_);
  static std::shared_ptr<const Compiled> Compile(const KeptConfig& config);

  History& history_;
  Mutex compiling_mu_;
  Mutex mu_;
  Digest current_hash_ GUARDED_BY(mu_){};
  std::shared_ptr<const Compiled> current_ GUARDED_BY(mu_);
  std::list<Known> recent_ GUARDED_BY(mu_);  ///< last used first
};

}  // namespace hookswitch
