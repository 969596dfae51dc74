// Each YAML file of tests/golden/bad_configs is a case; what check says of it stands beside it. With HSW_GOLDEN_UPDATE
// set, what came out is written there, to be read as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "core/config/loader.h"
#include "core/config/references.h"
#include "core/config/schema_check.h"

namespace hookswitch::config {
namespace {

namespace fs = std::filesystem;

const std::string kFolder = std::string(HSW_SOURCE_DIR) + "/tests/golden/bad_configs/";

std::string ReadWhole(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::ostringstream text;
  text << stream.rdbuf();
  return text.str();
}

// Paths are seen from the folder of the cases, so that the expected texts hold no machine's paths.
Environment FolderEnvironment() {
  Environment environment;
  environment.read_file = [](const std::string& path, std::string& error) -> std::optional<std::string> {
    if (!fs::is_regular_file(kFolder + path)) {
      error = "No such file or directory";
      return {};
    }
    return ReadWhole(kFolder + path);
  };
  environment.list_files = [](const std::string& glob) {
    std::vector<std::string> paths = Environment::System().list_files(kFolder + glob);
    for (std::string& path : paths) path.erase(0, kFolder.size());
    return paths;
  };
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name == "TOKEN") return "correct-horse-battery";
    if (name == "EMPTY") return "";
    if (name == "LINE_BREAKS_ALONE") return "\r\n\n";
    if (name == "ENDS_IN_LINE_BREAKS") return "correct-horse-battery\r\n\n";
    if (name == "QUOTED") return "\"correct-horse-battery\"";
    if (name == "SPACED") return "correct-horse battery";
    if (name == "UNSEEN_SPACE") return "correct-horse-battery\u200B";
    if (name == "TWO_LINES") return "correct-horse\nbattery";
    return {};
  };
  environment.others_can_read = [](const std::string& path) { return path.ends_with("/open"); };
  return environment;
}

std::vector<std::string> Cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

class BadConfig : public testing::TestWithParam<std::string> {};

// What a plugin's schema finds in its config; schemas/ has those of the plugins that cases name.
Problems OfPlugins(const Loaded& loaded) {
  Problems problems;
  const Config* config = loaded.Readable();
  if (!config) return problems;
  Names names = NamesOf(*config);
  if (loaded.draft) names.in_doubt = loaded.draft->in_doubt;
  for (const Sink& sink : config->sinks) {
    const std::string schema = ReadWhole(kFolder + "schemas/" + sink.plugin + ".json");
    if (schema.empty() || sink.config.kind != Node::Kind::kMap) continue;
    CheckAgainstSchema(sink.config, schema, "sinks." + sink.name + ".config", sink.where, problems);
    CheckReferences(sink, schema, names, problems);
  }
  problems.Sort();
  return problems;
}

TEST_P(BadConfig, ReportsExactlyItsText) {
  const Loaded loaded = Load(GetParam() + ".yaml", FolderEnvironment());
  const Problems of_plugins = OfPlugins(loaded);
  std::string text;
  for (const Problem& problem : loaded.problems.All()) text += ToText(problem);
  for (const Problem& problem : of_plugins.All()) text += ToText(problem);
  if (std::getenv("HSW_GOLDEN_UPDATE")) std::ofstream(kFolder + GetParam() + ".txt", std::ios::binary) << text;
  EXPECT_EQ(text, ReadWhole(kFolder + GetParam() + ".txt"));
  EXPECT_EQ(loaded.config.has_value(), !loaded.problems.HasErrors());
  EXPECT_FALSE(loaded.unreadable);
  EXPECT_EQ(text.find("correct-horse"), std::string::npos) << "a secret is shown";
  EXPECT_EQ(ToJson(loaded.problems.All()).find("correct-horse"), std::string::npos) << "a secret is shown";
}

INSTANTIATE_TEST_SUITE_P(Golden, BadConfig, testing::ValuesIn(Cases()), [](const auto& info) { return info.param; });

}  // namespace
}  // namespace hookswitch::config
