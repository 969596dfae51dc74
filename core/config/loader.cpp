#include "core/config/loader.h"

#include "core/config/map_reader.h"

#include <algorithm>
#include <array>
#include <list>
#include <map>
#include <set>

#include "core/base/check.h"
#include "core/config/assemble.h"
#include "core/config/privacy.h"
#include "core/config/references.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"
#include "core/config/secrets.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::config {
namespace {

constexpr std::size_t kMostProblems = 200;
constexpr std::size_t kMostFiles = 1000;
// Keys that included files may have; their maps and lists are merged.
constexpr std::array<std::string_view, 7> kSharedKeys = {"version",   "sources", "agents",   "sinks",
                                                         "schedules", "rules",   "templates"};

class Loader {
 public:
  Loader(const Environment& environment, Problems& problems) : environment_(environment), problems_(problems) {}

  /// False if the main file cannot be read. No draft if nothing could be made of it.
  bool Read(const std::string& path, std::optional<Draft>& draft) {
    std::string error;
    const auto text = environment_.read_file ? environment_.read_file(path, error) : std::nullopt;
    if (!text) {
      problems_.Error({std::make_shared<const SourceFile>(path, std::string()), 0, 0}, 1,
                      "cannot read the config: " + error);
      return false;
    }
    const auto file = MakeSourceFile(path, *text);
    files_.push_back(file);
    auto root = ParseYaml(file, problems_);
    if (!root) return true;
    if (root->kind == Node::Kind::kNull) {
      problems_.Error({file, 0, 0}, 1, "the config is empty",
                      "config/hookswitch.yaml is a first one, and config/README.md has every key");
      return true;
    }
    documents_.push_back(std::move(*root));
    const Node& main = documents_.back();
    HidePrivate(main, ConfigSchema());
    Check(main, ConfigSchema(), "", {file, 0, 0}, problems_);
    if (const Node* include = main.Find("include")) ReadIncludes(*include, path);
    Sections sections = Merge(main);
    Config& config = draft.emplace().config;
    config = Assemble(sections, environment_, problems_);
    config.file = path;
    config.files = std::move(files_);
    const auto in_doubt = SectionsInDoubt();
    draft->plugin_paths_known = !in_doubt.contains("plugins") && !PluginsHaveErrors(main);
    draft->in_doubt = in_doubt;
    CheckReferences(config, in_doubt, problems_);
    if (problems_.HasErrors()) return true;
    if (config.sources.empty()) problems_.Warning({file, 0, 0}, 1, "no sources: nothing can come in");
    if (config.rules.empty() && config.unmatched.empty()) {
      problems_.Warning({file, 0, 0}, 1, "no rules: every event is recorded and nothing is sent");
    }
    return true;
  }

 private:
  void ReadIncludes(const Node& include, const std::string& main_path) {
    std::vector<std::string> seen = {main_path};
    for (const Node& item : include.list) {
      if (item.kind != Node::Kind::kScalar) continue;
      const std::string pattern = RelativeTo(main_path, item.scalar);
      const bool glob = item.scalar.find_first_of("*?[") != std::string::npos;
      std::vector<std::string> paths = {pattern};
      if (glob) paths = environment_.list_files ? environment_.list_files(pattern) : std::vector<std::string>();
      for (const std::string& path : paths) {
        if (std::find(seen.begin(), seen.end(), path) != seen.end()) continue;
        if (seen.size() > kMostFiles) {
          problems_.Error(item.where, Width(item), "more than " + std::to_string(kMostFiles) + " files");
          return;
        }
        seen.push_back(path);
        ReadInclude(path, item);
      }
    }
  }

  void ReadInclude(const std::string& path, const Node& item) {
    std::string error;
    const auto text = environment_.read_file(path, error);
    if (!text) {
      problems_.Error(item.where, Width(item), "cannot read " + path + ": " + error);
      all_read_ = false;
      return;
    }
    const auto file = MakeSourceFile(path, *text);
    files_.push_back(file);
    auto root = ParseYaml(file, problems_);
    if (!root) all_read_ = false;
    if (!root || root->kind == Node::Kind::kNull) return;
    if (root->kind != Node::Kind::kMap) {
      // It may be any file, so its content is not shown.
      problems_.Error(item.where, Width(item), path + " is no part of a config",
                      "a file to include holds sections such as rules: or sinks:");
      all_read_ = false;
      return;
    }
    documents_.push_back(std::move(*root));
    Node& document = documents_.back();
    HidePrivate(document, ConfigSchema());
    std::erase_if(document.map, [&](const Node::Entry& entry) {
      const bool known = ConfigSchema().at("properties").get_object().contains(entry.key);
      if (!known || std::find(kSharedKeys.begin(), kSharedKeys.end(), entry.key) != kSharedKeys.end()) return false;
      problems_.Error(entry.key_where, KeyWidth(entry),
                      "\"" + entry.key + "\" belongs in the main file, not in one that it includes");
      return true;
    });
    Check(document, ConfigSchema(), "", {file, 0, 0}, problems_);
  }

  // Sections that may be incomplete, because of a file that could not be read or a wrong key.
  std::set<std::string, std::less<>> SectionsInDoubt() const {
    std::set<std::string, std::less<>> names;
    if (!all_read_) names.insert(kSharedKeys.begin(), kSharedKeys.end());
    for (const Node& document : documents_) {
      for (const Node::Entry& entry : document.map) {
        if (!problems_.HasErrorAt(entry.key_where)) continue;
        const bool known = ConfigSchema().at("properties").get_object().contains(entry.key);
        names.insert(known ? entry.key : NearestKey(entry.key, ConfigSchema()));
      }
      if (HasUnknownKey(document.Find("rules"))) names.insert("rules");  // perhaps a misspelled `name`
      if (HasUnknownKey(document.Find("agents"))) names.insert("agents");
      if (document.Find("include") && WithoutFaults(document, problems_).Find("include") == nullptr) {
        names.insert(kSharedKeys.begin(), kSharedKeys.end());
      }
    }
    return names;
  }

  bool HasUnknownKey(const Node* section) const {
    if (!section) return false;
    const auto in_map = [&](const Node& map) { return HasFaultyKey(map, problems_); };
    return std::any_of(section->list.begin(), section->list.end(), in_map) ||
           std::any_of(section->map.begin(), section->map.end(),
                       [&](const Node::Entry& entry) { return in_map(entry.value); });
  }

  bool PluginsHaveErrors(const Node& main) const {
    return main.Find("plugins") && WithoutFaults(main, problems_).Find("plugins") == nullptr;
  }

  Sections Merge(const Node& main) {
    Sections sections;
    sections.server = main.Find("server");
    sections.admin = main.Find("admin");
    sections.journal = main.Find("journal");
    sections.cluster = main.Find("cluster");
    sections.state_dir = main.Find("state_dir");
    sections.inspector = main.Find("inspector");
    sections.log = main.Find("log");
    sections.plugins = main.Find("plugins");
    sections.defaults = main.Find("defaults");
    sections.unmatched = main.Find("unmatched");
    MergeMaps("sources", "source", sections.sources);
    MergeMaps("agents", "agent", sections.agents);
    MergeMaps("sinks", "sink", sections.sinks);
    MergeMaps("schedules", "schedule", sections.schedules);
    MergeMaps("templates", "template", sections.templates);
    for (const Node& document : documents_) {
      const Node* rules = document.Find("rules");
      if (!rules) continue;
      for (const Node& rule : rules->list) sections.rules.push_back(&rule);
    }
    return sections;
  }

  void MergeMaps(std::string_view key, std::string_view what, std::vector<const Node::Entry*>& merged) {
    std::map<std::string_view, const Node::Entry*> seen;
    for (const Node& document : documents_) {
      const Node* section = document.Find(key);
      if (!section) continue;
      for (const Node::Entry& entry : section->map) {
        const auto [it, fresh] = seen.emplace(entry.key, &entry);
        if (fresh) {
          merged.push_back(&entry);
          continue;
        }
        problems_.Error(entry.key_where, KeyWidth(entry), std::string(what) + " \"" + entry.key + "\" is defined twice",
                        "first at " + ToText(it->second->key_where));
      }
    }
  }

  const Environment& environment_;
  Problems& problems_;
  bool all_read_ = true;
  std::vector<std::shared_ptr<const SourceFile>> files_;
  std::list<Node> documents_;  // the main file first; Sections borrow from them
};

}  // namespace

Loaded Load(const std::string& path, const Environment& environment) {
  Loaded loaded;
  if (environment.refresh) environment.refresh(loaded.problems);
  loaded.unreadable = !Loader(environment, loaded.problems).Read(path, loaded.draft);
  loaded.problems.Sort();
  if (!loaded.problems.HasErrors()) {
    HSW_CHECK(loaded.draft, "without a config there is an error that says why");
    loaded.config = std::move(loaded.draft->config);
    loaded.draft.reset();
  }
  // With that many problems, looking for more is pointless.
  if (loaded.problems.All().size() > kMostProblems) loaded.draft.reset();
  loaded.problems.Truncate(kMostProblems);
  return loaded;
}

}  // namespace hookswitch::config
