// What Prometheus and Grafana get: the metrics of a running router, config/prometheus-rules.yaml and
// config/grafana-dashboard.json, judged by promtool.
#include "tests/e2e/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <regex>
#include <set>
#include <sstream>

#include "tests/e2e/pages.h"
#include "tests/e2e/router.h"
#include "tests/fakes/series.h"

namespace hookswitch::e2e {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Prometheus : public testing::Test {
 protected:
  Prometheus() {
    WriteFile(dir_ / "secret", "the-secret");
    config_.source =
        "{type: bolna, path: /bolna/webhook, auth: {header: X-Secret, secret: {file: " + (dir_ / "secret") + "}}}";
    config_.more = "agents: {\"9b1d2a60-7c3e-4a0e-8d5b-6f1a2c3d4e5f\": {name: billing}}\n";
  }
  void Start() {
    config_.Slack("ops", slack_.Url());
    router_ = std::make_unique<Router>(config_.Write());
    ASSERT_TRUE(router_->Ready());
  }
  std::string Scrape() const { return router_->Get("/metrics").body; }
  int Post(const std::string& body, const std::string& secret = "the-secret") const {
    return router_->Post(body, {{"X-Secret", secret}}).status;
  }

  /// What Prometheus sees of a scrape that stays as it is for so many minutes, of the metrics that the rules name. Its
  /// clock begins at 0 here.
  static AlertTests::Values Steady(const std::string& metrics, int minutes) {
    static const std::string rules = ReadPage(kRules);
    const std::string during = "+0x" + std::to_string(minutes);
    AlertTests::Values values{{"up", "1" + during}};
    std::istringstream lines(metrics);
    for (std::string line; std::getline(lines, line);) {
      const auto blank = line.rfind(' ');
      if (line.starts_with('#') || rules.find(line.substr(0, line.find_first_of("{ "))) == rules.npos) continue;
      values[line.substr(0, blank)] = line.substr(blank + 1) + during;
    }
    values["process_start_time_seconds"] = "0" + during;
    return values;
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
};

TEST_F(Prometheus, FindsEverySeriesOfAConfigFromTheStart) {
  slack_.Behave({.mode = SlackBehaviour::Mode::kStatus, .status = 500, .word = "rollup_error", .times = 1});
  Start();
  const std::string before = Scrape();
  ASSERT_EQ(Post(Call(CallId(1))), 200);
  ASSERT_EQ(Post(Call(CallId(1))), 200);
  EXPECT_EQ(Post(Call(CallId(2)), "another"), 401);
  EXPECT_EQ(Post("{"), 400);
  EXPECT_EQ(Post(R"({"status": {}, "id": "x"})"), 422);
  EXPECT_EQ(router_->Post("{}", {}, "/nowhere").status, 404);
  ASSERT_TRUE(router_->WaitForEvent("delivery_retry"));
  EXPECT_EQ(router_->PostAdmin("/api/v1/sinks/ops/pause").status, 200);
  WriteFile(config_.Path(), "nonsense: 1\n");
  EXPECT_EQ(router_->PostAdmin("/api/v1/reload").status, 422);
  const std::string after = Scrape();
  EXPECT_EQ(fakes::SeriesOf(after), fakes::SeriesOf(before));
  EXPECT_THAT(after, HasSubstr("hookswitch_agent_events_total{agent=\"billing\",status=\"completed\"} 1\n"));
  EXPECT_THAT(after, HasSubstr("hookswitch_delivery_failures_total{reason=\"http_5xx\",sink=\"ops\"} 1\n"));
}

TEST_F(Prometheus, TakesAScrapeWhateverSendersWrite) {
  Start();
  ASSERT_EQ(Post(Call(CallId(1), {{"agent_id", json::string("a\"b\\c\n\r\x01\0d{}=,\xe2\x80\xa8", 16)}})), 200);
  const std::string metrics = Scrape();
  EXPECT_THAT(metrics, HasSubstr("{agent=\"a\\\"b\\\\c"));
  const Finished checked = CheckMetrics(dir_, metrics);
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  EXPECT_EQ(checked.out + checked.err, "") << "promtool has nothing to advise";
}

TEST_F(Prometheus, RulesDashboardAndPageNameOnlyWhatTheRouterExports) {
  Start();
  const Exported exported = ExportedIn(Scrape());
  ASSERT_TRUE(exported.contains("hookswitch_accept_seconds_bucket"));
  EXPECT_THAT(UnknownIn(ReadPage(kRules), exported), IsEmpty());
  const auto queries = DashboardQueries();
  EXPECT_GT(queries.size(), 30U);
  for (const std::string& query : queries) EXPECT_THAT(UnknownIn(query, exported), IsEmpty()) << query;
  // A page names a histogram by its family.
  Exported families = exported;
  for (const auto& [name, labels] : exported) families[name.substr(0, name.find("_bucket"))] = labels;
  const std::string page = ReadPage("config/OPERATING.md");
  const auto begin = page.find("\n## Metrics");
  ASSERT_NE(begin, page.npos);
  EXPECT_THAT(UnknownIn(page.substr(begin, page.find("\n## ", begin + 1) - begin), families), IsEmpty());
  EXPECT_THAT(
      UnknownIn("sum by (sink, os) (hookswitch_no / hookswitch_lane_state{state=\"open|shut\",of=\"x\"}) # {{sorce}}",
                exported),
      ElementsAre("hookswitch_no", "hookswitch_lane_state{state=\"shut\"", "hookswitch_lane_state{of",
                  "by (sink, os): os", "{{sorce}}: sorce"))
      << "what is unknown is found";

  const Finished rules =
      RunProgram({std::string(kPromtool), "check", "rules", HSW_SOURCE_DIR "/" + std::string(kRules)});
  EXPECT_EQ(rules.exit_code, 0) << rules.out << rules.err;
  const Finished checked = CheckExpressions(dir_, queries);
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

TEST_F(Prometheus, EveryAlertFiresForItsTroubleAndNoOtherDoes) {
  Start();
  const std::string metrics = Scrape();
  AlertTests tests(dir_), days(dir_, 30);
  std::set<std::string> covered;
  // Of a router that works.
  const auto healthy = [&](int minutes) {
    AlertTests::Values values = Steady(metrics, minutes);
    values["hookswitch_journal_disk_free_bytes"] = "1e11+0x" + std::to_string(minutes);
    values["hookswitch_events_received_total{source=\"bolna\"}"] = "0+1x" + std::to_string(minutes);
    return values;
  };
  const auto add = [&](const AlertTests::Values& troubles, int minutes, const AlertTests::Alerts& firing) {
    AlertTests::Values values = healthy(minutes);
    for (const auto& [series, seen] : troubles) {
      EXPECT_TRUE(values.contains(series)) << series << " is not exported";
      values[series] = seen;
    }
    (minutes > 200 ? days : tests).Add(firing.empty() ? "none" : *firing.begin(), values, minutes, firing);
    for (const auto& alert : firing) covered.insert(alert.substr(0, alert.find(' ')));
  };
  const auto state = [](const std::string& name) {
    return "hookswitch_lane_state{sink=\"ops\",state=\"" + name + "\"}";
  };
  const auto refused = [](const std::string& reason) {
    return "hookswitch_requests_refused_total{reason=\"" + reason + "\",source=\"bolna\"}";
  };
  const std::string oldest = "hookswitch_deliveries_oldest_seconds{sink=\"ops\"}";
  const std::string pending = "hookswitch_deliveries_pending{sink=\"ops\"}";
  const std::string received = "hookswitch_events_received_total{source=\"bolna\"}";

  add({}, 1500, {});
  add({{"hookswitch_config_restart_needed", "1+0x1500"}}, 1500, {"HookswitchRestartNeeded"});
  add({{"up", "1+0x10 0+0x20"}}, 15, {"HookswitchDown"});
  tests.Add("not scraped", {}, 15, {"HookswitchNotScraped"});
  covered.insert("HookswitchNotScraped");
  add({{"process_start_time_seconds", "0+0x5 300 360 420 480+0x20"}}, 12, {"HookswitchRestarts"});
  add({{"hookswitch_ready{part=\"journal\"}", "0+0x10"}}, 5, {"HookswitchNotReady"});
  add({{"hookswitch_delivers", "0+0x10"}}, 5, {"HookswitchNobodyDelivers"});
  add({{refused("unavailable"), "0+0x5 3+0x10"}}, 8, {"HookswitchEventsTurnedAway"});
  add({{"hookswitch_config_last_reload_successful", "0+0x10"}}, 5, {"HookswitchReloadFailed"});
  add({{"hookswitch_journal_disk_free_bytes", "5e8+0x20"}}, 10, {"HookswitchDiskFull"});
  EXPECT_THAT(tests.TextsOfLast("HookswitchDiskFull"), HasSubstr("of the journal of r1 has 476.8MiB left"));
  add({{"hookswitch_journal_bad_rows", "2+0x20"}}, 5, {"HookswitchJournalDamaged"});
  add({{"hookswitch_journal_file_bytes{file=\"log\"}", "2e9+0x20"}}, 15, {"HookswitchJournalLogLarge"});
  add({{oldest, "0+60x40"}}, 30, {"HookswitchDeliveryLate ops"});
  EXPECT_THAT(tests.TextsOfLast("HookswitchDeliveryLate"), HasSubstr("to ops at r1 has waited 30m 0s"));
  add({{oldest, "0+60x90"}, {state("paused"), "1+0x90"}, {pending, "3+0x90"}}, 30, {});
  add({{oldest, "0+60x90"}, {state("paused"), "1+0x90"}, {pending, "3+0x90"}}, 70, {"HookswitchSinkPaused ops"});
  add({{state("paused"), "1+0x90"}}, 70, {});
  add({{"hookswitch_deliveries_total{outcome=\"dead\",sink=\"ops\"}", "0+0x10 1+0x60"}}, 30,
      {"HookswitchDeadLetters ops"});
  // It probes now and then.
  add({{state("misconfigured"), "1 1 0 1 1 0 0 1 0 1 1"}}, 8, {"HookswitchSinkMisconfigured ops"});
  add({{state("failing"), "1 1 0 1 1 0 0 1 0 1 1"}}, 8, {"HookswitchSinkFailing ops"});
  add({{state("unavailable"), "1+0x20"}}, 5, {"HookswitchSinkUnavailable ops"});
  add({{state("removed"), "1+0x20"}}, 18, {"HookswitchSinkRemoved ops"});
  add({{"hookswitch_lane_refused_places{sink=\"ops\"}", "2+0x20"}}, 15, {"HookswitchPlaceRefused ops"});
  add({{pending, "900000+0x20"}}, 10, {"HookswitchBacklogNearLimit ops"});
  EXPECT_THAT(tests.TextsOfLast("HookswitchBacklogNearLimit"), HasSubstr("of ops at r1 is 90% full"));
  add({{received, "7+0x800"}}, 780, {"HookswitchNothingReceived"});
  add({{received, "7+0x800"}, {"hookswitch_events_duplicate_total{source=\"bolna\"}", "0+1x800"}}, 780, {});
  add({{refused("unauthorized"), "0+1x20"}}, 12, {"HookswitchSenderRefused"});
  add({{refused("wrong_type"), "0+1x20"}}, 12, {"HookswitchEventsNotUnderstood"});
  add({{"hookswitch_events_unmatched_total{source=\"bolna\"}", "0+1x100"}}, 90, {"HookswitchNothingMatches"});
  add({{"hookswitch_events_unmatched_total{source=\"bolna\"}", "0+1x100"}, {received, "0+2x100"}}, 90, {});
  AlertTests::Values slow;
  for (const char* limit : {"2.5", "5", "10", "+Inf"})
    slow["hookswitch_accept_seconds_bucket{le=\"" + std::string(limit) + "\"}"] = "0+1x40";
  add(slow, 30, {"HookswitchAnswersSlow"});
  add({{"hookswitch_http_requests_no_room_total{server=\"ingress\"}", "0+3x20"}}, 12,
      {"HookswitchConnectionsTurnedAway"});
  add({{"hookswitch_admin_refused_total{reason=\"wrong_token\"}", "0+100x20"}}, 15, {"HookswitchTokenGuessed"});

  for (const AlertTests* some : {&tests, &days}) {
    const Finished run = some->Run();
    EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
  }
  std::set<std::string> alerts;
  const std::string rules = ReadPage(kRules);
  static const std::regex kAlert(R"(- alert: (\w+))");
  for (std::sregex_iterator at(rules.begin(), rules.end(), kAlert), end; at != end; ++at) alerts.insert((*at)[1]);
  EXPECT_EQ(covered, alerts) << "each has a test";
}

// Not made-up numbers: a router in trouble, as Prometheus sees it before and after.
TEST_F(Prometheus, ARouterInTroubleRaisesTheAlertsOfIt) {
  std::filesystem::create_directory(dir_ / "plugins");
  config_.plugin_paths = (dir_ / "plugins") + ", " + PluginFolder();
  config_.Slack("revoked", slack_.Url("/services/T0/B0/revoked"));
  config_.Slack("broken", slack_.Url("/services/T0/B0/broken"));
  config_.Slack("held", slack_.Url("/services/T0/B0/held"));
  config_.sinks += "  lost:\n    plugin: nowhere\n    config: {}\n";
  config_.rules = "  - {name: all, send: [ops, revoked, broken, held, lost]}\n";
  slack_.Behave("/services/T0/B0/revoked",
                {.mode = SlackBehaviour::Mode::kStatus, .status = 403, .word = "invalid_token"});
  slack_.Behave("/services/T0/B0/broken",
                {.mode = SlackBehaviour::Mode::kStatus, .status = 400, .word = "invalid_payload"});
  Start();
  const std::string before = Scrape();
  ASSERT_EQ(router_->PostAdmin("/api/v1/sinks/held/pause").status, 200);
  ASSERT_EQ(Post(Call(CallId(1))), 200);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Post(Call(CallId(2)), "another"), 401);
  ASSERT_TRUE(router_->WaitForEvent("delivery_dead"));
  ASSERT_TRUE(router_->WaitForEvents("lane_paused", 2));
  ASSERT_TRUE(router_->WaitForEvent("delivery_delivered"));
  WriteFile(config_.Path(), "nonsense: 1\n");
  ASSERT_EQ(router_->PostAdmin("/api/v1/reload").status, 422);
  router_->GetWith("hookswitch_lane_state{sink=\"revoked\",state=\"misconfigured\"} 1", "/metrics");
  const std::string after = Scrape();

  AlertTests::Values values = Steady(before, 30);
  for (const auto& [series, seen] : Steady(after, 100)) {
    if (series != "process_start_time_seconds" && series != "up") values[series] += " " + seen;
  }
  values["process_start_time_seconds"] = "0+0x130";
  values["up"] = "1+0x130";
  AlertTests tests(dir_);
  tests.Add("before", values, 25, {"HookswitchSinkUnavailable lost"});
  const AlertTests::Alerts lasting{"HookswitchReloadFailed", "HookswitchSinkMisconfigured revoked",
                                   "HookswitchSinkUnavailable lost"};
  AlertTests::Alerts soon = lasting, later = lasting;
  soon.insert({"HookswitchDeadLetters broken", "HookswitchSenderRefused"});
  later.insert("HookswitchSinkPaused held");
  tests.Add("soon", values, 40, soon);
  tests.Add("later", values, 105, later);
  const Finished run = tests.Run();
  EXPECT_EQ(run.exit_code, 0) << run.out << run.err;
}

TEST(AlertRules, AreLoadedByTheConfigThatIsShown) {
  TempDir dir;
  for (const char* file : {"prometheus.yml", "prometheus-rules.yaml"})
    std::filesystem::copy_file(std::string(HSW_SOURCE_DIR "/config/") + file, dir / file);
  WriteFile(dir / "hookswitch-token", "secret");
  const Finished checked = RunProgram({std::string(kPromtool), "check", "config", dir / "prometheus.yml"});
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
  EXPECT_THAT(checked.out + checked.err, HasSubstr("27 rules found"));
}

TEST(AlertRules, TellOfCommandsThatThereAre) {
  const std::string rules = std::regex_replace(ReadPage(kRules), std::regex(R"(\s+)"), " ");
  static const std::regex kCommand(R"(`hookswitch ((?:[a-z]+ ?)+)([^`]*)`)");
  static const std::regex kOption(R"(--[a-z-]+)");
  int found = 0;
  for (std::sregex_iterator at(rules.begin(), rules.end(), kCommand), end; at != end; ++at, ++found) {
    std::istringstream words((*at)[1]);
    std::vector<std::string> command{Program()};
    for (std::string word; words >> word;) command.push_back(word);
    command.emplace_back("--help");
    const Finished help = RunProgram(command);
    EXPECT_EQ(help.exit_code, 0) << at->str() << help.err;
    const std::string options = (*at)[2];
    for (std::sregex_iterator option(options.begin(), options.end(), kOption); option != end; ++option)
      EXPECT_THAT(help.out, HasSubstr(option->str() + " ")) << at->str();
  }
  EXPECT_GT(found, 10);
}

}  // namespace
}  // namespace hookswitch::e2e
