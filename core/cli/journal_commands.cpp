#include <iostream>

#include "core/base/json.h"
#include "core/cli/commands.h"
#include "core/config/loader.h"
#include "core/journal/backup.h"
#include "core/journal/verify.h"

namespace hookswitch::cli {
namespace {

int Fail(const std::string& why, int exit_code) {
  std::cerr << "hookswitch: " << why << '\n';
  return exit_code;
}

// A config that is broken by now still says where the journal is.
Result<std::string> JournalOf(const Options& options) {
  const config::Loaded loaded = config::Load(options.config, config::Environment::System());
  if (const config::Config* config = loaded.Readable()) return config->journal.path;
  return Error{ErrorCode::kInvalid, "cannot tell from " + options.config + " where the journal is"};
}

json::object ToJson(const std::string& path, const VerifyReport& report) {
  json::array rows;
  for (const VerifyReport::BadRow& bad : report.listed) {
    rows.push_back(json::object{{"table", bad.table}, {"key", bad.key}, {"what", bad.what}});
  }
  return {{"file", path},
          {"sound", report.IsSound()},
          {"events", report.events},
          {"deliveries", report.deliveries},
          {"pending", report.pending},
          {"attempts", report.attempts},
          {"bad", report.bad},
          {"rows", std::move(rows)}};
}

void PrintText(const std::string& path, const VerifyReport& report) {
  for (const VerifyReport::BadRow& bad : report.listed) {
    std::cout << bad.table;
    if (bad.key != 0) std::cout << ' ' << bad.key;
    std::cout << ": " << bad.what << '\n';
  }
  if (report.bad > report.listed.size()) std::cout << "and more\n";
  std::cout << path << ": " << report.events << " events, " << report.deliveries << " deliveries (" << report.pending
            << " pending), " << report.attempts << " attempts; ";
  report.IsSound() ? std::cout << "sound\n" : std::cout << report.bad << " bad\n";
}

}  // namespace

int Backup(const Options& options) {
  const auto path = JournalOf(options);
  if (!path) return Fail(path.error().message, kUsage);
  const Status done = BackupJournal(*path, options.file);
  if (!done) return Fail(done.error().message, kProblems);
  std::cout << *path << " is copied to " << options.file << '\n';
  return kFine;
}

int VerifyTheJournal(const Options& options) {
  const auto path = options.file.empty() ? JournalOf(options) : Result<std::string>(options.file);
  if (!path) return Fail(path.error().message, kUsage);
  const auto report = VerifyJournal(*path);
  if (!report) return Fail(report.error().message, kUsage);
  if (options.format == Format::kJson) {
    std::cout << ToText(ToJson(*path, *report), 2) << '\n';
  } else {
    PrintText(*path, *report);
  }
  return report->IsSound() ? kFine : kProblems;
}

}  // namespace hookswitch::cli
