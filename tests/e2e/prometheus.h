#pragma once
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "tests/e2e/process.h"

namespace hookswitch::e2e {

/// The rules and the dashboard that operators import.
inline constexpr std::string_view kRules = "config/prometheus-rules.yaml";
inline constexpr std::string_view kDashboard = "config/grafana-dashboard.json";
/// Of Debian's package prometheus.
inline constexpr std::string_view kPromtool = "/usr/bin/promtool";
/// A file of the tree.
std::string ReadPage(std::string_view page);

/// `promtool check metrics` of a scrape.
Finished CheckMetrics(const TempDir& dir, const std::string& metrics);
/// `promtool check rules` of rules that record these expressions.
Finished CheckExpressions(const TempDir& dir, const std::vector<std::string>& expressions);
/// Every query of the dashboard, its variables filled in, with its legend as a comment.
std::vector<std::string> DashboardQueries();

/// The values that each label of each metric has in a scrape.
using Exported = std::map<std::string, std::map<std::string, std::set<std::string>>>;
Exported ExportedIn(const std::string& metrics);
/// What `text` names of the router's metrics and `exported` has not: a metric, a label that it selects or groups by or
/// shows, or a label's value.
std::vector<std::string> UnknownIn(const std::string& text, const Exported& exported);

/// Tests of the rules, in promtool's own words: what Prometheus saw for some minutes, and the alerts that fire then.
class AlertTests {
 public:
  using Values =
      std::map<std::string, std::string>;  ///< of a series: "0+0x10 5+0x60", one a minute (promtool's notation)
  using Alerts = std::set<std::string>;    ///< "HookswitchSinkFailing", or with a sink "HookswitchSinkFailing ops"

  /// Prometheus evaluates the rules every so many minutes, of which the `minutes` of a test are a multiple.
  explicit AlertTests(const TempDir& dir, int every = 1) : dir_(dir), every_(every) {}

  /// `values` of series as they stand in a scrape ("up" too), seen for `minutes`; then exactly `firing`.
  void Add(const std::string& name, const Values& values, int minutes, const Alerts& firing);
  /// Runs them all.
  Finished Run() const;
  /// The labels and annotations of an alert that fires in the test added last, as promtool prints them.
  std::string TextsOfLast(const std::string& alert) const;

 private:
  Finished Promtool(const json::array& tests) const;

  const TempDir& dir_;
  const int every_;
  json::array tests_;
};

}  // namespace hookswitch::e2e
