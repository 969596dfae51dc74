#include "core/config/references.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/base/ip_address.h"
#include "core/base/text.h"
#include "core/config/scalars.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"

namespace hookswitch::config {
namespace {

using Places = std::map<std::string, Mark, std::less<>>;

template <class T>
Places PlacesOf(const std::vector<T>& things) {
  Places places;
  for (const T& thing : things) places.emplace(thing.name, thing.where);
  return places;
}

int WidthOf(std::string_view name) {
  return static_cast<int>(name.size());
}

/// True if strangers may have addresses in it, so not for a private network (10.0.0.0/8, fd00::/8).
bool IsPublic(const Network& network) {
  const bool holds_too_much = network.bits < (network.address.size == 4 ? 8 : 7);
  return holds_too_much || IsPublicAddress(network.text.substr(0, network.text.find('/')));
}

bool HasWildcard(std::string_view text) {
  return text.find_first_of("*?") != std::string_view::npos;
}

/// Limits comparisons that only serve suggestions: a config of 200,000 rules has as many names to compare each with.
class CompareBudget {
 public:
  /// True if `names` more may be compared.
  bool Allows(std::size_t names) { return (used_ += names) <= kMost; }

 private:
  static constexpr std::size_t kMost = 5'000'000;
  std::size_t used_ = 0;
};

// Ids and names, sorted.
std::vector<std::string> AgentNames(const Config& config) {
  std::vector<std::string> names;
  for (const auto& [id, agent] : config.agents) {
    names.push_back(id);
    if (!agent.name.empty()) names.push_back(agent.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

// An id need not be listed under `agents`, so only a probable typo is reported.
void CheckAgentName(const std::string& name, const Mark& where, const std::vector<std::string>& known,
                    CompareBudget& budget, Problems& problems) {
  if (HasWildcard(name) || std::binary_search(known.begin(), known.end(), name) || !budget.Allows(known.size())) return;
  const std::string near = Nearest(name, known);
  if (near.empty()) return;
  problems.Warning(where, WidthOf(name), "no agent \"" + name + "\" is listed under agents",
                   "did you mean \"" + near + "\"?");
}

void CollectTexts(const Node& value, std::set<std::string_view>& texts) {
  if (value.kind == Node::Kind::kScalar) texts.insert(value.scalar);
  for (const Node& item : value.list) CollectTexts(item, texts);
  for (const Node::Entry& entry : value.map) {
    texts.insert(entry.key);
    CollectTexts(entry.value, texts);
  }
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
        templates_(PlacesOf(config.templates)),
        agent_names_(AgentNames(config)) {
    for (const auto& [id, agent] : config.agents) tags_.insert(agent.tags.begin(), agent.tags.end());
    for (const Sink& sink : config.sinks) sinks_by_name_.emplace(sink.name, &sink);
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
    // A file with errors may not yet say what it is meant to say.
    if (problems_.HasErrors()) return;
    CheckOpenSources();
    CheckMessagesPerCall();
    CheckChains();
    CheckUnused();
  }

 private:
  void CheckNotify(const Sink& sink) {
    if (sink.notify_problems_to.empty()) return;
    if (sink.notify_problems_to == sink.name) {
      problems_.Error(sink.notify_where, WidthOf(sink.name), "a sink that is broken cannot tell of it itself",
                      "name another sink");
    } else if (checked_notify_places_.insert(ToText(sink.notify_where))
                   .second) {  // the default applies to many sinks: check it once
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
            "first at " + ToText(it->second->where));
      }
    }
  }

  /// A connected call ends twice: when it is cut off, and when its processing is complete.
  void CheckMessagesPerCall() {
    const auto rule = std::find_if(config_.rules.begin(), config_.rules.end(), [](const Rule& one) {
      return one.leaves_status && !one.drop && !one.send.empty() && !one.newest_only && one.settle.count() == 0;
    });
    if (rule == config_.rules.end()) return;
    problems_.Warning(
        rule->where, 1,
        "rule \"" + rule->name +
            "\" names no status or stage, so it hears of a call when it is cut (call-disconnected) and again when "
            "it is completed: two messages a call",
        "stage: final with settle: 15m for one; defaults.status: ended if both are meant");
  }

  void CheckOpenSources() {
    const bool is_local = IsLoopback(config_.server.listen.host);
    for (const Source& source : config_.sources) {
      if (source.auth || source.verify) continue;
      const std::string name = "source \"" + source.name + "\"";
      const auto& allowed = source.allow_ips;
      if (allowed.empty()) {
        if (!is_local)
          problems_.Warning(source.where, WidthOf(source.name), "anyone may post to " + name, "add auth or verify");
      } else if (std::any_of(allowed.begin(), allowed.end(), IsPublic)) {
        // A platform sends for all its customers from the same addresses. Also if the listener is local: it may be
        // behind a proxy.
        problems_.Warning(source.where, WidthOf(source.name),
                          name + " has allow_ips alone: anybody who uses the same platform posts from these addresses",
                          "add auth or verify");
      }
    }
  }

  void CheckRules() {
    std::map<std::string, const Rule*, std::less<>> names;
    for (const Rule& rule : config_.rules) {
      const auto [it, fresh] = names.emplace(rule.name, &rule);
      if (!fresh) {
        problems_.Error(rule.where, 1, "two rules are called \"" + rule.name + "\"",
                        "first at " + ToText(it->second->where));
      }
      std::set<std::string_view> sinks;
      for (const SendTarget& target : rule.send) {
        CheckTarget(target);
        if (!sinks.insert(target.sink).second) {
          problems_.Warning(target.where, WidthOf(target.sink),
                            "rule \"" + rule.name + "\" names sink \"" + target.sink + "\" twice; the first counts");
        }
      }
      CheckCondition(rule.when, rule.drop);
    }
  }

  void CheckTarget(const SendTarget& target) {
    CheckUse("sink", target.sink, target.where, sinks_, used_sinks_);
    if (!target.template_name.empty()) {
      CheckUse("template", target.template_name, target.template_where, templates_, used_templates_);
    }
  }

  void CheckCondition(const Condition& condition, bool drops) {
    for (const Condition& child : condition.children) CheckCondition(child, drops);
    for (const Pattern& pattern : condition.patterns) {
      if (condition.kind == Condition::Kind::kDuring) {
        CheckUse("schedule", pattern.text, pattern.where, schedules_, used_schedules_);
      } else if (condition.kind == Condition::Kind::kSource) {
        CheckSourcePattern(pattern);
      } else if (condition.kind == Condition::Kind::kAgent) {
        CheckAgentName(pattern.text, pattern.where, agent_names_, budget_, problems_);
      } else if (condition.kind == Condition::Kind::kTags && !drops) {
        CheckTag(pattern);  // a rule that drops may name a tag in advance
      } else if (condition.kind == Condition::Kind::kData) {
        CheckComparison(pattern);
      }
    }
  }

  void CheckTag(const Pattern& pattern) {
    if (tags_.contains(pattern.text) || in_doubt_.contains("agents") || !budget_.Allows(tags_.size())) return;
    const bool any =
        std::any_of(tags_.begin(), tags_.end(), [&](const auto& tag) { return GlobMatch(pattern.text, tag); });
    if (any) return;
    const std::string near = Nearest(pattern.text, {tags_.begin(), tags_.end()});
    problems_.Warning(pattern.where, WidthOf(pattern.text),
                      HasWildcard(pattern.text) ? "no agent has a tag like \"" + pattern.text + '"'
                                                : "no agent has the tag \"" + pattern.text + '"',
                      near.empty() ? "tags are given under agents" : "did you mean \"" + near + "\"?");
  }

  // Data values are compared as text.
  void CheckComparison(const Pattern& pattern) {
    if (pattern.mode != Pattern::Mode::kExact && pattern.mode != Pattern::Mode::kGlob) return;
    const std::string_view text = pattern.text;
    const auto end = text.find_first_not_of("<>=!");
    if (end == 0 || end == std::string::npos) return;
    const std::string_view bound = Trim(text.substr(end));
    const bool is_number = !bound.empty() && (bound.front() == '-' || (bound.front() >= '0' && bound.front() <= '9'));
    if (!is_number) return;
    problems_.Warning(pattern.where, WidthOf(pattern.text),
                      "\"" + pattern.text +
                          "\" is taken as text, not as a comparison: only a value that is written "
                          "so matches",
                      "a value, a glob, or {regex: …}, such as {regex: \"^(8[0-9]|9[0-9]|100)$\"} for 80 to 100");
  }

  void CheckSourcePattern(const Pattern& pattern) {
    if (HasWildcard(pattern.text)) {
      if (!budget_.Allows(sources_.size())) return;
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
    std::string near;
    if (budget_.Allows(known.size())) {
      std::vector<std::string> names;
      for (const auto& [key, place] : known) names.push_back(key);
      near = Nearest(name, names);
    }
    if (!near.empty()) used.insert(near);  // the mistake is reported once, not again as an unused name
    problems_.Error(where, WidthOf(name), std::string(what) + " \"" + name + "\" is not defined",
                    near.empty() ? std::string() : "did you mean \"" + near + "\" (" + ToText(known.at(near)) + ")?");
  }

  void CheckCircles() {
    std::set<std::string_view> done;
    for (const Sink& start : config_.sinks) {
      std::vector<const Sink*> walk;
      std::map<const Sink*, std::ptrdiff_t> places;
      for (const Sink* at = &start; at; at = FallbackOf(*at)) {
        const auto [seen, fresh] = places.emplace(at, static_cast<std::ptrdiff_t>(walk.size()));
        if (!fresh) {
          Circle({walk.begin() + seen->second, walk.end()});
          break;
        }
        if (done.contains(at->name)) break;
        walk.push_back(at);
      }
      for (const Sink* sink : walk) done.insert(sink->name);
    }
  }

  const Sink* FallbackOf(const Sink& sink) const {
    const auto next = sinks_by_name_.find(sink.fallback);
    return next == sinks_by_name_.end() ? nullptr : next->second;
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
      const Sink* next = FallbackOf(sink);
      if (!next || next->fallback.empty()) continue;
      problems_.Warning(sink.fallback_where, WidthOf(sink.fallback),
                        "sink \"" + next->name + "\" has a fallback itself, \"" + next->fallback +
                            "\": the fallback of a fallback is not used",
                        "what \"" + next->name + "\" gets from \"" + sink.name + "\" and gives up is dead");
    }
  }

  void CheckUnused() {
    for (const Sink& sink : config_.sinks) Unused("sink", sink, used_sinks_, "no rule sends to it");
    for (const Template& one : config_.templates) Unused("template", one, used_templates_, "no rule uses it");
    // A text in a plugin's config may name a schedule; the plugin's schema is not known here.
    std::set<std::string_view> in_plugins;
    if (!config_.schedules.empty()) {
      for (const Sink& sink : config_.sinks) CollectTexts(sink.config, in_plugins);
    }
    for (const Schedule& one : config_.schedules) {
      if (!in_plugins.contains(one.name)) Unused("schedule", one, used_schedules_, "no rule uses it");
    }
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
  std::map<std::string_view, const Sink*> sinks_by_name_;
  CompareBudget budget_;
  std::set<std::string> tags_;
  std::set<std::string, std::less<>> used_sinks_, used_schedules_, used_templates_;
  std::set<std::string> checked_notify_places_;
};

// The names in a plugin's config.
class PluginNames {
 public:
  PluginNames(const json::object& root, const Names& names, Problems& problems)
      : root_(root), names_(names), problems_(problems) {}

  void Walk(const Node& value, const json::object& schema, int depth = 0) {
    if (const auto* branches = schema.if_contains("anyOf"); branches && branches->is_array() && depth < kMaxAnyOf) {
      const json::object* branch = ChooseBranch(value, root_, branches->get_array(), depth);
      if (branch) Walk(value, *branch, depth + 1);
      return;
    }
    if (value.kind == Node::Kind::kScalar) return CheckName(value, RefOf(schema));
    if (const auto* items = schema.if_contains("items")) {
      for (const Node& item : value.list) Walk(item, Resolve(root_, *items));
    }
    const auto* names = schema.if_contains("propertyNames");
    for (const Node::Entry& entry : value.map) {
      if (names) CheckName(KeyAsNode(entry), RefOf(Resolve(root_, *names)));
      if (const json::value* property = PropertySchema(schema, entry.key)) Walk(entry.value, Resolve(root_, *property));
    }
  }

 private:
  static constexpr int kMaxAnyOf = 8;

  void CheckName(const Node& name, std::string_view ref) {
    if (ref.empty() || problems_.HasErrorAt(name.where)) return;
    if (ref == "rule") CheckKnown(name, "rule", names_.rules, "rules", /*globs=*/true);
    if (ref == "tag") CheckKnown(name, "tag", names_.tags, "agents", /*globs=*/true);
    if (ref == "schedule") CheckKnown(name, "schedule", names_.schedules, "schedules", /*globs=*/false);
    if (ref == "agent") CheckAgentName(name.scalar, name.where, names_.agents, budget_, problems_);
  }

  void CheckKnown(const Node& name, const std::string& what, const std::vector<Names::Named>& known,
                  std::string_view section, bool globs) {
    const bool glob = globs && HasWildcard(name.scalar);
    const auto find = [&known](const std::string& wanted) {
      const auto it = std::ranges::lower_bound(known, wanted, {}, &Names::Named::name);
      return it != known.end() && it->name == wanted ? it : known.end();
    };
    if (find(name.scalar) != known.end() || names_.in_doubt.contains(section)) return;
    if (glob && std::any_of(known.begin(), known.end(),
                            [&](const Names::Named& one) { return GlobMatch(name.scalar, one.name); })) {
      return;
    }
    if (glob) {
      problems_.Error(name.where, Width(name), "no " + what + " matches \"" + name.scalar + '"');
      return;
    }
    std::string near;
    if (budget_.Allows(known.size())) {
      std::vector<std::string> names;
      for (const Names::Named& one : known) names.push_back(one.name);
      near = Nearest(name.scalar, names);
    }
    const auto it = find(near);
    const bool has_place = it != known.end() && it->where.file;
    problems_.Error(name.where, Width(name),
                    what + " \"" + name.scalar + (what == "tag" ? "\" is a tag of no agent" : "\" is not defined"),
                    near.empty() ? std::string()
                                 : "did you mean \"" + near + '"' +
                                       (has_place ? " (" + ToText(it->where) + ")?" : std::string("?")));
  }

  const json::object& root_;
  const Names& names_;
  Problems& problems_;
  CompareBudget budget_;
};

}  // namespace

Names NamesOf(const Config& config) {
  Names names;
  for (const Rule& rule : config.rules) names.rules.push_back({rule.name, rule.where});
  if (!config.unmatched.empty()) names.rules.push_back({"unmatched", config.unmatched.front().where});
  for (const Schedule& schedule : config.schedules) names.schedules.push_back({schedule.name, schedule.where});
  for (const auto& [id, agent] : config.agents) {
    for (const std::string& tag : agent.tags) names.tags.push_back({tag, {}});
  }
  for (auto* named : {&names.rules, &names.tags, &names.schedules}) {
    std::ranges::stable_sort(*named, {}, &Names::Named::name);
  }
  names.agents = AgentNames(config);
  return names;
}

void CheckReferences(const Sink& sink, std::string_view schema, const Names& names, Problems& problems) {
  json::error_code error;
  const json::value parsed = json::parse(json::string_view(schema.data(), schema.size()), error);
  if (error || !parsed.is_object()) return;
  PluginNames(parsed.get_object(), names, problems).Walk(sink.config, parsed.get_object());
}

void CheckReferences(const Config& config, const std::set<std::string, std::less<>>& in_doubt, Problems& problems) {
  References(config, in_doubt, problems).CheckAll();
}

}  // namespace hookswitch::config
