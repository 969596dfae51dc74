#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch {

/// Splits text into words exactly as the full text of SearchIndex does: letters and digits, in lower case, without
/// accents; everything else separates words. Accepts any bytes. Not thread-safe; making one is cheap.
class WordSplitter {
 public:
  WordSplitter();
  ~WordSplitter();
  WordSplitter(const WordSplitter&) = delete;
  WordSplitter& operator=(const WordSplitter&) = delete;

  /// Calls `word` for each word in order; false ends the walk. The view is valid during the call.
  void ForEach(std::string_view text, const std::function<bool(std::string_view word)>& word);
  std::vector<std::string> Split(std::string_view text);

 private:
  struct Tokenizer;
  std::unique_ptr<Tokenizer> tokenizer_;
};

/// Begins a mark, a word that no text contains: IndexedEvent::text has none.
inline constexpr std::string_view kMarkStart = "\xEE\x80\x80";  // U+E000, which the splitter takes for a letter
/// Separates the words of a mark's value.
inline constexpr std::string_view kMarkGap = "\xEE\x80\x81";  // U+E001

/// The mark that an event has if its field `name` has `value`: a search for it finds the event by what its source read,
/// not by its text. "" if `value` has no words. `name` is compared by its words.
std::string MarkOf(WordSplitter& splitter, std::string_view name, std::string_view value);
/// What the mark of a field begins with that begins with `value`.
std::string MarkStartOf(WordSplitter& splitter, std::string_view name, std::string_view value);
/// A field's value as it is compared: by its words; "to" and "from" by their letters and digits alone ("+1 202-555" is
/// "1202555"). Marks cut it.
std::string FieldValueOf(WordSplitter& splitter, std::string_view name, std::string_view value);

}  // namespace hookswitch
