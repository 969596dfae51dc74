#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace hookswitch::routing {

/// Regexes that are all matched against the same long text, several in one pass. Call Add, then Compile once;
/// thread-safe after that.
class RegexSets {
 public:
  using Index = std::uint32_t;

  RegexSets();
  ~RegexSets();
  RegexSets(const RegexSets&) = delete;
  RegexSets& operator=(const RegexSets&) = delete;

  Index Add(std::shared_ptr<const re2::RE2> regex);
  void Compile();

  /// The results for one text. Borrows both. Not thread-safe.
  class Answers {
   public:
    Answers(const RegexSets& sets, std::string_view text) : sets_(sets), text_(text) {}
    /// True if the regex with this index matches somewhere in the text.
    bool Has(Index index);

   private:
    const RegexSets& sets_;
    const std::string_view text_;
    std::vector<std::int32_t> found_;  ///< by chunk: a bit for each of its regexes; negative: not evaluated yet
  };

 private:
  struct Chunk;
  static constexpr std::size_t kTogether = 16;  ///< with more, the automaton would exceed its memory limit

  std::vector<std::shared_ptr<const re2::RE2>> regexes_;
  std::vector<Chunk> chunks_;
};

}  // namespace hookswitch::routing
