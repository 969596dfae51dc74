#pragma once
#include <memory>
#include <string>

#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_sink.h"

namespace hookswitch::test {

/// The sink `name` as it was built, through the real ABI, with `config` as it would come from the YAML file.
inline Result<std::shared_ptr<Sink>> LoadSink(const std::string& name, const std::string& config,
                                              const std::vector<std::string>& secrets = {}) {
  const std::filesystem::path file = std::string(HSW_BINARY_DIR) + "/lib/hookswitch/sinks/" + name + ".so";
  auto sink = plugins::OpenLibrary(file, file);
  if (!sink) return std::move(sink).error();
  auto plugin = std::make_shared<Plugin>();
  plugin->sink = *sink;
  plugin->info = plugins::Describe(*sink, file);
  return plugins::MakePluginSink(std::move(plugin), std::make_shared<const plugins::PluginConfig>("ops", config, "UTC"),
                                 plugins::Masker(secrets));
}

/// What the sink's own check finds wrong with `config`: "/key: problem", one a line.
inline std::string ProblemsOf(const std::string& name, const std::string& config) {
  const std::filesystem::path file = std::string(HSW_BINARY_DIR) + "/lib/hookswitch/sinks/" + name + ".so";
  auto sink = plugins::OpenLibrary(file, file);
  if (!sink) return sink.error().message;
  if (!sink->check) return "";
  std::string problems;
  const auto report = [](void* context, hsw_str pointer, hsw_str problem) {
    static_cast<std::string*>(context)
        ->append(pointer.data ? pointer.data : "", pointer.size)
        .append(": ")
        .append(problem.data, problem.size)
        .append("\n");
  };
  sink->check(plugins::PluginConfig("ops", config, "UTC").get(), report, &problems);
  return problems;
}

}  // namespace hookswitch::test
