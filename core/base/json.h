#pragma once
#include <boost/json.hpp>
#include <string>
#include <string_view>

namespace hookswitch {

namespace json = boost::json;

/// `value` as JSON text. Unlike boost::json::serialize, numbers look as people write them (27.2, not 2.72E1).
/// `indent` spaces per level; 0 puts everything on one line.
std::string ToText(const json::value& value, int indent = 0);

/// `key` as a part of a JSON pointer (RFC 6901).
std::string PointerPart(std::string_view key);

/// Boost.JSON stops at 32 levels; a config may have twice as many.
inline json::parse_options DeepEnoughForConfigs() {
  json::parse_options options;
  options.max_depth = 100;
  return options;
}

}  // namespace hookswitch
