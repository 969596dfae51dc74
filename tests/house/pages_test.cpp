// The pages name everything that an operator may meet, and lead only to what is there: what is added to the code must
// be added to the page where its subject stands.
#include <gtest/gtest.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

constexpr char kConfigPage[] = "config/README.md";
constexpr char kOperatingPage[] = "config/OPERATING.md";

std::string Read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string Page(const std::string& page) {
  return Read(fs::path(HSW_SOURCE_DIR) / page);
}

// The first group of every match of `pattern` in the sources of core/.
std::set<std::string> InCode(const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (const auto& entry : fs::recursive_directory_iterator(HSW_SOURCE_DIR "/core")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = Read(entry.path());
    for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
      found.insert((*match)[1]);
    }
  }
  return found;
}

void ExpectNamed(const std::string& page, const std::set<std::string>& names) {
  const std::string text = Page(page);
  for (const auto& name : names) {
    EXPECT_NE(text.find('`' + name + '`'), std::string::npos) << name << " is not in " << page;
  }
}

TEST(Pages, NameEveryMetric) {
  const auto metrics = InCode("\"((?:hookswitch|process)_[a-z_]+)\"");
  EXPECT_GT(metrics.size(), 40u);
  ExpectNamed(kOperatingPage, metrics);
}

// A reason that is not in the list of core/ingress/refusals.cpp would be counted from its first request only.
TEST(Metrics, EveryReasonToRefuseARequestIsCountedFromTheStart) {
  const std::string listed = Page("core/ingress/refusals.cpp");
  static const std::regex kRefusal("[(){, ][45]\\d\\d, \"([a-z_]+)\"");
  std::set<std::string> reasons;
  for (const char* folder : {"/core/ingress", "/core/sources"}) {
    for (const auto& entry : fs::recursive_directory_iterator(std::string(HSW_SOURCE_DIR) + folder)) {
      if (entry.path().extension() != ".cpp") continue;
      const std::string text = Read(entry.path());
      for (std::sregex_iterator at(text.begin(), text.end(), kRefusal), end; at != end; ++at) reasons.insert((*at)[1]);
    }
  }
  reasons.erase("internal");  // a fault of ours, which is logged
  EXPECT_GT(reasons.size(), 14u);
  for (const auto& reason : reasons) EXPECT_NE(listed.find('"' + reason + '"'), std::string::npos) << reason;
}

TEST(Pages, NameEveryLogEvent) {
  auto events = InCode("log::(?:Info|Warn|Error|Debug)\\(\\s*\"([a-z_]+)\"");
  EXPECT_GT(events.size(), 25u);
  ExpectNamed(kOperatingPage, events);
}

TEST(Pages, NameEveryKeyOfTheConfig) {
  const auto schema = json::parse(Page("core/config/config.schema.json")).as_object();
  std::set<std::string> keys;
  for (const auto& [key, value] : schema.at("properties").as_object()) {
    keys.insert(key);
    if (const auto* inner = value.as_object().if_contains("properties")) {
      for (const auto& [name, ignored] : inner->as_object()) keys.insert(name);
    }
  }
  for (const char* kind : {"source", "sink", "rule", "template", "condition"}) {
    for (const auto& [name, ignored] : schema.at("definitions").at(kind).at("properties").as_object())
      keys.insert(name);
  }
  EXPECT_GT(keys.size(), 50u);
  const std::string text = Page(kConfigPage);
  for (const auto& key : keys) {
    const std::regex whole("(^|[^a-z_])" + key + "($|[^a-z_])");
    EXPECT_TRUE(std::regex_search(text, whole)) << "the key " << key << " is not in " << kConfigPage;
  }
}

/// The lines of a page that are not inside a block of code, with their numbers.
std::vector<std::pair<int, std::string>> Prose(const fs::path& page) {
  std::vector<std::pair<int, std::string>> prose;
  std::istringstream lines(Read(page));
  bool in_block = false;
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    if (line.find("```") != std::string::npos) {
      in_block = !in_block;
    } else if (!in_block) {
      prose.emplace_back(number, line);
    }
  }
  return prose;
}

/// What GitHub makes of a page's headings: lower case, words joined by "-", without marks.
std::set<std::string> Anchors(const fs::path& page) {
  std::set<std::string> anchors;
  for (const auto& [number, line] : Prose(page)) {
    if (!line.starts_with('#')) continue;
    std::string anchor;
    for (const char c : line.substr(line.find_first_not_of("# "))) {
      if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_') {
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      } else if (c == ' ') {
        anchor += '-';
      }
    }
    anchors.insert(anchor);
  }
  return anchors;
}

std::vector<fs::path> AllPages() {
  std::vector<fs::path> pages{fs::path(HSW_SOURCE_DIR) / "README.md"};
  for (const char* folder : {"config", "core", "examples", "plugins", "sinks", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(HSW_SOURCE_DIR) / folder)) {
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
    }
  }
  return pages;
}

TEST(Pages, EveryLinkLeadsToAFileAndAHeading) {
  static const std::regex kLink(R"(\]\(([^)\s]+)\))");
  int links = 0;
  for (const fs::path& page : AllPages()) {
    for (const auto& [number, line] : Prose(page)) {
      for (std::sregex_iterator at(line.begin(), line.end(), kLink), end; at != end; ++at) {
        const std::string link = (*at)[1];
        if (link.starts_with("https://")) continue;
        ++links;
        const auto hash = link.find('#');
        const fs::path target = hash == 0 ? page : page.parent_path() / link.substr(0, hash);
        const std::string where = fs::relative(page, HSW_SOURCE_DIR).string() + ":" + std::to_string(number);
        EXPECT_TRUE(fs::exists(target)) << where << ": nothing is at " << link;
        if (hash == std::string::npos || !fs::exists(target)) continue;
        EXPECT_TRUE(Anchors(target).contains(link.substr(hash + 1))) << where << ": no heading for " << link;
      }
    }
  }
  EXPECT_GT(links, 20);
}

}  // namespace
}  // namespace hookswitch
