#pragma once
#include <array>
#include <cstddef>
#include <string_view>

/// How programs spell a text on its way: percent-encoding, JSON escapes, HTML entities, also one inside another
/// ("%252F", "\\/", "&amp;#47;").
namespace hookswitch::plugins {

/// What an escape may stand for, and where it ends.
struct Spelled {
  char32_t character;
  std::size_t end;
};

/// All that one place of a text may stand for. More than fit are dropped: nested escapes have few readings.
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

/// True for the first byte of an escape: '%', '\\', '&'.
inline bool BeginsEscape(char c) {
  return c == '%' || c == '\\' || c == '&';
}

/// What the escape at `text[at]` may stand for: nothing where there is none. "%252F" is both '%' (up to its third byte)
/// and '/' (all of it).
Readings ReadEscape(std::string_view text, std::size_t at);

/// The UTF-8 sequence at `text[at]`, or one byte where there is none: what escapes stand for as a whole.
std::string_view CharacterAt(std::string_view text, std::size_t at);
/// Its code point; of a byte that is no UTF-8 the byte.
char32_t CodePointOf(std::string_view character);

}  // namespace hookswitch::plugins
