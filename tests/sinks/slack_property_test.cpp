// Random messages, most of them nasty: whatever goes in, what comes out is a message that Slack takes.
#include <gtest/gtest.h>

#include <optional>

#include "core/base/json.h"
#include "core/base/text.h"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"
#include "tests/fakes/slack_rules.h"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/random_message.h"

namespace hookswitch {
namespace {

using test::Random;
using test::RandomMessage;

/// Every mrkdwn text of the blocks.
void Collect(const json::value& value, std::vector<std::string>& out) {
  if (const auto* object = value.if_object()) {
    const auto* type = object->if_contains("type");
    if (type && *type == "mrkdwn") out.emplace_back(std::string_view(object->at("text").as_string()));
    for (const auto& [key, member] : *object) Collect(member, out);
  } else if (const auto* list = value.if_array()) {
    for (const auto& member : *list) Collect(member, out);
  }
}

/// How many code points the texts of the blocks have together.
std::size_t AllText(const json::value& value) {
  std::size_t count = 0;
  if (const auto* object = value.if_object()) {
    const auto* text = object->if_contains("text");
    if (text && text->is_string()) count += hsw::CodePoints(std::string_view(text->get_string()));
    for (const auto& [key, member] : *object) count += AllText(member);
  } else if (const auto* list = value.if_array()) {
    for (const auto& member : *list) count += AllText(member);
  }
  return count;
}

/// True if a '<' of `text` opens something other than a link or a date of ours, or an '&' starts no entity.
bool HasLiveMarkup(const std::string& text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = std::string_view(text).substr(i);
    if (rest[0] == '<' && !rest.starts_with("<https://") && !rest.starts_with("<!date^")) return true;
    if (rest[0] == '&' && !rest.starts_with("&amp;") && !rest.starts_with("&lt;") && !rest.starts_with("&gt;"))
      return true;
  }
  return false;
}

/// What stands between the fences of the message's code block; empty if it has none.
std::optional<std::string> CodeBlock(const json::value& body) {
  const auto* blocks = body.as_object().if_contains("blocks");
  if (!blocks) return {};
  for (const auto& block : blocks->as_array()) {
    const auto* text = block.as_object().if_contains("text");
    if (!text || text->at("type") != "mrkdwn") continue;
    const std::string all(std::string_view(text->at("text").as_string()));
    EXPECT_TRUE(all.size() >= 6 && all.starts_with("```") && all.ends_with("```")) << all;
    return all.substr(3, all.size() - 6);
  }
  return {};
}

TEST(SlackProperty, EveryMessageIsOneThatSlackTakes) {
  auto sink = test::LoadSink(
      "slack",
      R"({"webhook_url":"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh","max_transcript":2900})");
  ASSERT_TRUE(sink) << sink.error().message;
  for (unsigned seed = 0; seed < 200; ++seed) {
    Random random(seed);
    const CallEvent event;
    const Message message = RandomMessage(random);
    for (const std::string_view state : {"", "plain"}) {
      const SinkDelivery delivery{event, message, "d-1", "ops", "r", 1, state.empty() ? 0u : 1u, state, ""};
      auto made = (*sink)->Render(delivery);
      auto* request = std::get_if<HttpRequest>(&made);
      ASSERT_TRUE(request) << "seed " << seed;
      ASSERT_TRUE(IsUtf8(request->body)) << "seed " << seed;
      ASSERT_EQ(fakes::CheckSlackRequest("/services/T/B/x", request->body), "") << "seed " << seed;

      const auto body = json::parse(request->body);
      EXPECT_FALSE(HasLiveMarkup(std::string(std::string_view(body.at("text").as_string())))) << "seed " << seed;
      if (const auto* blocks = body.as_object().if_contains("blocks")) {
        EXPECT_LE(AllText(*blocks), 9000u) << "seed " << seed;
      }
      std::vector<std::string> texts;
      Collect(body, texts);
      for (const std::string& text : texts) {
        ASSERT_FALSE(HasLiveMarkup(text)) << "seed " << seed << ": " << text;
      }
      if (const auto inside = CodeBlock(body)) {
        EXPECT_EQ(inside->find("``"), std::string::npos) << "seed " << seed;
        EXPECT_FALSE(inside->starts_with('`') || inside->ends_with('`')) << "seed " << seed;
      }
    }
  }
}

TEST(SlackProperty, EveryWorkflowBodyIsAFlatObjectOfStrings) {
  auto sink =
      test::LoadSink("slack", R"({"webhook_url":"https://hooks.slack.com/triggers/T1A2B3C4D/123456/abcdefgh"})");
  ASSERT_TRUE(sink) << sink.error().message;
  for (unsigned seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const CallEvent event;
    const Message message = RandomMessage(random);
    auto made = (*sink)->Render({event, message, "d-1", "ops", "r", 1, 0, "", ""});
    auto* request = std::get_if<HttpRequest>(&made);
    ASSERT_TRUE(request);
    ASSERT_EQ(fakes::CheckSlackRequest("/triggers/T/1/x", request->body), "") << "seed " << seed;
  }
}

/// `text` without what the sink may leave out or, if it was `sent`, adds.
std::string Bare(const std::string& text, bool sent) {
  std::string bare;
  for (std::size_t i = 0; i < text.size();) {
    const std::string_view rest = std::string_view(text).substr(i);
    const auto skip = [&](std::string_view what, char instead) {
      if (!rest.starts_with(what)) return false;
      if (instead) bare += instead;
      i += what.size();
      return true;
    };
    const auto byte = static_cast<unsigned char>(text[i]);
    if (sent && (skip("&amp;", '&') || skip("&lt;", '<') || skip("&gt;", '>') || skip("\xE2\x80\x8B", 0))) continue;
    // A line separator becomes a line break, noncharacters nothing.
    if (skip("\xE2\x80\xA8", 0) || skip("\xEF\xBF\xBE", 0) || skip("\xEF\xB7\x90", 0)) continue;
    if (byte == 0xC2 && static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      i += 2;
      continue;
    }
    if (byte >= 0x20 && byte != 0x7F) bare += text[i];
    ++i;
  }
  return bare;
}

TEST(SlackProperty, AllOfATranscriptGoesIntoTheThreadInMessagesThatSlackTakes) {
  auto sink =
      test::LoadSink("slack", R"({"token":"xoxb-1","channel":"C1","long_transcript":"thread","max_transcript":0})");
  ASSERT_TRUE(sink) << sink.error().message;
  std::size_t parts = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random(seed);
    const CallEvent event;
    Message message = RandomMessage(random);
    for (int more = 0; more < 3; ++more) message.transcript += RandomMessage(random).transcript;
    if (hsw::IsBlank(message.transcript)) continue;
    std::string state, all;
    std::uint32_t step = 0;
    for (;; ++step) {
      const SinkDelivery delivery{event, message, "d-1", "ops", "r", 1, step, state, ""};
      auto made = (*sink)->Render(delivery);
      auto* request = std::get_if<HttpRequest>(&made);
      ASSERT_TRUE(request);
      auto body = json::parse(request->body).as_object();
      EXPECT_EQ(body.at("channel"), "C1");
      EXPECT_EQ(body.contains("thread_ts"), step > 0);
      body.erase("channel");
      body.erase("thread_ts");
      ASSERT_EQ(fakes::CheckSlackMessage(body), "");
      EXPECT_LE(AllText(body.at("blocks")), 9000U);
      for (const auto& block : body.at("blocks").as_array()) {
        if (step == 0 || block.at("type") != "section") continue;
        const std::string text(std::string_view(block.at("text").at("text").as_string()));
        ASSERT_FALSE(HasLiveMarkup(text));
        ASSERT_TRUE(text.starts_with("```") && text.ends_with("```"));
        all += text.substr(3, text.size() - 6);
      }
      const auto outcome = (*sink)->Interpret(delivery, {200, {}, R"({"ok":true,"channel":"C1","ts":"1.1"})"}, {});
      if (outcome.kind == Outcome::Kind::kDelivered) break;
      ASSERT_EQ(outcome.kind, Outcome::Kind::kNext);
      state = outcome.state;
    }
    parts = std::max<std::size_t>(parts, step);
    const std::string said = Bare(message.transcript, false), sent = Bare(all, true);
    ASSERT_TRUE(step < 12 ? sent == said : said.starts_with(sent));
  }
  EXPECT_GT(parts, 1U) << "some were long";
}

TEST(SlackBot, AnUploadGoesToPublicAddressesOnlyUnlessAnyHostIsAllowed) {
  for (const bool any_host : {false, true}) {
    auto sink = test::LoadSink("slack", std::string(R"({"token":"xoxb-1","channel":"C1","long_transcript":"file")") +
                                            (any_host ? R"(,"allow_any_host":true})" : "}"));
    ASSERT_TRUE(sink) << sink.error().message;
    const CallEvent event;
    Message message;
    message.title = "t";
    message.transcript = "Agent: hello";
    const auto rendered = [&](std::string_view state) {
      return std::get<HttpRequest>((*sink)->Render({event, message, "d-1", "ops", "r", 1, 1, state, ""}));
    };
    const HttpRequest upload = rendered("5\t\tC1\t1.0\t0\tF1\thttps://files.slack.com/upload/v1/abc");
    EXPECT_EQ(upload.url, "https://files.slack.com/upload/v1/abc");
    EXPECT_EQ(upload.public_only, !any_host);
    const HttpRequest plain = rendered("5\t\tC1\t1.0\t0\tF1\thttp://127.0.0.1/upload");
    EXPECT_EQ(plain.url, any_host ? "http://127.0.0.1/upload" : "https://slack.com/api/files.getUploadURLExternal");
  }
}

}  // namespace
}  // namespace hookswitch
