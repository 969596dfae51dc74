#pragma once
#include <chrono>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"

namespace hookswitch::demo {

/// One request, as Bolna would post it.
struct MadeUpRequest {
  std::chrono::seconds pause{};  ///< since the request before
  std::string agent;             ///< its name
  std::string what;              ///< for people: the call's status, or what is unusual
  std::string path = "/bolna/webhook";
  bool has_secret = true;
  std::string body;
};

/// The calls of calls.json, again and again, each time with ids of their own. All data in it is made up; the numbers
/// are of ranges reserved for fiction (+1 NPA 555 0100 to 0199, +44 20 7946 0000 to 0999). Immutable. [thread: any]
class MadeUpCalls {
 public:
  MadeUpCalls();

  /// After so many calls they begin again.
  std::size_t size() const { return calls_.size(); }

  /// The requests of call `number`, from 0 on, the first of them posted at `now`: one for each step of the call, and
  /// after some calls what every router meets as well: a step sent twice, or a request that is refused.
  std::vector<MadeUpRequest> Requests(std::size_t number, WallTime now) const;

 private:
  std::vector<MadeUpRequest> Steps(std::size_t number, WallTime now) const;

  json::object steps_;      // by the last status: each status, and the seconds before it
  json::object execution_;  // the members that every body has
  json::object agents_;     // by name
  json::array calls_;
};

}  // namespace hookswitch::demo
