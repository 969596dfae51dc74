#pragma once
#include <array>
#include <cstddef>
#include <string_view>

/// Decoding of escapes in texts: percent-encoding, JSON escapes, HTML entities, also nested ("%252F", "\\/",
/// "&amp;#47;").
namespace hookswitch::plugins {

/// A character that an escape may encode, and the end of the escape.
struct Spelled {
  char32_t character;
  std::size_t end;
};

/// All readings of one position of a text. Readings that do not fit are dropped: nested escapes have few.
class Readings {
 public:
  const Spelled* begin() const { return all_.data(); }
  const Spelled* end() const { return all_.data() + count_; }
  void Add(char32_t character, std::size_t end) {
    if (count_ < all_.size()) all_[count_++] = {character, end};
  }

 private:
  std::array<Spelled, 16> all_;
  std::size_t count_ = 0;
};

/// Whether `c` can begin an escape.
inline bool BeginsEscape(char c) {
  return c == '%' || c == '\\' || c == '&';
}

/// The readings of the escape at `text[at]`; none if there is no escape. "%252F" reads as '%' (its first three bytes)
/// and as '/' (all of it).
Readings ReadEscape(std::string_view text, std::size_t at);

/// The UTF-8 sequence at `text[at]`, or one byte if ill-formed.
std::string_view CharacterAt(std::string_view text, std::size_t at);
/// The code point of CharacterAt's result; an ill-formed byte counts as its value.
char32_t CodePointOf(std::string_view character);

}  // namespace hookswitch::plugins
