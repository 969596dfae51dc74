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

/// Foreign text that cannot steer a terminal: what one would obey or hide, but tabs and line breaks, is shown as \x1b
/// or \u202e.
std::string Printable(std::string_view text);
/// The same as one line: line breaks and tabs are shown as \n and \t.
std::string OneLine(std::string_view text);

/// A member as one line of text: "-" for null or what is not there.
std::string Text(const json::object& object, std::string_view key);

/// Where and when a page is read.
struct View {
  std::size_t width = 0;                ///< the columns of the terminal; 0: none, so tables are whole
  const routing::Zone* zone = nullptr;  ///< whose clocks show the times; not nullptr
  WallTime now{};

  /// "14:32:03" today, else "03-02 14:32", else "2025-12-31"; with `width` 0 always "2026-03-04 14:32:03". The RFC 3339
  /// time of a member, or "-".
  std::string Time(const json::object& object, std::string_view key) const;
  /// "3m ago", "in 2h"
  std::string Age(const json::object& object, std::string_view key) const;
  /// "2026-03-04 14:32:03 +05:30 (3m ago)"
  std::string Moment(const json::object& object, std::string_view key) const;
  /// "+05:30", "UTC": what the clocks differ by now, for headings.
  std::string Offset() const;
};

/// The columns of the terminal that stdout is, 0 if it is none.
std::size_t TerminalWidth();

/// Lines of cells under a heading. In a terminal a table is as wide as that: first its columns are made narrower, as
/// far as each may be, then those go that one can best do without. A text that is to be read whole stands below its row
/// where the table would not fit otherwise.
class Table {
 public:
  struct Column {
    std::string heading;
    std::size_t least = 0;  ///< as narrow as it may get; 0: is never cut
    int spare = 0;          ///< the highest go first; 0: always stays
    bool is_text = false;   ///< to be read whole
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  /// `width` 0: as wide as it gets.
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
