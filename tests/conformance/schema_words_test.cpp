#include "core/conformance/schema_words.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hookswitch::conformance {
namespace {

using testing::HasSubstr;

std::string Ignored(const char* schema) {
  return IgnoredIn(json::parse(schema));
}

TEST(SchemaWords, ThatAreLookedAtAreFine) {
  EXPECT_EQ(Ignored(R"({"$schema": "x", "type": "object", "additionalProperties": false, "required": ["a"],
    "definitions": {"text": {"type": "string", "minLength": 1, "pattern": "^a+$"}},
    "properties": {"oneOf": {"$ref": "#/definitions/text"},
                   "b": {"anyOf": [{"type": "array", "items": {"enum": [1]}, "minItems": 1}, {"const": 2}]},
                   "c": {"type": ["string", "null"], "x-secret": true, "examples": ["x"], "default": "d"},
                   "d": {"type": "object", "minProperties": 1, "propertyNames": {"x-hookswitch-ref": "status"},
                         "patternProperties": {"^x": {"type": "integer", "minimum": 1, "maximum": 2}}}}})"),
            "");
}

TEST(SchemaWords, ThatAreIgnoredAreToldWithTheirPlace) {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"oneOf": []})", "\"oneOf\""},
      {R"({"properties": {"a/b": {"format": "uri"}}})", "at /properties/a~1b has \"format\""},
      {R"({"properties": {"a": {"minLenght": 1}}})", "did you mean \"minLength\"?"},
      {R"({"items": {"exclusiveMinimum": 0}})", "at /items has \"exclusiveMinimum\""},
      {R"({"items": [{"type": "string"}]})", "takes no list"},
      {R"({"anyOf": [{}, {"not": {}}]})", "at /anyOf/1 has \"not\""},
      {R"({"additionalProperties": {"multipleOf": 2}})", "multipleOf"},
      {R"json({"patternProperties": {"(?=a)": {}}})json", "RE2 cannot read"},
      {R"json({"properties": {"a": {"pattern": "^(?!x)"}}})json",
       "at /properties/a/pattern is a pattern that RE2 cannot read"},
      {R"({"type": "text"})", "is no type"},
      {R"({"properties": {"a": {"x-hookswitch-ref": "rules"}}})", "names nothing that hookswitch has"},
      {R"({"properties": {"a": {"x-secret": "yes"}}})", "is not true or false"},
      {R"({"properties": {"a": {"$ref": "other.json"}}})", "#/definitions/NAME"},
      {R"({"properties": {"a": {"definitions": {}}}})", "\"definitions\""},
      {R"({"properties": {"a": true}})", "is not a schema"},
  };
  for (const auto& [schema, words] : bad) EXPECT_THAT(Ignored(schema), HasSubstr(words)) << schema;
}

}  // namespace
}  // namespace hookswitch::conformance
