#include <cerrno>
#include <cstring>
#include <fstream>
#include <iostream>

#include "core/base/json.h"
#include "core/cli/admin_client.h"
#include "core/cli/commands.h"
#include "core/cli/printing.h"
#include "core/config/loader.h"
#include "core/journal/backup.h"
#include "core/journal/verify.h"

namespace hookswitch::cli {
namespace {

// A config with errors may still say where the journal is.
Result<std::string> JournalOf(const Options& options) {
  const config::Loaded loaded = config::Load(options.config, config::Environment::System());
  if (const config::Config* config = loaded.Readable()) {
    if (!config->journal.postgres) return config->journal.path;
    return Error{ErrorCode::kInvalid,
                 "the journal is in PostgreSQL (journal.postgres), whose own tools back it up and "
                 "check it: pg_dump -n " +
                     config->journal.postgres->schema + ", pg_amcheck"};
  }
  return Error{ErrorCode::kInvalid,
               WhyUnread(loaded, options.config) + "; name the config with -c, or the journal with --file"};
}

constexpr std::size_t kShown = 5;  // of each kind of damage, for people

json::object ToJson(const std::string& path, const VerifyReport& report) {
  json::array findings;
  for (const VerifyReport::Finding& finding : report.findings) {
    json::array first;
    for (const auto& thing : finding.first) {
      first.push_back(json::object{{"id", thing.id},
                                   {"other", thing.other.empty() ? json::value(nullptr) : json::value(thing.other)}});
    }
    findings.push_back(json::object{
        {"kind", finding.kind}, {"what", finding.what}, {"count", finding.count}, {"first", std::move(first)}});
  }
  return {{"file", path},
          {"sound", report.IsSound()},
          {"bad", report.bad},
          {"events", report.events},
          {"deliveries", report.deliveries},
          {"pending", report.pending},
          {"attempts", report.attempts},
          {"pages_checked", report.pages_checked},
          {"findings", std::move(findings)}};
}

void PrintText(const std::string& path, const VerifyReport& report) {
  std::cout << path << ": ";
  report.IsSound() ? std::cout << "sound" : std::cout << "DAMAGED, " << report.bad << " findings";
  std::cout << "; " << report.events << " events, " << report.deliveries << " deliveries (" << report.pending
            << " pending), " << report.attempts << " attempts\n";
  if (!report.pages_checked) {
    std::cout << "The router wrote so much that SQLite's own check of the pages was left out; every row was read. "
                 "`hookswitch backup`, then verify the copy with --file, checks both.\n";
  }
  for (const VerifyReport::Finding& finding : report.findings) {
    std::cout << "  " << finding.count << " x " << finding.kind << ": " << finding.what << '\n';
    for (std::size_t i = 0; i < finding.first.size() && i < kShown; ++i) {
      const auto& thing = finding.first[i];
      std::cout << "      " << Printable(thing.id);
      if (!thing.other.empty()) std::cout << " -> " << Printable(thing.other);
      std::cout << '\n';
    }
    if (!finding.first.empty() && finding.count > kShown) {
      std::cout << "      and " << finding.count - kShown << " more\n";
    }
  }
  if (!report.IsSound()) {
    std::cout << "A router keeps running and skips the damaged rows; a backup from before has what they held.\n";
  }
}

}  // namespace

int Backup(const Options& options) {
  const auto path = options.journal.empty() ? JournalOf(options) : Result<std::string>(options.journal);
  if (!path) return Fail(path.error().message, kUsage);
  if (!std::ifstream(*path)) return Fail(*path + " cannot be read: " + std::strerror(errno), kUsage);
  const Status done = BackupJournal(*path, options.file);
  if (!done) return Fail(done.error().message);
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
