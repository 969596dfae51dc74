#include "core/admin/search_terms.h"

#include <cctype>

namespace hookswitch {
namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/// Splits a search into terms.
class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<SearchTerm> Split() {
    std::vector<SearchTerm> terms;
    for (;;) {
      while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
      if (at_ == text_.size()) return terms;
      terms.push_back(TakeTerm());
    }
  }

 private:
  bool Ends() const { return at_ == text_.size() || IsBlank(text_[at_]); }

  SearchTerm TakeTerm() {
    SearchTerm term;
    term.at = at_;
    if (text_[at_] == '-' && at_ + 1 < text_.size() && !IsBlank(text_[at_ + 1])) {
      term.negated = true;
      ++at_;
    }
    if (const auto key = KeyHere()) {
      term.key = *key;
      term.key_at = at_;
      at_ += key->size() + 1;
      for (;;) {
        term.values.push_back(TakeValue(term, ","));
        if (at_ == text_.size() || text_[at_] != ',') break;
        ++at_;
      }
    } else {
      term.values.push_back(TakeValue(term, ""));
    }
    // What follows a closing quote without a blank belongs to it.
    while (!Ends()) {
      term.values.back().text += text_[at_++];
      term.values.back().end = at_;
    }
    term.end = at_;
    return term;
  }

  /// The word before a colon, if it can be a key: "12:30" has none.
  std::optional<std::string> KeyHere() const {
    if (at_ == text_.size() || !std::isalpha(static_cast<unsigned char>(text_[at_]))) return {};
    const auto end = text_.find_first_of(" \t\r\n\":", at_);
    if (end == std::string_view::npos || text_[end] != ':') return {};
    return std::string(text_.substr(at_, end - at_));
  }

  SearchTerm::Value TakeValue(SearchTerm& term, std::string_view stops) {
    SearchTerm::Value value;
    value.at = at_;
    if (at_ < text_.size() && text_[at_] == '"') {
      value.is_quoted = true;
      const std::size_t quote = at_++;
      while (at_ < text_.size() && text_[at_] != '"') {
        const bool is_escape =
            text_[at_] == '\\' && at_ + 1 < text_.size() && (text_[at_ + 1] == '"' || text_[at_ + 1] == '\\');
        if (is_escape) ++at_;
        value.text += text_[at_++];
      }
      if (at_ == text_.size()) {
        term.open_quote = quote;
      } else {
        ++at_;
      }
    } else {
      while (!Ends() && stops.find(text_[at_]) == std::string_view::npos) value.text += text_[at_++];
    }
    value.end = at_;
    return value;
  }

  const std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<SearchTerm> SplitSearch(std::string_view text) {
  return Splitter(text).Split();
}

}  // namespace hookswitch
