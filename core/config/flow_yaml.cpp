#include "core/config/flow_yaml.h"

#include "core/base/text.h"

namespace hookswitch::config::flow {

std::string Quoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  for (auto at = quoted.find('\x7F'); at != std::string::npos; at = quoted.find('\x7F', at)) {
    quoted.replace(at, 1, "\\u007f");
  }
  return quoted;
}

std::string Key(std::string_view key, std::string_view before_colon) {
  // YAML takes a long one only with a "?" before it, and in a block the colon on a line of its own.
  constexpr std::size_t kLongestPlain = 1000;
  const std::string quoted = Quoted(key);
  return quoted.size() > kLongestPlain ? "? " + quoted + std::string(before_colon) + ": " : quoted + ": ";
}

std::string List(const std::vector<std::string>& items) {
  return "[" + Joined(items) + "]";
}

std::string Texts(const std::vector<std::string>& texts) {
  std::vector<std::string> quoted;
  for (const std::string& text : texts) quoted.push_back(Quoted(text));
  return List(quoted);
}

Map& Map::Add(std::string_view key, std::string_view value) {
  if (!text_.empty()) text_ += ", ";
  text_ += Key(key, " ");
  text_ += value;
  return *this;
}

}  // namespace hookswitch::config::flow
