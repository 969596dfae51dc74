#include "core/message/composer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "core/base/text.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

config::Template Make(std::string name, std::string title, std::string text, config::Mark text_where = {}) {
  config::Template t;
  t.name = std::move(name);
  t.title = std::move(title);
  t.text = std::move(text);
  t.text_where = std::move(text_where);
  return t;
}

struct Compilation {
  std::shared_ptr<const Composer> composer;
  config::Problems problems;
  std::vector<std::string> Messages() const {
    std::vector<std::string> all;
    for (const auto& p : problems.All()) all.push_back(p.message + (p.hint.empty() ? "" : " | " + p.hint));
    return all;
  }
};

Compilation CompileText(const std::string& text) {
  config::Config config;
  config.templates.push_back(Make("t", "", text));
  Compilation result;
  result.composer = Composer::Compile(config, result.problems);
  return result;
}

std::string Render(const std::string& text, const CallEvent& event) {
  const auto compilation = CompileText(text);
  if (!compilation.composer) return "does not compile: " + testing::PrintToString(compilation.Messages());
  return compilation.composer->Compose(event, "t").text;
}

TEST(Template, MissingValueShowsAsDash) {
  EXPECT_EQ(Render("{{summary}}/{{data.x}}/{{duration}}", {}), "-/-/-");
}

TEST(Template, MissingValueIsFalseInSections) {
  EXPECT_EQ(Render("{{#summary}}yes{{/summary}}{{^summary}}no{{/summary}}", {}), "no");
}

TEST(Template, FalseIsFalseInSectionsAndShownAsText) {
  CallEvent event;
  event.voicemail = false;
  event.data["vip"] = "false";
  EXPECT_EQ(Render("{{#voicemail}}machine{{/voicemail}}{{^data.vip}}plain{{/data.vip}} {{voicemail}}", event),
            "plain false");
}

TEST(Template, StageSentimentAndSuccessAreVariablesAndConditions) {
  CallEvent event;
  event.stage = Stage::kEnded;
  event.data["score"] = {"85", DataValue::Kind::kNumber};
  const char* text =
      "{{stage}} {{sentiment}} {{success}} {{data.score}}{{#success}} won{{/success}}{{#sentiment}} felt{{/sentiment}}";
  EXPECT_EQ(Render(text, event), "ended - - 85");
  event.sentiment = "positive";
  event.success = true;
  EXPECT_EQ(Render("{{stage}} {{sentiment}} {{success}}{{#success}} won{{/success}}", event),
            "ended positive true won");
  event.success = false;
  EXPECT_EQ(Render("{{success}}{{#success}} won{{/success}}{{^success}} lost{{/success}}", event), "false lost");
}

TEST(Template, TagsCanBeListedOrJoined) {
  CallEvent event;
  event.agent_tags = {"a", "b"};
  EXPECT_EQ(Render("{{tags}}:{{#tags}}<{{.}}>{{/tags}}", event), "a, b:<a><b>");
}

TEST(Template, NothingIsEscaped) {
  CallEvent event;
  event.summary = "<b> & \"quotes\" 'n'";
  EXPECT_EQ(Render("{{summary}}|{{{summary}}}|{{&summary}}", event),
            event.summary + "|" + event.summary + "|" + event.summary);
}

TEST(Template, EventTextIsNeverReadAsTemplate) {
  CallEvent event;
  event.summary = "{{error}} {{#tags}} {{=<% %>=}} {{> x}} {{$status}}";
  event.error = "boom";
  EXPECT_EQ(Render("{{summary}} {{error}}", event), event.summary + " boom");
}

TEST(Template, KeysMayHaveDotsAndSpaces) {
  CallEvent event;
  event.data["General.Call Outcome"] = "ok";
  EXPECT_EQ(Render("{{data.General.Call Outcome}}", event), "ok");
}

TEST(Template, LinesThatHoldOnlySectionTagsDisappear) {
  CallEvent event;
  event.error = "boom";
  EXPECT_EQ(Render("a\n{{#error}}\n{{error}}\n{{/error}}\nb", event), "a\nboom\nb");
}

TEST(Template, RenderedTextIsCappedAtCodePoints) {
  CallEvent event;
  for (int i = 0; i < 50'000; ++i) event.summary += "é";
  const std::string text = Render("{{summary}}", event);
  EXPECT_EQ(CodePoints(text), 40'000u);
  EXPECT_TRUE(IsUtf8(text));
}

TEST(Template, TitleIsOneLineAndNeverEmpty) {
  config::Config config;
  config.templates.push_back(Make("t", "{{#error}}x{{/error}} {{summary}}", ""));
  config.templates.push_back(Make("empty", "{{#error}}x{{/error}}", ""));
  config::Problems problems;
  const auto composer = Composer::Compile(config, problems);
  CallEvent event;
  event.source = "bolna";
  event.summary = "one\r\ntwo\n";
  EXPECT_EQ(composer->Compose(event, "t").title, "one two");
  EXPECT_EQ(composer->Compose(event, "empty").title, "bolna call: unknown");
  event.summary = std::string("\0\4 hello \1", 10);
  EXPECT_EQ(composer->Compose(event, "t").title, "hello") << "control characters at the ends";
  event.summary = "\4\1";
  EXPECT_EQ(composer->Compose(event, "t").title, "bolna call: unknown");
}

TEST(Template, RemovedTemplateGivesDefaultMessage) {
  config::Problems problems;
  const auto composer = Composer::Compile({}, problems);
  CallEvent event;
  event.source_title = "Bolna";
  event.status = CallStatus::kCompleted;
  EXPECT_EQ(composer->Compose(event, "gone").title, "Bolna call ended: completed");
  EXPECT_EQ(composer->Compose(event, "gone").fields.size(), 4u);
}

TEST(TemplateProblems, EveryUnknownVariableIsReportedWithSuggestion) {
  const auto compilation = CompileText("{{agnet}} {{#sumary}}{{statsu}}{{/sumary}} {{zzzzzz}}");
  EXPECT_FALSE(compilation.composer);
  EXPECT_THAT(compilation.Messages(),
              ElementsAre("template \"t\": \"agnet\" is not a variable of templates | did you mean \"agent\"?",
                          "template \"t\": \"sumary\" is not a variable of templates | did you mean \"summary\"?",
                          "template \"t\": \"statsu\" is not a variable of templates | did you mean \"status\"?",
                          HasSubstr("\"zzzzzz\" is not a variable of templates")));
}

TEST(TemplateProblems, SyntaxErrorsAreReported) {
  EXPECT_THAT(CompileText("{{status").Messages(), ElementsAre("template \"t\": unclosed tag | close it with }}"));
  EXPECT_THAT(CompileText("{{#error}}x").Messages(), ElementsAre("template \"t\": unclosed section \"error\""));
  EXPECT_THAT(CompileText("x{{/error}}").Messages(), ElementsAre("template \"t\": unopened section \"error\""));
  EXPECT_THAT(CompileText("{{#error}}{{/summary}}").Messages(),
              ElementsAre("template \"t\": unclosed section \"error\""));
}

TEST(TemplateProblems, PartialsDelimitersAndLooseItemsAreRefused) {
  EXPECT_THAT(CompileText("{{> other}}").Messages(), ElementsAre(HasSubstr("cannot include")));
  EXPECT_THAT(CompileText("{{=<% %>=}} <% status %>").Messages(), ElementsAre(HasSubstr("delimiters")));
  EXPECT_THAT(CompileText("{{.}}").Messages(), ElementsAre(HasSubstr("{{.}}")));
  EXPECT_THAT(CompileText("{{}}").Messages(), ElementsAre(HasSubstr("needs the name")));
  EXPECT_THAT(CompileText("{{$status}}").Messages(), ElementsAre(HasSubstr("$status")));
  EXPECT_THAT(CompileText("{{data.}} {{meta}}").Messages(), testing::SizeIs(2));
}

TEST(TemplateProblems, TooLongOrTooDeepTemplatesDoNotHarm) {
  std::string deep;
  for (int i = 0; i < 1000; ++i) deep += "{{#error}}";
  EXPECT_THAT(CompileText(deep).Messages(), testing::SizeIs(1));
  EXPECT_THAT(CompileText(std::string(100'000, 'x')).Messages(), ElementsAre(HasSubstr("longer than")));
}

TEST(TemplateProblems, PointAtTheTagInTheFile) {
  const auto file = std::make_shared<const config::SourceFile>(config::SourceFile{
      "router.yaml", "templates:\n  short:\n    text: |\n      {{status}} {{agnet}}\n      again {{agnet}}\n"});
  config::Config config;
  config.templates.push_back(Make("short", "", "{{status}} {{agnet}}\nagain {{agnet}}\n", {file, 3, 11}));
  config::Problems problems;
  EXPECT_FALSE(Composer::Compile(config, problems));
  ASSERT_EQ(problems.All().size(), 2u);
  EXPECT_EQ(config::ToText(problems.All()[0]),
            "router.yaml:4:18: error: template \"short\": \"agnet\" is not a variable of templates\n"
            "    4 |       {{status}} {{agnet}}\n"
            "      |                  ^~~~~~~~~  did you mean \"agent\"?\n");
  EXPECT_EQ(problems.All()[1].where.line, 5);
  EXPECT_EQ(problems.All()[1].where.column, 13);
}

TEST(Message, RecordingLinkOnlyForWebAddresses) {
  config::Problems problems;
  const auto composer = Composer::Compile({}, problems);
  CallEvent event;
  for (const auto* url :
       {"", "javascript:alert(1)", "file:///etc/passwd", "https://", "https://x/ y", "https://x/\ny", "x"}) {
    event.recording_url = url;
    EXPECT_THAT(composer->Compose(event, "").links, IsEmpty()) << url;
  }
  event.recording_url = "HTTPS://example.com/r.mp3";
  EXPECT_EQ(composer->Compose(event, "").links.size(), 1u);
}

TEST(Message, OddDurationsAreUnknown) {
  config::Problems problems;
  const auto composer = Composer::Compile({}, problems);
  CallEvent event;
  for (const double seconds : {-1.0, std::numeric_limits<double>::quiet_NaN(), 1e300}) {
    event.duration = seconds;
    EXPECT_EQ(composer->Compose(event, "").fields[2].value, "-") << seconds;
  }
}

}  // namespace
}  // namespace hookswitch
