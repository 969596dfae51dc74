#include "core/cli/printing.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <iostream>

#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/commands.h"
#include "core/routing/schedule.h"

namespace hookswitch::cli {
namespace {

constexpr std::size_t kNameWidth = 11;
constexpr std::size_t kGap = 2;
constexpr std::string_view kNone = "-";
constexpr std::string_view kCut = "…";

std::optional<WallTime> TimeOf(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || !value->is_string()) return {};
  return ParseTime(std::string_view(value->get_string()));
}

/// "2026-03-04 14:32:03" in the zone.
std::string LocalTime(const routing::Zone& zone, WallTime time) {
  std::string text = ToRfc3339(std::chrono::floor<std::chrono::seconds>(time) + zone.OffsetAt(time));
  text[10] = ' ';
  text.pop_back();  // the Z: this is not UTC
  return text;
}

std::string OffsetText(std::chrono::seconds offset) {
  if (offset.count() == 0) return "UTC";
  const auto minutes = std::abs(static_cast<int>(offset.count() / 60));
  char text[16];
  std::snprintf(text, sizeof text, "%c%02d:%02d", offset.count() < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
  return text;
}

std::string AgeText(WallTime time, WallTime now) {
  using std::chrono::duration_cast;
  const auto apart = time < now ? now - time : time - now;
  const auto seconds = duration_cast<std::chrono::seconds>(apart).count();
  if (seconds == 0) return "now";
  const std::string length = seconds < 60          ? std::to_string(seconds) + 's'
                             : seconds < 3600      ? std::to_string(seconds / 60) + 'm'
                             : seconds < 2 * 86400 ? std::to_string(seconds / 3600) + 'h'
                                                   : std::to_string(seconds / 86400) + 'd';
  return time < now ? length + " ago" : "in " + length;
}

std::string Cut(const std::string& text, std::size_t width) {
  if (CodePoints(text) <= width) return text;
  return std::string(CutCodePoints(text, width - 1)) + std::string(kCut);
}

/// Breaks at spaces, and within words that are longer than a line.
void PrintWrapped(std::ostream& out, std::string_view text, std::size_t width) {
  constexpr std::string_view kIndent = "    ";
  const std::size_t most = std::max<std::size_t>(width, 20) - kIndent.size();
  while (!text.empty()) {
    std::string_view line = CutCodePoints(text, most);
    if (line.size() < text.size()) {
      const auto space = text.substr(0, line.size() + 1).rfind(' ');
      if (space != std::string_view::npos && space > 0) line = text.substr(0, space);
    }
    out << kIndent << line << '\n';
    text.remove_prefix(line.size());
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  }
}

/// Of the terminal on stdout; zeros if it is none.
winsize TerminalSize() {
  winsize size{};
  if (::isatty(STDOUT_FILENO) == 0 || ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0) return {};
  return size;
}

}  // namespace

std::string Printable(std::string_view text) {
  const std::string clean = ToUtf8(text);
  std::string out;
  for (std::size_t i = 0; i < clean.size();) {
    const auto [c, length] = FirstCodePoint(std::string_view(clean).substr(i));
    if (!IsHidden(c) || c == '\n' || c == '\t') {
      out.append(clean, i, length);
    } else if (c < 0x100) {
      out += "\\x";
      AppendHex(out, c, 2);
    } else {
      out += "\\u";
      AppendHex(out, c, 4);
    }
    i += length;
  }
  return out;
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : Printable(text)) {
    if (c == '\n') {
      line += "\\n";
    } else if (c == '\t') {
      line += "\\t";
    } else {
      line += c;
    }
  }
  return line;
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (!value || value->is_null()) return std::string(kNone);
  return OneLine(value->is_string() ? std::string_view(value->get_string()) : std::string_view(ToText(*value)));
}

const json::object& ObjectAt(const json::object& object, std::string_view key) {
  static const json::object kEmpty;
  const json::value* value = object.if_contains(key);
  return value && value->is_object() ? value->get_object() : kEmpty;
}

const json::array& ListAt(const json::object& object, std::string_view key) {
  static const json::array kEmpty;
  const json::value* value = object.if_contains(key);
  return value && value->is_array() ? value->get_array() : kEmpty;
}

std::string View::Time(const json::object& object, std::string_view key) const {
  const auto time = TimeOf(object, key);
  if (!time) return std::string(kNone);
  const std::string shown = LocalTime(*zone, *time);
  if (width == 0) return shown;
  const std::string today = LocalTime(*zone, now);
  if (shown.compare(0, 10, today, 0, 10) == 0) return shown.substr(11);
  return shown.compare(0, 4, today, 0, 4) == 0 ? shown.substr(5, 11) : shown.substr(0, 10);
}

std::string View::Age(const json::object& object, std::string_view key) const {
  const auto time = TimeOf(object, key);
  return time ? AgeText(*time, now) : std::string(kNone);
}

std::string View::Moment(const json::object& object, std::string_view key) const {
  const auto time = TimeOf(object, key);
  if (!time) return std::string(kNone);
  return LocalTime(*zone, *time) + ' ' + OffsetText(zone->OffsetAt(*time)) + " (" + AgeText(*time, now) + ')';
}

std::string View::Offset() const {
  return OffsetText(zone->OffsetAt(now));
}

std::size_t TerminalWidth() {
  return TerminalSize().ws_col;
}

std::size_t TerminalHeight() {
  return TerminalSize().ws_row;
}

std::vector<Table::Fit> Table::FitInto(std::size_t width) const {
  std::vector<Fit> fits;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t widest = CodePoints(columns_[i].heading);
    bool is_empty = !rows_.empty();
    for (const auto& row : rows_) {
      widest = std::max(widest, CodePoints(row[i]));
      is_empty = is_empty && row[i] == kNone;
    }
    if (width == 0 || columns_[i].spare == 0 || !is_empty) fits.push_back({i, widest});
  }
  const auto least = [&](const Fit& fit) {
    const std::size_t least = columns_[fit.column].least;
    return least == 0 ? fit.width : std::min(fit.width, std::max(least, CodePoints(columns_[fit.column].heading)));
  };
  const auto total = [&](auto width_of) {
    std::size_t sum = (fits.size() - 1) * kGap;
    for (const Fit& fit : fits) sum += std::invoke(width_of, fit);
    return sum;
  };
  if (width == 0) return fits;
  if (total(&Fit::width) > width) std::erase_if(fits, [&](const Fit& fit) { return columns_[fit.column].is_text; });
  while (total(least) > width) {
    const auto spare = std::ranges::max_element(fits, {}, [&](const Fit& fit) { return columns_[fit.column].spare; });
    if (columns_[spare->column].spare == 0) break;
    fits.erase(spare);
  }
  for (std::size_t now = total(&Fit::width); now > width; --now) {
    Fit* widest = nullptr;
    for (Fit& fit : fits) {
      if (fit.width > least(fit) && (!widest || fit.width > widest->width)) widest = &fit;
    }
    if (!widest) break;
    --widest->width;
  }
  return fits;
}

void Table::Print(std::ostream& out, std::size_t width) const {
  const auto fits = FitInto(width);
  const auto line = [&](auto cell_of) {
    for (const Fit& fit : fits) {
      const std::string cell = Cut(cell_of(fit.column), fit.width);
      out << cell;
      if (&fit != &fits.back()) out << std::string(fit.width - CodePoints(cell) + kGap, ' ');
    }
    out << '\n';
  };
  line([&](std::size_t column) { return columns_[column].heading; });
  for (const auto& row : rows_) {
    line([&](std::size_t column) { return row[column]; });
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool is_shown = std::ranges::find(fits, i, &Fit::column) != fits.end();
      if (columns_[i].is_text && !is_shown && row[i] != kNone) PrintWrapped(out, row[i], width);
    }
  }
}

void PrintMember(std::ostream& out, std::string_view name, const std::string& value) {
  if (value.empty() || value == kNone) return;
  out << name << std::string(kNameWidth - std::min(kNameWidth, name.size()), ' ') << value << '\n';
}

void PrintIndented(std::ostream& out, std::string_view text, std::string_view indent) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out << indent << Printable(text.substr(0, end)) << '\n';
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

int Fail(const std::string& why, int exit_code) {
  std::cerr << "hookswitch: " << why << '\n';
  return exit_code;
}

}  // namespace hookswitch::cli
