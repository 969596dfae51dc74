#include "core/cli/printing.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch::cli {
namespace {

constexpr std::size_t kNameWidth = 11;
constexpr std::size_t kGap = 2;

std::string OneLine(std::string_view text) {
  std::string line = Printable(text);
  std::ranges::replace_if(
      line, [](char c) { return c == '\n' || c == '\t'; }, ' ');
  return line;
}

}  // namespace

std::string Printable(std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  const std::string clean = ToUtf8(text);
  std::string out;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    auto byte = static_cast<unsigned char>(clean[i]);
    // U+0080 to U+009F, of which terminals read some as the start of a command.
    const bool c1 = byte == 0xC2 && static_cast<unsigned char>(clean[i + 1]) < 0xA0;
    if (c1) byte = static_cast<unsigned char>(clean[++i]);
    if (c1 || (byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
      out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      out += clean[i];
    }
  }
  return out;
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || value->is_null()) return "-";
  return OneLine(value->is_string() ? std::string_view(value->get_string()) : std::string_view(ToText(*value)));
}

void Table::Print(std::ostream& out) const {
  std::vector<std::size_t> widths;
  for (const auto& row : rows_) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], CodePoints(row[i]));
  }
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      out << row[i];
      if (i + 1 < row.size()) out << std::string(widths[i] - CodePoints(row[i]) + kGap, ' ');
    }
    out << '\n';
  }
}

void PrintMember(std::ostream& out, std::string_view name, const std::string& value) {
  if (value.empty() || value == "-") return;
  out << name << std::string(kNameWidth - std::min(kNameWidth, name.size()), ' ') << value << '\n';
}

void PrintIndented(std::ostream& out, std::string_view text, std::string_view indent) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out << indent << Printable(text.substr(0, end)) << '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace hookswitch::cli
