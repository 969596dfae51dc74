#include "core/config/loader.h"

#include <algorithm>
#include <array>
#include <list>
#include <map>

#include "core/base/json.h"
#include "core/config/assemble.h"
#include "core/config/schema.h"
#include "core/config/secrets.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::config {
namespace {

constexpr std::size_t kMostProblems = 200;
constexpr std::size_t kMostFiles = 1000;
// Where several files may add to one map or list.
constexpr std::array<std::string_view, 7> kSharedKeys = {"version",   "sources", "agents",   "sinks",
                                                         "schedules", "rules",   "templates"};

const json::object& ConfigSchema() {
  static const json::value schema = json::parse(json::string_view(SchemaText().data(), SchemaText().size()));
  return schema.get_object();
}

class Loader {
 public:
  Loader(const Environment& environment, Problems& problems) : environment_(environment), problems_(problems) {}

  /// False if the main file cannot be read.
  bool Read(const std::string& path, std::optional<Config>& config) {
    std::string error;
    const auto text = environment_.read_file ? environment_.read_file(path, error) : std::nullopt;
    if (!text) {
      problems_.Error({std::make_shared<const SourceFile>(SourceFile{path, {}}), 0, 0}, 1,
                      "cannot read the config: " + error);
      return false;
    }
    const auto file = MakeSourceFile(path, *text);
    auto root = ParseYaml(file, problems_);
    if (!root) return true;
    if (root->kind == Node::Kind::kNull) {
      problems_.Error({file, 0, 0}, 1, "the config is empty", "see the README for a first one");
      return true;
    }
    documents_.push_back(std::move(*root));
    const Node& main = documents_.back();
    Check(main, ConfigSchema(), "", {file, 0, 0}, problems_);
    if (const Node* include = main.Find("include")) ReadIncludes(*include, path);
    Sections sections = Merge(main);
    config = Assemble(sections, environment_, problems_);
    config->file = path;
    CheckReferences(*config, problems_);
    if (problems_.HasErrors()) return true;
    if (config->sources.empty()) problems_.Warning({file, 0, 0}, 1, "no sources: nothing can come in");
    if (config->rules.empty() && config->unmatched.empty()) {
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
      return;
    }
    const auto file = MakeSourceFile(path, *text);
    auto root = ParseYaml(file, problems_);
    if (!root || root->kind == Node::Kind::kNull) return;
    documents_.push_back(std::move(*root));
    Node& document = documents_.back();
    std::erase_if(document.map, [&](const Node::Entry& entry) {
      const bool known = ConfigSchema().at("properties").get_object().contains(entry.key);
      if (!known || std::find(kSharedKeys.begin(), kSharedKeys.end(), entry.key) != kSharedKeys.end()) return false;
      problems_.Error(entry.key_where, KeyWidth(entry),
                      "\"" + entry.key + "\" belongs in the main file, not in one that it includes");
      return true;
    });
    Check(document, ConfigSchema(), "", {file, 0, 0}, problems_);
  }

  Sections Merge(const Node& main) {
    Sections sections;
    sections.server = main.Find("server");
    sections.admin = main.Find("admin");
    sections.journal = main.Find("journal");
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
        const Mark& first = it->second->key_where;
        problems_.Error(
            entry.key_where, KeyWidth(entry), std::string(what) + " \"" + entry.key + "\" is defined twice",
            "first at " + first.file->path + ':' + std::to_string(first.line) + ':' + std::to_string(first.column));
      }
    }
  }

  const Environment& environment_;
  Problems& problems_;
  std::list<Node> documents_;  // the main file first; Sections borrow from them
};

}  // namespace

Loaded Load(const std::string& path, const Environment& environment) {
  Loaded loaded;
  loaded.unreadable = !Loader(environment, loaded.problems).Read(path, loaded.config);
  loaded.problems.Sort();
  if (loaded.problems.HasErrors()) loaded.config.reset();
  loaded.problems.Truncate(kMostProblems);
  return loaded;
}

}  // namespace hookswitch::config
