#include "core/plugins/plugin_host.h"

#include <algorithm>
#include <cstdlib>
#include <set>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/config/schema_check.h"
#include "core/config/sink_config.h"
#include "core/plugins/fatal_end.h"
#include "core/plugins/library_file.h"
#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_sink.h"

namespace hookswitch {

namespace fs = std::filesystem;

/// An inspected library; loaded from the same bytes.
struct Inspected {
  PluginInfo info;
  plugins::LibraryFile library;
};

struct PluginHost::Impl {
  std::vector<fs::path> paths;
  plugins::Inspector inspector;
  std::shared_ptr<CrashMarks> marks;
  std::map<std::string, Inspected> inspected;             ///< by hash
  std::map<std::string, std::shared_ptr<Plugin>> loaded;  ///< by hash

  const plugins::LibraryFile& LibraryOf(const PluginInfo& info) const {
    const auto found = inspected.find(info.hash);
    HSW_CHECK(found != inspected.end(), "what is tried or loaded was inspected before, and is kept");
    return found->second.library;
  }
};

namespace {

bool IsPluginName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Width of the value at `where`, a position inside `node`.
int WidthAt(const config::Node& node, const config::Mark& where) {
  if (node.where.line == where.line && node.where.column == where.column) return config::Width(node);
  int width = 1;
  for (const auto& child : node.list) width = std::max(width, WidthAt(child, where));
  for (const auto& entry : node.map) width = std::max(width, WidthAt(entry.value, where));
  return width;
}

/// libcurl reads these from the environment for HTTP sinks and email, and quotes an invalid one in its errors.
void AddProxiesWithPassword(std::vector<std::string>& secrets) {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    if (value && std::string_view(value).find('@') != std::string_view::npos) secrets.emplace_back(value);
  }
}

/// The host sends requests only for HTTP sinks.
void CheckTransport(const PluginInfo& info, const config::Sink& sink, config::Problems& problems) {
  if (info.kind == Sink::Kind::kHttp) return;
  const auto check = [&](const char* key, const config::Mark& where) {
    if (where.line == 0) return;
    problems.Error(where, static_cast<int>(std::string_view(key).size()),
                   "sinks." + sink.name + '.' + key + ": the plugin " + info.id +
                       " connects by itself; tls and proxy are for sinks that speak HTTP",
                   "see what its own config takes: hookswitch plugin inspect " + info.id);
  };
  check("tls", sink.tls_where);
  check("proxy", sink.proxy_where);
}

/// The first eight bytes: enough to distinguish one router's plugins and sinks.
std::uint64_t Subject(const Digest& digest) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < sizeof number; ++i) number = number << 8 | digest[i];
  return number;
}

}  // namespace

PluginHost::PluginHost(std::vector<fs::path> paths, fs::path inspector, std::shared_ptr<CrashMarks> marks)
    : impl_(std::make_unique<Impl>()) {
  impl_->paths = std::move(paths);
  impl_->inspector.program = std::move(inspector);
  impl_->marks = std::move(marks);
}
PluginHost::~PluginHost() = default;

void PluginHost::LendEnvironment(std::vector<std::string> variables) {
  impl_->inspector.environment = std::move(variables);
}

void PluginHost::SearchIn(std::vector<fs::path> paths) {
  impl_->paths = std::move(paths);
}

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
                                         (folders.empty() ? "no folder at all" : Joined(folders)) + "; there " +
                                         (names.empty() ? "are none" : "are " + Joined(names))};
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
    PluginInfo info = known->second.info;
    info.file = file;
    return info;
  }
  auto info = plugins::InspectInChild(impl_->inspector, *library);
  if (!info) return std::move(info).error();
  impl_->inspected.emplace(info->hash, Inspected{*info, std::move(*library)});
  return info;
}

ResolvedConfig PluginHost::Resolve(const PluginInfo& info, const config::Sink& sink, const std::string& timezone,
                                   const config::Environment& environment, config::Problems& problems) {
  ResolvedConfig config;
  const std::string& schema = info.config_schema;
  const std::string at = "sinks." + sink.name + ".config";
  config::CheckAgainstSchema(sink.config, schema, at, sink.where, problems);
  config.checked = config::WithoutFaults(sink.config, problems);
  std::string json =
      config::ResolvePluginConfig(config.checked, schema, environment, problems, config.secrets, &config.lacks_secrets);
  config.lacks_secrets = config.lacks_secrets && environment.secrets_optional;
  config.fits = !config.lacks_secrets;
  if (problems.HasErrors()) {
    // Leave out what is wrong; the plugin checks the rest if that fits its schema.
    config.checked = config::WithoutFaults(config.checked, problems);
    config::Problems known;
    config::CheckAgainstSchema(config.checked, schema, at, sink.where, known);
    config.fits = config.fits && !known.HasErrors();
    json = config::ResolvePluginConfig(config.checked, schema, environment, known, config.secrets);
  }
  std::string made_from = info.hash + '\n' + timezone + '\n' + sink.name + '\n' + json;
  config.plugin_config = std::make_shared<const plugins::PluginConfig>(sink.name, std::move(json), timezone);
  CheckTransport(info, sink, problems);
  if (!sink.transport.empty()) {
    const Transport& own = sink.transport;
    config.transport = std::make_shared<const Transport>(own);
    for (const std::string* part : {&own.ca, &own.cert, &own.key.Reveal(), &own.proxy.Reveal()}) {
      made_from += '\n' + std::to_string(part->size()) + '\n' + *part;
    }
    // A proxy URL without user and password is not a secret, and may appear in a reason.
    if (own.proxy.Reveal().find('@') != std::string::npos) config.secrets.push_back(own.proxy.Reveal());
  }
  AddProxiesWithPassword(config.secrets);
  config.identity = DigestOf(made_from);
  return config;
}

Status PluginHost::Try(const PluginInfo& info, const config::Sink& sink, const ResolvedConfig& config,
                       config::Problems& problems) {
  if (!config.fits) return Ok();
  const bool whole = config.checked.map.size() == sink.config.map.size();
  const plugins::Masker masker(config.secrets);
  auto trial = plugins::TryInChild(impl_->inspector, impl_->LibraryOf(info), *config.plugin_config,
                                   whole && !problems.HasErrors());
  if (!trial) return Error{trial.error().code, masker.Mask(trial.error().message)};
  // The plugin saw groups of statuses expanded.
  const config::Node spelled =
      trial->problems.empty() ? config::Node() : config::WithStatuses(sink.config, info.config_schema);
  for (const auto& [pointer, text] : trial->problems) {
    // Ignore findings about parts that were left out: they may only result from that.
    const std::string key = pointer.substr(0, pointer.find('/', 1));
    if (!whole && (key.empty() || !config.checked.Find(key.substr(1)))) continue;
    const config::Mark mark = config::Locate(spelled, pointer);
    problems.Error(mark, WidthAt(sink.config, mark), "sinks." + sink.name + ": " + masker.Mask(text));
  }
  if (trial->refusal) {
    return Error{ErrorCode::kInvalid, plugins::RefusalText(info, sink.name, masker.Mask(*trial->refusal))};
  }
  return Ok();
}

std::string PluginHost::EndedTheProcess(const PluginInfo& info, const ResolvedConfig& config) const {
  const auto ended = [&](const Digest& subject) { return impl_->marks && impl_->marks->EndedIn(Subject(subject)); };
  const char* in = ended(DigestOf(info.hash)) ? "when it was loaded"
                   : ended(config.identity)   ? "in its create"
                                              : nullptr;
  if (!in) return "";
  return "plugin file " + info.file.string() + " ended hookswitch the last time, " + in +
         ": replace it or change the sink's config; to try the same again, stop hookswitch and remove " +
         impl_->marks->path();
}

Result<std::shared_ptr<Plugin>> PluginHost::Load(const PluginInfo& info) {
  if (const auto known = impl_->loaded.find(info.hash); known != impl_->loaded.end()) return known->second;
  const auto path = impl_->LibraryOf(info).PathForEver();
  if (!path) return path.error();
  auto plugin = std::make_shared<Plugin>();
  plugin->marks = impl_->marks;
  // Shared with the thread, which keeps it if it never returns.
  struct Opened {
    Result<hsw_sink> sink = Error{};
  };
  const auto opened = std::make_shared<Opened>();
  const std::uint64_t subject = Subject(DigestOf(info.hash));
  const Status returned = plugin->control.Run([opened, subject, marks = impl_->marks, info, path = *path] {
    const CrashMarks::Inside inside(marks.get(), {.call = PluginCall::kLoad, .subject = subject, .plugin = info.id});
    opened->sink = plugins::OpenLibrary(path, info.file);
  });
  if (!returned) {
    return Error{returned.error().code,
                 "plugin file " + info.file.string() + " hangs while it is loaded: " + returned.error().message};
  }
  if (!opened->sink) return std::move(opened->sink).error();
  if (impl_->marks) impl_->marks->Forgive(subject);
  fatal_end::WatchExitAgain();
  plugin->sink = *opened->sink;
  plugin->info = plugins::Describe(plugin->sink, info.file);
  plugin->info.hash = info.hash;
  impl_->loaded[info.hash] = plugin;
  return plugin;
}

Result<std::shared_ptr<Sink>> PluginHost::Create(std::shared_ptr<Plugin> plugin, const ResolvedConfig& config) {
  return plugins::MakePluginSink(std::move(plugin), config.plugin_config, plugins::Masker(config.secrets),
                                 config.transport, Subject(config.identity));
}

}  // namespace hookswitch
