#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace re2 {
class RE2;
}

namespace hookswitch::routing {

/// Regexes that are all asked about the same long text: one pass over it answers for several of them. Filled with Add,
/// then Compile, once; safe from any thread after that.
class RegexSets {
 public:
  using Index = std::uint32_t;

  RegexSets();
  ~RegexSets();
  RegexSets(const RegexSets&) = delete;
  RegexSets& operator=(const RegexSets&) = delete;

  Index Add(std::shared_ptr<const re2::RE2> regex);
  void Compile();

  /// What they say of one text. Borrows both. One thread.
  class Answers {
   public:
    Answers(const RegexSets& sets, std::string_view text) : sets_(sets), text_(text) {}
    /// Whether the regex with this index is found in the text.
    bool Has(Index index);

   private:
    const RegexSets& sets_;
    const std::string_view text_;
    std::vector<std::int32_t> found_;  ///< by chunk: a bit for each of its regexes; negative: not asked yet
  };

 private:
  struct Chunk;
  static constexpr std::size_t kTogether = 16;  ///< more would make an automaton that does not fit its memory

  std::vector<std::shared_ptr<const re2::RE2>> regexes_;
  std::vector<Chunk> chunks_;
};

}  // namespace hookswitch::routing
