#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace hookswitch {

/// A router as those that share its journal see it.
struct RouterCard {
  std::string name;
  std::string version{};
  std::string config{};              ///< hash of what it reads and routes by
  std::vector<std::string> sinks{};  ///< of its config
  bool delivers = false;             ///< it has the lease of what is pending
  bool is_this = false;
  std::chrono::milliseconds age{};  ///< since it last showed that it is alive, by the database's clock
};

/// The routers that share a journal. Every function: [thread: any].
class Cluster {
 public:
  virtual ~Cluster() = default;
  /// What others see of this router, soon.
  virtual void Introduce(std::string version, std::string config, std::vector<std::string> sinks) = 0;
  /// The routers that have been at work within a day and were not stopped, by name. Blocks. Errors: kUnavailable.
  [[nodiscard]] virtual Result<std::vector<RouterCard>> Routers() = 0;
  /// Asks every other router that is at work to reload its config, and returns their names. Each does so within a third
  /// of the lease; what came of it is in its own log. Blocks. Errors: kUnavailable.
  [[nodiscard]] virtual Result<std::vector<std::string>> AskOthersToReload() = 0;
};

}  // namespace hookswitch
