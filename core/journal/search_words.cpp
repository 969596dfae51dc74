#include "core/journal/search_words.h"

#include <sqlite3.h>

#include <array>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMostMarkValue = 48;

/// FTS5's own tokenizer, so that no second one can disagree with it. Its functions outlive every connection, but are
/// found through one: https://sqlite.org/fts5.html#extending_fts5
struct Unicode61 {
  fts5_tokenizer functions{};
  void* context = nullptr;

  Unicode61() {
    sqlite3* db = nullptr;
    sqlite3_stmt* select = nullptr;
    fts5_api* api = nullptr;
    sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &select, nullptr) == SQLITE_OK) {
      sqlite3_bind_pointer(select, 1, static_cast<void*>(&api), "fts5_api_ptr", nullptr);
      sqlite3_step(select);
    }
    sqlite3_finalize(select);
    HSW_CHECK(api != nullptr, "SQLite is built with FTS5");
    const int found = api->xFindTokenizer(api, "unicode61", &context, &functions);
    HSW_CHECK(found == SQLITE_OK, "unicode61 is a part of FTS5");
    // The connection stays open for as long as the process lives: `context` may be its own.
  }
};

const Unicode61& Functions() {
  static const Unicode61 functions;
  return functions;
}

/// The mark of a field, its value cut to `most` bytes.
std::string CutMark(WordSplitter& splitter, std::string_view name, std::string_view value, std::size_t most) {
  std::string folded = FieldValueOf(splitter, name, value);
  if (folded.empty()) return folded;
  std::uint64_t sum = 0;
  splitter.ForEach(name, [&](std::string_view word) {
    sum = MixIn(sum, word);
    return true;
  });
  // Five bits for a character; names that share a sum are told apart by whoever reads the event.
  constexpr std::string_view kDigits = "abcdefghijklmnopqrstuvwxyz234567";
  std::string mark(kMarkStart);
  for (int i = 0; i < 5; ++i, sum >>= 5) mark += kDigits[sum & 31];
  if (folded.size() > most) {
    std::size_t end = most;
    while ((static_cast<unsigned char>(folded[end]) & 0xc0) == 0x80) --end;
    folded.resize(end);
  }
  return mark + folded;
}

}  // namespace

struct WordSplitter::Tokenizer {
  Fts5Tokenizer* it = nullptr;
};

WordSplitter::WordSplitter() : tokenizer_(std::make_unique<Tokenizer>()) {
  std::array<const char*, 2> options = {"remove_diacritics", "2"};
  const int made = Functions().functions.xCreate(Functions().context, options.data(), static_cast<int>(options.size()),
                                                 &tokenizer_->it);
  HSW_CHECK(made == SQLITE_OK, "the options are those of the tables, which SQLite accepts");
}

WordSplitter::~WordSplitter() {
  Functions().functions.xDelete(tokenizer_->it);
}

void WordSplitter::ForEach(std::string_view text, const std::function<bool(std::string_view word)>& word) {
  auto take = [](void* context, int, const char* bytes, int size, int, int) {
    const auto& each = *static_cast<const std::function<bool(std::string_view word)>*>(context);
    return each({bytes, static_cast<std::size_t>(size)}) ? SQLITE_OK : SQLITE_DONE;
  };
  // xTokenize reads only from `word`, which it gets without const.
  auto* each = const_cast<std::function<bool(std::string_view word)>*>(&word);
  const char* start = text.data() != nullptr ? text.data() : "";
  (void)Functions().functions.xTokenize(tokenizer_->it, each, FTS5_TOKENIZE_DOCUMENT, start,
                                        static_cast<int>(text.size()), take);
}

std::vector<std::string> WordSplitter::Split(std::string_view text) {
  std::vector<std::string> words;
  ForEach(text, [&](std::string_view word) {
    words.emplace_back(word);
    return true;
  });
  return words;
}

std::string FieldValueOf(WordSplitter& splitter, std::string_view name, std::string_view value) {
  const bool is_number = name == "to" || name == "from";
  std::string folded;
  splitter.ForEach(value, [&](std::string_view word) {
    if (!folded.empty() && !is_number) folded += kMarkGap;
    folded += word;
    return true;
  });
  return folded;
}

std::string MarkOf(WordSplitter& splitter, std::string_view name, std::string_view value) {
  return CutMark(splitter, name, value, kMostMarkValue);
}

// A value that is cut may end some bytes before the limit, so that it is cut between characters.
std::string MarkStartOf(WordSplitter& splitter, std::string_view name, std::string_view value) {
  return CutMark(splitter, name, value, kMostMarkValue - 4);
}

}  // namespace hookswitch
