#include "tests/e2e/pages.h"

#include <algorithm>
#include <filesystem>
#include <sstream>

#include "tests/e2e/process.h"

namespace hookswitch::e2e {

namespace fs = std::filesystem;

std::vector<std::string> Pages() {
  std::vector<std::string> pages{"README.md"};
  for (const char* folder : {"config", "core", "examples", "plugins", "sinks"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(HSW_SOURCE_DIR) / folder)) {
      const std::string page = fs::relative(entry.path(), HSW_SOURCE_DIR);
      if (entry.path().extension() == ".md" && !page.starts_with("plugins/template/")) pages.push_back(page);
    }
  }
  std::sort(pages.begin(), pages.end());
  return pages;
}

std::vector<Block> BlocksIn(const std::string& page, const std::string& text, std::string_view language) {
  constexpr std::string_view kFence = "```";
  std::vector<Block> blocks;
  std::istringstream lines(text);
  bool inside = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.starts_with(kFence)) {
      inside = !inside;
      if (inside) blocks.push_back({page, number, line.substr(kFence.size()), ""});
    } else if (inside) {
      blocks.back().text += line + "\n";
    }
  }
  if (!language.empty()) std::erase_if(blocks, [&](const Block& block) { return block.language != language; });
  return blocks;
}

std::vector<Block> BlocksOf(const std::string& page, std::string_view language) {
  return BlocksIn(page, ReadFile(std::string(HSW_SOURCE_DIR) + "/" + page), language);
}

void ReplaceAll(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace hookswitch::e2e
