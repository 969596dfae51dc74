#pragma once
#include <cstddef>
#include <string>

namespace hookswitch::config {

/// JSON, which is YAML, writes a character beyond U+FFFF as two \u escapes: "\ud83d\udea8". yaml-cpp takes no such
/// escape, so others of the same length stand in for them while it reads, in order that all places in the file stay
/// what they are: those of U+E000 to U+E7FF, which mean nothing by themselves.
class SurrogateEscapes {
 public:
  /// `at` is where the parser gave up, behind an escape in double quotes. If that and the next one are a pair, puts
  /// stand-ins for it and for all pairs that follow in the same quotes; false if they are not, or if the text has
  /// characters of its own that a stand-in could be taken for.
  bool StandIn(std::string& text, std::size_t at);
  /// What the parser has read, with the characters that are meant.
  std::string Restore(const std::string& read) const;

 private:
  bool any_ = false;
};

}  // namespace hookswitch::config
