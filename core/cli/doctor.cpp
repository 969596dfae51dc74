#include <algorithm>
#include <iostream>
#include <set>

#include "core/base/clock.h"
#include "core/base/encoding.h"
#include "core/base/text.h"
#include "core/base/version.h"
#include "core/cli/admin_client.h"
#include "core/cli/built_config.h"
#include "core/cli/commands.h"
#include "core/cli/doctor_checks.h"
#include "core/cli/finding.h"
#include "core/cli/printing.h"
#include "core/config/loader.h"
#include "core/journal/journal_files.h"

namespace hookswitch::cli {
namespace {

using Level = Finding::Level;

std::string CountOf(std::size_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

void AddConfig(const Options& options, const BuiltConfig& built, Findings& findings) {
  for (const auto& problem : built.result.problems.All()) {
    const bool is_error = problem.severity == config::Problem::Severity::kError;
    const std::string where = problem.where.file ? config::ToText(problem.where) + ": " : std::string();
    std::string hint = problem.hint;
    if (hint.empty() && problem.message.ends_with(" is not set"))
      hint = "name the file that has the router's variables with --env-file, or set it in that";
    findings.push_back(
        {is_error ? Level::kProblem : Level::kWarning, "config", where + problem.message, std::move(hint)});
  }
  const auto& generation = built.result.generation;
  if (!generation) return;
  const config::Config& config = generation->config;
  findings.push_back({Level::kOk, "config",
                      options.config + ": " + CountOf(config.sources.size(), "source") + ", " +
                          CountOf(config.rules.size(), "rule") + ", " + CountOf(config.sinks.size(), "sink")});
  std::set<std::string> plugins;
  for (const auto& sink : config.sinks) plugins.insert(sink.plugin);
  if (!plugins.empty()) findings.push_back({Level::kOk, "plugins", Joined(plugins) + ": loaded, and take this config"});
}

/// What the running router says of itself.
void AddStatus(const AdminClient& client, const json::object& status, Findings& findings) {
  const auto add = [&](Level level, std::string text, std::string hint = {}) {
    findings.push_back({level, "router", std::move(text), std::move(hint)});
  };
  const std::string version = Text(status, "version");
  add(Level::kOk, "hookswitch " + version + " answers at " + client.where());
  if (version != kVersion) {
    add(Level::kWarning, "it runs version " + version + ", and this program is " + std::string(kVersion),
        "restart it, to take the new one");
  }
  for (const auto& item : ListAt(status, "problems")) {
    const json::object& problem = item.as_object();
    const bool is_error = Text(problem, "severity") == "error";
    add(is_error ? Level::kProblem : Level::kWarning, Text(problem, "text"), Text(problem, "hint"));
  }
}

/// Whether the running router reads and routes by this config.
void CompareConfigs(AdminClient& client, const Generation& generation, Findings& findings) {
  const auto running = client.Get("/api/v1/config");
  if (!running || Text(*running, "hash") == Hex(generation.kept->hash)) return;
  findings.push_back({Level::kWarning, "router", "it has other sources, agents or rules than this file",
                      "hookswitch reload, if they are meant to run"});
}

/// Asks the running router. Whether it answers.
bool CheckRouter(const Options& options, const BuiltConfig& built, const config::Config& config, Findings& findings) {
  const auto add = [&](const char* check, Level level, std::string text, std::string hint = {}) {
    findings.push_back({level, check, std::move(text), std::move(hint)});
  };
  auto client = AdminClient::Make(options);
  const auto status = client ? client->Get("/api/v1/status") : Result<json::object>(client.error());
  const bool answers = static_cast<bool>(status);
  if (answers) {
    AddStatus(*client, *status, findings);
    if (built.result.generation) CompareConfigs(*client, *built.result.generation, findings);
  } else if (client && status.error().code == ErrorCode::kUnavailable) {
    add("router", Level::kNote, "none answers at " + client->where() + ", so nothing of it is checked",
        "start it, or say with --url where it is");
  } else {
    add("router", Level::kProblem, status.error().message);
  }
  if (config.server.public_url.empty()) {
    add("public_url", Level::kNote,
        "server.public_url is not set, so whether senders reach this router is not checked");
  } else if (answers && !options.no_network) {
    const auto challenge = client->Get("/api/v1/reach");
    if (challenge) {
      for (auto& finding : CheckReach(config, Text(*challenge, "nonce"), Text(*challenge, "proof")))
        findings.push_back(std::move(finding));
    } else {
      add("public_url", Level::kProblem, "the router gives no nonce to check it: " + challenge.error().message);
    }
  } else {
    add("public_url", Level::kNote, "not checked: that needs the running router, and the network");
  }
  return answers;
}

}  // namespace

int Doctor(const Options& options) {
  const SystemClock clock;
  Findings findings;
  const auto append = [&findings](Findings more) {
    for (auto& finding : more) findings.push_back(std::move(finding));
  };
  const BuiltConfig built = BuildConfig(options);
  AddConfig(options, built, findings);
  // What can be read of a config with errors is looked at all the same.
  const config::Loaded loaded = config::Load(options.config, config::Environment::System(options.env_file));
  const config::Config* config = built.result.generation ? &built.result.generation->config : loaded.Readable();
  if (config) {
    append(FindMistakes(*config));
    Findings of_router;
    const bool answers = CheckRouter(options, built, *config, of_router);
    if (config->journal.postgres) {
      append(CheckPostgres(*config->journal.postgres));
    } else {
      const std::string& journal = config->journal.path;
      append(CheckJournal(journal, answers));
      findings.push_back(JudgeDisk(journal, DiskSpaceOf(journal), FileSize(journal) + FileSize(journal + "-wal"),
                                   config->journal.retention_size));
    }
    Destinations destinations;
    if (built.result.generation && !options.no_network)
      destinations = CheckDestinations(*built.result.generation->MakeDeliveryPlan(), clock);
    findings.push_back(JudgeClock(IsClockSynchronized(), std::move(destinations.behind)));
    append(std::move(of_router));
    append(std::move(destinations.findings));
  }
  if (options.format == Format::kJson) {
    std::cout << ToText(ToObject(findings), 2) << '\n';
  } else {
    PrintFindings(std::cout, Paint(WantsColour("auto")), findings);
  }
  if (built.result.unreadable) return kUsage;
  return HasProblem(findings) ? kProblems : kFine;
}

}  // namespace hookswitch::cli
