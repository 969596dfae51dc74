#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/routing/regex_sets.h"

namespace re2 {
class RE2;
}

namespace hookswitch::routing {

/// Alternative patterns, compiled. Callers handle absent text. Immutable; matching allocates nothing. [thread: any]
class TextSet {
 public:
  TextSet() = default;
  /// An invalid regex is an error at its place. With `sets`, regexes are also added there, for MatchesWith.
  TextSet(const std::vector<config::Pattern>& patterns, config::Problems& problems, RegexSets* sets = nullptr);

  bool Matches(std::string_view text) const;
  /// As Matches, with `answers` of the constructor's `sets` for `text`.
  bool MatchesWith(RegexSets::Answers& answers, std::string_view text) const;
  /// True if a pattern may depend on where the text begins or ends. If none does, texts joined by line breaks match
  /// whenever one of them matches.
  bool Anchored() const { return anchored_; }
  /// `a, b-* or /x/`, for reasons; long lists are cut.
  const std::string& description() const { return description_; }

 private:
  struct Other {
    config::Pattern::Mode mode;
    std::string text;
    std::shared_ptr<const re2::RE2> regex;
    RegexSets::Index index = 0;  ///< of `regex` in the sets
  };
  template <class Has>
  bool MatchesBy(std::string_view text, Has has) const;
  std::vector<std::string> exact_;  // sorted
  std::vector<Other> others_;
  bool anchored_ = false;
  std::string description_;
};

/// `a`, `a or b`, `a, b or c`; after six names, how many more there are.
std::string AnyOf(std::span<const std::string> names);

}  // namespace hookswitch::routing
