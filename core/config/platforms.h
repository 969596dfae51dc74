#pragma once
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/mapping.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// A platform that is built in: its page, core/sources/platforms/NAME.yaml, says how its requests are read.
struct Platform {
  std::string name;   ///< the `type` of its sources: "retell"
  std::string title;  ///< for people: "Retell"
  std::string text;   ///< the whole page
  Node verify;        ///< its own signatures, without a secret; kNull if it has none
  std::vector<std::string> methods;
  std::shared_ptr<const Mapping> map;
  Oversized oversized = Oversized::kReject;
  Handshake handshake = Handshake::kNone;
};

/// What a page says. Empty if it has errors; they go to `problems`, warnings too.
std::optional<Platform> ReadPlatform(std::string name, std::string text, Problems& problems);

/// All that are built in, sorted by name. Reads them at the first call. Safe from any thread.
std::span<const Platform> Platforms();
/// nullptr for a type without a page.
const Platform* FindPlatform(std::string_view type);

}  // namespace hookswitch::config
