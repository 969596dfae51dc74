#pragma once
#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret.h"

namespace hookswitch::plugins {

/// Takes the secrets of one sink out of texts. Immutable; safe from any thread.
///
/// A secret becomes "***", in every spelling that a program gives it: without its "Bearer ", in JSON, percent-encoded,
/// as a form, as HTML, one of these inside another, in base64 and hexadecimal also within a longer text, in other
/// letter case, and cut short where an answer was cut. Of one that is a web URL the part that does not open anything
/// stays, so that two webhooks can be told apart: scheme, host, and the short path segments before the last one. The
/// parts that open something by themselves (see AddPartsOf) are hidden where they stand alone, too.
class Masker {
 public:
  explicit Masker(std::span<const std::string> secrets);

  /// `text` masked, or its beginning: no more than `most` bytes and one mask are made. What begins in them is seen
  /// whole, however far it goes on, so a text may be cut without leaving half a secret.
  std::string Mask(std::string_view text, std::size_t most = std::string_view::npos) const;

 private:
  /// What to look for.
  struct Needle {
    Secret text;
    std::string shown;
    bool any_case = false;
    bool is_base64 = false;      ///< lines may be broken, '-' is '+' and '_' is '/'
    bool cut_counts = false;     ///< its beginning is hidden, too, where the text ends there
    bool begins_within = false;  ///< with is_base64: some bits of the character before it are the secret's
    bool ends_within = false;    ///< as above, behind it
  };
  struct Found {
    std::size_t begin = 0, end = 0;
    const std::string* shown = nullptr;  ///< nullptr: nothing was found
  };

  void AddCoded(const std::string& text);
  void Index();
  void IndexEscapes();
  Found First(std::string_view text, std::size_t from, std::size_t until) const;
  Found At(std::string_view text, std::size_t at, std::uint64_t which) const;

  std::vector<Needle> needles_;
  // Bit i: a needle of this number, counted round, may have this byte as its first (second) one. The last bit: an
  // escape.
  std::array<std::uint64_t, 256> first_{}, second_{};
  std::bitset<128> beginnings_;  ///< ASCII characters that a needle begins with
};

}  // namespace hookswitch::plugins
