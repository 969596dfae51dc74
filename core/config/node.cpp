#include "core/config/node.h"

#include <algorithm>

namespace hookswitch::config {
namespace {

// Where the mark points to in the file's text.
std::size_t OffsetOf(const Mark& where) {
  std::size_t begin = 0;
  for (int i = 1; i < where.line; ++i) {
    const auto end = where.file->text.find('\n', begin);
    if (end == std::string::npos) return where.file->text.size();
    begin = end + 1;
  }
  return std::min(begin + static_cast<std::size_t>(std::max(where.column - 1, 0)), where.file->text.size());
}

// The part of the first line that a scalar of `size` bytes takes up, its quotes included.
std::string_view Written(const Mark& where, std::size_t size) {
  if (!where.file || where.line <= 0) return {};
  std::string_view text = std::string_view(where.file->text).substr(OffsetOf(where));
  text = text.substr(0, text.find('\n'));
  if (text.empty()) return text;
  if (text[0] == '"' || text[0] == '\'') {
    const auto end = text.find(text[0], 1);
    return text.substr(0, end == std::string_view::npos ? text.size() : end + 1);
  }
  if (text[0] == '|' || text[0] == '>') return text.substr(0, 1);
  return text.substr(0, size);
}

// Where a scalar that may run over several lines surely has ended: at the next line that is not indented deeper than
// the line it starts on.
std::size_t EndOfLines(const std::string& text, std::size_t at) {
  const auto newline = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
  const std::size_t line = newline == std::string::npos ? 0 : newline + 1;
  const std::size_t indent = text.find_first_not_of(" -", line) - line;
  for (std::size_t end = text.find('\n', at); end != std::string::npos; end = text.find('\n', end + 1)) {
    const std::size_t next = text.find_first_not_of(' ', end + 1);
    if (next == std::string::npos) break;
    if (text[next] != '\n' && next - end - 1 <= indent) return end;
  }
  return text.size();
}

}  // namespace

int Width(const Node& value) {
  return std::max(static_cast<int>(Written(value.where, value.scalar.size()).size()), 1);
}

int KeyWidth(const Node::Entry& entry) {
  return std::max(static_cast<int>(Written(entry.key_where, entry.key.size()).size()), 1);
}

void Hide(const Node& value) {
  for (const Node& item : value.list) Hide(item);
  for (const Node::Entry& entry : value.map) Hide(entry.value);
  if (value.kind != Node::Kind::kScalar || !value.where.file || value.where.line <= 0) return;
  const std::string& text = value.where.file->text;
  const std::size_t begin = OffsetOf(value.where);
  // What is written differs from what it means (escapes, folded lines), so anything but a plain text that stands there
  // word for word is hidden with all the lines it may reach to.
  const bool verbatim =
      text.compare(begin, value.scalar.size(), value.scalar) == 0 ||
      (value.quoted && text.compare(std::min(begin + 1, text.size()), value.scalar.size(), value.scalar) == 0);
  const std::size_t end = verbatim ? begin + value.scalar.size() + (value.quoted ? 2 : 0) : EndOfLines(text, begin);
  value.where.file->hidden.emplace_back(begin, end);
}

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
  return std::equal(
      a.map.begin(), a.map.end(), b.map.begin(), b.map.end(),
      [](const Node::Entry& x, const Node::Entry& y) { return x.key == y.key && SameValue(x.value, y.value); });
}

}  // namespace hookswitch::config
