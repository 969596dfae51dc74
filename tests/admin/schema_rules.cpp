#include "tests/admin/schema_rules.h"

#include <algorithm>
#include <cmath>
#include <regex>
#include <set>

#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

const std::set<std::string_view> kKeywords = {
    "$ref",    "type",      "enum",      "const",   "required", "properties",  "additionalProperties",
    "items",   "oneOf",     "anyOf",     "allOf",   "minItems", "maxItems",    "minimum",
    "maximum", "minLength", "maxLength", "pattern", "format",   "description", "example"};

bool IsOfType(const json::value& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "string") return value.is_string();
  if (type == "array") return value.is_array();
  if (type == "object") return value.is_object();
  if (type == "number") return value.is_number();
  const bool whole = value.is_int64() || value.is_uint64() ||
                     (value.is_double() && value.get_double() == std::floor(value.get_double()));
  return type == "integer" && whole;
}

// `type` is a name or a list of names.
bool IsOfAType(const json::value& value, const json::value& type) {
  if (type.is_string()) return IsOfType(value, type.get_string());
  return std::ranges::any_of(type.as_array(), [&](const auto& one) { return IsOfType(value, one.as_string()); });
}

std::string Shown(const json::value& value) {
  const std::string text = ToText(value);
  return text.size() <= 80 ? text : text.substr(0, 77) + "...";
}

std::size_t NumberAt(const json::object& schema, const char* key, std::size_t otherwise) {
  const auto* number = schema.if_contains(key);
  return number ? number->to_number<std::size_t>() : otherwise;
}

constexpr std::size_t kAny = static_cast<std::size_t>(-1);

}  // namespace

const json::value* SchemaRules::Find(std::string_view reference) const {
  if (!reference.starts_with("#/")) return nullptr;
  boost::system::error_code error;
  return document_.find_pointer(json::string_view(reference.data() + 1, reference.size() - 1), error);
}

std::vector<std::string> SchemaRules::Check(const json::value& schema, const json::value& value) const {
  Findings findings;
  Check(schema.as_object(), value, "", findings);
  return findings;
}

void SchemaRules::Check(const json::object& schema, const json::value& value, const std::string& at,
                        Findings& findings) const {
  const auto wrong = [&](const std::string& what) { findings.push_back(at + ": " + what); };
  for (const auto& member : schema) {
    if (!kKeywords.contains(member.key())) wrong("the schema has the keyword " + std::string(member.key()));
  }
  if (const auto* reference = schema.if_contains("$ref")) {
    const json::value* target = Find(reference->as_string());
    if (!target) return wrong("the document has no " + std::string(reference->as_string()));
    Check(target->as_object(), value, at, findings);
  }
  if (const auto* type = schema.if_contains("type"); type && !IsOfAType(value, *type)) {
    return wrong(Shown(value) + " is not of the type " + ToText(*type));
  }
  if (const auto* constant = schema.if_contains("const"); constant && *constant != value) {
    wrong(Shown(value) + " is not " + ToText(*constant));
  }
  if (const auto* list = schema.if_contains("enum")) {
    if (std::ranges::count(list->as_array(), value) == 0) wrong(Shown(value) + " is not one of " + ToText(*list));
  }
  if (const auto* all = schema.if_contains("allOf")) {
    for (const auto& one : all->as_array()) Check(one.as_object(), value, at, findings);
  }
  for (const char* keyword : {"oneOf", "anyOf"}) {
    const auto* some = schema.if_contains(keyword);
    if (!some) continue;
    Findings inside;
    const std::size_t fitting = CountFitting(some->as_array(), value, at, inside);
    if (fitting == 0) findings.insert(findings.end(), inside.begin(), inside.end());
    if (fitting > 1 && keyword == std::string_view("oneOf")) wrong(Shown(value) + " is more than one of oneOf");
  }
  if (value.is_number()) {
    const double number = value.to_number<double>();
    if (const auto* least = schema.if_contains("minimum"); least && number < least->to_number<double>()) {
      wrong(Shown(value) + " is less than " + ToText(*least));
    }
    if (const auto* most = schema.if_contains("maximum"); most && number > most->to_number<double>()) {
      wrong(Shown(value) + " is more than " + ToText(*most));
    }
  }
  if (value.is_string()) CheckText(schema, value.get_string(), at, findings);
  if (value.is_array()) CheckArray(schema, value.get_array(), at, findings);
  if (value.is_object()) CheckObject(schema, value.get_object(), at, findings);
}

// How many of `schemas` the value fits; into `findings` what keeps it from the others.
std::size_t SchemaRules::CountFitting(const json::array& schemas, const json::value& value, const std::string& at,
                                      Findings& findings) const {
  std::size_t fitting = 0;
  for (const auto& one : schemas) {
    Findings inside;
    Check(one.as_object(), value, at, inside);
    if (inside.empty()) ++fitting;
    for (auto& finding : inside) findings.push_back("(one of several) " + finding);
  }
  return fitting;
}

void SchemaRules::CheckObject(const json::object& schema, const json::object& value, const std::string& at,
                              Findings& findings) const {
  if (const auto* required = schema.if_contains("required")) {
    for (const auto& name : required->as_array()) {
      if (!value.contains(name.as_string())) findings.push_back(at + ": lacks " + std::string(name.as_string()));
    }
  }
  const auto* properties = schema.if_contains("properties");
  const auto* others = schema.if_contains("additionalProperties");
  for (const auto& member : value) {
    const std::string below = at + '/' + PointerPart(member.key());
    const auto* known = properties ? properties->as_object().if_contains(member.key()) : nullptr;
    if (known) {
      Check(known->as_object(), member.value(), below, findings);
    } else if (others && others->is_object()) {
      Check(others->as_object(), member.value(), below, findings);
    } else if (others && !others->as_bool()) {
      findings.push_back(below + ": is not in the schema");
    }
  }
}

void SchemaRules::CheckArray(const json::object& schema, const json::array& value, const std::string& at,
                             Findings& findings) const {
  if (value.size() < NumberAt(schema, "minItems", 0)) findings.push_back(at + ": has too few items");
  if (value.size() > NumberAt(schema, "maxItems", kAny)) findings.push_back(at + ": has too many items");
  const auto* items = schema.if_contains("items");
  for (std::size_t i = 0; items && i < value.size(); ++i) {
    Check(items->as_object(), value[i], at + '/' + std::to_string(i), findings);
  }
}

void SchemaRules::CheckText(const json::object& schema, std::string_view value, const std::string& at,
                            Findings& findings) const {
  const auto wrong = [&](const std::string& what) {
    findings.push_back(at + ": " + Shown(json::value(json::string_view(value.data(), value.size()))) + what);
  };
  if (CodePoints(value) < NumberAt(schema, "minLength", 0)) wrong(" is too short");
  if (CodePoints(value) > NumberAt(schema, "maxLength", kAny)) wrong(" is too long");
  if (const auto* pattern = schema.if_contains("pattern")) {
    const std::regex expression(std::string(pattern->as_string()));
    if (!std::regex_search(std::string(value), expression)) wrong(" does not match " + ToText(*pattern));
  }
  if (const auto* format = schema.if_contains("format")) {
    if (*format != "date-time") wrong(": the schema has the format " + ToText(*format));
    if (!value.ends_with('Z') || !ParseTime(value)) wrong(" is no time in UTC");
  }
}

}  // namespace hookswitch
