#include "core/cli/paint.h"

#include <unistd.h>

#include <cstdlib>

namespace hookswitch::cli {
namespace {

// ECMA-48 8.3.117 (SGR).
std::string_view CodeOf(Colour colour) {
  switch (colour) {
    case Colour::kPlain: return "";
    case Colour::kRed: return "31";
    case Colour::kGreen: return "32";
    case Colour::kYellow: return "33";
    case Colour::kBlue: return "34";
    case Colour::kDim: return "2";
    case Colour::kBold: return "1";
  }
  return "";
}

}  // namespace

std::string Paint::operator()(Colour colour, std::string_view text) const {
  const std::string_view code = CodeOf(colour);
  if (!on_ || code.empty() || text.empty()) return std::string(text);
  return "\x1b[" + std::string(code) + 'm' + std::string(text) + "\x1b[0m";
}

bool WantsColour(std::string_view choice) {
  if (choice != "auto") return choice == "always";
  const char* none = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool is_dumb = !terminal || std::string_view(terminal) == "dumb";
  return ::isatty(STDOUT_FILENO) != 0 && !is_dumb && (!none || *none == '\0');
}

}  // namespace hookswitch::cli
