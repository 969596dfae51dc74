#pragma once
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

/// How results of the router are shown to people.
namespace hookswitch::cli {

/// Foreign text that cannot steer a terminal: control characters but tabs and line breaks are shown as \x1b.
std::string Printable(std::string_view text);

/// A member as one line of text: "-" for null or what is not there.
std::string Text(const json::object& object, std::string_view key);

/// Lines of cells under a heading, in columns as wide as they need to be.
class Table {
 public:
  explicit Table(std::vector<std::string> heading) { rows_.push_back(std::move(heading)); }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void Print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// "name       value", for pages about one thing. Null and empty values are left out.
void PrintMember(std::ostream& out, std::string_view name, const std::string& value);
/// `text` with `indent` before each of its lines.
void PrintIndented(std::ostream& out, std::string_view text, std::string_view indent);

}  // namespace hookswitch::cli
