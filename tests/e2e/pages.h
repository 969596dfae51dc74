#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch::e2e {

/// A block of code of a page: what stands between ```language and ```.
struct Block {
  std::string page;  ///< from the top of the tree: "config/README.md"
  int line = 0;
  std::string language;  ///< "" if none is named
  std::string text;
};

/// Every page for people, sorted: README.md, and *.md below config, core, examples, plugins and sinks. Texts that a
/// program makes a page of (plugins/template) are none.
std::vector<std::string> Pages();
/// The blocks of a page's text in order; with `language` only those.
std::vector<Block> BlocksIn(const std::string& page, const std::string& text, std::string_view language = {});
/// The same of a page of the tree.
std::vector<Block> BlocksOf(const std::string& page, std::string_view language = {});

void ReplaceAll(std::string& text, std::string_view what, std::string_view with);

}  // namespace hookswitch::e2e
