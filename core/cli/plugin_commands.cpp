#include <algorithm>
#include <iostream>

#include "core/base/json.h"
#include "core/cli/commands.h"
#include "core/config/loader.h"

namespace hookswitch::cli {

Result<std::filesystem::path> FindPlugin(const PluginHost& plugins, const std::string& name_or_path) {
  const bool is_path = name_or_path.find('/') != std::string::npos || name_or_path.ends_with(".so");
  if (!is_path) return plugins.Find(name_or_path);
  return std::filesystem::absolute(name_or_path);
}

int WithPlugins(const Options& options, int (*run)(const Options&, PluginHost&)) {
  // Without a config, the plugins beside the program are used.
  const config::Loaded loaded = config::Load(options.config, config::Environment::System());
  return run(options, *PluginsFor(loaded.Readable(), options.program));
}

namespace {

json::object Describe(const PluginInfo& info) {
  boost::system::error_code ignored;
  return {{"id", info.id},
          {"version", info.version},
          {"kind", info.kind == Sink::Kind::kHttp ? "http" : "call"},
          {"summary", info.summary},
          {"abi", std::to_string(info.abi_major) + '.' + std::to_string(info.abi_minor)},
          {"file", info.file.string()},
          {"sha256", info.hash},
          {"config_schema", json::parse(info.config_schema, ignored)}};
}

std::string Join(const json::value& type) {
  if (type.is_string()) return std::string(type.get_string());
  std::string text;
  if (type.is_array()) {
    for (const auto& item : type.get_array()) {
      text += (text.empty() ? "" : " or ") + (item.is_string() ? std::string(item.get_string()) : ToText(item));
    }
  }
  return text.empty() ? "any" : text;
}

/// What a text, a list's items and a map's keys must name: ", names a rule"; "" for any text.
std::string Names(const json::object& spec) {
  const auto names = [](const json::object* text, const std::string& words) -> std::string {
    const json::value* ref = text ? text->if_contains("x-hookswitch-ref") : nullptr;
    if (!ref || !ref->is_string()) return "";
    const std::string what(ref->get_string());
    return words + (what == "agent" ? "an " : "a ") + what + (what == "status" ? " or a group" : "");
  };
  const auto member = [&](const char* key) {
    const json::value* value = spec.if_contains(key);
    return value ? value->if_object() : nullptr;
  };
  return names(&spec, ", names ") + names(member("items"), ", each names ") +
         names(member("propertyNames"), ", each key names ");
}

void PrintKeys(const json::value& schema, const std::string& prefix);

/// Prints the keys below a key: an object's own, and those of a list's items as "key[].name".
void PrintBelow(const json::object& spec, const std::string& key) {
  if (spec.contains("properties")) PrintKeys(spec, key + ".");
  const json::value* items = spec.if_contains("items");
  if (items && items->is_object()) PrintBelow(items->get_object(), key + "[]");
}

void PrintKeys(const json::value& schema, const std::string& prefix) {
  const json::value* properties = schema.is_object() ? schema.get_object().if_contains("properties") : nullptr;
  if (!properties || !properties->is_object()) return;
  const json::value* required = schema.get_object().if_contains("required");
  for (const auto& [name, value] : properties->get_object()) {
    const auto& spec = value.as_object();
    const std::string key = prefix + std::string(name);
    auto text = [&](const char* of) { return spec.contains(of) ? spec.at(of) : json::value(); };
    std::cout << "  " << key << " (" << (spec.contains("enum") ? Join(spec.at("enum")) : Join(text("type")));
    if (required && required->is_array() &&
        std::count(required->get_array().begin(), required->get_array().end(), json::value(name)) > 0) {
      std::cout << ", required";
    }
    if (text("x-secret").is_bool() && text("x-secret").get_bool()) std::cout << ", secret";
    std::cout << Names(spec);
    if (!text("default").is_null()) std::cout << ", default " << ToText(text("default"));
    std::cout << ")\n";
    if (text("description").is_string()) std::cout << "      " << text("description").get_string().c_str() << '\n';
    PrintBelow(spec, key);
  }
}

int List(const Options& options, PluginHost& plugins) {
  int exit_code = kFine;
  json::array all;
  for (const auto& file : plugins.List()) {
    auto info = plugins.Inspect(file);
    if (!info) {
      exit_code = kProblems;
      std::cerr << info.error().message << '\n';
      continue;
    }
    if (options.format == Format::kJson) {
      all.push_back(Describe(*info));
    } else {
      std::cout << info->id << ' ' << info->version << "  " << info->summary << "\n    " << info->file.string() << '\n';
    }
  }
  if (options.format == Format::kJson) std::cout << ToText(all, 2) << '\n';
  return exit_code;
}

int InspectOne(const Options& options, PluginHost& plugins) {
  const auto file = FindPlugin(plugins, options.file);
  if (!file) return Fail(file.error().message);
  auto info = plugins.Inspect(*file);
  if (!info) return Fail(info.error().message);
  const json::object description = Describe(*info);
  if (options.format == Format::kJson) {
    std::cout << ToText(description, 2) << '\n';
    return kFine;
  }
  std::cout << info->id << ' ' << info->version << " (" << (info->kind == Sink::Kind::kHttp ? "HTTP" : "call")
            << " sink, ABI " << info->abi_major << '.' << info->abi_minor << ")\n"
            << info->summary << "\nfile: " << info->file.string() << "\nsha256: " << info->hash << '\n';
  std::cout << "config:\n";
  PrintKeys(description.at("config_schema"), "");
  return kFine;
}

}  // namespace

int PluginList(const Options& options) {
  return WithPlugins(options, List);
}

int PluginInspect(const Options& options) {
  return WithPlugins(options, InspectOne);
}

}  // namespace hookswitch::cli
