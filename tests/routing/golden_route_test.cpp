#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/config/kept_text.h"
#include "core/config/loader.h"
#include "core/event/event_from_json.h"
#include "core/routing/route_table.h"

// Each file of tests/golden/routes is a config (`version` and sinks a to e are added where it has none), then "---",
// then what must come of it: `problems`, or `events` each with the sinks that get it (sink: rule), the rules that match
// and, where `why` asks, their reasons. The same must come of what is kept of the config.
namespace hookswitch {
namespace {

std::vector<std::string> Cases() {
  std::vector<std::string> cases;
  for (const auto& entry : std::filesystem::directory_iterator(HSW_SOURCE_DIR "/tests/golden/routes")) {
    if (entry.path().extension() == ".yaml") cases.push_back(entry.path().stem().string());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

json::value ToJsonValue(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Undefined:
    case YAML::NodeType::Null: return nullptr;
    case YAML::NodeType::Sequence: {
      json::array array;
      for (const auto& item : node) array.push_back(ToJsonValue(item));
      return array;
    }
    case YAML::NodeType::Map: {
      json::object object;
      for (const auto& entry : node) object[entry.first.as<std::string>()] = ToJsonValue(entry.second);
      return object;
    }
    case YAML::NodeType::Scalar: break;
  }
  const std::string text = node.Scalar();
  const bool plain = node.Tag() == "?";
  if (plain && (text == "true" || text == "false")) return text == "true";
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (plain && error == std::errc() && end == text.data() + text.size()) return number;
  return json::string(text);
}

std::string Text(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

config::Loaded LoadText(std::string text) {
  if (text.find("version:") == std::string::npos) text += "\nversion: 1\n";
  if (("\n" + text).find("\nsinks:") == std::string::npos) {
    text += "\nsinks:\n";
    for (const char sink : {'a', 'b', 'c', 'd', 'e'}) text += std::string("  ") + sink + ": {plugin: slack}\n";
  }
  config::Environment environment;
  environment.read_file = [&](const std::string&, std::string&) { return text; };
  environment.list_files = [](const std::string&) { return std::vector<std::string>(); };
  environment.variable = [](const std::string&) { return std::nullopt; };
  return config::Load("case.yaml", environment);
}

class GoldenRoutes : public testing::TestWithParam<std::string> {};

void ExpectRouting(const RouteTable& table, const YAML::Node& expected) {
  const CallEvent event = EventFromJson(ToJsonValue(expected["event"])).value();
  SCOPED_TRACE(ToJson(event));

  std::vector<std::string> sinks, rules;
  for (const auto& entry : expected["sinks"])
    sinks.push_back(entry.first.as<std::string>() + ": " + entry.second.as<std::string>());
  for (const auto& rule : expected["rules"]) rules.push_back(rule.as<std::string>());

  std::vector<Route> routes;
  table.Match(event, routes);
  std::vector<std::string> actual;
  for (const Route& route : routes) {
    actual.push_back(std::string(route.sink) + ": " + std::string(route.rule));
    if (!route.template_name.empty()) actual.back() += "/" + std::string(route.template_name);
  }
  EXPECT_THAT(actual, testing::ElementsAreArray(sinks));

  const Explanation explanation = table.Explain(event);
  std::vector<std::string> matched;
  for (const RuleVerdict& verdict : explanation.rules) {
    if (verdict.result == RuleVerdict::Result::kMatched) matched.push_back(verdict.rule);
    if (const auto why = expected["why"]; why && why[verdict.rule]) {
      EXPECT_EQ(verdict.why, why[verdict.rule].as<std::string>());
    }
  }
  EXPECT_THAT(matched, testing::ElementsAreArray(rules));
}

TEST_P(GoldenRoutes, GoWhereWritten) {
  const std::string text = Text(HSW_SOURCE_DIR "/tests/golden/routes/" + GetParam() + ".yaml");
  const auto divider = text.find("\n---\n");
  ASSERT_NE(divider, std::string::npos);
  const config::Loaded loaded = LoadText(text.substr(0, divider + 1));
  ASSERT_TRUE(loaded.config) << config::ToJson(loaded.problems.All());
  const YAML::Node expected = YAML::Load(text.substr(divider + 5));

  config::Problems problems;
  const auto table = RouteTable::Compile(*loaded.config, problems);

  std::vector<std::string> wanted, found;
  for (const auto& problem : expected["problems"]) wanted.push_back(problem.as<std::string>());
  for (const auto& problem : problems.All()) {
    found.push_back(std::to_string(problem.where.line) + ":" + std::to_string(problem.where.column) + ": " +
                    problem.message);
  }
  EXPECT_THAT(found, testing::ElementsAreArray(wanted));
  ASSERT_TRUE(table || (problems.HasErrors() && !expected["events"]));
  if (!table) return;
  const config::KeptText kept = config::MakeKeptText(*loaded.config);
  const auto again = config::ReadKeptText(kept);
  ASSERT_TRUE(again) << again.error().message << "\n" << kept.text;
  config::Problems none;
  const auto same_table = RouteTable::Compile(*again, none);
  ASSERT_TRUE(same_table) << config::ToJson(none.All());
  for (const auto& event : expected["events"]) {
    ExpectRouting(*table, event);
    SCOPED_TRACE("by what is kept of the config:\n" + kept.text);
    ExpectRouting(*same_table, event);
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenRoutes, testing::ValuesIn(Cases()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace hookswitch
