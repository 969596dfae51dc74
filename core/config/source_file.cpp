#include "core/config/source_file.h"

#include <algorithm>
#include <utility>

namespace hookswitch::config {

void ByteRanges::Add(std::size_t from, std::size_t to) {
  if (from >= to) return;
  auto at = ranges_.upper_bound(from);
  if (at != ranges_.begin() && std::prev(at)->second >= from) --at;
  while (at != ranges_.end() && at->first <= to) {
    from = std::min(from, at->first);
    to = std::max(to, at->second);
    at = ranges_.erase(at);
  }
  ranges_.emplace(from, to);
}

bool ByteRanges::Has(std::size_t at) const {
  const auto next = ranges_.upper_bound(at);
  return next != ranges_.begin() && std::prev(next)->second > at;
}

SourceFile::SourceFile(std::string the_path, std::string the_text)
    : path(std::move(the_path)), text(std::move(the_text)), lines_{0} {
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', end + 1)) {
    lines_.push_back(end + 1);
  }
}

std::size_t SourceFile::OffsetOf(int line, int column) const {
  const auto index = static_cast<std::size_t>(std::max(line, 1) - 1);
  if (index >= lines_.size()) return text.size();
  return std::min(lines_[index] + static_cast<std::size_t>(std::max(column, 1) - 1), text.size());
}

std::string_view SourceFile::Line(int number) const {
  if (number < 1 || static_cast<std::size_t>(number) > lines_.size()) return {};
  const std::string_view rest = std::string_view(text).substr(lines_[static_cast<std::size_t>(number) - 1]);
  return rest.substr(0, rest.find('\n'));
}

std::string SourceFile::Block(int line, int column) const {
  const std::size_t indent = static_cast<std::size_t>(std::max(column, 1) - 1);
  std::string block;
  std::size_t end = 0;  // of the last line that is not blank
  for (int number = line; static_cast<std::size_t>(number) <= lines_.size(); ++number) {
    const std::string_view whole = Line(number);
    const std::size_t first = whole.find_first_not_of(" \r");
    const bool is_blank = first == std::string_view::npos;
    if (number > line && !is_blank && first < indent) break;
    const std::size_t from = lines_[static_cast<std::size_t>(number) - 1];
    for (std::size_t at = indent; at < whole.size(); ++at) {
      if (whole[at] != '\r') block += Hides(from + at) ? '*' : whole[at];
    }
    if (!is_blank) end = block.size();
    block += '\n';
  }
  block.resize(end);
  return block;
}

std::size_t SourceFile::NextToken(std::size_t at) const {
  const auto next = std::upper_bound(tokens_.begin(), tokens_.end(), at);
  return next == tokens_.end() ? text.size() : *next;
}

}  // namespace hookswitch::config
