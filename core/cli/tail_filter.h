#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace hookswitch::cli {

/// Which messages of GET /api/v1/stream to show.
///
/// What is given must all hold. A message of a kind that does not have what is asked for is not shown: --agent leaves
/// events and deliveries, --sink those and sinks. An event has the sinks and rules of its deliveries.
class TailFilter {
 public:
  /// As they are typed; "" and empty lists: not asked for.
  struct Given {
    std::vector<std::string> kinds{};        ///< event, delivery, refused, sink, reload
    std::string agent{};                     ///< a glob of names
    std::vector<std::string> more_agents{};  ///< further names that `agent` means
    std::string status{};                    ///< a status of calls, or a group
    std::string source{}, call_id{}, sink{}, rule{};
    std::vector<std::string> states{};  ///< of deliveries
  };
  /// Error: kInvalid (a status that is none; kinds that do not have what is asked for).
  static Result<TailFilter> Make(Given given);

  /// The kinds that it may let through: "event,delivery".
  const std::string& kinds() const { return kinds_; }
  bool Wants(std::string_view kind, const json::object& message) const;

 private:
  bool HasAgent(const json::object& message) const;
  bool HasDelivery(std::string_view kind, const json::object& message) const;

  Given given_;
  std::string kinds_;
  std::vector<std::string> statuses_;
};

}  // namespace hookswitch::cli
