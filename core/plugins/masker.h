#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/secret.h"

namespace hookswitch::plugins {

/// Takes the secrets of one sink out of texts. Immutable; safe from any thread.
class Masker {
 public:
  /// A secret becomes "***". Of one that is a web URL the part that does not open anything stays, so that two webhooks
  /// can be told apart: scheme, host, and the short path segments before the last one; user, last segment, query values
  /// and fragment are masked. Also hides what a secret looks like URL-encoded, and the parts of a URL where they stand
  /// alone: they turn up in error texts without the host.
  explicit Masker(std::span<const std::string> secrets);
  std::string Mask(std::string text) const;

 private:
  struct Needle {
    Secret text;
    std::string shown;
  };
  std::vector<Needle> needles_;
};

}  // namespace hookswitch::plugins
