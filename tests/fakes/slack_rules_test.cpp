#include "tests/fakes/slack_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hookswitch::fakes {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

json::value Plain(std::string text) {
  return {{"type", "plain_text"}, {"text", std::move(text)}};
}
json::value Mrkdwn(std::string text) {
  return {{"type", "mrkdwn"}, {"text", std::move(text)}};
}

json::object Header(json::value text) {
  return {{"type", "header"}, {"text", std::move(text)}};
}
json::object Section(json::value text) {
  return {{"type", "section"}, {"text", std::move(text)}};
}

std::string CheckBlock(json::object block) {
  json::array blocks;
  blocks.push_back(std::move(block));
  return CheckSlackMessage({{"text", "t"}, {"blocks", std::move(blocks)}});
}

json::array Repeated(std::size_t count, const json::value& value) {
  json::array array;
  for (std::size_t i = 0; i < count; ++i) array.push_back(value);
  return array;
}

TEST(SlackRules, AcceptsTheMessageUsersKnow) {
  json::array blocks;
  blocks.push_back(Header(Plain("Bolna call ended: completed")));
  blocks.push_back(json::object{{"type", "section"}, {"fields", Repeated(4, Mrkdwn("*Call ID*\nc-1"))}});
  blocks.push_back(json::object{{"type", "divider"}});
  blocks.push_back(Section(Mrkdwn("```Agent: hello```")));
  blocks.push_back(json::parse(
      R"({"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"text","text":"x"}]}]})"));
  blocks.push_back(json::object{{"type", "context"}, {"elements", Repeated(10, Mrkdwn("at noon"))}});
  EXPECT_EQ(CheckSlackMessage({{"text", "Bolna call ended: completed"}, {"blocks", std::move(blocks)}}), "");
}

TEST(SlackRules, RefusesAMessageThatSaysNothing) {
  EXPECT_THAT(CheckSlackMessage(json::object{}), StartsWith("no_text"));
  EXPECT_THAT(CheckSlackMessage({{"text", ""}, {"blocks", json::array{}}}), StartsWith("no_text"));
  EXPECT_THAT(CheckSlackMessage("hello"), StartsWith("invalid_payload"));
}

TEST(SlackRules, CountsCodePointsNotBytes) {
  std::string devanagari;
  for (int i = 0; i < 150; ++i) devanagari += "\u0905";
  EXPECT_EQ(CheckBlock(Header(Plain(devanagari))), "");
  EXPECT_EQ(CheckBlock(Header(Plain(devanagari + "x"))),
            "invalid_blocks: blocks[0].text.text: at most 150 characters, has 151");
}

TEST(SlackRules, RefusesMrkdwnInAHeader) {
  EXPECT_THAT(CheckBlock(Header(Mrkdwn("a"))), HasSubstr("must be plain_text"));
}

TEST(SlackRules, HoldsSectionsToTheirLimits) {
  EXPECT_EQ(CheckBlock(Section(Mrkdwn(std::string(3000, 'x')))), "");
  EXPECT_THAT(CheckBlock(Section(Mrkdwn(std::string(3001, 'x')))), HasSubstr("at most 3000 characters, has 3001"));
  EXPECT_THAT(CheckBlock(Section(Mrkdwn(""))), HasSubstr("must not be empty"));
  EXPECT_THAT(CheckBlock({{"type", "section"}}), HasSubstr("needs text or fields"));
  EXPECT_THAT(CheckBlock({{"type", "section"}, {"fields", Repeated(11, Mrkdwn("x"))}}), HasSubstr("at most 10 fields"));
  EXPECT_THAT(CheckBlock({{"type", "section"}, {"fields", Repeated(1, Mrkdwn(std::string(2001, 'x')))}}),
              HasSubstr("at most 2000"));
}

TEST(SlackRules, RefusesUnknownBlocksAndKeys) {
  EXPECT_THAT(CheckBlock({{"type", "sectoin"}}), HasSubstr("not a block of messages"));
  EXPECT_THAT(CheckBlock({{"type", "divider"}, {"text", "x"}}), HasSubstr("blocks[0].text: unknown key"));
  json::object section = Section(Mrkdwn("x"));
  section.at("text").get_object()["emoji"] = true;
  EXPECT_THAT(CheckBlock(section), HasSubstr("blocks[0].text.emoji: unknown key"));
  EXPECT_THAT(CheckSlackMessage({{"txt", "x"}}), HasSubstr("txt: unknown key"));
  EXPECT_THAT(CheckSlackMessage({{"text", "x"}, {"channel", "#ops"}}), StartsWith("channel_not_found"));
}

TEST(SlackRules, LimitsTheNumberOfBlocksAndElements) {
  const json::value divider{{"type", "divider"}};
  EXPECT_EQ(CheckSlackMessage({{"text", "x"}, {"blocks", Repeated(50, divider)}}), "");
  EXPECT_THAT(CheckSlackMessage({{"text", "x"}, {"blocks", Repeated(51, divider)}}), HasSubstr("at most 50 blocks"));
  EXPECT_THAT(CheckBlock({{"type", "context"}, {"elements", Repeated(11, Mrkdwn("x"))}}),
              HasSubstr("at most 10 elements"));
}

TEST(SlackRules, RefusesTheSameBlockIdTwice) {
  const json::value divider{{"type", "divider"}, {"block_id", "a"}};
  EXPECT_THAT(CheckSlackMessage({{"text", "x"}, {"blocks", Repeated(2, divider)}}), HasSubstr("used twice"));
}

TEST(SlackRules, LimitsTopLevelTextAndTheSumOfBlocks) {
  EXPECT_EQ(CheckSlackMessage({{"text", std::string(40'000, 'x')}}), "");
  EXPECT_THAT(CheckSlackMessage({{"text", std::string(40'001, 'x')}}), StartsWith("msg_too_long"));
  EXPECT_THAT(CheckSlackMessage({{"text", "x"}, {"blocks", Repeated(5, Section(Mrkdwn(std::string(2900, 'x'))))}}),
              StartsWith("msg_blocks_too_long"));
}

TEST(SlackRules, WorkflowsTakeFlatStringsOnly) {
  EXPECT_EQ(CheckSlackRequest("/triggers/T0/1/x", R"({"status":"completed"})"), "");
  EXPECT_THAT(CheckSlackRequest("/workflows/T0/F0/1/x", R"({"duration":27})"),
              HasSubstr("workflow variables are strings"));
  EXPECT_THAT(CheckSlackRequest("/triggers/T0/1/x", R"({"text":"x","blocks":[]})"), StartsWith("invalid_payload"));
}

TEST(SlackRules, RefusesBodiesThatAreNotJson) {
  EXPECT_THAT(CheckSlackRequest("/services/T0/B0/x", "payload=%7B%7D"), StartsWith("invalid_payload"));
  EXPECT_THAT(CheckSlackRequest("/services/T0/B0/x", "{\"text\":\"\xff\"}"), StartsWith("invalid_payload"));
  EXPECT_THAT(CheckSlackRequest("/elsewhere", "{}"), StartsWith("no_service"));
}

}  // namespace
}  // namespace hookswitch::fakes
