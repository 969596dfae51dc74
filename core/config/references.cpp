#include <algorithm>
#include <map>
#include <set>

#include "core/base/text.h"
#include "core/config/assemble.h"
#include "core/config/scalars.h"

namespace hookswitch::config {
namespace {

using Places = std::map<std::string, Mark, std::less<>>;

std::string PlaceOf(const Mark& mark) {
  return (mark.file ? mark.file->path : std::string("config")) + ':' + std::to_string(mark.line) + ':' +
         std::to_string(mark.column);
}

template <class T>
Places PlacesOf(const std::vector<T>& things) {
  Places places;
  for (const T& thing : things) places.emplace(thing.name, thing.where);
  return places;
}

int WidthOf(std::string_view name) {
  return static_cast<int>(name.size());
}

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

class References {
 public:
  References(const Config& config, const std::set<std::string, std::less<>>& in_doubt, Problems& problems)
      : config_(config),
        in_doubt_(in_doubt),
        problems_(problems),
        sources_(PlacesOf(config.sources)),
        sinks_(PlacesOf(config.sinks)),
        schedules_(PlacesOf(config.schedules)),
        templates_(PlacesOf(config.templates)) {
    for (const auto& [id, agent] : config.agents) {
      agent_names_.push_back(id);
      if (!agent.name.empty()) agent_names_.push_back(agent.name);
    }
  }

  void CheckAll() {
    CheckSources();
    CheckRules();
    for (const SendTarget& target : config_.unmatched) CheckTarget(target);
    for (const Sink& sink : config_.sinks) {
      if (!sink.fallback.empty()) CheckUse("sink", sink.fallback, sink.fallback_where, sinks_, used_sinks_);
      CheckNotify(sink);
    }
    CheckCircles();
    // What stands in a file with errors may not say yet what it means to say.
    if (problems_.HasErrors()) return;
    CheckOpenSources();
    CheckChains();
    CheckUnused();
  }

 private:
  void CheckNotify(const Sink& sink) {
    if (sink.notify_problems_to.empty()) return;
    if (sink.notify_problems_to == sink.name) {
      problems_.Error(sink.notify_where, WidthOf(sink.name), "a sink that is broken cannot tell of it itself",
                      "name another sink");
    } else if (told_.insert(PlaceOf(sink.notify_where)).second) {  // the default stands once and holds for many
      CheckUse("sink", sink.notify_problems_to, sink.notify_where, sinks_, used_sinks_);
    }
  }

  void CheckSources() {
    std::map<std::string, const Source*, std::less<>> paths;
    for (const Source& source : config_.sources) {
      if (source.name == kOwnSource) {
        problems_.Error(source.where, WidthOf(source.name),
                        "no source can be called \"hookswitch\": that is what its own notices come from");
      }
      if (source.path.empty()) continue;
      const auto [it, fresh] = paths.emplace(source.path, &source);
      if (!fresh) {
        problems_.Error(
            source.where, WidthOf(source.name),
            "source \"" + source.name + "\" has the path of source \"" + it->second->name + "\": " + source.path,
            "first at " + PlaceOf(it->second->where));
      }
    }
  }

  void CheckOpenSources() {
    if (IsLoopback(config_.server.listen.host)) return;
    for (const Source& source : config_.sources) {
      if (source.auth || !source.allow_ips.empty()) continue;
      problems_.Warning(source.where, WidthOf(source.name), "anyone may post to source \"" + source.name + "\"",
                        "set auth or allow_ips");
    }
  }

  void CheckRules() {
    std::map<std::string, const Rule*, std::less<>> names;
    for (const Rule& rule : config_.rules) {
      const auto [it, fresh] = names.emplace(rule.name, &rule);
      if (!fresh) {
        problems_.Error(rule.where, 1, "two rules are called \"" + rule.name + "\"",
                        "first at " + PlaceOf(it->second->where));
      }
      std::set<std::string_view> sinks;
      for (const SendTarget& target : rule.send) {
        CheckTarget(target);
        if (!sinks.insert(target.sink).second) {
          problems_.Warning(target.where, WidthOf(target.sink),
                            "rule \"" + rule.name + "\" names sink \"" + target.sink + "\" twice; the first counts");
        }
      }
      CheckCondition(rule.when);
    }
  }

  void CheckTarget(const SendTarget& target) {
    CheckUse("sink", target.sink, target.where, sinks_, used_sinks_);
    if (!target.template_name.empty()) {
      CheckUse("template", target.template_name, target.template_where, templates_, used_templates_);
    }
  }

  void CheckCondition(const Condition& condition) {
    for (const Condition& child : condition.children) CheckCondition(child);
    for (const Pattern& pattern : condition.patterns) {
      if (condition.kind == Condition::Kind::kDuring) {
        CheckUse("schedule", pattern.text, pattern.where, schedules_, used_schedules_);
      } else if (condition.kind == Condition::Kind::kSource) {
        CheckSourcePattern(pattern);
      } else if (condition.kind == Condition::Kind::kAgent && !HasWildcard(pattern.text)) {
        // An id need not be listed under `agents`, so only what looks like a slip of the pen is worth a word.
        const bool known = std::find(agent_names_.begin(), agent_names_.end(), pattern.text) != agent_names_.end();
        const std::string near = known ? std::string() : Nearest(pattern.text, agent_names_);
        if (!near.empty()) {
          problems_.Warning(pattern.where, WidthOf(pattern.text),
                            "no agent \"" + pattern.text + "\" is listed under agents",
                            "did you mean \"" + near + "\"?");
        }
      }
    }
  }

  void CheckSourcePattern(const Pattern& pattern) {
    if (HasWildcard(pattern.text)) {
      const bool any = std::any_of(sources_.begin(), sources_.end(),
                                   [&](const auto& source) { return GlobMatch(pattern.text, source.first); });
      if (!any) problems_.Warning(pattern.where, WidthOf(pattern.text), "no source matches \"" + pattern.text + '"');
      return;
    }
    std::set<std::string, std::less<>> unused;
    CheckUse("source", pattern.text, pattern.where, sources_, unused);
  }

  void CheckUse(std::string_view what, const std::string& name, const Mark& where, const Places& known,
                std::set<std::string, std::less<>>& used) {
    if (known.contains(name)) {
      used.insert(name);
      return;
    }
    if (problems_.HasErrorAt(where) || in_doubt_.contains(std::string(what) + 's')) return;
    std::vector<std::string> names;
    for (const auto& [key, place] : known) names.push_back(key);
    const std::string near = Nearest(name, names);
    if (!near.empty()) used.insert(near);  // the mistake is reported once, not again as an unused name
    problems_.Error(where, WidthOf(name), std::string(what) + " \"" + name + "\" is not defined",
                    near.empty() ? std::string() : "did you mean \"" + near + "\" (" + PlaceOf(known.at(near)) + ")?");
  }

  void CheckCircles() {
    std::map<std::string_view, const Sink*> by_name;
    for (const Sink& sink : config_.sinks) by_name.emplace(sink.name, &sink);
    std::set<std::string_view> done;
    for (const Sink& start : config_.sinks) {
      std::vector<const Sink*> walk;
      for (const Sink* at = &start; at;) {
        const auto seen = std::find(walk.begin(), walk.end(), at);
        if (seen != walk.end()) {
          Circle({seen, walk.end()});
          break;
        }
        if (done.contains(at->name)) break;
        walk.push_back(at);
        const auto next = by_name.find(at->fallback);
        at = at->fallback.empty() || next == by_name.end() ? nullptr : next->second;
      }
      for (const Sink* sink : walk) done.insert(sink->name);
    }
  }

  void Circle(const std::vector<const Sink*>& sinks) {
    std::string path;
    for (const Sink* sink : sinks) path += sink->name + " -> ";
    path += sinks.front()->name;
    const Sink& last = *sinks.back();
    problems_.Error(last.fallback_where, WidthOf(last.fallback), "fallback goes in a circle: " + path);
  }

  void CheckChains() {
    for (const Sink& sink : config_.sinks) {
      const auto next = std::find_if(config_.sinks.begin(), config_.sinks.end(),
                                     [&](const Sink& other) { return other.name == sink.fallback; });
      if (sink.fallback.empty() || next == config_.sinks.end() || next->fallback.empty()) continue;
      problems_.Warning(sink.fallback_where, WidthOf(sink.fallback),
                        "sink \"" + next->name + "\" has a fallback itself, \"" + next->fallback +
                            "\": the fallback of a fallback is not used",
                        "what \"" + next->name + "\" gets from \"" + sink.name + "\" and gives up is dead");
    }
  }

  void CheckUnused() {
    for (const Sink& sink : config_.sinks) Unused("sink", sink, used_sinks_, "no rule sends to it");
    for (const Template& one : config_.templates) Unused("template", one, used_templates_, "no rule uses it");
    for (const Schedule& one : config_.schedules) Unused("schedule", one, used_schedules_, "no rule uses it");
  }

  template <class T>
  void Unused(std::string_view what, const T& thing, const std::set<std::string, std::less<>>& used,
              std::string_view why) {
    if (used.contains(thing.name)) return;
    problems_.Warning(thing.where, WidthOf(thing.name),
                      std::string(what) + " \"" + thing.name + "\" is not used: " + std::string(why));
  }

  const Config& config_;
  const std::set<std::string, std::less<>>& in_doubt_;
  Problems& problems_;
  Places sources_, sinks_, schedules_, templates_;
  std::vector<std::string> agent_names_;
  std::set<std::string, std::less<>> used_sinks_, used_schedules_, used_templates_;
  std::set<std::string> told_;
};

}  // namespace

void CheckReferences(const Config& config, const std::set<std::string, std::less<>>& in_doubt, Problems& problems) {
  References(config, in_doubt, problems).CheckAll();
}

}  // namespace hookswitch::config
