// Each file of tests/golden/slack is a case: a message and the request it must become, or an answer of Slack's and the
// outcome it must become. With HSW_GOLDEN_UPDATE set, what came out is written into the files, to be read as a diff.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/base/json.h"
#include "core/conformance/cases.h"
#include "tests/fakes/slack_rules.h"
#include "tests/sinks/load_sink.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;
using conformance::Member;
using conformance::MessageOf;
using conformance::ToObject;

const fs::path kFolder = std::string(HSW_SOURCE_DIR) + "/tests/golden/slack";
constexpr std::string_view kUrl = "https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijklmnopqrstuvwx";

json::object Read(const fs::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return json::parse(text.str()).as_object();
}

class SlackGolden : public testing::TestWithParam<std::string> {};

TEST_P(SlackGolden, SaysWhatTheFileSays) {
  const fs::path file = kFolder / (GetParam() + ".json");
  json::object root = Read(file);
  json::object config{{"webhook_url", kUrl}};
  if (const auto* more = root.if_contains("config")) {
    for (const auto& [key, value] : more->as_object()) config[key] = value;
  }
  auto sink = test::LoadSink("slack", json::serialize(config));
  ASSERT_TRUE(sink) << sink.error().message;

  CallEvent event;
  event.id = "01JD0000000000000000000000";
  event.source = "bolna";
  if (const auto* in = root.if_contains("event")) {
    event.call_id = Member(in->as_object(), "call_id");
    event.agent_name = Member(in->as_object(), "agent");
    event.status = ParseStatus(Member(in->as_object(), "status", "completed")).value();
    event.recording_url = Member(in->as_object(), "recording_url");
    if (const auto* seconds = in->as_object().if_contains("duration")) event.duration = seconds->to_number<double>();
  }
  Message message;
  message.title = "Bolna call ended: completed";
  if (const auto* in = root.if_contains("message")) message = MessageOf(in->as_object());
  const std::string state = Member(root, "state");
  const SinkDelivery delivery{event, message, "d-7f", "ops", "failed-billing", 1, state.empty() ? 0u : 1u, state, ""};

  json::object came_out;
  if (root.contains("message")) {
    auto made = (*sink)->Render(delivery);
    auto* request = std::get_if<HttpRequest>(&made);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->method, "POST");
    EXPECT_EQ(request->url, std::string_view(config["webhook_url"].as_string()));
    const std::string path = request->url.substr(request->url.find('/', 8));
    EXPECT_EQ(fakes::CheckSlackRequest(path, request->body), "");
    came_out["request"] = json::parse(request->body);
  }
  if (const auto* answer = root.if_contains("answer")) {
    const auto& in = answer->as_object();
    HttpResponse response;
    response.status = static_cast<int>(in.at("status").as_int64());
    response.body = Member(in, "body");
    std::optional<std::chrono::milliseconds> retry_after;
    if (const auto* ms = in.if_contains("retry_after_ms")) retry_after = std::chrono::milliseconds(ms->as_int64());
    came_out["outcome"] = ToObject((*sink)->Interpret(delivery, response, retry_after));
  }
  ASSERT_FALSE(came_out.empty()) << "the case has neither a message nor an answer";
  if (std::getenv("HSW_GOLDEN_UPDATE")) {
    for (const auto& [key, value] : came_out) root[key] = value;
    std::ofstream(file) << ToText(root, 2) << "\n";
  }
  for (const auto& [key, value] : came_out) {
    ASSERT_TRUE(root.contains(key)) << "the case does not say which " << key << " it wants";
    EXPECT_EQ(ToText(value, 2), ToText(root[key], 2));
  }
}

std::vector<std::string> Cases() {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

INSTANTIATE_TEST_SUITE_P(Cases, SlackGolden, testing::ValuesIn(Cases()), [](const auto& info) {
  std::string name = info.param;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

// What the operator is told about the URL.

std::string RefusalOf(const std::string& config) {
  auto sink = test::LoadSink("slack", config);
  return sink ? "" : sink.error().message;
}

std::string RefusalOfUrl(const std::string& url) {
  return RefusalOf(R"({"webhook_url":")" + url + R"("})");
}

TEST(SlackUrl, AcceptsTheWebhooksOfSlackAndGovSlack) {
  for (const char* url : {"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijklmnopqrstuvwx",
                          "https://hooks.slack-gov.com/services/T1A2B3C4D/B5E6F7G8H/abcdefghijklmnopqrstuvwx",
                          "https://hooks.slack.com/workflows/T1A2B3C4D/A5E6F7G8H/123456789/abcdefghijkl",
                          "https://hooks.slack.com/triggers/T1A2B3C4D/123456789/abcdefghijkl",
                          "HTTPS://Hooks.Slack.com:443/services/T1A2B3C4D/B5E6F7G8H/abcdefghijklmnopqrstuvwx"}) {
    EXPECT_EQ(RefusalOfUrl(url), "") << url;
  }
}

TEST(SlackUrl, RefusesHostsThatOnlyLookLikeSlack) {
  for (const char* url : {"https://hooks.slack.com.evil.test/services/T1A2B3C4D/B5E6F7G8H/abcdefgh",
                          "https://evil.test/hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh",
                          "https://hooks-slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh",
                          "https://hooks.slack.com@evil.test/services/T1A2B3C4D/B5E6F7G8H/abcdefgh",
                          "https://hooks.slack.com:8443/services/T1A2B3C4D/B5E6F7G8H/abcdefgh",
                          "https://hooks.slack.com?.evil.test/services/T1A2B3C4D/B5E6F7G8H/abcdefgh",
                          "https:\\\\\\\\hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh"}) {
    EXPECT_NE(RefusalOfUrl(url), "") << url;
  }
}

TEST(SlackUrl, SaysInWordsThatAPlaceholderIsOne) {
  for (const char* url :
       {"https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX",
        "https://hooks.slack.com/services/T000/B000/XXXX", "https://hooks.slack.com/services/YOUR/WEBHOOK/URL"}) {
    EXPECT_NE(RefusalOfUrl(url).find("placeholder"), std::string::npos) << url;
  }
}

TEST(SlackUrl, RefusesPlainHttpAndPagesThatAreNoWebhook) {
  EXPECT_NE(RefusalOfUrl("http://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh").find("https://"),
            std::string::npos);
  EXPECT_NE(RefusalOfUrl("https://hooks.slack.com/").find("not a webhook URL"), std::string::npos);
  EXPECT_NE(RefusalOfUrl("https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H").find("not a webhook URL"),
            std::string::npos);
  EXPECT_NE(RefusalOfUrl("").find("is empty"), std::string::npos);
  EXPECT_NE(RefusalOfUrl("https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh ").find("space"),
            std::string::npos);
}

TEST(SlackUrl, AnyHostGoesWhereTheOperatorAllowsIt) {
  EXPECT_EQ(RefusalOf(R"({"webhook_url":"http://127.0.0.1:4000/services/T/B/X","allow_any_host":true})"), "");
  EXPECT_EQ(RefusalOf(R"({"webhook_url":"https://chat.example.com/hooks/abc?x=1","allow_any_host":true})"), "");
  EXPECT_NE(RefusalOf(R"({"webhook_url":"ftp://chat.example.com/","allow_any_host":true})"), "");
}

TEST(SlackUrl, IsNeverQuotedInAProblem) {
  EXPECT_EQ(RefusalOfUrl("https://hooks.slack.com/services/T1A2B3C4D/geheim").find("geheim"), std::string::npos);
  EXPECT_EQ(RefusalOfUrl("https://evil.test/services/T1A2B3C4D/B5E6F7G8H/geheim").find("geheim"), std::string::npos);
}

TEST(SlackConfig, IsForOneOfTheTwoDoors) {
  constexpr std::string_view kWebhook =
      R"("webhook_url":"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh")";
  const auto problems = [](std::string_view config) {
    return test::ProblemsOf("slack", "{" + std::string(config) + "}");
  };
  EXPECT_EQ(problems(kWebhook), "");
  EXPECT_EQ(problems(R"("token":"xoxb-1","channel":"C1","thread":"call","update":true)"), "");
  EXPECT_EQ(problems(""), ": needs webhook_url, of an incoming webhook, or token, of a bot\n");
  EXPECT_EQ(problems(std::string(kWebhook) + R"(,"token":"xoxb-1")"),
            "/token: token and webhook_url are two ways to post: give one of them\n");
  EXPECT_EQ(problems(R"("token":"xoxb-1")"),
            ": needs channel: where the bot posts what channels does not say otherwise\n");
  EXPECT_NE(problems(R"("token":"xoxb-1","channel":"C1","api_url":"https://evil.test/api")").find("/api_url: "),
            std::string::npos);
  EXPECT_EQ(problems(R"("token":"xoxb-1","channel":"C1","api_url":"http://127.0.0.1:1","allow_any_host":true)"), "");
  for (const char* key : {R"("channel":"C1")", R"("thread":"call")", R"("update":true)", R"("long_transcript":"file")",
                          R"("channels":[{"channel":"C1"}])"}) {
    EXPECT_NE(problems(std::string(kWebhook) + "," + key).find("needs a bot's token"), std::string::npos) << key;
  }
}

TEST(SlackAdvice, LeavesABotsPaceToItsChannels) {
  auto sink = test::LoadSink("slack", R"({"token":"xoxb-1","channel":"C1"})");
  ASSERT_TRUE(sink) << sink.error().message;
  EXPECT_EQ((*sink)->Advice().rate_max, 0);
  EXPECT_EQ((*sink)->Advice().concurrency, 8);
  const CallEvent event;
  Message message;
  message.title = "t";
  const auto made = (*sink)->Render({event, message, "d-1", "ops", "r", 1, 0, "", ""});
  const auto* request = std::get_if<HttpRequest>(&made);
  ASSERT_TRUE(request && request->pace);
  EXPECT_EQ(request->pace->key, "C1");
  EXPECT_EQ(request->pace->max, 1);
  EXPECT_EQ(request->pace->per, std::chrono::seconds(1));
  EXPECT_EQ(request->pace->burst, 10);
}

TEST(SlackAdvice, ABotThatKeepsItsMessageUpToDateTakesARevisedEventAgain) {
  for (const bool update : {false, true}) {
    auto sink = test::LoadSink(
        "slack", std::string(R"({"token":"xoxb-1","channel":"C1","update":)") + (update ? "true}" : "false}"));
    ASSERT_TRUE(sink) << sink.error().message;
    EXPECT_EQ((*sink)->Advice().updates, update);
  }
}

TEST(SlackAdvice, IsOneMessagePerSecondWithShortBursts) {
  auto sink =
      test::LoadSink("slack", R"({"webhook_url":"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh"})");
  ASSERT_TRUE(sink) << sink.error().message;
  EXPECT_EQ((*sink)->Advice().rate_max, 1);
  EXPECT_EQ((*sink)->Advice().rate_per, std::chrono::seconds(1));
  EXPECT_EQ((*sink)->Advice().rate_burst, 3);
}

}  // namespace
}  // namespace hookswitch
