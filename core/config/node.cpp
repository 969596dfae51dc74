#include "core/config/node.h"

#include <algorithm>

namespace hookswitch::config {
namespace {

// The part of the first line that a scalar of `size` bytes takes up, its quotes included.
std::string_view Written(const Mark& where, std::size_t size) {
  if (!where.file || where.line <= 0) return {};
  std::string_view text = std::string_view(where.file->text).substr(where.file->OffsetOf(where.line, where.column));
  text = text.substr(0, text.find('\n'));
  if (text.empty()) return text;
  if (text[0] == '"' || text[0] == '\'') {
    const auto end = text.find(text[0], 1);
    return text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
  }
  if (text[0] == '|' || text[0] == '>') return text.substr(0, 1);
  return text.substr(0, size);
}

}  // namespace

int Width(const Node& value) {
  return std::max(static_cast<int>(Written(value.where, value.scalar.size()).size()), 1);
}

int KeyWidth(const Node::Entry& entry) {
  return std::max(static_cast<int>(Written(entry.key_where, entry.key.size()).size()), 1);
}

const Node::Entry* Node::FindEntry(std::string_view key) const {
  const auto it = std::find_if(map.begin(), map.end(), [&](const Entry& entry) { return entry.key == key; });
  return it == map.end() ? nullptr : &*it;
}

const Node* Node::Find(std::string_view key) const {
  const Entry* entry = FindEntry(key);
  return entry ? &entry->value : nullptr;
}

Node KeyAsNode(const Node::Entry& entry) {
  Node node;
  node.kind = Node::Kind::kScalar;
  node.where = entry.key_where;
  node.scalar = entry.key;
  return node;
}

bool SameValue(const Node& a, const Node& b) {
  if (a.kind != b.kind || a.scalar != b.scalar || a.quoted != b.quoted) return false;
  if (!std::equal(a.list.begin(), a.list.end(), b.list.begin(), b.list.end(), SameValue)) return false;
  return std::equal(
      a.map.begin(), a.map.end(), b.map.begin(), b.map.end(),
      [](const Node::Entry& x, const Node::Entry& y) { return x.key == y.key && SameValue(x.value, y.value); });
}

}  // namespace hookswitch::config
