#include "core/plugins/plugin_config.h"

#include "core/base/json.h"
#include "core/plugins/tools.h"

namespace hookswitch::plugins {
namespace {

void Flatten(const json::value& value, const std::string& key, std::vector<std::pair<std::string, std::string>>& out) {
  auto below = [&](std::string_view name) { return key.empty() ? std::string(name) : key + "." + std::string(name); };
  if (const auto* object = value.if_object()) {
    for (const auto& [name, member] : *object) Flatten(member, below(std::string_view(name)), out);
  } else if (const auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) Flatten((*list)[i], below(std::to_string(i)), out);
  } else if (const auto* text = value.if_string()) {
    out.emplace_back(key, std::string_view(*text));
  } else if (!value.is_null()) {
    out.emplace_back(key, ToText(value));
  }
}

}  // namespace

PluginConfig::PluginConfig(std::string sink, std::string json, std::string timezone)
    : sink_(std::move(sink)), json_(std::move(json)), timezone_(std::move(timezone)) {
  boost::system::error_code error;
  const auto value = json::parse(json_, error, {}, DeepEnoughForConfigs());
  if (!error) Flatten(value, "", values_);
  for (const auto& [name, text] : values_) pairs_.push_back({{name.data(), name.size()}, {text.data(), text.size()}});
  raw_.size = sizeof raw_;
  raw_.name = {sink_.data(), sink_.size()};
  raw_.json = {json_.data(), json_.size()};
  raw_.values = pairs_.data();
  raw_.value_count = pairs_.size();
  raw_.timezone = timezone_.c_str();
  raw_.tools = HostTools();
}

}  // namespace hookswitch::plugins
