#include "tests/e2e/prometheus.h"

#include <regex>

#include "tests/e2e/pages.h"
#include "tests/fakes/series.h"

namespace hookswitch::e2e {
namespace {

std::vector<std::string> Matches(const std::string& text, const std::regex& pattern, std::size_t group) {
  std::vector<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), pattern), end; at != end; ++at) found.push_back((*at)[group]);
  return found;
}

/// As Prometheus stores it: with the labels of its target.
std::string OfTarget(std::string series) {
  const std::string target = R"(instance="r1",job="hookswitch")";
  return series.ends_with('}') ? series.insert(series.size() - 1, "," + target) : series + "{" + target + "}";
}

}  // namespace

std::string ReadPage(std::string_view page) {
  return ReadFile(std::string(HSW_SOURCE_DIR "/") + std::string(page));
}

Finished CheckMetrics(const TempDir& dir, const std::string& metrics) {
  WriteFile(dir / "metrics.txt", metrics);
  return RunProgram({"/bin/sh", "-c", std::string(kPromtool) + " check metrics < " + (dir / "metrics.txt")});
}

Finished CheckExpressions(const TempDir& dir, const std::vector<std::string>& expressions) {
  json::array rules;
  for (const auto& expression : expressions)
    rules.push_back(json::object{{"record", "r" + std::to_string(rules.size())}, {"expr", expression}});
  const json::object group{{"name", "g"}, {"rules", rules}};
  WriteFile(dir / "expressions.yaml", json::serialize(json::object{{"groups", json::array{group}}}));
  return RunProgram({std::string(kPromtool), "check", "rules", dir / "expressions.yaml"});
}

std::vector<std::string> DashboardQueries() {
  const json::object dashboard = json::parse(ReadPage(kDashboard)).as_object();
  std::vector<std::string> queries;
  for (const auto& panel : dashboard.at("panels").as_array()) {
    if (const auto* targets = panel.as_object().if_contains("targets")) {
      for (const auto& target : targets->as_array()) {
        queries.emplace_back(target.at("expr").as_string());
        if (const auto* legend = target.as_object().if_contains("legendFormat"))
          queries.back().append(" # ").append(legend->as_string());
      }
    }
  }
  for (const auto& annotation : dashboard.at("annotations").at("list").as_array())
    queries.emplace_back(annotation.at("expr").as_string());
  for (std::string& query : queries) {
    for (const char* variable : {"$instance", "$sink"}) ReplaceAll(query, variable, ".*");
    ReplaceAll(query, "$__rate_interval", "5m");
  }
  return queries;
}

Exported ExportedIn(const std::string& metrics) {
  static const std::regex kLabel(R"re((\w+)="((?:[^"\\]|\\.)*)")re");
  Exported exported;
  for (const std::string& series : fakes::SeriesOf(metrics)) {
    auto& labels = exported[series.substr(0, series.find('{'))];
    for (const char* target : {"job", "instance"}) labels[target];
    for (std::sregex_iterator at(series.begin(), series.end(), kLabel), end; at != end; ++at)
      labels[(*at)[1]].insert((*at)[2]);
  }
  return exported;
}

std::vector<std::string> UnknownIn(const std::string& text, const Exported& exported) {
  static const std::regex kSelector(R"re(\b((?:hookswitch|process)_[a-z_]+)(?:\{([^}]*)\})?)re");
  static const std::regex kCondition(R"re((\w+)(=~|!=|=)"([^"]*)")re");
  static const std::regex kWord(R"([^|]+)");
  static const std::regex kGrouping(R"(\b(?:by|on) \(([a-z_, ]+)\)|\{\{(\w+)\}\})");
  static const std::regex kLabel(R"(\w+)");
  std::vector<std::string> unknown;
  std::set<std::string> labels;
  for (std::sregex_iterator at(text.begin(), text.end(), kSelector), end; at != end; ++at) {
    const auto metric = exported.find((*at)[1]);
    if (metric == exported.end()) {
      unknown.push_back((*at)[1]);
      continue;
    }
    for (const auto& [label, values] : metric->second) labels.insert(label);
    const std::string conditions = (*at)[2];
    for (std::sregex_iterator one(conditions.begin(), conditions.end(), kCondition); one != end; ++one) {
      const auto label = metric->second.find((*one)[1]);
      const std::string what = metric->first + "{" + std::string((*one)[1]);
      if (label == metric->second.end()) unknown.push_back(what);
      const std::string value = (*one)[3];
      if (label == metric->second.end() || value.empty() || value == ".*") continue;
      for (const std::string& word : Matches(value, kWord, 0)) {
        if (!label->second.contains(word)) unknown.push_back(what + "=\"" + word + "\"");
      }
    }
  }
  for (std::sregex_iterator at(text.begin(), text.end(), kGrouping), end; at != end; ++at) {
    const std::string grouping = (*at)[1].str() + (*at)[2].str();
    for (const std::string& label : Matches(grouping, kLabel, 0)) {
      if (!labels.contains(label)) unknown.push_back(at->str() + ": " + label);
    }
  }
  return unknown;
}

void AlertTests::Add(const std::string& name, const Values& values, int minutes, const Alerts& firing) {
  json::array series;
  for (const auto& [one, seen] : values) series.push_back({{"series", OfTarget(one)}, {"values", seen}});
  json::array samples;
  for (const std::string& alert : firing) {
    const auto blank = alert.find(' ');
    std::string labels = "{alertname=\"" + alert.substr(0, blank) + "\"";
    if (blank != std::string::npos) labels += ",sink=\"" + alert.substr(blank + 1) + "\"";
    samples.push_back({{"labels", labels + "}"}, {"value", 1}});
  }
  json::object expected{{"eval_time", std::to_string(minutes) + "m"}};
  expected["expr"] = R"(count by (alertname, sink) (ALERTS{alertstate="firing"}))";
  expected["exp_samples"] = std::move(samples);
  tests_.push_back({{"name", name},
                    {"interval", "1m"},
                    {"input_series", std::move(series)},
                    {"promql_expr_test", json::array{std::move(expected)}}});
}

Finished AlertTests::Run() const {
  return Promtool(tests_);
}

// promtool prints what an alert says only where that is not what the test expects.
std::string AlertTests::TextsOfLast(const std::string& alert) const {
  json::object test = tests_.back().as_object();
  json::object expected{{"eval_time", test.at("promql_expr_test").at(0).at("eval_time")}};
  expected["alertname"] = alert;
  expected["exp_alerts"] = json::array();
  test["alert_rule_test"] = json::array{std::move(expected)};
  test.erase("promql_expr_test");
  const Finished run = Promtool({std::move(test)});
  return run.out + run.err;
}

Finished AlertTests::Promtool(const json::array& tests) const {
  const json::object file{{"rule_files", json::array{HSW_SOURCE_DIR "/" + std::string(kRules)}},
                          {"evaluation_interval", std::to_string(every_) + "m"},
                          {"tests", tests}};
  WriteFile(dir_ / "alerts.yaml", json::serialize(file));
  return RunProgram({std::string(kPromtool), "test", "rules", dir_ / "alerts.yaml"});
}

}  // namespace hookswitch::e2e
