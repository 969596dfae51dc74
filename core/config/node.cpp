#include "core/config/node.h"

#include <algorithm>

namespace hookswitch::config {
namespace {

int WrittenWidth(const Mark& where, std::size_t size) {
  if (!where.file || where.line <= 0 || size == 0) return 1;
  std::string_view text = where.file->text;
  for (int i = 1; i < where.line; ++i) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  text = text.substr(0, text.find('\n'));
  const auto at = static_cast<std::size_t>(std::max(where.column - 1, 0));
  if (at >= text.size()) return 1;
  if (text[at] == '"' || text[at] == '\'') {
    const auto end = text.find(text[at], at + 1);
    return static_cast<int>((end == std::string_view::npos ? text.size() : end + 1) - at);
  }
  if (text[at] == '|' || text[at] == '>') return 1;
  return static_cast<int>(std::min(size, text.size() - at));
}

}  // namespace

int Width(const Node& value) { return WrittenWidth(value.where, value.scalar.size()); }

int KeyWidth(const Node::Entry& entry) { return WrittenWidth(entry.key_where, entry.key.size()); }

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
