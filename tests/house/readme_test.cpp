// README names everything that an operator may meet: what is added to the code must be added there.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

#include "core/base/json.h"

namespace hookswitch {
namespace {

std::string Read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::string& Readme() {
  static const std::string text = Read(HSW_SOURCE_DIR "/README.md");
  return text;
}

// The first group of every match of `pattern` in the sources of core/.
std::set<std::string> InCode(const std::string& pattern) {
  const std::regex expression(pattern);
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(HSW_SOURCE_DIR "/core")) {
    if (entry.path().extension() != ".cpp") continue;
    const std::string text = Read(entry.path());
    for (std::sregex_iterator match(text.begin(), text.end(), expression), end; match != end; ++match) {
      found.insert((*match)[1]);
    }
  }
  return found;
}

void ExpectNamed(const std::set<std::string>& names) {
  for (const auto& name : names) {
    EXPECT_NE(Readme().find('`' + name + '`'), std::string::npos) << name << " is not in README.md";
  }
}

TEST(Readme, NamesEveryMetric) {
  const auto metrics = InCode("\"(hookswitch_[a-z_]+)\"");
  EXPECT_GT(metrics.size(), 20u);
  ExpectNamed(metrics);
}

TEST(Readme, NamesEveryLogEvent) {
  auto events = InCode("log::(?:Info|Warn|Error|Debug)\\(\\s*\"([a-z_]+)\"");
  EXPECT_GT(events.size(), 25u);
  ExpectNamed(events);
}

TEST(Readme, NamesEveryKeyOfTheConfig) {
  const auto schema = json::parse(Read(HSW_SOURCE_DIR "/core/config/config.schema.json")).as_object();
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
  for (const auto& key : keys) {
    const std::regex whole("(^|[^a-z_])" + key + "($|[^a-z_])");
    EXPECT_TRUE(std::regex_search(Readme(), whole)) << "the key " << key << " is not in README.md";
  }
}

}  // namespace
}  // namespace hookswitch
