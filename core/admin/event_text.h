#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/journal/search_filter.h"
#include "core/journal/search_words.h"

/// What of an event is searched as text.
namespace hookswitch {

/// Ends each text of TextOf: phrases do not go on from one text to the next.
inline constexpr char kTextGap = '\x1e';

/// Appends the texts and numbers of a stored body, as they were sent and each followed by kTextGap: the values of JSON,
/// the fields of a form, or else the whole body.
void AppendTexts(std::string& texts, std::string_view body);

/// The words of `texts`; "" ends each text.
std::vector<std::string> WordsOf(WordSplitter& splitter, std::string_view texts);

/// Whether one of the texts has the phrase.
bool HasPhrase(const std::vector<std::string>& words, const SearchFilter::Phrase& phrase);

}  // namespace hookswitch
