#include "core/config/plugin_schema.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/config/schema_lookup.h"

namespace hookswitch::config {
namespace {

constexpr std::string_view kDefinitions = "#/definitions/";

template <std::size_t N>
bool IsOneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

class Embedding {
 public:
  /// `prefix`: of the names of the moved definitions; `statuses`: all names of statuses.
  Embedding(const json::object& definitions, std::string prefix, const json::value& statuses)
      : definitions_(definitions), prefix_(std::move(prefix)), statuses_(statuses) {}

  void Rewrite(json::value& schema) const {
    if (auto* list = schema.if_array()) {
      for (auto& item : *list) Rewrite(item);
    } else if (auto* object = schema.if_object()) {
      RewriteObject(*object);
    }
  }

 private:
  static constexpr std::array<std::string_view, 3> kMapsOfSchemas = {"properties", "patternProperties", "definitions"};
  static constexpr std::array<std::string_view, 4> kValues = {"const", "default", "enum", "examples"};

  void RewriteObject(json::object& schema) const {
    for (auto& [word, value] : schema) {
      if (IsOneOf(word, kValues)) continue;
      auto* schemas = IsOneOf(word, kMapsOfSchemas) ? value.if_object() : nullptr;
      if (!schemas) {
        Rewrite(value);
        continue;
      }
      for (auto& [name, one] : *schemas) Rewrite(one);
    }
    schema.erase("$id");  // references below it would start there
    RewriteReference(schema);
    if (RefOf(schema) == "status") schema["enum"] = statuses_;
    if (Flag(schema, "x-secret")) AllowVariables(schema);
  }

  // Resolve() takes what follows the prefix as the name; editors read a JSON pointer.
  void RewriteReference(json::object& schema) const {
    if (!schema.contains("$ref")) return;
    const std::string_view ref = TextAt(schema, "$ref");
    const std::string_view name = ref.starts_with(kDefinitions) ? ref.substr(kDefinitions.size()) : std::string_view();
    if (definitions_.contains(name)) {
      schema["$ref"] = std::string(kDefinitions) + PointerPart(prefix_ + std::string(name));
    } else {
      schema.erase("$ref");
    }
  }

  static void AllowVariables(json::object& schema) {
    json::object text = std::move(schema);
    schema.clear();
    // Annotations stay outside, where editors look for them.
    for (const char* key : {"title", "description", "default", "examples", "x-secret", "x-expected"}) {
      if (const auto* note = text.if_contains(key)) {
        schema[key] = *note;
        text.erase(key);
      }
    }
    schema["anyOf"] = json::array{json::object{{"$ref", "#/definitions/secret"}}, std::move(text)};
  }

  const json::object& definitions_;
  const std::string prefix_;
  const json::value& statuses_;
};

}  // namespace

void AddPluginSchema(json::object& schema, std::string_view plugin, json::value config_schema) {
  json::object moved;
  if (auto* root = config_schema.if_object()) {
    if (auto* own = root->if_contains("definitions"); own && own->is_object()) moved = std::move(own->get_object());
    root->erase("definitions");
    root->erase("$schema");
  }
  json::object& definitions = schema["definitions"].as_object();
  const std::string prefix = "plugin." + std::string(plugin) + '.';
  const json::value statuses = ConfigSchema().at("definitions").at("status").at("enum");
  const json::object names = moved;
  const Embedding embedding(names, prefix, statuses);
  embedding.Rewrite(config_schema);
  for (auto& [name, definition] : moved) {
    embedding.Rewrite(definition);
    definitions[prefix + std::string(name)] = std::move(definition);
  }
  json::object when{{"properties", {{"plugin", {{"const", plugin}}}}}};
  json::object then{{"properties", {{"config", std::move(config_schema)}}}};
  json::value& cases = definitions["sink"].as_object()["allOf"];
  if (!cases.is_array()) cases.emplace_array();
  cases.get_array().push_back(json::object{{"if", std::move(when)}, {"then", std::move(then)}});
}

}  // namespace hookswitch::config
