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
  /// Also hides what a secret looks like URL-encoded, and, if it is a URL, its path and the last part of that: those
  /// turn up in error texts without the host.
  explicit Masker(std::span<const std::string> secrets);
  std::string Mask(std::string text) const;

 private:
  std::vector<Secret> needles_;  ///< longest first
};

}  // namespace hookswitch::plugins
