#include "core/config/provenance.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/config/privacy.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::config {
namespace {

using PluginSchemas = std::map<std::string, json::value, std::less<>>;

std::string Below(const std::string& path, std::string_view key) {
  const bool plain = !key.empty() && key.find_first_of(". []\"") == std::string_view::npos;
  std::string name(key);
  if (!plain) {
    name.clear();
    AppendJsonString(name, key);
  }
  return path.empty() ? name : path + "." + name;
}

/// Walks values beside the schema that describes them.
class Collector {
 public:
  Collector(ConfigValues& values, std::size_t most, const PluginSchemas& plugins)
      : values_(values), most_(most), plugins_(plugins) {}

  /// A value and all that is in it. `root`: of `schema`, for its references.
  void Walk(const Node& value, const json::object& root, const json::object& outer, const std::string& path) {
    const json::object& schema = BranchOf(value, root, outer);
    if (Flag(outer, "x-secret") || Flag(schema, "x-secret")) return AddSecret(value, path);
    switch (value.kind) {
      case Node::Kind::kNull:
        if (schema.contains("properties")) return AddDefaults(value, root, schema, path);
        return Add(path, nullptr, value);
      case Node::Kind::kScalar: return AddScalar(value, schema, path);
      case Node::Kind::kList: return WalkList(value, root, schema, path);
      case Node::Kind::kMap: return WalkMap(value, root, schema, path);
    }
  }

  /// The defaults of what `map` does not have.
  void AddDefaults(const Node& map, const json::object& root, const json::object& schema, const std::string& path) {
    const auto* properties = ObjectAt(schema, "properties");
    if (!properties || std::ranges::find(inside_, &schema) != inside_.end()) return;
    inside_.push_back(&schema);
    for (const auto& [key, property] : *properties) {
      if (map.FindEntry(key)) continue;
      const std::string below = Below(path, key);
      if (const auto* preset = DefaultOf(root, property)) {
        Add({below, *preset, "default"});
        continue;
      }
      const json::object& own = Resolve(root, property);
      // Where something is required, an absent map is not one with defaults.
      if (own.contains("properties") && !own.contains("required")) AddDefaults({}, root, own, below);
    }
    inside_.pop_back();
  }

 private:
  void Add(ConfigValue value) {
    if (values_.all.size() < most_) {
      values_.all.push_back(std::move(value));
    } else {
      ++values_.left_out;
    }
  }
  void Add(const std::string& path, json::value value, const Node& node) {
    Add({path, std::move(value), ToText(node.where)});
  }
  void AddSecret(const Node& value, const std::string& path, std::string source = {}) {
    for (const char* kind : {"env", "file"}) {
      const Node* name = value.Find(kind);
      if (name && name->kind == Node::Kind::kScalar && !IsHidden(*name)) source = kind + (" " + name->scalar);
    }
    Add({path, nullptr, ToText(value.where), true, std::move(source)});
  }

  void AddScalar(const Node& value, const json::object& schema, const std::string& path) {
    IsHidden(value) ? AddSecret(value, path) : Add(path, ScalarValue(value, schema), value);
  }

  // A list of scalars is one value.
  void WalkList(const Node& list, const json::object& root, const json::object& schema, const std::string& path) {
    const auto* described = schema.if_contains("items");
    const json::object none;
    const json::object& items = described ? Resolve(root, *described) : none;
    const bool is_one = std::ranges::all_of(list.list, [&](const Node& item) {
      return item.kind == Node::Kind::kScalar && !IsHidden(item) && !Flag(BranchOf(item, root, items), "x-secret");
    });
    if (!is_one) {
      std::size_t i = 0;
      for (const Node& item : list.list) Walk(item, root, items, path + "[" + std::to_string(i++) + "]");
      return;
    }
    json::array array;
    for (const Node& item : list.list) array.push_back(ScalarValue(item, BranchOf(item, root, items)));
    Add(path, std::move(array), list);
  }

  void WalkMap(const Node& map, const json::object& root, const json::object& schema, const std::string& path) {
    const json::object none;
    for (const Node::Entry& entry : map.map) {
      const json::value* property = PropertySchema(schema, entry.key);
      const json::object& own = property ? Resolve(root, *property) : none;
      const std::string below = Below(path, IsHidden(entry) ? "***" : std::string_view(entry.key));
      if (&root == &ConfigSchema() && IsPluginConfig(own, map, entry)) {
        WalkPluginConfig(map, entry, below);
      } else {
        Walk(entry.value, root, own, below);
      }
    }
    AddDefaults(map, root, schema, path);
  }

  static bool IsPluginConfig(const json::object& own, const Node& map, const Node::Entry& entry) {
    return entry.key == "config" && IsOpen(own) && map.Find("plugin");
  }

  void WalkPluginConfig(const Node& sink, const Node::Entry& config, const std::string& path) {
    const auto schema = plugins_.find(sink.Find("plugin")->scalar);
    if (schema == plugins_.end()) return AddSecret(config.value, path);
    const json::object& root = schema->second.get_object();
    Walk(config.value, root, root, path);
  }

  ConfigValues& values_;
  const std::size_t most_;
  const PluginSchemas& plugins_;
  std::vector<const json::object*> inside_{};  // of AddDefaults: schemas may hold themselves
};

// Shows what the plugin's schema says is no secret.
void ShowPluginConfigs(const Node& document, const std::map<std::string, std::string, std::less<>>& schemas) {
  const Node* sinks = document.Find("sinks");
  if (!sinks) return;
  for (const Node::Entry& sink : sinks->map) {
    const Node* plugin = sink.value.Find("plugin");
    const Node* config = sink.value.Find("config");
    const auto schema = plugin ? schemas.find(plugin->scalar) : schemas.end();
    if (!config || schema == schemas.end()) continue;
    Problems known;
    CheckAgainstSchema(*config, schema->second, "config", config->where, known);
  }
}

}  // namespace

ConfigValues ValuesOf(const Config& config, const std::map<std::string, std::string, std::less<>>& plugin_schemas,
                      std::size_t most) {
  PluginSchemas plugins;
  for (const auto& [name, text] : plugin_schemas) {
    json::error_code error;
    json::value schema = json::parse(text, error);
    if (!error && schema.is_object()) plugins.emplace(name, std::move(schema));
  }
  Node merged;
  merged.kind = Node::Kind::kMap;
  for (const auto& file : config.files) {
    // A copy: parsing and checking add to what a file hides, which others may be reading.
    const auto copy = std::make_shared<const SourceFile>(file->path, file->text);
    Problems known;
    auto document = ParseYaml(copy, known);
    if (!document) continue;
    HidePrivate(*document, ConfigSchema());
    ShowPluginConfigs(*document, plugin_schemas);
    for (Node::Entry& entry : document->map) {
      Node* first = nullptr;
      for (Node::Entry& known_entry : merged.map) {
        if (known_entry.key == entry.key) first = &known_entry.value;
      }
      if (!first) {
        merged.map.push_back(std::move(entry));
        continue;
      }
      for (Node& item : entry.value.list) first->list.push_back(std::move(item));
      for (Node::Entry& item : entry.value.map) first->map.push_back(std::move(item));
    }
  }
  ConfigValues values;
  Collector collector(values, most, plugins);
  const json::object& schema = ConfigSchema();
  for (const auto& [name, property] : schema.at("properties").get_object()) {
    const json::object& own = Resolve(schema, property);
    if (const Node* section = merged.Find(name)) {
      collector.Walk(*section, schema, own, std::string(name));
      continue;
    }
    const json::object only_this{{"properties", {{name, property}}}};
    collector.AddDefaults({}, schema, only_this, "");
  }
  return values;
}

}  // namespace hookswitch::config
