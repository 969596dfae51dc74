#pragma once
#include <cstddef>
#include <string>

namespace hookswitch::config {

/// JSON, and so YAML, writes a character beyond U+FFFF as two \u escapes: "\ud83d\udea8". yaml-cpp rejects these, so
/// while it parses they are replaced by others of the same length, which keeps all places in the file correct: U+E000
/// to U+E7FF, which have no meaning of their own.
class SurrogateEscapes {
 public:
  /// `at` is where the parser failed, after an escape in double quotes. If that escape and the next one are a pair,
  /// replaces it and all pairs that follow in the same quotes. False if they are not a pair, or if the text itself has
  /// characters of the replacement range.
  bool StandIn(std::string& text, std::size_t at);
  /// The parsed text, with the original characters.
  std::string Restore(const std::string& read) const;

 private:
  bool any_ = false;
};

}  // namespace hookswitch::config
