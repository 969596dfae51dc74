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

/// Masks the secrets of one sink in texts. Immutable. [thread: any]
///
/// A secret becomes "***" in every encoding that programs use: without its "Bearer ", JSON-escaped, percent- or
/// form-encoded, as HTML, nested combinations of these, base64 and hexadecimal (also as part of a longer encoded text),
/// other letter case, and cut off where a response was cut. A web URL keeps its harmless part, so that two webhooks can
/// be distinguished: scheme, host, and the short path segments before the last. Parts that are credentials by
/// themselves (see AddPartsOf) are masked on their own, too.
class Masker {
 public:
  explicit Masker(std::span<const std::string> secrets);

  /// Returns `text` masked, cut to about `most` bytes (plus at most one mask). A secret that begins before the cut is
  /// recognized however far it extends, so no half secret remains.
  std::string Mask(std::string_view text, std::size_t most = std::string_view::npos) const;

 private:
  /// A pattern to mask.
  struct Needle {
    Secret text;
    std::string shown;
    bool any_case = false;
    bool is_base64 = false;      ///< ignores line breaks; '-' equals '+', '_' equals '/'
    bool cut_counts = false;     ///< a prefix is masked too, at the end of a cut text
    bool begins_within = false;  ///< with is_base64: some bits of the preceding character belong to the secret
    bool ends_within = false;    ///< the same for the following character
  };
  struct Found {
    std::size_t begin = 0, end = 0;
    const std::string* shown = nullptr;  ///< nullptr: not found
  };

  void AddCoded(const std::string& text);
  void Index();
  void IndexEscapes();
  Found First(std::string_view text, std::size_t from, std::size_t until) const;
  Found At(std::string_view text, std::size_t at, std::uint64_t which) const;

  std::vector<Needle> needles_;
  // Bit i: a needle whose number is i, modulo the count of bits, may have this byte first (second). The last bit: an
  // escape.
  std::array<std::uint64_t, 256> first_{}, second_{};
  std::bitset<128> beginnings_;  ///< first characters of needles (ASCII)
};

}  // namespace hookswitch::plugins
