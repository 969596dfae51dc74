#include "core/cli/finding.h"

#include <algorithm>

#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

using Level = Finding::Level;

std::string_view NameOf(Level level) {
  switch (level) {
    case Level::kOk: return "ok";
    case Level::kNote: return "note";
    case Level::kWarning: return "warning";
    case Level::kProblem: return "problem";
  }
  return "";
}

Colour ColourOf(Level level) {
  switch (level) {
    case Level::kOk: return Colour::kGreen;
    case Level::kNote: return Colour::kDim;
    case Level::kWarning: return Colour::kYellow;
    case Level::kProblem: return Colour::kRed;
  }
  return Colour::kPlain;
}

std::string Padded(std::string_view text, std::size_t width) {
  return std::string(text) + std::string(width - std::min(width, text.size()), ' ');
}

std::string Count(const Findings& findings, Level level, const std::string& what) {
  const auto count = std::ranges::count(findings, level, &Finding::level);
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

}  // namespace

bool HasProblem(const Findings& findings) {
  return std::ranges::find(findings, Level::kProblem, &Finding::level) != findings.end();
}

void PrintFindings(std::ostream& out, const Paint& paint, const Findings& findings) {
  constexpr std::size_t kLevelWidth = 9;
  std::size_t width = 0;
  for (const Finding& finding : findings) width = std::max(width, finding.check.size() + 2);
  for (const Finding& finding : findings) {
    out << paint(ColourOf(finding.level), Padded(NameOf(finding.level), kLevelWidth)) << Padded(finding.check, width)
        << OneLine(finding.text) << '\n';
    if (!finding.hint.empty()) out << std::string(kLevelWidth + width, ' ') << "-> " << OneLine(finding.hint) << '\n';
  }
  out << '\n'
      << Count(findings, Level::kProblem, "problem") << ", " << Count(findings, Level::kWarning, "warning") << '\n';
}

json::object ToObject(const Findings& findings) {
  json::array all;
  for (const Finding& finding : findings) {
    all.push_back(json::object{{"check", finding.check},
                               {"level", NameOf(finding.level)},
                               {"text", finding.text},
                               {"hint", finding.hint.empty() ? json::value(nullptr) : json::value(finding.hint)}});
  }
  return {{"ok", !HasProblem(findings)}, {"findings", std::move(all)}};
}

}  // namespace hookswitch::cli
