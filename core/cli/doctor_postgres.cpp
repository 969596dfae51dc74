#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/doctor_checks.h"

namespace hookswitch::cli {
namespace {

using Level = Finding::Level;

/// What a commit, and so an answer to a sender, survives.
Finding JudgePromise(const pg::ServerFacts& facts) {
  if (!facts.syncs) {
    return {Level::kProblem, "journal", "the server has fsync = off: a power cut there loses events that were answered",
            "set fsync = on"};
  }
  const std::string& level = facts.synchronous_commit;
  if (level == "off") {
    return {Level::kProblem, "journal",
            "synchronous_commit is off: a crash of the server loses events that were answered, of up to a second",
            "ALTER ROLE <the user of the URL> SET synchronous_commit = on"};
  }
  if (facts.synchronous_standbys.empty() || level == "local") {
    return {Level::kNote, "journal",
            "what is answered is on the server's own disk, and on no standby's: if that disk is lost, or a standby is "
            "promoted, the last events are lost",
            "set synchronous_standby_names on the server if you promote standbys"};
  }
  return {Level::kOk, "journal",
          "what is answered is on the server's disk, and " +
              std::string(level == "remote_write" ? "in the memory of" : "on the disk of") + " a standby (" +
              facts.synchronous_standbys + ")"};
}

}  // namespace

Findings JudgePostgres(const pg::ServerFacts& facts) {
  Findings findings;
  if (!facts.may_write) {
    findings.push_back({Level::kProblem, "journal",
                        facts.place + (facts.has_schema ? ": its user may not make tables in the schema"
                                                        : ": there is no such schema, and its user may not make one"),
                        facts.has_schema
                            ? "have its owner say: ALTER SCHEMA ... OWNER TO <the user of the URL>"
                            : "have the database's owner say: CREATE SCHEMA ... AUTHORIZATION <the user>"});
  } else {
    const std::string size = HumanSize(static_cast<std::uint64_t>(facts.bytes));
    findings.push_back({Level::kOk, "journal",
                        facts.place + ": PostgreSQL " + facts.version + ", " +
                            (facts.has_schema ? size : "the schema is made at the first start")});
  }
  if (facts.may_make_schema && facts.has_schema) {
    findings.push_back({Level::kNote, "journal", "its user may make schemas in the database, which it needs no more",
                        "REVOKE CREATE ON DATABASE ... FROM <the user of the URL>"});
  }
  findings.push_back(JudgePromise(facts));
  return findings;
}

Findings CheckPostgres(const config::Postgres& postgres) {
  const auto facts =
      pg::InspectServer({.url = postgres.url.Reveal(), .schema = postgres.schema, .patience = std::chrono::seconds(5)});
  if (facts) return JudgePostgres(*facts);
  return {{Level::kProblem, "journal", "PostgreSQL: " + facts.error().message,
           "correct journal.postgres.url, or start it"}};
}

}  // namespace hookswitch::cli
