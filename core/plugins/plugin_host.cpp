#include "core/plugins/plugin_host.h"

#include <algorithm>
#include <set>

#include "core/plugins/library_file.h"
#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_sink.h"

namespace hookswitch {

namespace fs = std::filesystem;

struct PluginHost::Impl {
  std::vector<fs::path> paths;
  fs::path private_dir, inspector;
  std::map<std::string, PluginInfo> inspected;            ///< by hash
  std::map<std::string, std::shared_ptr<Plugin>> loaded;  ///< by hash
};

namespace {

bool IsPluginName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string Join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

struct ReportContext {
  const config::Sink& sink;
  const config::Node& checked;  ///< what the plugin was shown of its config
  const config::Node given;     ///< all of it, groups of statuses spelled out as the plugin has them
  const plugins::Masker& masker;
  config::Problems& problems;
};

/// How much of the line at `where`, a place inside `node`, is the value that stands there.
int WidthAt(const config::Node& node, const config::Mark& where) {
  if (node.where.line == where.line && node.where.column == where.column) return config::Width(node);
  int width = 1;
  for (const auto& child : node.list) width = std::max(width, WidthAt(child, where));
  for (const auto& entry : node.map) width = std::max(width, WidthAt(entry.value, where));
  return width;
}

void Report(void* context, hsw_str pointer, hsw_str problem) {
  auto& to = *static_cast<ReportContext*>(context);
  const std::string_view where(pointer.data, pointer.data ? pointer.size : 0);
  const std::string_view text(problem.data, problem.data ? problem.size : 0);
  // What is said of anything that the plugin was not shown may only follow from what was left out.
  const bool whole = to.checked.map.size() == to.sink.config.map.size();
  const std::string_view key = where.substr(0, where.find('/', 1));
  if (!whole && (key.empty() || !to.checked.Find(key.substr(1)))) return;
  const config::Mark mark = config::Locate(to.given, where);
  to.problems.Error(mark, WidthAt(to.sink.config, mark),
                    "sinks." + to.sink.name + ": " + to.masker.Mask(std::string(text)));
}

}  // namespace

PluginHost::PluginHost(std::vector<fs::path> paths, fs::path private_dir, fs::path inspector)
    : impl_(std::make_unique<Impl>()) {
  impl_->paths = std::move(paths);
  impl_->private_dir = std::move(private_dir);
  impl_->inspector = std::move(inspector);
}
PluginHost::~PluginHost() = default;

Result<fs::path> PluginHost::Find(const std::string& name) const {
  std::error_code error;
  if (IsPluginName(name)) {
    for (const auto& folder : impl_->paths) {
      if (fs::path file = folder / (name + ".so"); fs::exists(file, error)) return file;
    }
  }
  std::vector<std::string> folders, names;
  for (const auto& folder : impl_->paths) folders.push_back(folder.string());
  for (const auto& file : List()) names.push_back(file.stem().string());
  return Error{ErrorCode::kNotFound, "no plugin \"" + name + "\": looked for " + name + ".so in " +
                                         (folders.empty() ? "no folder at all" : Join(folders)) + "; there " +
                                         (names.empty() ? "are none" : "are " + Join(names))};
}

std::vector<fs::path> PluginHost::List() const {
  std::vector<fs::path> files;
  std::set<std::string> seen;
  for (const auto& folder : impl_->paths) {
    std::vector<fs::path> here;
    std::error_code error;
    for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".so" && IsPluginName(it->path().stem().string())) here.push_back(it->path());
    }
    std::sort(here.begin(), here.end());
    for (auto& file : here) {
      if (seen.insert(file.stem().string()).second) files.push_back(std::move(file));
    }
  }
  return files;
}

Result<PluginInfo> PluginHost::Inspect(const fs::path& file) {
  auto library = plugins::ReadLibrary(file);
  if (!library) return std::move(library).error();
  if (const auto known = impl_->inspected.find(library->hash); known != impl_->inspected.end()) {
    PluginInfo info = known->second;
    info.file = file;
    return info;
  }
  auto info = plugins::InspectInChild(impl_->inspector, file);
  if (!info) return std::move(info).error();
  info->hash = library->hash;
  impl_->inspected[info->hash] = *info;
  return info;
}

Result<std::shared_ptr<Plugin>> PluginHost::Load(const PluginInfo& info) {
  if (const auto known = impl_->loaded.find(info.hash); known != impl_->loaded.end()) return known->second;
  auto library = plugins::ReadLibrary(info.file);
  if (!library) return std::move(library).error();
  if (library->hash != info.hash) {
    return Error{ErrorCode::kUnavailable,
                 "plugin file " + info.file.string() + " was replaced while it was being looked at: reload again"};
  }
  auto copy = plugins::PrivateCopy(*library, impl_->private_dir);
  if (!copy) return std::move(copy).error();
  auto sink = plugins::OpenLibrary(*copy, info.file);
  if (!sink) return std::move(sink).error();
  auto plugin = std::make_shared<Plugin>();
  plugin->sink = *sink;
  plugin->info = plugins::Describe(*sink, info.file);
  plugin->info.hash = info.hash;
  impl_->loaded[info.hash] = plugin;
  return plugin;
}

void PluginHost::Check(Plugin& plugin, const config::Sink& sink, const std::string& timezone,
                       const config::Environment& environment, config::Problems& problems) {
  const std::string& schema = plugin.info.config_schema;
  const std::string at = "sinks." + sink.name + ".config";
  config::Problems found;
  std::vector<std::string> secrets;
  config::CheckAgainstSchema(sink.config, schema, at, sink.where, found);
  config::Node usable = config::WithoutFaults(sink.config, found);
  bool lacks_secrets = false;
  std::string resolved = config::ResolvePluginConfig(usable, schema, environment, found, secrets, &lacks_secrets);
  bool complete = !lacks_secrets || !environment.secrets_optional;
  if (found.HasErrors()) {
    // What is wrong is left out, and the plugin looks at the rest if that is a config by its schema.
    usable = config::WithoutFaults(usable, found);
    config::Problems told_already;
    config::CheckAgainstSchema(usable, schema, at, sink.where, told_already);
    complete = complete && !told_already.HasErrors();
    resolved = config::ResolvePluginConfig(usable, schema, environment, told_already, secrets);
  }
  if (complete && plugin.sink.check) {
    const plugins::PluginConfig config(sink.name, std::move(resolved), timezone);
    const plugins::Masker masker(secrets);
    ReportContext context{sink, usable, config::WithStatuses(sink.config, schema), masker, found};
    MutexLock lock(plugin.control);
    try {
      plugin.sink.check(config.get(), Report, &context);
    } catch (...) {
      found.Error(sink.where, 1,
                  "sinks." + sink.name + ": the check of the plugin " + plugin.info.id + " threw an exception");
    }
  }
  for (const config::Problem& problem : found.All()) {
    if (problem.severity == config::Problem::Severity::kError) {
      problems.Error(problem.where, problem.width, problem.message, problem.hint);
    } else {
      problems.Warning(problem.where, problem.width, problem.message, problem.hint);
    }
  }
}

Result<std::shared_ptr<Sink>> PluginHost::Create(std::shared_ptr<Plugin> plugin, const config::Sink& sink,
                                                 const std::string& timezone, const config::Environment& environment) {
  config::Problems problems;
  std::vector<std::string> secrets;
  std::string resolved =
      config::ResolvePluginConfig(sink.config, plugin->info.config_schema, environment, problems, secrets);
  if (problems.HasErrors()) {
    return Error{ErrorCode::kInvalid, "sink " + sink.name + ": " + problems.All().front().message};
  }
  const plugins::PluginConfig config(sink.name, std::move(resolved), timezone);
  return plugins::MakePluginSink(std::move(plugin), sink.name, config, plugins::Masker(secrets));
}

}  // namespace hookswitch
