#include <fstream>
#include <iostream>
#include <sstream>

#include "core/base/json.h"
#include "core/cli/commands.h"
#include "core/config/loader.h"
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

/// Tells each verdict at once, and in the end how many were kept.
class Report {
 public:
  Report(const PluginInfo& info, Format format) : format_(format) {
    if (format_ == Format::kText) {
      std::cout << info.id << ' ' << info.version << " (" << (info.kind == Sink::Kind::kHttp ? "HTTP" : "call")
                << " sink, ABI " << info.abi_major << '.' << info.abi_minor << ") " << info.file.string() << '\n';
    }
    root_ = {{"id", info.id}, {"version", info.version}, {"file", info.file.string()}};
  }
  void Tell(const conformance::Verdict& verdict) {
    ++all_;
    if (verdict.kept) ++kept_;
    if (format_ == Format::kJson) {
      verdicts_.push_back({{"promise", verdict.promise}, {"kept", verdict.kept}, {"detail", verdict.detail}});
      return;
    }
    std::cout << (verdict.kept ? "  ok    " : "  FAIL  ") << verdict.promise;
    if (verdict.kept && !verdict.detail.empty()) std::cout << " (" << verdict.detail << ')';
    if (!verdict.kept) std::cout << "\n        " << verdict.detail;
    std::cout << std::endl;  // at once: the next one may take its time
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

/// The config that the plugin is checked with: of --with, else the first that a case has; empty, and told, if it is
/// wrong.
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
      std::cerr << "hookswitch: " << name << " cannot be read\n";
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

int CheckOne(const Options& options, PluginHost& plugins) {
  const auto failed = [](const Error& error) {
    std::cerr << "hookswitch: " << error.message << '\n';
    return kProblems;
  };
  const auto file = FindPlugin(plugins, options.file);
  if (!file) return failed(file.error());
  const auto info = plugins.Inspect(*file);
  if (!info) return failed(info.error());

  config::Problems problems;
  const auto environment = config::Environment::System();
  const auto sink = ReadConfig(options, problems);
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
  const conformance::Subject subject{*plugin, config.json, config.secrets};

  Report report(*info, options.format);
  if (!options.update) {
    const std::string name = info->file.stem().string();
    report.Tell({"its name is its file's", info->id == name,
                 info->id == name ? "" : "its id is \"" + info->id + "\", and `plugin: " + name + "` finds this file"});
    const std::string ignored = conformance::IgnoredIn(json::parse(info->config_schema, {}, DeepEnoughForConfigs()));
    report.Tell({"all that its config_schema says is looked at", ignored.empty(), ignored});
  }
  if (!options.update) {
    conformance::CheckPromises(subject, [&](const conformance::Verdict& verdict) { report.Tell(verdict); });
  }
  if (options.cases.empty()) return report.End();
  const auto cases = conformance::CheckCases(options.cases, options.update, [&](const json::object* more) {
    // A case's own config is laid over the one that was given.
    json::object config = json::parse(subject.config, {}, DeepEnoughForConfigs()).as_object();
    if (more) {
      for (const auto& [key, value] : *more) config[key] = value;
    }
    return plugins::MakePluginSink(*plugin, "ops", plugins::PluginConfig("ops", ToText(config), "UTC"),
                                   plugins::Masker(subject.secrets));
  });
  if (!cases) return failed(cases.error());
  for (const auto& one : *cases) {
    const std::string told = !options.update ? "" : one.changed.empty() ? "unchanged" : "changed: " + one.changed;
    report.Tell({"case " + one.name, one.problem.empty(), one.problem.empty() ? told : one.problem});
  }
  return report.End();
}

}  // namespace

int PluginCheck(const Options& options) {
  return WithPlugins(options, CheckOne);
}

}  // namespace hookswitch::cli
