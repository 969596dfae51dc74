#include "core/routing/regex_sets.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <utility>

namespace hookswitch::routing {

/// Up to kTogether consecutive regexes; matched one by one if there is no set.
struct RegexSets::Chunk {
  std::unique_ptr<re2::RE2::Set> set;
};

namespace {

re2::StringPiece Piece(std::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

RegexSets::RegexSets() = default;
RegexSets::~RegexSets() = default;

RegexSets::Index RegexSets::Add(std::shared_ptr<const re2::RE2> regex) {
  regexes_.push_back(std::move(regex));
  return static_cast<Index>(regexes_.size() - 1);
}

void RegexSets::Compile() {
  for (std::size_t first = 0; first < regexes_.size(); first += kTogether) {
    const std::size_t end = std::min(first + kTogether, regexes_.size());
    Chunk& chunk = chunks_.emplace_back();
    if (end - first < 2) continue;
    auto set = std::make_unique<re2::RE2::Set>(regexes_[first]->options(), re2::RE2::UNANCHORED);
    bool is_whole = true;
    for (std::size_t i = first; i < end; ++i) is_whole = is_whole && set->Add(regexes_[i]->pattern(), nullptr) >= 0;
    if (is_whole && set->Compile()) chunk.set = std::move(set);
  }
}

bool RegexSets::Answers::Has(Index index) {
  if (found_.empty()) found_.assign(sets_.chunks_.size(), -1);
  std::int32_t& found = found_[index / kTogether];
  if (found < 0) {
    found = 0;
    const std::size_t first = index / kTogether * kTogether;
    const std::size_t end = std::min(first + kTogether, sets_.regexes_.size());
    const auto& set = sets_.chunks_[index / kTogether].set;
    std::vector<int> matches;
    re2::RE2::Set::ErrorInfo error{re2::RE2::Set::kNoError};
    const bool any = set && set->Match(Piece(text_), &matches, &error);
    if (set && (any || error.kind == re2::RE2::Set::kNoError)) {
      for (const int match : matches) found |= 1 << match;
    } else {
      // There is no set, or it needs more memory for this text than it may use.
      for (std::size_t i = first; i < end; ++i) {
        if (re2::RE2::PartialMatch(Piece(text_), *sets_.regexes_[i])) found |= 1 << (i - first);
      }
    }
  }
  return (found >> (index % kTogether) & 1) != 0;
}

}  // namespace hookswitch::routing
