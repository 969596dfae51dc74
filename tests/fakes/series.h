#pragma once
#include <set>
#include <sstream>
#include <string>

namespace hookswitch::fakes {

/// "name{labels}" of every series in a text of metrics.
inline std::set<std::string> SeriesOf(const std::string& text) {
  std::set<std::string> series;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && !line.starts_with('#')) series.insert(line.substr(0, line.rfind(' ')));
  }
  return series;
}

}  // namespace hookswitch::fakes
