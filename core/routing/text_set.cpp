#include "core/routing/text_set.h"

#include <re2/re2.h>

#include <algorithm>

#include "core/base/check.h"
#include "core/base/text.h"

namespace hookswitch::routing {
namespace {

using Mode = config::Pattern::Mode;

std::shared_ptr<const re2::RE2> CompileRegex(const config::Pattern& pattern, config::Problems& problems) {
  constexpr std::int64_t kMaxMem = 8 << 20;  // bytes for one regex; beyond it RE2 uses its slower NFA
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(kMaxMem);
  auto regex = std::make_shared<const re2::RE2>(pattern.text, options);
  if (!regex->ok()) {
    problems.Error(pattern.where, static_cast<int>(pattern.text.size()),
                   "\"" + pattern.text + "\" is not a regular expression: " + regex->error(),
                   "RE2 syntax: github.com/google/re2/wiki/Syntax");
  }
  return regex;
}

/// The whole text, in any case that Unicode knows; `*` and `?` are wildcards in a glob.
config::Pattern AsRegex(const config::Pattern& pattern) {
  config::Pattern regex{pattern.where, Mode::kRegex, "(?is)\\A"};
  for (const char c : pattern.text) {
    if (pattern.mode == Mode::kGlob && (c == '*' || c == '?')) {
      regex.text += c == '*' ? ".*" : ".";
    } else {
      regex.text +=
          static_cast<unsigned char>(c) < 0x80 ? re2::RE2::QuoteMeta(re2::StringPiece(&c, 1)) : std::string(1, c);
    }
  }
  regex.text += "\\z";
  return regex;
}

std::string Describe(const config::Pattern& pattern) {
  switch (pattern.mode) {
    case Mode::kExact:
    case Mode::kGlob: return pattern.text + (pattern.ignore_case ? " in any case" : "");
    case Mode::kContains: return "a text with \"" + pattern.text + "\"";
    case Mode::kRegex: return "/" + pattern.text + "/";
  }
  Unreachable();
}

// Takes some regexes without an anchor ("[$]") for anchored, which only costs time. For \b and \B a line break beside a
// text is the same as the text's end.
bool IsAnchored(const config::Pattern& pattern) {
  switch (pattern.mode) {
    case Mode::kExact:
    case Mode::kGlob: return true;
    case Mode::kContains: return false;
    case Mode::kRegex:
      return pattern.text.find_first_of("^$") != std::string::npos || pattern.text.find("\\A") != std::string::npos ||
             pattern.text.find("\\z") != std::string::npos;
  }
  Unreachable();
}

}  // namespace

TextSet::TextSet(const std::vector<config::Pattern>& patterns, config::Problems& problems, RegexSets* sets) {
  std::vector<std::string> names;
  for (const config::Pattern& pattern : patterns) {
    names.push_back(Describe(pattern));
    anchored_ |= IsAnchored(pattern);
    if (pattern.ignore_case) {
      others_.push_back({Mode::kRegex, pattern.text, CompileRegex(AsRegex(pattern), problems)});
      continue;
    }
    switch (pattern.mode) {
      case Mode::kExact: exact_.push_back(pattern.text); break;
      case Mode::kGlob:
      case Mode::kContains: others_.push_back({pattern.mode, pattern.text, nullptr}); break;
      case Mode::kRegex: {
        auto regex = CompileRegex(pattern, problems);
        const RegexSets::Index index = sets ? sets->Add(regex) : 0;
        others_.push_back({pattern.mode, pattern.text, std::move(regex), index});
        break;
      }
    }
  }
  std::sort(exact_.begin(), exact_.end());
  description_ = AnyOf(names);
}

template <class Has>
bool TextSet::MatchesBy(std::string_view text, Has has) const {
  if (std::binary_search(exact_.begin(), exact_.end(), text)) return true;
  for (const Other& other : others_) {
    switch (other.mode) {
      case Mode::kExact: Unreachable();
      case Mode::kGlob:
        if (GlobMatch(other.text, text)) return true;
        break;
      case Mode::kContains:
        if (text.find(other.text) != std::string_view::npos) return true;
        break;
      case Mode::kRegex:
        if (has(other)) return true;
        break;
    }
  }
  return false;
}

bool TextSet::Matches(std::string_view text) const {
  return MatchesBy(text, [&](const Other& other) {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *other.regex);
  });
}

bool TextSet::MatchesWith(RegexSets::Answers& answers, std::string_view text) const {
  return MatchesBy(text, [&](const Other& other) { return answers.Has(other.index); });
}

std::string AnyOf(std::span<const std::string> names) {
  constexpr std::size_t kShown = 6;
  std::string text;
  const std::size_t shown = names.size() > kShown ? kShown : names.size();
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  if (shown < names.size()) text += " or " + std::to_string(names.size() - shown) + " more";
  return text;
}

}  // namespace hookswitch::routing
