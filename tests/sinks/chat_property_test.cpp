// Whatever goes in, what comes out keeps the limits of the destination, and pings nobody.
#include <gtest/gtest.h>

#include <regex>

#include "core/base/json.h"
#include "core/base/text.h"
#include "hookswitch/text.hpp"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/random_message.h"

namespace hookswitch {
namespace {

constexpr std::string_view kZeroWidthSpace = "\xE2\x80\x8B";

std::size_t UnitsOf(const json::value& text) {
  return hsw::Utf16Units(std::string_view(text.as_string()));
}

/// Renders `count` random messages and gives each body to `check`. All of them are JSON and UTF-8, and none is longer
/// than `most_bytes`.
template <class Check>
void ForRandomMessages(const char* sink_name, const char* config, std::size_t most_bytes, Check check) {
  auto sink = test::LoadSink(sink_name, config);
  ASSERT_TRUE(sink) << sink.error().message;
  for (unsigned seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Random random(seed);
    const CallEvent event;
    const Message message = test::RandomMessage(random);
    auto made = (*sink)->Render({event, message, "d-1", "ops", "r", 1, 0, "", ""});
    auto* request = std::get_if<HttpRequest>(&made);
    ASSERT_TRUE(request);
    ASSERT_TRUE(IsUtf8(request->body));
    ASSERT_LE(request->body.size(), most_bytes);
    boost::system::error_code failed;
    const json::value body = json::parse(request->body, failed);
    ASSERT_FALSE(failed) << request->body;
    check(body, request->body);
    if (testing::Test::HasFailure()) return;
  }
}

/// True if an '@' of `text`, outside of code, has a name after it.
bool HasMention(std::string_view text) {
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    if (!text.substr(at + 1).starts_with(kZeroWidthSpace)) return true;
  }
  return false;
}

/// True if a line of `text`, in front of a block of code, begins a block of Markdown: what CommonMark would not show as
/// it was said.
bool HasBlock(std::string_view text) {
  static const std::regex kBlock(
      R"((^|\n) {0,3}(#{1,6}([ \t\n]|$)|>|[-+*]([ \t\n]|$)|[0-9]{1,9}[.)]([ \t\n]|$)|=+[ \t]*(\n|$)|(-[ \t]*)+(\n|$)|~~~|```| \S|\t))");
  return std::regex_search(text.begin(), text.end(), kBlock);
}
std::string_view BeforeCode(std::string_view text) {
  return text.substr(0, text.find("```\n"));
}

TEST(DiscordProperty, EveryMessageIsOneThatDiscordTakes) {
  ForRandomMessages("discord", R"({"webhook_url":"https://discord.com/api/webhooks/1/x","max_transcript":4000})",
                    100'000, [](const json::value& body, const std::string&) {
                      const auto& embed = body.at("embeds").as_array().at(0);
                      std::size_t all = UnitsOf(embed.at("title"));
                      EXPECT_LE(all, 256U);
                      EXPECT_LE(embed.at("fields").as_array().size(), 25U);
                      for (const auto& field : embed.at("fields").as_array()) {
                        EXPECT_LE(UnitsOf(field.at("name")), 256U);
                        EXPECT_LE(UnitsOf(field.at("value")), 1024U);
                        EXPECT_FALSE(HasBlock(field.at("value").as_string())) << field.at("value");
                        all += UnitsOf(field.at("name")) + UnitsOf(field.at("value"));
                      }
                      if (const auto* description = embed.as_object().if_contains("description")) {
                        EXPECT_LE(UnitsOf(*description), 4096U);
                        all += UnitsOf(*description);
                        std::size_t fences = 0;
                        const std::string_view text(description->as_string());
                        for (auto at = text.find("```"); at != text.npos; at = text.find("```", at + 3)) ++fences;
                        EXPECT_TRUE(fences == 0 || fences == 2) << text;
                        EXPECT_FALSE(HasBlock(BeforeCode(text))) << text;
                      }
                      EXPECT_LE(all, 6000U);
                      EXPECT_EQ(body.at("allowed_mentions").at("parse").as_array().size(), 0U);
                    });
}

/// What Telegram counts: without tags, entities as one.
std::string AfterEntities(std::string_view html) {
  std::string plain;
  for (std::size_t i = 0; i < html.size(); ++i) {
    if (html[i] == '<') {
      const auto tag = html.substr(i + 1, html.find('>', i) - i - 1);
      EXPECT_TRUE(tag == "b" || tag == "/b" || tag == "pre" || tag == "/pre" || tag == "/a" ||
                  tag.starts_with("a href=\"http"))
          << tag;
      i += tag.size() + 1;
    } else if (html[i] == '&') {
      const auto entity = html.substr(i, html.find(';', i) - i + 1);
      EXPECT_TRUE(entity == "&amp;" || entity == "&lt;" || entity == "&gt;") << entity;
      i += entity.size() - 1;
      plain += '.';
    } else {
      plain += html[i];
    }
  }
  return plain;
}

TEST(TelegramProperty, EveryMessageIsOneThatTelegramTakes) {
  ForRandomMessages("telegram", R"({"token":"123456:ABCDEFGHIJKLMNOPQRSTUVWXYZ","chat_id":"-1","max_transcript":4000})",
                    100'000, [](const json::value& body, const std::string&) {
                      const std::string_view html(body.at("text").as_string());
                      EXPECT_LE(hsw::Utf16Units(AfterEntities(html)), 4096U);
                      EXPECT_FALSE(HasMention(html.substr(0, html.find("<pre>"))));
                    });
}

TEST(TeamsProperty, EveryMessageIsOneThatTeamsTakes) {
  ForRandomMessages("teams", R"({"webhook_url":"https://a.logic.azure.com/workflows/x?sig=y","max_transcript":3800})",
                    28'000, [](const json::value& body, const std::string&) {
                      const auto& card = body.at("attachments").as_array().at(0).at("content");
                      EXPECT_EQ(card.at("type"), "AdaptiveCard");
                      for (const auto& part : card.at("body").as_array()) {
                        const auto* text = part.as_object().if_contains("text");
                        EXPECT_FALSE(text && HasBlock(text->as_string())) << *text;
                      }
                      for (const auto& action : card.at("actions").as_array()) {
                        EXPECT_TRUE(std::string_view(action.at("url").as_string()).starts_with("http"));
                      }
                    });
}

TEST(GoogleChatProperty, EveryMessageIsOneThatGoogleChatTakes) {
  ForRandomMessages(
      "googlechat",
      R"({"webhook_url":"https://chat.googleapis.com/v1/spaces/A/messages?key=k&token=t","max_transcript":3500})",
      32'000, [](const json::value& body, const std::string&) { EXPECT_EQ(body.at("cardsV2").as_array().size(), 1U); });
}

TEST(MattermostProperty, EveryMessageIsOneThatMattermostTakes) {
  ForRandomMessages("mattermost", R"({"webhook_url":"https://m.example/hooks/x","max_transcript":10000})", 200'000,
                    [](const json::value& body, const std::string& text) {
                      EXPECT_LE(UnitsOf(body.at("text")), 16'383U);
                      const auto& attachment = body.at("attachments").as_array().at(0);
                      const std::string_view all(attachment.at("text").as_string());
                      EXPECT_FALSE(HasMention(all.substr(0, all.find("```\n")))) << all;
                      EXPECT_FALSE(HasBlock(BeforeCode(all))) << all;
                      EXPECT_EQ(text.find("<!channel>"), std::string::npos);
                    });
}

TEST(PagerDutyProperty, EveryEventIsOneThatPagerDutyTakes) {
  ForRandomMessages("pagerduty", R"({"routing_key":"0123456789abcdef0123456789abcdef","max_transcript":10000})",
                    512'000, [](const json::value& body, const std::string&) {
                      EXPECT_LE(UnitsOf(body.at("payload").at("summary")), 2 * 1024U);
                      EXPECT_LE(UnitsOf(body.at("dedup_key")), 255U);
                    });
}

TEST(WebhookProperty, ATemplatesBodyIsTheJsonItDescribes) {
  ForRandomMessages("webhook",
                    R"({"url":"https://ops.example.com/in","body":"template","template":{"a":"{{message.title}} - ",
                        "b":["{{message.transcript}}"],"c":{"d":"{{message.text}}{{rule}}"}}})",
                    10'000'000, [](const json::value& body, const std::string&) {
                      const auto& object = body.as_object();
                      EXPECT_EQ(object.size(), 3U);
                      EXPECT_TRUE(std::string_view(object.at("a").as_string()).ends_with(" - "));
                      EXPECT_EQ(object.at("b").as_array().size(), 1U);
                      EXPECT_TRUE(std::string_view(object.at("c").at("d").as_string()).ends_with("r"));
                    });
}

TEST(WebhookConfig, ATemplatesNamesAreChecked) {
  const auto problems = [](const std::string& more) {
    return test::ProblemsOf("webhook", R"({"url":"https://ops.example.com/in",)" + more + "}");
  };
  EXPECT_EQ(problems(R"("body":"template","template":{"a":"{{ data.x.y }}","b":"{{}"})"),
            "/template/b: template has a {{ without }}\n");
  std::string deep = "\"{{status}}\"";
  for (int i = 0; i < 60; ++i) deep = "[" + deep + "]";
  EXPECT_EQ(problems("\"body\":\"template\",\"template\":" + deep), "");
  EXPECT_EQ(problems(R"("body":"template")"), "/body: body: template needs template, the JSON to send\n");
  EXPECT_EQ(problems(R"("template":{})"), "/template: template needs body: template\n");
  EXPECT_EQ(problems(R"("body":"template","template":{"a/b":["{{agnet}}"]})").substr(0, 20), "/template/a~1b/0: te");
  EXPECT_NE(problems(R"("body":"template","template":["{{message.x}}"])").find("of a message there are"),
            std::string::npos);
}

TEST(WebhookConfig, AHeaderThatWouldNeverBeSentIsRefused) {
  const auto problems = [](const std::string& headers) {
    return test::ProblemsOf("webhook", R"({"url":"https://ops.example.com/in",)" + headers + "}");
  };
  EXPECT_EQ(problems(R"("headers":{"content-length":"5","X-Env":"a"},"secret_headers":{"Host":"b"})"),
            "/headers/content-length: the header content-length is the HTTP client's to set\n"
            "/secret_headers/Host: the header Host is the HTTP client's to set\n");
  EXPECT_EQ(problems(R"("headers":{"Transfer-Encoding":"chunked"})"),
            "/headers/Transfer-Encoding: the header Transfer-Encoding is the HTTP client's to set\n");
  EXPECT_EQ(problems(R"("headers":{"Content-Type":"text/plain"})"),
            "/headers/Content-Type: the header Content-Type is set by the sink\n");
  EXPECT_EQ(problems(R"("headers":{"X-Env":"a","Authorization":"b","Accept":"c"})"), "");
}

}  // namespace
}  // namespace hookswitch
