#include "core/config/node.h"

#include <algorithm>

#include "core/config/scalars.h"

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

bool HasFault(const Node& value, const Problems& problems) {
  return problems.HasErrorAt(value.where) ||
         std::any_of(value.list.begin(), value.list.end(),
                     [&](const Node& item) { return HasFault(item, problems); }) ||
         std::any_of(value.map.begin(), value.map.end(), [&](const Node::Entry& entry) {
           return problems.HasErrorAt(entry.key_where) || HasFault(entry.value, problems);
         });
}

std::string Unescape(std::string_view token) {
  std::string text;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '~' && i + 1 < token.size() && (token[i + 1] == '0' || token[i + 1] == '1')) {
      text += token[++i] == '0' ? '~' : '/';
    } else {
      text += token[i];
    }
  }
  return text;
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

Node WithoutFaults(const Node& map, const Problems& problems) {
  Node rest = map;
  std::erase_if(rest.map, [&](const Node::Entry& entry) {
    return problems.HasErrorAt(entry.key_where) || HasFault(entry.value, problems);
  });
  return rest;
}

Mark Locate(const Node& root, std::string_view json_pointer) {
  const Node* at = &root;
  Mark where = root.where;
  while (json_pointer.starts_with('/')) {
    json_pointer.remove_prefix(1);
    const auto slash = json_pointer.find('/');
    const std::string token = Unescape(json_pointer.substr(0, slash));
    json_pointer = slash == std::string_view::npos ? std::string_view() : json_pointer.substr(slash);
    if (const Node::Entry* entry = at->FindEntry(token)) {
      at = &entry->value;
      // A block map starts at its first key; the key above it is a better place.
      where = at->kind == Node::Kind::kMap || at->kind == Node::Kind::kList ? entry->key_where : at->where;
      continue;
    }
    const auto index = ParseInteger(token);
    if (at->kind != Node::Kind::kList || !index || *index < 0 || static_cast<std::size_t>(*index) >= at->list.size())
      break;
    at = &at->list[static_cast<std::size_t>(*index)];
    where = at->where;
  }
  return where;
}

}  // namespace hookswitch::config
