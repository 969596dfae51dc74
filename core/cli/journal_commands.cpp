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
#include "core/journal/copy/journal_copy.h"
#include "core/journal/verify.h"

namespace hookswitch::cli {
namespace {

// A config with errors may still say where the journal is.
Result<config::Journal> ConfiguredJournal(const Options& options, const std::string& otherwise) {
  const config::Loaded loaded = config::Load(options.config, config::Environment::System(options.env_file));
  if (const config::Config* config = loaded.Readable()) return config->journal;
  return Error{ErrorCode::kInvalid,
               WhyUnread(loaded, options.config) + "; name the config with -c, or the journal with " + otherwise};
}

Result<std::string> JournalOf(const Options& options) {
  const auto journal = ConfiguredJournal(options, "--file");
  if (!journal) return journal.error();
  if (!journal->postgres) return journal->path;
  return Error{ErrorCode::kInvalid,
               "the journal is in PostgreSQL (journal.postgres), whose own tools back it up and "
               "check it: pg_dump -n " +
                   journal->postgres->schema + ", pg_amcheck"};
}

/// One end of `journal copy`, as `option` names it: a file, a URL, or the config's if it is empty.
Result<CopyPlace> PlaceOf(const Options& options, const std::string& named, const std::string& option) {
  const std::string schema = options.schema.empty() ? CopyPlace().schema : options.schema;
  if (named.starts_with("postgres://") || named.starts_with("postgresql://")) {
    return CopyPlace{.path = "", .url = named, .schema = schema};
  }
  if (!named.empty()) return CopyPlace{.path = named};
  const auto journal = ConfiguredJournal(options, option);
  if (!journal) return journal.error();
  if (!journal->postgres) return CopyPlace{.path = journal->path};
  if (journal->postgres->url.empty()) {
    return Error{ErrorCode::kInvalid, options.config +
                                          ": journal.postgres.url cannot be read, as `hookswitch check` "
                                          "says; name the journal with " +
                                          option};
  }
  return CopyPlace{.path = "",
                   .url = journal->postgres->url.Reveal(),
                   .schema = options.schema.empty() ? journal->postgres->schema : schema};
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

int CopyTheJournal(const Options& options) {
  if (options.from.empty() && options.to.empty() && !options.give_up) {
    return Fail("name the other journal with --to, or with --from if the config names the new one", kUsage);
  }
  const auto exit_code_of = [](const Error& error) {
    return error.code == ErrorCode::kUnavailable || error.code == ErrorCode::kInternal ? kProblems : kUsage;
  };
  const SystemClock clock;
  const auto from = PlaceOf(options, options.from, "--from");
  if (!from) return Fail(from.error().message, kUsage);
  if (options.give_up) {
    const auto to = GiveUpCopy(*from, clock);
    if (!to) return Fail(to.error().message, exit_code_of(to.error()));
    std::cout << "The copy is given up, and routers may use its journal again. What is in " << Printable(*to)
              << " is of no use: remove it.\n";
    return kFine;
  }
  const auto to = PlaceOf(options, options.to, "--to");
  if (!to) return Fail(to.error().message, kUsage);
  CopyTuning tuning;
  tuning.on_table = [](std::string_view table, std::int64_t rows) {
    std::cout << "  " << rows << " x " << table << std::endl;
  };
  const auto done = CopyJournal(*from, *to, clock, tuning);
  if (!done) return Fail(done.error().message, exit_code_of(done.error()));
  std::cout << Printable(done->from) << (done->was_done ? " was moved to " : " is moved to ") << Printable(done->to)
            << (done->was_done ? " before" : ", read again and compared")
            << ". No router starts on the old one any more: name the new one in the config.\n";
  return kFine;
}

}  // namespace hookswitch::cli
