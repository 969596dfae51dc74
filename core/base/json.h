#pragma once
#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace hookswitch {

namespace json = boost::json;

/// `value` as JSON text. Unlike boost::json::serialize, writes numbers without exponent (27.2, not 2.72E1). `indent`:
/// spaces per level; 0: one line.
std::string ToText(const json::value& value, int indent = 0);

/// `key` escaped as a JSON pointer's reference token (RFC 6901).
std::string PointerPart(std::string_view key);

/// Boost.JSON allows 32 levels by default; a config may have 64.
inline json::parse_options DeepEnoughForConfigs() {
  json::parse_options options;
  options.max_depth = 100;
  return options;
}

}  // namespace hookswitch
