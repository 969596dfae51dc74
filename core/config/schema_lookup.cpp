#include "core/config/schema_lookup.h"

#include <re2/re2.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "core/base/text.h"
#include "core/config/scalars.h"
#include "core/config/schema_text.h"

namespace hookswitch::config {
namespace {

const json::object kAnything;

// Cached: one file needs the same few patterns thousands of times, and compiling one costs more than the rest of a
// check.
const RE2& Compiled(std::string_view pattern) {
  constexpr std::size_t kMost = 256;
  thread_local std::map<std::string, std::unique_ptr<RE2>, std::less<>> cache;
  if (const auto it = cache.find(pattern); it != cache.end()) return *it->second;
  if (cache.size() >= kMost) cache.clear();
  RE2::Options options;
  options.set_log_errors(false);
  return *cache.emplace(pattern, std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options))
              .first->second;
}

bool MayHold(const json::object& root, const json::object& schema, std::set<const json::object*>& seen) {
  if (Flag(schema, "x-secret") || IsOpen(schema)) return true;
  if (!seen.insert(&schema).second) return false;
  const auto below = [&](const json::value& value) { return MayHold(root, Resolve(root, value), seen); };
  for (const char* members : {"properties", "patternProperties"}) {
    const auto* properties = ObjectAt(schema, members);
    if (!properties) continue;
    if (std::any_of(properties->begin(), properties->end(), [&](const auto& one) { return below(one.value()); })) {
      return true;
    }
  }
  for (const char* member : {"items", "additionalProperties"}) {
    if (const auto* value = schema.if_contains(member); value && value->is_object() && below(*value)) return true;
  }
  const auto* branches = schema.if_contains("anyOf");
  return branches && branches->is_array() &&
         std::any_of(branches->get_array().begin(), branches->get_array().end(), below);
}

}  // namespace

const json::object& ConfigSchema() {
  static const json::value schema = json::parse(json::string_view(SchemaText().data(), SchemaText().size()));
  return schema.get_object();
}

bool IsOpen(const json::object& schema) {
  if (schema.contains("anyOf") || schema.contains("enum") || schema.contains("const")) return false;
  if (!schema.contains("type")) return true;
  if (AllowsType(schema, "object")) {
    const auto* others = schema.if_contains("additionalProperties");
    return !schema.contains("properties") && !schema.contains("patternProperties") && (!others || others->is_bool());
  }
  return AllowsType(schema, "array") && !schema.contains("items");
}

bool MayHoldSecrets(const json::object& root, const json::object& schema) {
  std::set<const json::object*> seen;
  return MayHold(root, schema, seen);
}

bool IsPattern(std::string_view pattern) {
  return Compiled(pattern).ok();
}

bool Matches(std::string_view text, std::string_view pattern) {
  const RE2& expression = Compiled(pattern);
  return !expression.ok() || RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression);
}

std::optional<std::size_t> CountAt(const json::object& schema, std::string_view key) {
  const auto* value = schema.if_contains(key);
  if (value && value->is_int64() && value->get_int64() >= 0) return static_cast<std::size_t>(value->get_int64());
  return {};
}

const json::object& Resolve(const json::object& root, const json::value& schema) {
  constexpr int kMostHops = 16;
  const json::value* at = &schema;
  for (int hop = 0; hop < kMostHops; ++hop) {
    if (!at->is_object()) return kAnything;
    const auto ref = TextAt(at->get_object(), "$ref");
    if (ref.empty()) return at->get_object();
    constexpr std::string_view kPrefix = "#/definitions/";
    const auto* definitions = ObjectAt(root, "definitions");
    if (!ref.starts_with(kPrefix) || !definitions) return kAnything;
    at = definitions->if_contains(ref.substr(kPrefix.size()));
    if (!at) return kAnything;
  }
  return kAnything;
}

const json::object* ObjectAt(const json::object& schema, std::string_view key) {
  const auto* value = schema.if_contains(key);
  return value ? value->if_object() : nullptr;
}

bool Flag(const json::object& schema, std::string_view key) {
  const auto* value = schema.if_contains(key);
  return value && value->is_bool() && value->get_bool();
}

std::string_view TextAt(const json::object& schema, std::string_view key) {
  const auto* value = schema.if_contains(key);
  return value && value->is_string() ? std::string_view(value->get_string()) : std::string_view();
}

std::string_view RefOf(const json::object& schema) {
  return TextAt(schema, "x-hookswitch-ref");
}

bool MayBeList(const json::object& root, const json::object& schema) {
  const auto* branches = schema.if_contains("anyOf");
  return branches && branches->is_array() &&
         std::any_of(branches->get_array().begin(), branches->get_array().end(), [&](const json::value& branch) {
           const json::object& one = Resolve(root, branch);
           return one.contains("type") && AllowsType(one, "array");
         });
}

const json::value* PropertySchema(const json::object& schema, std::string_view key) {
  if (const auto* properties = ObjectAt(schema, "properties")) {
    if (const auto* property = properties->if_contains(key)) return property;
  }
  if (const auto* patterns = ObjectAt(schema, "patternProperties")) {
    for (const auto& pattern : *patterns) {
      if (Matches(key, pattern.key())) return &pattern.value();
    }
  }
  const auto* others = schema.if_contains("additionalProperties");
  return others && others->is_object() ? others : nullptr;
}

bool AllowsType(const json::object& schema, std::string_view type) {
  const auto* types = schema.if_contains("type");
  if (!types) return true;
  if (types->is_string()) return types->get_string() == type;
  return types->is_array() &&
         std::any_of(types->get_array().begin(), types->get_array().end(),
                     [&](const json::value& one) { return one.is_string() && one.get_string() == type; });
}

bool ScalarIs(const Node& value, std::string_view type) {
  if (type == "string") return true;
  if (value.quoted) return false;
  if (type == "boolean") return value.scalar == "true" || value.scalar == "false";
  if (type == "integer") return ParseInteger(value.scalar).has_value();
  return type == "number" && ParseNumber(value.scalar).has_value();
}

json::value ScalarValue(const Node& value, const json::object& schema) {
  const bool typed = schema.contains("type");
  const bool open = !typed && !value.quoted;
  if (open && ScalarIs(value, "boolean")) return value.scalar == "true";
  if (open && ScalarIs(value, "integer")) return *ParseInteger(value.scalar);
  const bool digits = value.scalar.find_first_not_of("0123456789") == std::string::npos;  // too many for an integer
  if (open && !digits && ScalarIs(value, "number")) return *ParseNumber(value.scalar);
  if (typed && !AllowsType(schema, "string")) {
    if (AllowsType(schema, "boolean") && ScalarIs(value, "boolean")) return value.scalar == "true";
    if (AllowsType(schema, "integer") && ScalarIs(value, "integer")) return *ParseInteger(value.scalar);
    if (AllowsType(schema, "number") && ScalarIs(value, "number")) return *ParseNumber(value.scalar);
  }
  return json::value(value.scalar);
}

const json::value* DefaultOf(const json::object& root, const json::value& property) {
  if (!property.is_object()) return nullptr;
  if (const auto* preset = property.get_object().if_contains("default")) return preset;
  return Resolve(root, property).if_contains("default");
}

std::string FormOf(const json::object& schema) {
  if (const auto words = TextAt(schema, "x-expected"); !words.empty()) return std::string(words);
  const auto* examples = schema.if_contains("examples");
  if (!examples || !examples->is_array() || examples->get_array().empty()) return {};
  const json::value& first = examples->get_array().front();
  return first.is_string() ? "one such as " + std::string(first.get_string()) : std::string();
}

std::string_view TextFault(std::string_view text, const json::object& schema) {
  if (const auto least = CountAt(schema, "minLength"); least && CodePoints(text) < *least) return "too short";
  if (const auto most = CountAt(schema, "maxLength"); most && CodePoints(text) > *most) return "too long";
  const auto pattern = TextAt(schema, "pattern");
  if (!pattern.empty() && !Matches(text, pattern)) return "not of the expected form";
  return {};
}

}  // namespace hookswitch::config
