#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hookswitch/sink.h"

namespace hookswitch::plugins {

/// An hsw_config and the data it points to.
class PluginConfig {
 public:
  /// `json` must be an object; its scalars become values with dotted keys, list elements with their index ("ids.0").
  PluginConfig(std::string sink, std::string json, std::string timezone);
  PluginConfig(const PluginConfig&) = delete;
  PluginConfig& operator=(const PluginConfig&) = delete;
  const hsw_config* get() const { return &raw_; }
  const std::string& sink() const { return sink_; }
  const std::string& json() const { return json_; }
  const std::string& timezone() const { return timezone_; }

 private:
  std::string sink_, json_, timezone_;
  std::vector<std::pair<std::string, std::string>> values_;
  std::vector<hsw_pair> pairs_;
  hsw_config raw_{};
};

}  // namespace hookswitch::plugins
