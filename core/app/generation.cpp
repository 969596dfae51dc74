#include "core/app/generation.h"

#include <algorithm>
#include <utility>

#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/config/kept_text.h"
#include "core/config/references.h"
#include "core/routing/schedule.h"

namespace hookswitch {
namespace {

// The default zone of schedules and plugins: a wrong one is reported once, however many use it.
void CheckTimezone(config::Config& config, config::Problems& problems) {
  if (routing::Zone::Find(config.timezone)) return;
  const std::string wrong = std::exchange(config.timezone, "UTC");
  if (!problems.HasErrorAt(config.timezone_where)) {
    const std::string near = routing::Zone::Nearest(wrong);
    problems.Error(config.timezone_where, static_cast<int>(wrong.size()),
                   "defaults.timezone: \"" + wrong + "\" is not a time zone of this system",
                   near.empty() ? "an IANA name such as Asia/Kolkata" : "did you mean \"" + near + "\"?");
  }
  for (auto& schedule : config.schedules) {
    if (schedule.timezone == wrong) schedule.timezone = config.timezone;
  }
}

// Removes unknown names of schedules: the loader has reported them, or knows that their file could not be read.
void LeaveOutUnknownSchedules(config::Condition& condition, const std::vector<config::Schedule>& schedules) {
  for (auto& child : condition.children) LeaveOutUnknownSchedules(child, schedules);
  if (condition.kind != config::Condition::Kind::kDuring) return;
  std::erase_if(condition.patterns, [&](const auto& pattern) {
    return std::none_of(schedules.begin(), schedules.end(),
                        [&](const auto& schedule) { return schedule.name == pattern.text; });
  });
}

// Adds errors in the rules of a draft that the loader does not find. A schedule's place is its name, where several
// things may be wrong; elsewhere one place has one error. Warnings wait until there are no errors.
void CheckRoutes(config::Config& draft, config::Problems& problems) {
  for (auto& rule : draft.rules) LeaveOutUnknownSchedules(rule.when, draft.schedules);
  config::Problems found;
  (void)RouteTable::Compile(draft, found);
  for (const auto& p : found.All()) {
    if (p.severity != config::Problem::Severity::kError) continue;
    const bool of_schedule = std::any_of(draft.schedules.begin(), draft.schedules.end(), [&](const auto& schedule) {
      return schedule.where.file == p.where.file && schedule.where.line == p.where.line &&
             schedule.where.column == p.where.column;
    });
    if (of_schedule || !problems.HasErrorAt(p.where)) problems.Add(p);
  }
}

class Builder {
 public:
  Builder(const BuildOptions& options, PluginHost& plugins, const Generation* previous, BuildResult& result)
      : options_(options), plugins_(plugins), previous_(previous), result_(result) {}

  BuiltSink Build(const config::Config& config, const config::Sink& sink, const config::Names& names,
                  bool paths_known) {
    if (sink.plugin.empty()) return {};  // of a draft; the error is already reported
    const BuiltSink* before = nullptr;
    if (previous_) {
      if (const auto it = previous_->sinks.find(sink.name); it != previous_->sinks.end()) before = &it->second;
    }
    BuiltSink built;
    // For a plugin that cannot be loaded or creates no instance: a start goes on without it.
    const auto unusable = [&](const Error& why) {
      const int width = static_cast<int>(sink.plugin.size());
      if (options_.tolerate_bad_plugins) {
        built.unavailable_reason = why.message;
      } else if (before && !before->sink && IsAsBefore(sink, *before, built)) {
        built.unavailable_reason = why.message;
        result_.problems.Warning(sink.plugin_where, width, why.message, "the sink stays unavailable, as it was");
      } else if (paths_known || why.code != ErrorCode::kNotFound) {
        result_.problems.Error(sink.plugin_where, width, why.message);
      }
      return built;
    };
    const auto info = Inspected(sink.plugin);
    if (!info) return unusable(info.error());
    if (sink.config.kind != config::Node::Kind::kMap) return built;  // of a draft, as above
    config::Problems problems;
    const auto resolved = PluginHost::Resolve(*info, sink, config.timezone, options_.environment, problems);
    config::CheckReferences(sink, info->config_schema, names, problems);
    // The identity includes secrets: a changed secret needs a new instance, even if the YAML is the same.
    built.identity = resolved.identity;
    if (!problems.HasErrors() && before && before->sink && before->identity == built.identity) {
      for (const auto& p : problems.All()) result_.problems.Add(p);
      built.sink = before->sink;
      return built;
    }
    const std::string ended = plugins_.EndedTheProcess(*info, resolved);
    if (!ended.empty()) return unusable({ErrorCode::kInvalid, ended});
    const Status tried = plugins_.Try(*info, sink, resolved, problems);
    for (const auto& p : problems.All()) result_.problems.Add(p);
    if (!tried) return unusable(tried.error());
    if (problems.HasErrors()) return built;
    if (resolved.lacks_secrets) {
      built.unavailable_reason = "a secret of its config is not there";
      return built;
    }
    auto loaded = plugins_.Load(*info);
    if (!loaded) return unusable(loaded.error());
    auto created = PluginHost::Create(std::move(*loaded), resolved);
    if (!created) return unusable(created.error());
    built.sink = std::move(*created);
    return built;
  }

  /// Of the plugins that were inspected.
  std::map<std::string, std::string, std::less<>> Schemas() const {
    std::map<std::string, std::string, std::less<>> schemas;
    for (const auto& [name, info] : inspected_) {
      if (info) schemas.emplace(name, info->config_schema);
    }
    return schemas;
  }

 private:
  /// True if a reload changes nothing about a sink without an instance: the same plugin and, as far as it could be
  /// inspected, the same file and config.
  bool IsAsBefore(const config::Sink& sink, const BuiltSink& before, const BuiltSink& built) const {
    const auto& sinks = previous_->config.sinks;
    const auto found = std::find_if(sinks.begin(), sinks.end(), [&](const auto& one) { return one.name == sink.name; });
    return found != sinks.end() && found->plugin == sink.plugin &&
           (built.identity == Digest{} || built.identity == before.identity);
  }

  /// Inspects each plugin once: one that hangs is waited for once.
  const Result<PluginInfo>& Inspected(const std::string& name) {
    const auto known = inspected_.find(name);
    if (known != inspected_.end()) return known->second;
    auto file = plugins_.Find(name);
    return inspected_.emplace(name, file ? plugins_.Inspect(*file) : std::move(file).error()).first->second;
  }

  const BuildOptions& options_;
  PluginHost& plugins_;
  const Generation* previous_;
  BuildResult& result_;
  std::map<std::string, Result<PluginInfo>> inspected_;
};

}  // namespace

BuildResult BuildGeneration(const BuildOptions& options, config::Loaded loaded, PluginHost& plugins,
                            const Generation* previous) {
  BuildResult result;
  result.problems = std::move(loaded.problems);
  result.unreadable = loaded.unreadable;
  Builder builder(options, plugins, previous, result);
  if (!loaded.config) {
    if (!loaded.draft) return result;
    config::Config& draft = loaded.draft->config;
    CheckTimezone(draft, result.problems);
    CheckRoutes(draft, result.problems);
    (void)Composer::Compile(draft, result.problems);
    config::Names names = config::NamesOf(draft);
    names.in_doubt = loaded.draft->in_doubt;
    for (const auto& sink : draft.sinks) (void)builder.Build(draft, sink, names, loaded.draft->plugin_paths_known);
    result.problems.Sort();
    return result;
  }

  auto generation = std::make_shared<Generation>();
  generation->number = previous ? previous->number + 1 : 1;
  generation->config = std::move(*loaded.config);
  CheckTimezone(generation->config, result.problems);
  const config::Config& config = generation->config;
  generation->routes = RouteTable::Compile(config, result.problems);
  generation->composer = Composer::Compile(config, result.problems);
  const auto agents = std::make_shared<const AgentMap>(config.agents);
  for (const auto& source : config.sources) generation->sources.emplace(source.name, MakeSource(source, agents));
  auto [hash, text] = config::MakeKeptText(config);
  generation->kept = std::make_shared<const KeptConfig>(KeptConfig{hash, options.now, std::move(text)});
  const config::Names names = config::NamesOf(config);
  for (const auto& sink : config.sinks) {
    generation->sinks.emplace(sink.name, builder.Build(config, sink, names, /*paths_known=*/true));
  }
  generation->plugin_schemas = builder.Schemas();

  result.problems.Sort();
  if (!result.problems.HasErrors()) result.generation = std::move(generation);
  return result;
}

std::shared_ptr<const IngressSnapshot> Generation::MakeIngressSnapshot() const {
  auto snapshot = std::make_shared<IngressSnapshot>();
  for (const auto& source : config.sources) snapshot->endpoints.push_back({source, sources.at(source.name)});
  snapshot->trusted_proxies = config.server.trusted_proxies;
  snapshot->routes = routes;
  snapshot->config = kept;
  for (const auto& [id, agent] : config.agents) snapshot->agents.push_back(agent.name.empty() ? id : agent.name);
  for (const auto& [name, built] : sinks) {
    if (built.sink && built.sink->Advice().updates) snapshot->updating_sinks.insert(name);
  }
  return snapshot;
}

std::shared_ptr<const DeliveryPlan> Generation::MakeDeliveryPlan() const {
  auto plan = std::make_shared<DeliveryPlan>();
  for (const auto& sink : config.sinks) {
    const BuiltSink& built = sinks.at(sink.name);
    DeliveryPlan::Lane lane{sink, built.sink, built.unavailable_reason};
    for (const auto& rule : config.rules) {
      const bool sends =
          std::any_of(rule.send.begin(), rule.send.end(), [&](const auto& target) { return target.sink == sink.name; });
      if (sends) lane.settle = std::max(lane.settle, rule.settle);
    }
    plan->lanes.emplace(sink.name, std::move(lane));
  }
  plan->sources = sources;
  plan->composer = composer;
  plan->notify_problems_to = config.notify_problems_to;
  plan->keep_bodies = config.journal.keep_bodies;
  return plan;
}

}  // namespace hookswitch
