#pragma once
#include <string>
#include <string_view>

namespace hookswitch::cli {

enum class Colour { kPlain, kRed, kGreen, kYellow, kBlue, kDim, kBold };

/// Colours for a terminal.
class Paint {
 public:
  explicit Paint(bool on) : on_(on) {}
  /// `text`, which has no colours of its own, in this colour; as it is if colours are off.
  std::string operator()(Colour colour, std::string_view text) const;

 private:
  bool on_;
};

/// Whether stdout gets colours. `choice`: "always", "never", or "auto", which is yes on a terminal unless NO_COLOR is
/// set (no-color.org) or TERM is "dumb".
bool WantsColour(std::string_view choice);

}  // namespace hookswitch::cli
