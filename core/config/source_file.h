#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch::config {

/// A set of half-open ranges of byte offsets; ranges that touch become one.
class ByteRanges {
 public:
  void Add(std::size_t from, std::size_t to);
  bool Has(std::size_t at) const;

 private:
  std::map<std::size_t, std::size_t> ranges_;  // from -> to
};

/// A config file's text, kept so that problems can show its lines, and which parts of it they must not show.
///
/// Problems show asterisks in place of a byte that is sealed, or hidden and not shown. Checking the file adds to these
/// ranges, so one thread at a time may check it.
class SourceFile {
 public:
  SourceFile(std::string the_path, std::string the_text);

  const std::string path;  ///< as the user wrote it
  const std::string text;

  /// The byte offset of a place; lines and columns count from 1, and places past the end mean the end.
  std::size_t OffsetOf(int line, int column) const;
  /// Line `number` without its line break; "" if there is none.
  std::string_view Line(int number) const;

  /// The block that begins there, as it is shown to people: that line from `column` on, and those below that are
  /// indented as far, without this indentation; blank lines at the end are left out. Hidden bytes are asterisks.
  std::string Block(int line, int column) const;

  /// The offsets of all keys, values and aliases, as parsed; ascending.
  void SetTokens(std::vector<std::size_t> offsets) const { tokens_ = std::move(offsets); }
  /// The first token after `at`, or the text's end: what begins at `at` ends before it.
  std::size_t NextToken(std::size_t at) const;

  void Hide(std::size_t from, std::size_t to) const { hidden_.Add(from, to); }
  void Show(std::size_t from, std::size_t to) const { shown_.Add(from, to); }
  void Seal(std::size_t from, std::size_t to) const { sealed_.Add(from, to); }
  bool Hides(std::size_t at) const { return sealed_.Has(at) || (hidden_.Has(at) && !shown_.Has(at)); }

 private:
  std::vector<std::size_t> lines_;  // where each begins
  mutable std::vector<std::size_t> tokens_;
  mutable ByteRanges hidden_, shown_, sealed_;
};

}  // namespace hookswitch::config
