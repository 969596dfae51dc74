#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"

/// How results of the router are shown to people.
namespace hookswitch::routing {
class Zone;
}

namespace hookswitch::cli {

/// Foreign text that is safe to print on a terminal: characters that a terminal would obey or hide, except tabs and
/// line breaks, are shown as \x1b or \u202e.
std::string Printable(std::string_view text);
/// The same as one line: line breaks and tabs are shown as \n and \t.
std::string OneLine(std::string_view text);

/// A member as one line of text: "-" if it is null or absent.
std::string Text(const json::object& object, std::string_view key);

/// A member that is an object or a list; an empty one if there is none.
const json::object& ObjectAt(const json::object& object, std::string_view key);
const json::array& ListAt(const json::object& object, std::string_view key);

/// Width, time zone and current time for output.
struct View {
  std::size_t width = 0;                ///< of the terminal in columns; 0: no terminal, so tables are not cut
  const routing::Zone* zone = nullptr;  ///< of the times shown; not nullptr
  WallTime now{};

  /// "14:32:03" today, else "03-02 14:32", else "2025-12-31"; with `width` 0 always "2026-03-04 14:32:03". The RFC 3339
  /// time of a member, or "-".
  std::string Time(const json::object& object, std::string_view key) const;
  /// "3m ago", "in 2h"
  std::string Age(const json::object& object, std::string_view key) const;
  /// "2026-03-04 14:32:03 +05:30 (3m ago)"
  std::string Moment(const json::object& object, std::string_view key) const;
  /// "+05:30", "UTC": the zone's offset now, for headings.
  std::string Offset() const;
};

/// The width in columns of the terminal on stdout; 0 if it is not a terminal.
std::size_t TerminalWidth();
/// Its height in lines; 0 likewise.
std::size_t TerminalHeight();

/// Rows of cells under headings. If a table is wider than the terminal, texts that must stay whole move below their
/// rows; if narrowing the columns is then not enough, spare ones are dropped.
class Table {
 public:
  struct Column {
    std::string heading;
    std::size_t least = 0;  ///< narrowest width; 0: never cut
    int spare = 0;          ///< the highest are dropped first; 0: never dropped
    bool is_text = false;   ///< stays whole
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// `width` in columns; 0: no limit.
  void Print(std::ostream& out, std::size_t width) const;

 private:
  struct Fit {
    std::size_t column, width;
  };
  std::vector<Fit> FitInto(std::size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

/// "name       value", for pages about one thing. Null and empty values are left out.
void PrintMember(std::ostream& out, std::string_view name, const std::string& value);
/// `text` with `indent` before each of its lines.
void PrintIndented(std::ostream& out, std::string_view text, std::string_view indent);

}  // namespace hookswitch::cli
