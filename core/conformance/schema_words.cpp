#include "core/conformance/schema_words.h"

#include <algorithm>
#include <array>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/config/schema_lookup.h"

namespace hookswitch::conformance {
namespace {

// plugins/README.md, "The config schema".
constexpr std::array<std::string_view, 31> kKnown = {"minProperties",
                                                     "maxProperties",
                                                     "$comment",
                                                     "$id",
                                                     "$ref",
                                                     "$schema",
                                                     "additionalProperties",
                                                     "anyOf",
                                                     "const",
                                                     "default",
                                                     "definitions",
                                                     "description",
                                                     "enum",
                                                     "examples",
                                                     "items",
                                                     "maxItems",
                                                     "maxLength",
                                                     "maximum",
                                                     "minItems",
                                                     "minLength",
                                                     "minimum",
                                                     "pattern",
                                                     "title",
                                                     "type",
                                                     "required",
                                                     "properties",
                                                     "patternProperties",
                                                     "x-secret",
                                                     "x-expected",
                                                     "propertyNames",
                                                     "x-hookswitch-ref"};
constexpr std::array<std::string_view, 5> kReferences = {"agent", "rule", "schedule", "status", "tag"};
constexpr std::array<std::string_view, 7> kTypes = {"array",  "boolean", "integer", "null",
                                                    "number", "object",  "string"};

template <class Words>
bool Has(const Words& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string Bad(const std::string& at, const std::string& what) {
  return "its config_schema " + (at.empty() ? std::string() : "at " + at + " ") + what;
}

std::string Look(const json::value& schema, const std::string& at, bool is_root);

/// A map of names to schemas.
std::string LookInMap(const json::value& map, const std::string& at, bool names_are_patterns) {
  const auto* object = map.if_object();
  if (!object) return Bad(at, "is not a map of schemas");
  for (const auto& [name, schema] : *object) {
    const std::string below = at + "/" + PointerPart(name);
    if (names_are_patterns && !config::IsPattern(name)) return Bad(below, "is a pattern that RE2 cannot read");
    if (auto problem = Look(schema, below, false); !problem.empty()) return problem;
  }
  return "";
}

std::string LookAtWord(std::string_view word, const json::value& value, const std::string& at) {
  if (word == "properties" || word == "definitions") return LookInMap(value, at, false);
  if (word == "patternProperties") return LookInMap(value, at, true);
  if (word == "items" || word == "propertyNames") {
    return value.is_object() ? Look(value, at, false)
                             : Bad(at, "is not one schema, and hookswitch takes no list of them");
  }
  if (word == "additionalProperties") return value.is_bool() ? "" : Look(value, at, false);
  if (word == "anyOf") {
    const auto* branches = value.if_array();
    if (!branches) return Bad(at, "is not a list of schemas");
    for (std::size_t i = 0; i < branches->size(); ++i) {
      if (auto problem = Look((*branches)[i], at + "/" + std::to_string(i), false); !problem.empty()) return problem;
    }
  }
  const auto* text = value.if_string();
  if (word == "pattern" && (!text || !config::IsPattern(*text))) return Bad(at, "is a pattern that RE2 cannot read");
  if (word == "type") {
    const auto is_type = [](const json::value& one) { return one.is_string() && Has(kTypes, one.get_string()); };
    const auto* list = value.if_array();
    const bool good = list ? std::all_of(list->begin(), list->end(), is_type) : is_type(value);
    if (!good) return Bad(at, "is no type: there are " + Joined(kTypes));
  }
  if (word == "x-hookswitch-ref" && (!text || !Has(kReferences, *text))) {
    return Bad(at, "names nothing that hookswitch has: there are " + Joined(kReferences));
  }
  if (word == "x-secret" && !value.is_bool()) return Bad(at, "is not true or false");
  if (word == "$ref" && (!text || !std::string_view(*text).starts_with("#/definitions/"))) {
    return Bad(at, "is not of the form #/definitions/NAME");
  }
  return "";
}

std::string Look(const json::value& schema, const std::string& at, bool is_root) {
  const auto* object = schema.if_object();
  if (!object) return Bad(at, "is not a schema");
  for (const auto& [word, value] : *object) {
    const std::string below = at + "/" + PointerPart(word);
    if (!Has(kKnown, word) || (word == "definitions" && !is_root)) {
      const std::string near = Nearest(word, {kKnown.begin(), kKnown.end()});
      return Bad(at,
                 "has \"" + std::string(word) + "\", which hookswitch does not look at" +
                     (near.empty() ? "; plugins/README.md lists what it does" : "; did you mean \"" + near + "\"?"));
    }
    if (auto problem = LookAtWord(word, value, below); !problem.empty()) return problem;
  }
  return "";
}

}  // namespace

std::string IgnoredIn(const json::value& schema) {
  return Look(schema, "", true);
}

}  // namespace hookswitch::conformance
