#include "core/config/node.h"

#include <algorithm>

namespace hookswitch::config {

const Node::Entry* Node::FindEntry(std::string_view key) const {
  const auto it = std::find_if(map.begin(), map.end(), [&](const Entry& entry) { return entry.key == key; });
  return it == map.end() ? nullptr : &*it;
}

const Node* Node::Find(std::string_view key) const {
  const Entry* entry = FindEntry(key);
  return entry ? &entry->value : nullptr;
}

bool SameValue(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.scalar != b.scalar || a.quoted != b.quoted) return false;
  if (!std::equal(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(), SameValue)) return false;
  return std::equal(a.map.begin(), a.map.end(), b.map.begin(), b.map.end(),
                    [](const Node::Entry& x, const Node::Entry& y) { return x.key == y.key && SameValue(x.value, y.value); });
}

}  // namespace hookswitch::config
