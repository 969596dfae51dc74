#include "core/cli/schema_keys.h"

#include <algorithm>
#include <set>

#include "core/base/text.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"

namespace hookswitch::cli {
namespace {

std::string TextOf(const json::value& value) {
  return value.is_string() ? std::string(value.get_string()) : ToText(value);
}

class Walk {
 public:
  explicit Walk(const json::object& root) : root_(root) {}

  std::vector<SchemaKey> Take() {
    Below(root_, "");
    return std::move(keys_);
  }

 private:
  std::string TypeOf(const json::object& schema) const {
    if (config::Flag(schema, "x-secret")) return "a secret: {env: NAME} or {file: PATH}";
    if (const auto expected = config::TextAt(schema, "x-expected"); !expected.empty()) return std::string(expected);
    if (const auto* values = schema.if_contains("enum"); values && values->is_array()) {
      std::vector<std::string> texts;
      for (const auto& value : values->get_array()) texts.push_back(TextOf(value));
      return Joined(texts, ", ");
    }
    const auto* type = schema.if_contains("type");
    if (!type) return "any";
    if (type->is_string()) {
      const auto* items = schema.if_contains("items");
      if (type->get_string() != "array" || !items) return std::string(config::PlainWords(type->get_string()));
      return "a list of: " + TypeOf(config::Resolve(root_, *items));
    }
    std::vector<std::string> names;
    if (type->is_array()) {
      for (const auto& one : type->get_array()) names.emplace_back(config::PlainWords(TextOf(one)));
    }
    return Joined(names, " or ");
  }

  void Add(const std::string& path, const json::value& property, bool required) {
    const json::object& own = property.as_object();
    const json::object& schema = config::Resolve(root_, property);
    SchemaKey key{path, TypeOf(schema), std::string(config::TextAt(own, "description")), "", required};
    if (key.description.empty()) key.description = config::TextAt(schema, "description");
    if (const json::value* otherwise = config::DefaultOf(root_, property)) key.otherwise = ToText(*otherwise);
    keys_.push_back(std::move(key));
    Below(schema, path);
  }

  /// The keys of what `schema` allows; `path` is that of the value.
  void Below(const json::object& schema, const std::string& path) {
    // A secret's own keys, env and file, are part of its type.
    if (config::Flag(schema, "x-secret") || (config::Flag(schema, "x-once") && !shown_.insert(&schema).second)) return;
    if (!open_.insert(&schema).second) return;
    const std::string before = path.empty() ? "" : path + '.';
    const auto* required = schema.if_contains("required");
    if (const auto* properties = config::ObjectAt(schema, "properties")) {
      for (const auto& [name, property] : *properties) {
        const bool must_be = required && required->is_array() &&
                             std::ranges::find(required->get_array(), json::value(name)) != required->get_array().end();
        if (property.is_object()) Add(before + std::string(name), property, must_be);
      }
    }
    if (const auto* patterns = config::ObjectAt(schema, "patternProperties")) {
      for (const auto& [pattern, property] : *patterns) {
        if (property.is_object()) Add(before + NameOf(pattern), property, false);
      }
    }
    if (const auto* more = config::ObjectAt(schema, "additionalProperties")) {
      Below(config::Resolve(root_, *more), before + "<name>");
    }
    if (const auto* items = config::ObjectAt(schema, "items")) Below(config::Resolve(root_, *items), path + "[]");
    if (const auto* any = schema.if_contains("anyOf"); any && any->is_array()) {
      for (const auto& branch : any->get_array()) Below(config::Resolve(root_, branch), path);
    }
    open_.erase(&schema);
  }

  /// What keys of a pattern look like: "data.<path>" for "^data\..+", "<name>" for what is no beginning of a name.
  static std::string NameOf(std::string_view pattern) {
    std::string name;
    if (pattern.starts_with('^')) pattern.remove_prefix(1);
    while (!pattern.empty() && pattern != ".+") {
      if (pattern.starts_with("\\.")) pattern.remove_prefix(1);
      const char c = pattern.front();
      const bool is_plain = c == '.' || c == '-' || c == '_' || (c >= 'a' && c <= 'z');
      if (!is_plain) return "<name>";
      name += c;
      pattern.remove_prefix(1);
    }
    return name + (pattern.empty() ? "<name>" : "<path>");
  }

  const json::object& root_;
  std::set<const json::object*> open_;
  std::set<const json::object*> shown_;  // of those that are shown once
  std::vector<SchemaKey> keys_;
};

}  // namespace

std::vector<SchemaKey> KeysOf(const json::object& schema) {
  return Walk(schema).Take();
}

}  // namespace hookswitch::cli
