#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>

#include "core/base/json.h"
#include "core/cli/commands.h"
#include "core/config/environment.h"
#include "core/config/privacy.h"
#include "core/config/secrets.h"
#include "core/config/yaml_parser.h"
#include "core/conformance/cases.h"
#include "core/conformance/promises.h"
#include "core/conformance/schema_words.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_sink.h"

namespace hookswitch::cli {
namespace {

/// Prints each verdict at once, and at the end how many passed; with --format json everything at the end.
class Report {
 public:
  Report(const PluginInfo& info, Format format) : format_(format) {
    if (format_ == Format::kText) {
      std::cout << info.id << ' ' << info.version << " (" << (info.kind == Sink::Kind::kHttp ? "HTTP" : "call")
                << " sink, ABI " << info.abi_major << '.' << info.abi_minor << ") " << info.file.string() << '\n';
    }
    root_ = {{"id", info.id}, {"version", info.version}, {"file", info.file.string()}};
  }
  void Print(const conformance::Verdict& verdict) {
    ++all_;
    if (verdict.kept) ++kept_;
    if (format_ == Format::kJson) {
      verdicts_.push_back({{"promise", verdict.promise}, {"kept", verdict.kept}, {"detail", verdict.detail}});
      return;
    }
    std::cout << (verdict.kept ? "  ok    " : "  FAIL  ") << verdict.promise;
    if (verdict.kept && !verdict.detail.empty()) std::cout << " (" << verdict.detail << ')';
    if (!verdict.kept) std::cout << "\n        " << verdict.detail;
    std::cout << std::endl;  // flushes: the next check may be slow
  }
  int End() {
    const bool all = kept_ == all_;
    if (format_ == Format::kJson) {
      root_["ok"] = all;
      root_["verdicts"] = std::move(verdicts_);
      std::cout << ToText(root_, 2) << '\n';
    } else {
      std::cout << kept_ << " of " << all_ << " kept\n";
    }
    return all ? kFine : kProblems;
  }

 private:
  const Format format_;
  int all_ = 0, kept_ = 0;
  json::object root_;
  json::array verdicts_;
};

/// The config to check the plugin with: from --with, else the first in a case. Empty if it cannot be read, which is
/// printed or in `problems`.
std::optional<config::Sink> ReadConfig(const Options& options, config::Problems& problems) {
  config::Sink sink;
  sink.name = "check";
  sink.config.kind = config::Node::Kind::kMap;
  std::string name = options.with, text;
  if (!name.empty()) {
    std::ifstream in(name, std::ios::binary);
    std::stringstream read;
    read << in.rdbuf();
    if (!in) {
      Fail(name + " cannot be read");
      return std::nullopt;
    }
    text = read.str();
  } else if (!options.cases.empty()) {
    name = "the first config in " + options.cases;
    text = conformance::FirstConfigIn(options.cases);
  }
  if (text.empty()) return sink;
  const auto file = config::MakeSourceFile(name, text);
  sink.where.file = file;
  sink.where.line = 1;
  auto node = config::ParseYaml(file, problems);
  if (!node) {
    file->Seal(0, file->text.size());
    return std::nullopt;
  }
  config::Hide(*node);
  sink.config = std::move(*node);
  return sink;
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// The name of the AddressSanitizer library that the plugin was linked with; "" if there is none.
std::string SanitizerOf(const std::filesystem::path& plugin) {
  std::ifstream in(plugin, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(in), {});
  const auto at = bytes.find(std::string("\0libasan.so", 11));
  return at == std::string::npos ? "" : bytes.c_str() + at + 1;
}

/// Restarts this program with `library` before all others, as AddressSanitizer requires, so that the allocator that
/// hookswitch was linked with is not used. Returns only on failure.
void StartAnewWith(const std::string& library) {
  const std::string before = Variable("LD_PRELOAD");
  ::setenv("LD_PRELOAD", (library + (before.empty() ? "" : ' ' + before)).c_str(), 1);
  // What hookswitch and its libraries keep to the end is not a leak of the plugin. The caller's options come last, so
  // they win.
  ::setenv("ASAN_OPTIONS", ("detect_leaks=0:" + Variable("ASAN_OPTIONS")).c_str(), 1);
  ::setenv("UBSAN_OPTIONS", ("halt_on_error=1:print_stacktrace=1:" + Variable("UBSAN_OPTIONS")).c_str(), 1);
  std::ifstream in("/proc/self/cmdline", std::ios::binary);
  std::vector<std::string> words;
  for (std::string word; std::getline(in, word, '\0');) words.push_back(word);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  ::execv(kThisProgram, arguments.data());
}

/// For --sanitize: returns in a process that can load the plugin, after a restart if necessary. Error: kInvalid (not
/// linked with AddressSanitizer, or the restart failed).
Status Sanitize(const std::filesystem::path& plugin, PluginHost& plugins) {
  const std::string library = SanitizerOf(plugin);
  const auto failed = [&](const std::string& why) {
    return Error{ErrorCode::kInvalid, "--sanitize: plugin file " + plugin.string() + why};
  };
  if (library.empty()) {
    return failed(" was not linked with libasan: build it by gcc with -fsanitize=address,undefined");
  }
  if (Variable("LD_PRELOAD").find(library) == std::string::npos) {
    StartAnewWith(library);
    return failed(": hookswitch cannot be started anew: " + std::string(std::strerror(errno)));
  }
  plugins.LendEnvironment({"LD_PRELOAD=" + Variable("LD_PRELOAD"), "ASAN_OPTIONS=" + Variable("ASAN_OPTIONS"),
                           "UBSAN_OPTIONS=" + Variable("UBSAN_OPTIONS")});
  return Ok();
}

int CheckOne(const Options& options, PluginHost& plugins) {
  const auto failed = [](const Error& error) { return Fail(error.message); };
  const auto file = FindPlugin(plugins, options.file);
  if (!file) return failed(file.error());
  if (options.sanitize) {
    if (const Status ready = Sanitize(*file, plugins); !ready) return failed(ready.error());
  }
  const auto info = plugins.Inspect(*file);
  if (!info) return failed(info.error());

  config::Problems problems;
  const auto environment = config::Environment::System();
  const auto sink = ReadConfig(options, problems);
  if (!sink && problems.All().empty()) return kUsage;
  ResolvedConfig config;
  if (sink) {
    config = PluginHost::Resolve(*info, *sink, "UTC", environment, problems);
    if (const Status tried = plugins.Try(*info, *sink, config, problems); !tried) return failed(tried.error());
  }
  if (!sink || problems.HasErrors()) {
    Print(problems.All(), Format::kText);
    if (options.with.empty()) {
      std::cerr
          << "hookswitch: the plugin needs a config: --with FILE, YAML as below `config:`, or a case that has one\n";
    }
    return kProblems;
  }
  auto plugin = plugins.Load(*info);
  if (!plugin) return failed(plugin.error());
  const conformance::Subject subject{*plugin, config.plugin_config->json(), config.secrets};

  Report report(*info, options.format);
  if (!options.update) {
    const std::string name = info->file.stem().string();
    report.Print(
        {"its name is its file's", info->id == name,
         info->id == name ? "" : "its id is \"" + info->id + "\", and `plugin: " + name + "` finds this file"});
    const std::string ignored = conformance::IgnoredIn(json::parse(info->config_schema, {}, DeepEnoughForConfigs()));
    report.Print({"all that its config_schema says is looked at", ignored.empty(), ignored});
  }
  if (!options.update) {
    conformance::CheckPromises(subject, [&](const conformance::Verdict& verdict) { report.Print(verdict); });
  }
  if (options.cases.empty()) return report.End();
  const auto cases = conformance::CheckCases(options.cases, options.update, [&](const json::object* more) {
    // A case's own config overrides keys of the given one.
    json::object config = json::parse(subject.config, {}, DeepEnoughForConfigs()).as_object();
    if (more) {
      for (const auto& [key, value] : *more) config[key] = value;
    }
    return plugins::MakePluginSink(*plugin, std::make_shared<const plugins::PluginConfig>("ops", ToText(config), "UTC"),
                                   plugins::Masker(subject.secrets));
  });
  if (!cases) return failed(cases.error());
  for (const auto& one : *cases) {
    const std::string change = !options.update ? "" : one.changed.empty() ? "unchanged" : "changed: " + one.changed;
    report.Print({"case " + one.name, one.problem.empty(), one.problem.empty() ? change : one.problem});
  }
  return report.End();
}

}  // namespace

int PluginCheck(const Options& options) {
  const int exit_code = WithPlugins(options, CheckOne);
  if (!options.sanitize) return exit_code;
  // With the sanitizer's library before tcmalloc's, p11-kit (of libcurl) hangs in its destructor: glibc 2.36 finds one
  // of its own locks taken.
  std::cout.flush();
  ::_exit(exit_code);
}

}  // namespace hookswitch::cli
