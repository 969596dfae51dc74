#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/problem.h"

namespace hookswitch::config {

/// A YAML value with its place. Maps keep their order and have no duplicate keys (the parser reports those).
///
/// Scalars are text and whether it was quoted: what a plain `yes`, `010` or `09:00` means depends on the type that the
/// reader wants; nothing is guessed.
struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };
  struct Entry;
  Kind kind = Kind::kNull;
  Mark where;
  std::string scalar;
  bool quoted = false;
  std::vector<Node> list;
  std::vector<Entry> map;
  std::vector<Entry> refused;  ///< of a map: entries that the parser reported and left out; only for hiding them

  const Node* Find(std::string_view key) const;  ///< nullptr if absent or not a map
  const Entry* FindEntry(std::string_view key) const;
};

struct Node::Entry {
  std::string key;
  Mark key_where;
  Node value;
};

/// A key as if it were a value, at its place.
Node KeyAsNode(const Node::Entry& entry);

/// True if both are equal, apart from places.
bool SameValue(const Node& a, const Node& b);

/// How many bytes a caret under the value (or key) underlines: a scalar's first line, else one.
int Width(const Node& value);
int KeyWidth(const Node::Entry& entry);

/// `map` without the entries that an error in `problems` points into.
Node WithoutFaults(const Node& map, const Problems& problems);

/// The place of the value that `json_pointer` names in `root`, or of its nearest ancestor that exists.
Mark Locate(const Node& root, std::string_view json_pointer);

}  // namespace hookswitch::config
