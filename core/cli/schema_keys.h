#pragma once
#include <string>
#include <vector>

#include "core/base/json.h"

namespace hookswitch::cli {

/// A key that a config may have, for people.
struct SchemaKey {
  std::string path;  ///< "server.listen", "sources.<name>.path", "rules[].send"
  std::string type;  ///< "a duration such as 90s or 1m30s", "text", "drop|send"
  std::string description;
  std::string otherwise;  ///< its default as JSON; "" for none
  bool required = false;  ///< where what it is part of is there
};

/// Every key of a JSON Schema (draft-07, as core/config reads it) in its order, each before those below it. What refers
/// to itself, as conditions do, is gone through once, and a schema with "x-once" where it is met first.
std::vector<SchemaKey> KeysOf(const json::object& schema);

}  // namespace hookswitch::cli
