#include "core/config/problem.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/base/text.h"

namespace hookswitch::config {
namespace {

std::string_view ToString(Problem::Severity severity) {
  return severity == Problem::Severity::kError ? "error" : "warning";
}

}  // namespace

std::string ToText(const Mark& where) {
  std::string text = where.file ? where.file->path : std::string("config");
  if (where.line > 0) text += ':' + std::to_string(where.line) + ':' + std::to_string(where.column);
  return text;
}

void Problems::Error(Mark where, int width, std::string message, std::string hint) {
  Add({Problem::Severity::kError, std::move(where), width, std::move(message), std::move(hint)});
}

void Problems::Warning(Mark where, int width, std::string message, std::string hint) {
  Add({Problem::Severity::kWarning, std::move(where), width, std::move(message), std::move(hint)});
}

void Problems::Add(Problem problem) {
  if (problem.severity == Problem::Severity::kError) {
    error_places_.insert({problem.where.file.get(), problem.where.line, problem.where.column});
  }
  all_.push_back(std::move(problem));
}

bool Problems::HasErrors() const {
  return !error_places_.empty();
}

bool Problems::HasErrorAt(const Mark& where) const {
  return error_places_.contains({where.file.get(), where.line, where.column});
}

void Problems::Truncate(std::size_t most) {
  if (all_.size() <= most) return;
  const bool errors = std::any_of(all_.begin() + static_cast<std::ptrdiff_t>(most), all_.end(),
                                  [](const Problem& p) { return p.severity == Problem::Severity::kError; });
  const std::string left_out = "and " + std::to_string(all_.size() - most) + " more problems";
  const Mark where{all_[most].where.file, 0, 0};
  all_.resize(most);
  errors ? Error(where, 1, left_out) : Warning(where, 1, left_out);
}

void Problems::Sort() {
  std::map<const SourceFile*, std::size_t> order;
  for (const Problem& problem : all_) order.emplace(problem.where.file.get(), order.size());
  auto rank = [&](const Problem& p) { return order.at(p.where.file.get()); };
  std::stable_sort(all_.begin(), all_.end(), [&](const Problem& a, const Problem& b) {
    return std::tuple(rank(a), a.where.line, a.where.column) < std::tuple(rank(b), b.where.line, b.where.column);
  });
}

std::string ToText(const Problem& problem) {
  constexpr std::size_t kLineWidth = 100;
  std::string text = ToText(problem.where);
  text += ": ";
  text += ToString(problem.severity);
  text += ": " + problem.message + '\n';
  if (!problem.where.file || problem.where.line <= 0) {
    if (!problem.hint.empty()) text += "       " + problem.hint + '\n';
    return text;
  }
  const SourceFile& file = *problem.where.file;
  std::string_view line = file.Line(problem.where.line);
  if (line.ends_with('\r')) line.remove_suffix(1);
  std::size_t at = std::min(static_cast<std::size_t>(std::max(problem.where.column - 1, 0)), line.size());
  std::size_t cut = at > kLineWidth * 3 / 4 ? at - kLineWidth / 2 : 0;
  while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
  // A code point has at most four bytes.
  std::string visible(line.substr(cut, at - cut + 4 * kLineWidth));
  const std::size_t begin = file.OffsetOf(problem.where.line, 1) + cut;
  for (std::size_t i = 0; i < visible.size(); ++i) {
    if (file.Hides(begin + i)) visible[i] = '*';
  }
  at -= cut;
  // The caret stands under what the reader sees, so its place is counted in code points.
  const std::size_t indent = CodePoints(ToUtf8(visible.substr(0, at)));
  const std::size_t left = CodePoints(ToUtf8(visible.substr(at)));
  std::string shown(CutCodePoints(ToUtf8(visible), kLineWidth));
  for (char& c : shown) {
    if (c == '\t') c = ' ';
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  }
  const std::string number = std::to_string(problem.where.line);
  const std::string gutter(number.size() < 5 ? 5 - number.size() : 0, ' ');
  text += gutter + number + " | " + shown + '\n';
  const auto carets =
      std::clamp<std::size_t>(static_cast<std::size_t>(std::max(problem.width, 1)), 1, std::max<std::size_t>(left, 1));
  text += std::string(gutter.size() + number.size(), ' ') + " | " + std::string(indent, ' ') + '^';
  text += std::string(carets - 1, '~');
  if (!problem.hint.empty()) text += "  " + problem.hint;
  return text + '\n';
}

json::array ToArray(std::span<const Problem> problems) {
  json::array all;
  for (const Problem& p : problems) {
    all.push_back(json::object{{"severity", ToString(p.severity)},
                               {"file", p.where.file ? p.where.file->path : std::string()},
                               {"line", p.where.line},
                               {"column", p.where.column},
                               {"message", p.message},
                               {"hint", p.hint}});
  }
  return all;
}

std::string ToJson(std::span<const Problem> problems) {
  return hookswitch::ToText(ToArray(problems));
}

}  // namespace hookswitch::config
