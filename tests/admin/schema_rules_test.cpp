#include "tests/admin/schema_rules.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hookswitch {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

const json::value& Document() {
  static const json::value document = json::parse(R"({"components": {"schemas": {
      "Time": {"type": "string", "format": "date-time"},
      "Tree": {"type": "object", "required": ["name"], "additionalProperties": false,
               "properties": {"name": {"type": "string"}, "below": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}}}}}}})");
  return document;
}

std::vector<std::string> Check(const char* schema, const char* value) {
  return SchemaRules(Document()).Check(json::parse(schema), json::parse(value));
}

TEST(SchemaRules, AValueThatFitsHasNoFindings) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({"type": "string"})", R"("a")"},
      {R"({"type": ["string", "null"]})", "null"},
      {R"({"type": "integer", "minimum": 0, "maximum": 3})", "3"},
      {R"({"type": "integer"})", "3.0"},
      {R"({"type": "number"})", "2.5"},
      {R"({"type": "boolean"})", "false"},
      {R"({"const": false})", "false"},
      {R"({"enum": ["a", null]})", "null"},
      {R"({"type": "array", "items": {"type": "integer"}, "minItems": 1, "maxItems": 2})", "[1, 2]"},
      {R"({"type": "object", "additionalProperties": {"type": "integer"}})", R"({"any": 1})"},
      {R"({"type": "object"})", R"({"any": 1})"},
      {R"({"oneOf": [{"type": "string"}, {"type": "null"}]})", "null"},
      {R"({"anyOf": [{"type": "integer"}, {"type": "number"}]})", "1"},
      {R"({"allOf": [{"type": "string"}, {"enum": ["a"]}]})", R"("a")"},
      {R"({"type": "string", "pattern": "^[a-z_]+$", "minLength": 1, "maxLength": 2})", R"("ab")"},
      {R"({"type": "string", "maxLength": 1})", R"("é")"},
      {R"({"$ref": "#/components/schemas/Time", "description": "when"})", R"("2026-03-04T09:02:03.114Z")"},
      {R"({"$ref": "#/components/schemas/Tree"})", R"({"name": "a", "below": [{"name": "b", "below": []}]})"}};
  for (const auto& [schema, value] : cases) EXPECT_THAT(Check(schema, value), IsEmpty()) << schema << value;
}

TEST(SchemaRules, WhatDoesNotFitIsNamedWithItsPlace) {
  const std::tuple<const char*, const char*, const char*> cases[] = {
      {R"({"type": "string"})", "1", ": 1 is not of the type \"string\""},
      {R"({"type": ["string", "null"]})", "1", "is not of the type [\"string\",\"null\"]"},
      {R"({"type": "integer"})", "2.5", "is not of the type \"integer\""},
      {R"({"type": "integer", "minimum": 0})", "-1", "less than 0"},
      {R"({"type": "integer", "maximum": 0})", "1", "more than 0"},
      {R"({"const": false})", "true", "is not false"},
      {R"({"enum": ["a", null]})", R"("b")", "is not one of"},
      {R"({"type": "array", "items": {"type": "integer"}})", R"([1, "a"])", "/1: \"a\" is not of the type"},
      {R"({"type": "array", "minItems": 1})", "[]", "too few"},
      {R"({"type": "array", "maxItems": 1})", "[1, 2]", "too many"},
      {R"({"type": "object", "required": ["a"]})", "{}", ": lacks a"},
      {R"({"type": "object", "additionalProperties": false})", R"({"a/b": 1})", "/a~1b: is not in the schema"},
      {R"({"type": "object", "additionalProperties": {"type": "integer"}})", R"({"a": "b"})", "/a: \"b\" is not of"},
      {R"({"oneOf": [{"type": "integer"}, {"type": "number"}]})", "1", "more than one of oneOf"},
      {R"({"oneOf": [{"type": "string"}, {"type": "null"}]})", "1", "is not of the type \"string\""},
      {R"({"anyOf": [{"type": "string"}, {"type": "null"}]})", "1", "is not of the type \"null\""},
      {R"({"allOf": [{"type": "string"}, {"enum": ["a"]}]})", R"("b")", "is not one of"},
      {R"({"type": "string", "pattern": "^[a-z_]+$"})", R"("A")", "does not match"},
      {R"({"type": "string", "minLength": 1})", R"("")", "too short"},
      {R"({"type": "string", "maxLength": 1})", R"("ab")", "too long"},
      {R"({"$ref": "#/components/schemas/Time"})", R"("2026-03-04T09:02:03+05:30")", "no time in UTC"},
      {R"({"$ref": "#/components/schemas/Time"})", R"("tomorrowZ")", "no time in UTC"},
      {R"({"$ref": "#/components/schemas/Tree"})", R"({"name": "a", "below": [{"below": []}]})",
       "/below/0: lacks name"}};
  for (const auto& [schema, value, what] : cases) {
    EXPECT_THAT(Check(schema, value), Contains(HasSubstr(what))) << schema << value;
  }
}

TEST(SchemaRules, WhatItDoesNotKnowInASchemaIsAFinding) {
  EXPECT_THAT(Check(R"({"not": {"type": "string"}})", "1"), Contains(HasSubstr("keyword not")));
  EXPECT_THAT(Check(R"({"type": "string", "format": "uuid"})", R"("x")"), Contains(HasSubstr("format \"uuid\"")));
  EXPECT_THAT(Check(R"({"$ref": "#/components/schemas/Nothing"})", "1"), Contains(HasSubstr("the document has no")));
}

}  // namespace
}  // namespace hookswitch
