// `hookswitch demo`, as a person runs it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <set>

#include "core/base/json.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Demo : public testing::Test {
 protected:
  Demo() { fs::create_directories(dir_ / "tmp"); }

  std::string Temporary() const { return dir_ / "tmp"; }
  bool NothingIsLeft() const { return fs::is_empty(Temporary()); }
  Finished Run(std::vector<std::string> options, const std::string& program = Program(),
               const std::string& webhook = "") const {
    options.insert(options.begin(), {program, "demo"});
    return RunProgram(options, {"TMPDIR=" + Temporary(), "SLACK_WEBHOOK_URL=" + webhook});
  }
  /// One that runs until it is ended; its stdout is where Child reads.
  std::unique_ptr<Child> Start() const {
    return std::make_unique<Child>(std::vector<std::string>{"/bin/sh", "-c", "exec \"$0\" demo >&2", Program()},
                                   std::vector<std::string>{"TMPDIR=" + Temporary()});
  }
  /// The port in the URL that it shows; 0 if it shows none.
  static std::uint16_t PortOf(const Child& demo) {
    const auto line = demo.WaitForLine("the inspector   http://127.0.0.1:", seconds(30));
    return line ? static_cast<std::uint16_t>(std::stoi(line->substr(line->rfind(':') + 1))) : 0;
  }
  static json::array List(std::uint16_t admin, std::string_view path, std::string_view member) {
    return json::parse(fakes::Fetch(admin, "GET", path).body).as_object().at(member).as_array();
  }

  TempDir dir_;
};

TEST_F(Demo, OfOneCallShowsItsMessageAndLeavesNothing) {
  const Finished demo = Run({"--calls", "1"});
  EXPECT_EQ(demo.exit_code, 0) << demo.out << demo.err;
  EXPECT_THAT(demo.out, AllOf(HasSubstr("in-progress"), HasSubstr("no rule wants it"), HasSubstr("1 message"),
                              HasSubstr("Slack #calls"), HasSubstr("Bolna call ended: completed"),
                              HasSubstr("User: yes friday is fine")));
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(Demo, RunsUntilItIsEndedAndHasEveryKindToShow) {
  const auto demo = Start();
  const std::uint16_t admin = PortOf(*demo);
  ASSERT_NE(admin, 0);
  std::set<std::string> states, refused, rules;
  for (const json::value& each : List(admin, "/api/v1/refused", "refused")) {
    refused.insert(std::string(each.at("error").as_string()));
  }
  EXPECT_THAT(refused, testing::IsSupersetOf({"unauthorized", "invalid_json", "not_found"}));
  for (const json::value& each : List(admin, "/api/v1/deliveries", "deliveries")) {
    states.insert(std::string(each.at("state").as_string()));
    rules.insert(std::string(each.at("rule").as_string()));
  }
  EXPECT_THAT(rules, testing::ElementsAre("asks-for-a-person", "failed-calls", "finished-calls"));
  EXPECT_THAT(states, testing::ElementsAre("delivered"));
  EXPECT_TRUE(demo->WaitForLine("  initiated  ", seconds(30))) << "and goes on";

  demo->Signal(SIGINT);
  EXPECT_EQ(demo->WaitForExit(seconds(30)), 0);
  EXPECT_TRUE(NothingIsLeft());
  EXPECT_EQ(fakes::Fetch(admin, "GET", "/healthz").error, "refused") << "the router has ended, too";
}

TEST_F(Demo, RunsBesideAnotherAndTakesItsRouterAlongWhenItIsKilled) {
  const auto one = Start();
  const std::uint16_t port_of_one = PortOf(*one);
  const auto other = Start();
  const std::uint16_t port_of_other = PortOf(*other);
  ASSERT_NE(port_of_one, 0);
  ASSERT_NE(port_of_other, 0);
  EXPECT_NE(port_of_one, port_of_other);

  fakes::RawClient client(port_of_other);
  ASSERT_TRUE(client.Connected());
  other->Signal(SIGKILL);
  EXPECT_TRUE(client.SeesClose());
  EXPECT_EQ(fakes::Fetch(port_of_one, "GET", "/healthz").status, 200);
}

TEST_F(Demo, FindsItsPluginBesideTheProgramAndSaysWhatIsMissing) {
  const std::string program = dir_ / "usr/bin/hookswitch";
  fs::create_directories(dir_ / "usr/bin");
  fs::copy_file(Program(), program);
  const Finished without = Run({"--calls", "1"}, program);
  EXPECT_EQ(without.exit_code, 1);
  EXPECT_THAT(without.err, AllOf(HasSubstr("sink_unavailable"), HasSubstr("slack")));

  fs::create_directories(dir_ / "usr/lib/hookswitch/sinks");
  fs::copy_file(PluginFolder() + "/slack.so", dir_ / "usr/lib/hookswitch/sinks/slack.so");
  const Finished with = Run({"--calls", "1"}, program);
  EXPECT_EQ(with.exit_code, 0) << with.out << with.err;
  EXPECT_TRUE(NothingIsLeft());
}

TEST_F(Demo, SendsToTheRealSlackOnlyWhenItIsTold) {
  EXPECT_EQ(Run({"--to-slack"}).exit_code, 2) << "without a webhook";
  const Finished wrong = Run({"--to-slack", "--calls", "1"}, Program(), "https://127.0.0.1:1/services/T0/B0/of-nobody");
  EXPECT_EQ(wrong.exit_code, 1);
  EXPECT_THAT(wrong.err, AllOf(HasSubstr("hooks.slack.com"), Not(HasSubstr("of-nobody"))));
  const Finished untold = Run({"--calls", "1"}, Program(), "https://127.0.0.1:1/services/T0/B0/of-nobody");
  EXPECT_EQ(untold.exit_code, 0) << untold.out << untold.err;
}

TEST_F(Demo, ReachesTheStandInWhateverProxyTheEnvironmentNames) {
  const Finished demo = RunProgram({Program(), "demo", "--calls", "1"},
                                   {"TMPDIR=" + Temporary(), "http_proxy=http://127.0.0.1:1", "NO_PROXY=example.com"});
  EXPECT_EQ(demo.exit_code, 0) << demo.out << demo.err;
}

}  // namespace
}  // namespace hookswitch::e2e
