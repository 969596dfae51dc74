#include "core/admin/event_text.h"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>

#include "core/base/json.h"
#include "core/base/query_string.h"
#include "core/base/text.h"
#include "core/sources/payload.h"

namespace hookswitch {
namespace {

/// Adds `text` without what would end it or be taken for a mark.
void AddText(std::string& texts, std::string_view text) {
  const std::size_t begin = texts.size();
  texts += text;
  std::replace(texts.begin() + static_cast<std::ptrdiff_t>(begin), texts.end(), kTextGap, ' ');
  for (auto at = texts.find(kMarkStart, begin); at != std::string::npos; at = texts.find(kMarkStart, at)) {
    texts.replace(at, kMarkStart.size(), " ");
  }
  texts += kTextGap;
}

/// Takes the texts and numbers of JSON as they are written: 1.50 and a number of thirty digits, too. basic_parser calls
/// the members in snake case.
class TextHandler {
  using Error = json::error_code;
  using Text = json::string_view;

 public:
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();

  explicit TextHandler(std::string& texts) : texts_(texts) {}

  bool on_document_begin(Error&) { return true; }
  bool on_document_end(Error&) { return true; }
  bool on_object_begin(Error&) { return true; }
  bool on_object_end(std::size_t, Error&) { return true; }
  bool on_array_begin(Error&) { return true; }
  bool on_array_end(std::size_t, Error&) { return true; }
  bool on_key_part(Text, std::size_t, Error&) { return true; }
  bool on_key(Text, std::size_t, Error&) { return true; }
  bool on_string_part(Text part, std::size_t, Error&) {
    part_ += part;
    return true;
  }
  bool on_string(Text rest, std::size_t, Error&) {
    if (part_.empty()) {
      AddText(texts_, {rest.data(), rest.size()});
      return true;
    }
    part_ += rest;
    AddText(texts_, part_);
    part_.clear();
    return true;
  }
  bool on_number_part(Text, Error&) { return true; }
  bool on_int64(std::int64_t, Text written, Error&) { return Number(written); }
  bool on_uint64(std::uint64_t, Text written, Error&) { return Number(written); }
  bool on_double(double, Text written, Error&) { return Number(written); }
  bool on_bool(bool, Error&) { return true; }
  bool on_null(Error&) { return true; }
  bool on_comment_part(Text, Error&) { return true; }
  bool on_comment(Text, Error&) { return true; }

 private:
  bool Number(Text written) {
    AddText(texts_, {written.data(), written.size()});
    return true;
  }

  std::string& texts_;
  std::string part_;
};

bool AppendJson(std::string& texts, std::string_view body) {
  json::parse_options options;
  options.max_depth = payload::kMaxDepth;
  json::basic_parser<TextHandler> parser(options, texts);
  json::error_code error;
  const std::size_t read = parser.write_some(false, body.data(), body.size(), error);
  return !error && read == body.size();
}

void AppendValue(std::string& texts, const json::value& value) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) AppendValue(texts, member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array) AppendValue(texts, item);
  } else if (value.is_string() || value.is_number()) {
    AddText(texts, payload::AnyText(&value, ~std::size_t{0}));
  }
}

bool IsForm(std::string_view body) {
  return body.find('=') != std::string_view::npos && body.find_first_of(" \n{}<>\"") == std::string_view::npos;
}

}  // namespace

void AppendTexts(std::string& texts, std::string_view body) {
  const std::size_t begin = texts.size();
  if (AppendJson(texts, body)) return;
  texts.resize(begin);
  if (IsForm(body)) {
    for (const auto& [name, value] : FormFields(body)) AddText(texts, value);
    return;
  }
  // JSON that a source has to mend before it can be read.
  payload::Document document;
  if (const auto value = document.Parse(body)) return AppendValue(texts, **value);
  AddText(texts, ToUtf8(body));
}

std::vector<std::string> WordsOf(WordSplitter& splitter, std::string_view texts) {
  std::vector<std::string> words;
  while (!texts.empty()) {
    const auto end = std::min(texts.find(kTextGap), texts.size());
    splitter.ForEach(texts.substr(0, end), [&](std::string_view word) {
      words.emplace_back(word);
      return true;
    });
    words.emplace_back();
    texts.remove_prefix(std::min(end + 1, texts.size()));
  }
  return words;
}

bool HasPhrase(const std::vector<std::string>& words, const SearchFilter::Phrase& phrase) {
  const std::size_t count = phrase.words.size();
  const auto fits = [&](std::size_t at) {
    for (std::size_t i = 0; i < count; ++i) {
      const std::string& word = words[at + i];
      const bool may_go_on = phrase.is_prefix && i + 1 == count;
      if (may_go_on ? !word.starts_with(phrase.words[i]) : word != phrase.words[i]) return false;
    }
    return true;
  };
  for (std::size_t at = 0; at + count <= words.size(); ++at) {
    if (fits(at)) return true;
  }
  return false;
}

}  // namespace hookswitch
