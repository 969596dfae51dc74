#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/config/env_file.h"
#include "core/config/loader.h"
#include "core/config/references.h"
#include "core/config/schema_check.h"
#include "core/config/sink_config.h"

// Any bytes as the main file, as an included one, and as a file of variables give a config or problems with places
// inside the text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hookswitch::config;
  const std::string text(reinterpret_cast<const char*>(data), size);
  Environment environment;
  environment.read_file = [&](const std::string& path, std::string& error) -> std::optional<std::string> {
    if (path == "main.yaml" || path == "more.yaml") return text;
    if (path == "secret") return "hidden-away\n";
    error = "No such file or directory";
    return {};
  };
  environment.list_files = [](const std::string&) { return std::vector<std::string>{"more.yaml"}; };
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    return name == "TOKEN" ? std::optional<std::string>("hidden-away") : std::nullopt;
  };
  for (const auto& [name, value] : ParseEnvFile(text).variables) {
    if (name.empty() || value.size() > text.size()) std::abort();
  }
  const Loaded loaded = Load("main.yaml", environment);
  const bool says_hidden = text.find("hidden-away") != std::string::npos;
  for (const Problem& problem : loaded.problems.All()) {
    const std::string shown = ToText(problem);
    if (!says_hidden && shown.find("hidden-away") != std::string::npos) std::abort();
  }
  if (loaded.config.has_value() == loaded.problems.HasErrors()) std::abort();
  if (!loaded.config) return 0;
  for (const Sink& sink : loaded.config->sinks) {
    constexpr std::string_view kSchema =
        R"({"type":"object","properties":{"a":{"type":"string","x-secret":true},"b":{"anyOf":[{"type":"integer"},)"
        R"({"type":"array","items":{"type":"boolean"}}]},"c":{"type":"object","properties":{"d":{"default":1}}},)"
        R"("e":{"anyOf":[{"type":"string","x-hookswitch-ref":"status"},{"type":"array","items":{"type":"string",)"
        R"("x-hookswitch-ref":"status"}}]},"f":{"type":"object","propertyNames":{"type":"string","x-hookswitch-ref":)"
        R"("status"}},"g":{"type":"string","x-hookswitch-ref":"rule"},"h":{"type":"string","x-hookswitch-ref":"tag"}}})";
    Problems problems;
    CheckAgainstSchema(sink.config, kSchema, "sinks.x.config", sink.where, problems);
    CheckReferences(sink, kSchema, NamesOf(*loaded.config), problems);
    std::vector<std::string> secrets;
    if (!problems.HasErrors()) ResolvePluginConfig(sink.config, kSchema, environment, problems, secrets);
    Locate(WithStatuses(sink.config, kSchema), "/c/d/0");
    for (const Problem& problem : problems.All()) ToText(problem);
  }
  return 0;
}
