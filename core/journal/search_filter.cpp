#include "core/journal/search_filter.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch {

bool NeedsBody(const SearchFilter& filter) {
  const auto has_phrase = [](const SearchFilter::Texts& texts) {
    return std::ranges::any_of(texts.any, [](const auto& phrase) { return phrase.words.size() > 1; });
  };
  return !filter.fields.empty() || !filter.raw.empty() || std::ranges::any_of(filter.texts, has_phrase);
}

bool Fits(const SearchFilter::Names& wanted, const std::string& name) {
  if (name.empty()) return false;
  return std::ranges::any_of(wanted.globs, [&](const auto& glob) { return GlobMatch(glob, name); }) ||
         std::ranges::find(wanted.labels, name) != wanted.labels.end();
}

bool Fits(const SearchFilter::Ranges& wanted, const std::optional<double>& number) {
  return number && std::ranges::any_of(wanted.any, [&](const SearchFilter::Ranges::Range& range) {
           if (range.least && (range.above ? *number <= *range.least : *number < *range.least)) return false;
           return !range.most || (range.below ? *number < *range.most : *number <= *range.most);
         });
}

}  // namespace hookswitch
