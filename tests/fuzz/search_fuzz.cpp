#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "core/admin/event_text.h"
#include "core/admin/search_query.h"
#include "core/admin/search_suggest.h"
#include "core/base/text.h"

// Any bytes as a search: it is read, or what is wrong is said at a place that is there; suggestions replace a part of
// it. Any bytes as a body: its texts hold no mark, and each of its words is found in it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hookswitch;
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  const auto config = std::make_shared<config::Config>();
  const KnownNames names(config, {});
  const WallTime now{std::chrono::milliseconds(1'772'614'923'114)};
  const SearchQuery query = ParseSearch(bytes, now, names);
  const std::string text = ToUtf8(bytes);
  const std::size_t length = CodePoints(text);
  if (query.error && (query.error->at + query.error->length > length || query.error->detail.empty())) std::abort();
  for (const auto& texts : query.filter.texts) {
    for (const auto& phrase : texts.any) {
      if (phrase.words.empty()) std::abort();
    }
  }
  for (const std::size_t at : {std::size_t{0}, length / 2, length}) {
    const Suggestions suggestions = Suggest(text, at, now, *config, nullptr, true);
    if (suggestions.from > suggestions.to || suggestions.to > length) std::abort();
  }

  std::string texts;
  AppendTexts(texts, bytes);
  if (texts.find(kMarkStart) != std::string::npos) std::abort();
  WordSplitter splitter;
  const auto words = WordsOf(splitter, texts);
  const auto word = std::ranges::find_if(words, [](const std::string& one) { return !one.empty(); });
  if (word != words.end() && !HasPhrase(words, {{*word}, false})) std::abort();
  return 0;
}
