#include "core/app/generation.h"

#include "core/base/ids.h"
#include "core/base/log.h"

namespace hookswitch {
namespace {

class Builder {
 public:
  Builder(const BuildOptions& options, PluginHost& plugins, const Generation* previous, BuildResult& result)
      : options_(options), plugins_(plugins), previous_(previous), result_(result) {}

  BuiltSink Build(const config::Config& config, const config::Sink& sink) {
    const BuiltSink* before = nullptr;
    if (previous_) {
      if (const auto it = previous_->sinks.find(sink.name); it != previous_->sinks.end()) before = &it->second;
    }
    BuiltSink built;
    auto plugin = Open(sink.plugin);
    if (!plugin) {
      const std::string& why = plugin.error().message;
      if (options_.tolerate_bad_plugins || (before && !before->sink)) {
        built.unavailable_because = why;
      } else {
        result_.problems.Error(sink.plugin_where, static_cast<int>(sink.plugin.size()), why);
      }
      return built;
    }
    config::Problems problems;
    plugins_.Check(*plugin->loaded, sink, config.timezone, options_.environment, problems);
    for (const auto& p : problems.All()) Add(p);
    if (problems.HasErrors()) return built;

    // Secrets count: a changed secret file must make a new instance although the YAML says the same.
    config::Problems told_already;
    std::vector<std::string> secrets;
    const std::string resolved = config::ResolvePluginConfig(sink.config, plugin->info.config_schema, options_.environment,
                                                             told_already, secrets);
    built.identity = DigestOf(plugin->info.hash + '\n' + config.timezone + '\n' + sink.name + '\n' + resolved);
    if (before && before->sink && before->identity == built.identity) {
      built.sink = before->sink;
      return built;
    }
    auto created = plugins_.Create(plugin->loaded, sink, config.timezone, options_.environment);
    if (created) {
      built.sink = std::move(*created);
    } else {
      result_.problems.Error(sink.where, 1, "sink \"" + sink.name + "\": " + created.error().message);
    }
    return built;
  }

 private:
  struct Opened {
    PluginInfo info;
    std::shared_ptr<Plugin> loaded;
  };

  Result<Opened> Open(const std::string& name) {
    auto file = plugins_.Find(name);
    if (!file) return std::move(file).error();
    auto info = plugins_.Inspect(*file);
    if (!info) return std::move(info).error();
    auto loaded = plugins_.Load(*info);
    if (!loaded) return std::move(loaded).error();
    return Opened{std::move(*info), std::move(*loaded)};
  }

  void Add(const config::Problem& p) {
    if (p.severity == config::Problem::Severity::kError) {
      result_.problems.Error(p.where, p.width, p.message, p.hint);
    } else {
      result_.problems.Warning(p.where, p.width, p.message, p.hint);
    }
  }

  const BuildOptions& options_;
  PluginHost& plugins_;
  const Generation* previous_;
  BuildResult& result_;
};

}  // namespace

BuildResult BuildGeneration(const BuildOptions& options, PluginHost& plugins, const Generation* previous) {
  BuildResult result;
  config::Loaded loaded = config::Load(options.config_path, options.environment);
  result.problems = std::move(loaded.problems);
  result.unreadable = loaded.unreadable;
  if (!loaded.config) {
    result.problems.Sort();
    return result;
  }

  auto generation = std::make_shared<Generation>();
  generation->number = previous ? previous->number + 1 : 1;
  generation->config = std::move(*loaded.config);
  const config::Config& config = generation->config;
  generation->routes = RouteTable::Compile(config, result.problems);
  generation->composer = Composer::Compile(config, result.problems);
  const auto agents = std::make_shared<const AgentMap>(config.agents);
  for (const auto& source : config.sources) generation->sources.emplace(source.name, MakeSource(source, agents));
  Builder builder(options, plugins, previous, result);
  for (const auto& sink : config.sinks) generation->sinks.emplace(sink.name, builder.Build(config, sink));

  result.problems.Sort();
  if (!result.problems.HasErrors()) result.generation = std::move(generation);
  return result;
}

std::shared_ptr<const IngressSnapshot> Generation::MakeIngressSnapshot() const {
  auto snapshot = std::make_shared<IngressSnapshot>();
  for (const auto& source : config.sources) snapshot->endpoints.push_back({source, sources.at(source.name)});
  snapshot->trusted_proxies = config.server.trusted_proxies;
  snapshot->routes = routes;
  return snapshot;
}

std::shared_ptr<const DeliveryPlan> Generation::MakeDeliveryPlan() const {
  auto plan = std::make_shared<DeliveryPlan>();
  for (const auto& sink : config.sinks) {
    const BuiltSink& built = sinks.at(sink.name);
    plan->lanes.emplace(sink.name, DeliveryPlan::Lane{sink, built.sink, built.unavailable_because});
  }
  plan->sources = sources;
  plan->composer = composer;
  return plan;
}

}  // namespace hookswitch
