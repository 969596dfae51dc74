#pragma once
#include <string_view>
#include <vector>

namespace hookswitch::config {

/// A page of core/sources/platforms, as built in.
struct PlatformText {
  std::string_view name;                 ///< the file's, without ".yaml"
  std::vector<std::string_view> pieces;  ///< of a few thousand bytes
};

std::vector<PlatformText> PlatformTexts();

}  // namespace hookswitch::config
