#include "core/config/plugin_schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/config/schema_lookup.h"

namespace hookswitch::config {
namespace {

using testing::HasSubstr;
using testing::Not;

/// The config's schema with that of a plugin "pager".
json::object With(const char* config_schema) {
  json::object schema = ConfigSchema();
  AddPluginSchema(schema, "pager", json::parse(config_schema));
  return schema;
}

/// What it says of the config of a sink of the plugin added last.
const json::value& Config(const json::object& schema) {
  const json::value& cases = schema.at("definitions").at("sink").at("allOf");
  return cases.as_array().back().at_pointer("/then/properties/config");
}

/// What a reference leads to, as editors follow it.
json::value At(const json::object& schema, std::string_view ref) {
  if (!ref.starts_with('#')) return "another document";
  json::error_code error;
  const json::value root = schema;
  const json::value* found = root.find_pointer(json::string_view(ref.data() + 1, ref.size() - 1), error);
  return found ? *found : json::value("nothing");
}

void Collect(const json::value& schema, std::vector<std::string>& refs) {
  if (const auto* list = schema.if_array()) {
    for (const auto& item : *list) Collect(item, refs);
  } else if (const auto* object = schema.if_object()) {
    for (const auto& [key, value] : *object) {
      if (key == "$ref" && value.is_string()) refs.emplace_back(value.get_string());
      Collect(value, refs);
    }
  }
}

/// Has a definition with the name of one of hookswitch's own, and one that refers to itself.
constexpr char kWithDefinitions[] = R"({
  "$schema": "http://json-schema.org/draft-07/schema#", "$id": "https://example.com/pager.json", "type": "object",
  "properties": {
    "size": {"$ref": "#/definitions/size"},
    "tree": {"anyOf": [{"$ref": "#/definitions/tree"}, {"type": "array", "items": {"$ref": "#/definitions/tree"}}]},
    "key": {"$ref": "#/definitions/a/key"}
  },
  "definitions": {
    "size": {"enum": ["small", "large"]},
    "tree": {"properties": {"below": {"$ref": "#/definitions/tree"}}, "additionalProperties": false},
    "a/key": {"type": "string", "x-secret": true}
  }})";

TEST(PluginSchema, AReferenceLeadsToThePluginsOwnDefinition) {
  const json::object schema = With(kWithDefinitions);
  const json::value& config = Config(schema);
  const auto ref = [](const json::value& at) { return std::string(at.at("$ref").as_string()); };
  const json::value& properties = config.at("properties");
  EXPECT_EQ(ref(properties.at("size")), "#/definitions/plugin.pager.size");
  EXPECT_EQ(At(schema, ref(properties.at("size"))), json::parse(R"({"enum": ["small", "large"]})"));
  const std::string tree = ref(properties.at_pointer("/tree/anyOf/0"));
  EXPECT_EQ(ref(properties.at_pointer("/tree/anyOf/1/items")), tree);
  EXPECT_EQ(ref(At(schema, tree).at_pointer("/properties/below")), tree);
  EXPECT_EQ(At(schema, ref(properties.at("key"))).at("anyOf"),
            json::parse(R"([{"$ref": "#/definitions/secret"}, {"type": "string"}])"));
  EXPECT_EQ(schema.at("definitions").at("size"), ConfigSchema().at("definitions").at("size"));
}

TEST(PluginSchema, EveryReferenceLeadsSomewhereFromTheRoot) {
  json::object schema = With(kWithDefinitions);
  AddPluginSchema(schema, "other", json::parse(kWithDefinitions));
  std::vector<std::string> refs;
  Collect(schema, refs);
  for (const std::string& ref : refs) EXPECT_NE(At(schema, ref), "nothing") << ref;
  EXPECT_THAT(refs, testing::Contains("#/definitions/plugin.other.tree"));
  for (const char* word : {"$id", "$schema", "definitions"}) {
    EXPECT_FALSE(Config(schema).as_object().contains(word)) << word << " would change what a reference means";
  }
}

TEST(PluginSchema, WhatLeadsNowhereAllowsEverythingAndIsNotOfHookswitchsOwnSchema) {
  for (const char* ref : {"#/definitions/size", "#/properties/a", "#", "https://example.com/x.json"}) {
    const std::string own = R"({"properties": {"a": {"$ref": ")" + std::string(ref) + R"("}}})";
    EXPECT_EQ(Config(With(own.c_str())), json::parse(R"({"properties": {"a": {}}})")) << ref;
  }
}

TEST(PluginSchema, NamesAndValuesAreNoWordsOfASchema) {
  constexpr char kOwn[] = R"({"properties": {"$ref": {"type": "string"}, "$id": {"type": "string"},
    "default": {"default": {"$ref": "#/definitions/x"}, "const": {"$id": "x", "x-secret": true}}}})";
  EXPECT_EQ(Config(With(kOwn)), json::parse(kOwn));
}

TEST(PluginSchema, MayBeAnyJson) {
  for (const char* own : {"true", "[]", "null", "\"x\"", R"({"definitions": 5, "properties": [1]})"}) {
    EXPECT_THAT(json::serialize(Config(With(own))), Not(HasSubstr("definitions"))) << own;
  }
}

}  // namespace
}  // namespace hookswitch::config
