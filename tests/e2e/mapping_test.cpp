// Commands that read the payload of a source with a mapping.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

class MappedCommands : public testing::Test {
 protected:
  MappedCommands() { config_.Slack("ops", "http://127.0.0.1:9/services/T0/B0/lastSegmentIsTheKey"); }
  Finished Run(const char* command, const std::string& file, std::vector<std::string> more = {}) {
    config_.Write();
    std::vector<std::string> arguments{Program(), command, "-c", config_.Path(), "--event", dir_ / file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments);
  }
  void Map(const std::string& map) {
    config_.source = "{type: json, path: /x, allow_ips: [192.0.2.1], map: {" + map + "}}";
  }
  TempDir dir_;
  RouterConfig config_{dir_};
};

TEST_F(MappedCommands, RouteExplainsWhichPathGaveWhichField) {
  Map("call_id: call.id, status: [call.outcome, call.status], summary: notes.text, data: fields");
  WriteFile(dir_ / "a.json", R"({"call":{"id":"c-1","status":"Completed"},"fields":{"score":85}})");
  const Finished text = Run("route", "a.json", {"--explain-mapping"});
  ASSERT_EQ(text.exit_code, 0) << text.err;
  EXPECT_THAT(text.out, testing::ContainsRegex("  call_id +call\\.id +c-1\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("  status +call\\.status +completed\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("  data\\.score +fields\\.score +85\n"));
  EXPECT_THAT(text.out, testing::ContainsRegex("nothing gave: .*summary"));
  const json::value shown = json::parse(Run("route", "a.json", {"--explain-mapping", "--format", "json"}).out);
  const json::value score = json::parse(R"({"field":"data.score","value":85,"path":"fields.score"})");
  EXPECT_THAT(shown.at("mapping").at("fields").as_array(), testing::Contains(score));
  EXPECT_THAT(shown.at("mapping").at("absent").as_array(), testing::Contains(json::value("summary")));
  EXPECT_EQ(shown.at("event").at("call_id"), "c-1");
}

TEST_F(MappedCommands, HeadersAndFormsAreReadAsTheyAreSent) {
  Map("call_id: CallSid, status: CallStatus, meta: [\"header:X-Region\", \"query:team\"]");
  WriteFile(dir_ / "a.form", "CallSid=CA1&CallStatus=completed\n");
  for (const std::vector<std::string>& type :
       {std::vector<std::string>{}, {"--content-type", "application/x-www-form-urlencoded"}}) {
    std::vector<std::string> more{"--header", "X-Region: eu", "--header", "?: team=sales", "--format", "json"};
    more.insert(more.end(), type.begin(), type.end());
    const Finished routed = Run("route", "a.form", more);
    ASSERT_EQ(routed.exit_code, 0) << routed.out << routed.err;
    const json::value event = json::parse(routed.out).at("event");
    EXPECT_EQ(event.at("status"), "completed");
    EXPECT_EQ(event.at("meta"), json::parse(R"({"x-region":"eu","team":"sales"})"));
  }
  EXPECT_THAT(Run("preview", "a.form").out, HasSubstr("CA1"));
  const Finished wrong = Run("route", "a.form", {"--header", "no header"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("--header \"no header\" is not 'Name: value'"));
}

TEST_F(MappedCommands, SeveralEventsAreOneObjectALine) {
  Map("each: calls, call_id: id, status: state");
  WriteFile(dir_ / "a.json",
            R"({"calls":[{"id":"c-1","state":"busy"},{"state":"busy"},{"id":"c-3","state":"failed"}]})");
  const Finished routed = Run("route", "a.json", {"--format", "json"});
  EXPECT_EQ(routed.exit_code, 1) << "one of them is no event";
  std::istringstream lines(routed.out);
  std::vector<std::string> ids;
  for (std::string line; std::getline(lines, line);) {
    const json::value one = json::parse(line);
    const auto* event = one.as_object().if_contains("event");
    ids.emplace_back(event ? event->at("call_id").as_string() : one.at("error").as_string());
  }
  EXPECT_THAT(ids, testing::ElementsAre("c-1", "missing_field", "c-3"));
}

TEST_F(MappedCommands, CasesTakeHeaders) {
  Map("call_id: id, status: {path: state, when: {\"header:X-Event\": done}}");
  config_.rules = "  - {name: done, when: {status: completed}, send: [ops]}\n";
  config_.Write();
  WriteFile(dir_ / "a.json", R"({"id":"c-1","state":"completed"})");
  WriteFile(dir_ / "cases.yaml", "- {name: it, event: a.json, expect: [ops]}\n");
  const auto test = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{Program(), "test", "-c", config_.Path(), dir_ / "cases.yaml"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunProgram(arguments).exit_code;
  };
  EXPECT_EQ(test({}), 1);
  EXPECT_EQ(test({"--header", "X-Event: done"}), 0);
}

TEST(MappedSource, AFinalEventTakesWhatItLacksFromTheEarlierOnes) {
  TempDir dir;
  FakeSlack slack;
  RouterConfig config(dir);
  config.source =
      "{type: json, title: Desk, path: /desk, map: {carry: true, events: {path: event, ended: [ended], final: "
      "[analyzed]}, "
      "call_id: id, status: {value: completed}, duration: seconds, transcript: turns, summary: summary}}";
  config.Slack("ops", slack.Url(kOps));
  config.rules = "  - {name: final, when: {status: completed}, per_call: latest, send: [ops]}\n";
  config.Write();
  {
    Router router(config.Path());
    ASSERT_TRUE(router.Ready());
    const auto post = [&](std::string_view body) { return router.Post(body, {}, "/desk"); };
    ASSERT_EQ(
        post(R"({"event":"ended","id":"c-1","seconds":73,"turns":[{"role":"agent","content":"Hello, this is Maya."}]})")
            .status,
        200);
    ASSERT_TRUE(slack.WaitForPosted(1));
    router.Kill();
  }
  Router router(config.Path());
  ASSERT_TRUE(router.Ready());
  const RawAnswer answer = router.Post(R"({"event":"analyzed","id":"c-1","summary":"All is well."})", {}, "/desk");
  ASSERT_EQ(answer.status, 200) << answer.body;
  ASSERT_TRUE(slack.WaitForPosted(2));
  const std::string message = slack.Posted()[1].body;
  EXPECT_THAT(message, HasSubstr("Hello, this is Maya."));
  EXPECT_THAT(message, HasSubstr("1m 13s"));
  const std::string path = "/api/v1/events/" + std::string(json::parse(answer.body).at("id").as_string());
  const json::value event = json::parse(router.Get(path).body);
  EXPECT_EQ(event.at("normalized").at("duration"), 73);
  EXPECT_EQ(event.at("normalized").at("summary"), "All is well.");
  EXPECT_EQ(event.at("normalized").at("stage"), "final");
  EXPECT_TRUE(event.at("headers").as_array().empty()) << "what was carried is no header";
  const std::string stored(event.at("id").as_string());
  const json::value explained = json::parse(router.PostAdmin("/api/v1/explain", R"({"event":")" + stored + "\"}").body);
  EXPECT_EQ(explained.at("event").at("duration"), 73) << "it is explained as it was read";
  EXPECT_EQ(router.Stop(), 0);
}

}  // namespace
}  // namespace hookswitch::e2e
