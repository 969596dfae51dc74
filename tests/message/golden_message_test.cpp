#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "core/base/time_text.h"
#include "core/event/event_from_json.h"
#include "core/message/composer.h"

// Each file of tests/golden/messages holds an event (any part of the normalized event), optionally a template, and the
// message that must come of them.
namespace hookswitch {
namespace {

std::vector<std::string> Cases() {
  std::vector<std::string> cases;
  for (const auto& entry : std::filesystem::directory_iterator(HSW_SOURCE_DIR "/tests/golden/messages")) {
    if (entry.path().extension() == ".json") cases.push_back(entry.path().stem().string());
  }
  std::sort(cases.begin(), cases.end());
  return cases;
}

std::string_view ToString(Severity severity) {
  switch (severity) {
    case Severity::kInfo: return "info";
    case Severity::kSuccess: return "success";
    case Severity::kWarning: return "warning";
    case Severity::kError: return "error";
  }
  return "";
}

json::object ToJson(const Message& m) {
  json::object fields;
  for (const auto& field : m.fields) fields.emplace(field.name, field.value);
  json::object links;
  for (const auto& link : m.links) links.emplace(link.label, link.url);
  return {{"title", m.title},
          {"severity", ToString(m.severity)},
          {"fields", std::move(fields)},
          {"text", m.text},
          {"transcript", m.transcript},
          {"links", std::move(links)},
          {"at", m.at ? json::value(ToRfc3339(*m.at)) : json::value(nullptr)}};
}

config::Template TemplateFrom(const json::object& object) {
  config::Template t;
  t.name = "case";
  for (const auto& [key, value] : object) {
    if (key == "title")
      t.title = std::string_view(value.as_string());
    else if (key == "text")
      t.text = std::string_view(value.as_string());
    else if (key == "fields")
      t.fields = value.as_bool();
    else if (key == "transcript")
      t.transcript = value.as_bool();
    else
      throw std::runtime_error("not a key of a template: " + std::string(key));
  }
  return t;
}

class GoldenMessage : public testing::TestWithParam<std::string> {};

TEST_P(GoldenMessage, IsComposedAsWritten) {
  std::ifstream file(HSW_SOURCE_DIR "/tests/golden/messages/" + GetParam() + ".json");
  std::stringstream text;
  text << file.rdbuf();
  const json::object golden = json::parse(text.str()).as_object();
  config::Config config;
  if (const auto* t = golden.if_contains("template")) config.templates.push_back(TemplateFrom(t->as_object()));
  config::Problems problems;
  const auto composer = Composer::Compile(config, problems);
  ASSERT_TRUE(composer) << config::ToJson(problems.All());

  const Message message =
      composer->Compose(EventFromJson(golden.at("event")).value(), config.templates.empty() ? "" : "case");

  EXPECT_EQ(ToText(ToJson(message), 2), ToText(golden.at("message"), 2));
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenMessage, testing::ValuesIn(Cases()), [](const auto& info) {
  std::string name = info.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); }, '_');
  return name;
});

}  // namespace
}  // namespace hookswitch
