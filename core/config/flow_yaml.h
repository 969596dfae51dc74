#pragma once
#include <string>
#include <string_view>
#include <vector>

/// Writes YAML that reads as the same values in every version: maps in braces, lists in brackets, every text quoted.
namespace hookswitch::config::flow {

/// `text` in quotes, whatever it holds.
std::string Quoted(std::string_view text);
/// A key with its colon, as a map that is not in braces takes it with "\n" and its indentation before a long one's
/// colon.
std::string Key(std::string_view key, std::string_view before_colon);
/// A list of what is written already, and one of texts.
std::string List(const std::vector<std::string>& items);
std::string Texts(const std::vector<std::string>& texts);

/// A map in braces.
class Map {
 public:
  /// `value` is written already.
  Map& Add(std::string_view key, std::string_view value);
  bool empty() const { return text_.empty(); }
  std::string Text() const { return "{" + text_ + "}"; }

 private:
  std::string text_;
};

}  // namespace hookswitch::config::flow
