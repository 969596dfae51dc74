// The postgres sink against Debian's PostgreSQL.
#include <gmock/gmock.h>
#include <grp.h>
#include <gtest/gtest.h>
#include <libpq-fe.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <thread>
#include <vector>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "tests/e2e/process.h"
#include "tests/sinks/database.h"
#include "tests/sinks/free_port.h"
#include "tests/sinks/load_sink.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;
using test::Database;
using testing::HasSubstr;

class PostgresSink : public testing::Test {
 protected:
  static void SetUpTestSuite() { database_ = new Database; }
  static void TearDownTestSuite() { delete database_; }

  PostgresSink() {
    database_->Query("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT USAGE ON SCHEMA public TO PUBLIC");
    event_.id = "01JD0000000000000000000000";
    event_.source = "bolna";
    event_.call_id = "call-1";
    event_.agent_id = "a-1";
    event_.agent_name = "Maya \"the\" O'Hara";
    event_.status = CallStatus::kCompleted;
    event_.duration = 73.5;
    event_.received_at = ParseTime("2026-03-04T09:02:03.114Z").value();
    event_.transcript = {{Role::kAgent, "Hello 你好"}};
  }
  std::shared_ptr<Sink> Make(const json::object& more = {}) {
    json::object config{{"connection", database_->Conninfo()}};
    for (const auto& [key, value] : more) config[key] = value;
    EXPECT_EQ(test::ProblemsOf("postgres", ToText(config)), "");
    auto sink = test::LoadSink("postgres", ToText(config));
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? *sink : nullptr;
  }
  Outcome Deliver(Sink& sink, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    return sink.Deliver({event_, message_, "d-7f", "ops", "all", 1, 0, "", ""}, timeout, [] { return false; });
  }
  Outcome Deliver(const json::object& more = {}) { return Deliver(*Make(more)); }

  static Database* database_;
  CallEvent event_;
  Message message_;
};
Database* PostgresSink::database_ = nullptr;

TEST_F(PostgresSink, WritesARowForEachEventAndMakesTheTable) {
  auto sink = Make();
  EXPECT_TRUE(sink->Advice().updates) << "of a revised event the row is written over";
  const auto outcome = Deliver(*sink);
  ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
  event_.id = "01JD0000000000000000000001";
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(database_->Query("SELECT count(*) FROM hookswitch_events"), "2");
  EXPECT_EQ(
      database_->Query("SELECT event_id, call_id, source, agent, status, duration, received_at AT TIME ZONE 'UTC', "
                       "started_at IS NULL, event->'transcript'->0->>'text' FROM hookswitch_events "
                       "ORDER BY event_id"),
      "01JD0000000000000000000000|call-1|bolna|Maya \"the\" O'Hara|completed|73.5|2026-03-04 09:02:03.114|t|"
      "Hello 你好");
}

TEST_F(PostgresSink, SeveralThatMakeTheTableAtOnceAllWriteIt) {
  constexpr int kRounds = 5, kSinks = 8;
  for (int round = 0; round < kRounds; ++round) {
    database_->Query("DROP TABLE IF EXISTS hookswitch_events");
    std::vector<std::shared_ptr<Sink>> sinks;
    for (int i = 0; i < kSinks; ++i) sinks.push_back(Make());
    std::array<Outcome, kSinks> outcomes;
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kSinks; ++i) threads.emplace_back([&, i] { outcomes[i] = Deliver(*sinks[i]); });
    for (std::thread& thread : threads) thread.join();
    for (const Outcome& outcome : outcomes) EXPECT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
  }
}

TEST_F(PostgresSink, AnEventThatComesAgainIsOneRow) {
  auto sink = Make();
  Deliver(*sink);
  event_.status = CallStatus::kFailed;
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(database_->Query("SELECT count(*), min(status) FROM hookswitch_events"), "1|failed");
}

TEST_F(PostgresSink, WritesWhatPostgresWouldNotStore) {
  event_.error = std::string("a\0b\\u0000c\\\\", 12);
  const auto outcome = Deliver();
  ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
  EXPECT_EQ(database_->Query("SELECT event->>'error' FROM hookswitch_events"), "ab\\u0000c\\\\");
}

TEST_F(PostgresSink, ATableInASchemaOfItsOwn) {
  database_->Query("DROP SCHEMA IF EXISTS calls CASCADE; CREATE SCHEMA calls");
  ASSERT_EQ(Deliver({{"table", "calls.ended"}}).kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(database_->Query("SELECT count(*) FROM calls.ended"), "1");
}

TEST_F(PostgresSink, WhoMayNotMakeATableMayStillWriteOne) {
  database_->Query("DROP ROLE IF EXISTS writer; CREATE ROLE writer LOGIN PASSWORD 'w'");
  const json::object writer{{"connection", database_->Conninfo("writer", "w")}};
  const auto denied = Deliver(writer);
  EXPECT_EQ(denied.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(denied.code, "sqlstate_42501");
  Deliver();
  database_->Query("GRANT SELECT, INSERT, UPDATE ON hookswitch_events TO writer");
  EXPECT_EQ(Deliver(writer).kind, Outcome::Kind::kDelivered);
}

TEST_F(PostgresSink, WhatIsWrongIsTold) {
  const auto code = [this](const json::object& more) {
    const auto outcome = Deliver(more);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured) << outcome.reason;
    EXPECT_NE(outcome.action, "");
    EXPECT_THAT(outcome.reason, testing::Not(HasSubstr("wr0ng")));
    return outcome.code;
  };
  EXPECT_EQ(code({{"connection", database_->Conninfo("owner", "wr0ng")}}), "sqlstate_28p01");
  EXPECT_EQ(code({{"connection", database_->Conninfo("owner", "s3cret", "nowhere")}}), "sqlstate_3d000");
  EXPECT_EQ(code({{"create_table", false}}), "sqlstate_42p01");
  database_->Query("CREATE TABLE other (event_id text PRIMARY KEY)");
  EXPECT_EQ(code({{"table", "other"}}), "sqlstate_42703");
}

TEST_F(PostgresSink, WhatTheTableRefusesIsRejected) {
  Deliver();
  database_->Query("ALTER TABLE hookswitch_events ADD CHECK (duration < 60) NOT VALID");
  const auto outcome = Deliver();
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(outcome.code, "sqlstate_23514");
}

TEST_F(PostgresSink, AnErrorIsAboutTheEventTheTableOrTheServer) {
  using Kind = Outcome::Kind;
  using Scope = Outcome::Scope;
  struct Error {
    std::vector<std::string> sqlstates;
    Kind kind;
    Scope scope;
  };
  auto sink = Make();
  ASSERT_EQ(Deliver(*sink).kind, Kind::kDelivered);
  database_->Query(
      "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      "RAISE EXCEPTION USING ERRCODE = NEW.event->>'error', MESSAGE = 'no', CONSTRAINT = 'a_check'; END $$; "
      "CREATE TRIGGER refuse BEFORE INSERT ON hookswitch_events FOR EACH ROW EXECUTE FUNCTION refuse()");
  for (const Error& error :
       std::vector<Error>{{{"22001", "22003", "23503", "23505", "23514", "44000", "54000"}, Kind::kRejected, {}},
                          {{"28000", "3F000", "42501", "42P01", "0A000", "55000"}, Kind::kMisconfigured, Scope::kSink},
                          {{"P0001", "38000", "39000", "2F002"}, Kind::kMisconfigured, Scope::kUnknown},
                          {{"40001", "40P01", "53100", "53300", "55P03", "57014", "58030", "XX000"}, Kind::kRetry, {}},
                          {{"25006", "57P01", "57P03", "08006"}, Kind::kRetry, {}}}) {
    for (const std::string& sqlstate : error.sqlstates) {
      SCOPED_TRACE(sqlstate);
      event_.error = sqlstate;
      const auto outcome = Deliver(*sink);
      EXPECT_EQ(ToString(outcome.kind), ToString(error.kind)) << outcome.reason;
      EXPECT_TRUE(outcome.scope == error.scope);
      EXPECT_EQ(outcome.code.substr(9, 2), ToLower(sqlstate).substr(0, 2));
    }
  }
}

TEST_F(PostgresSink, ATableThatWantsMoreThanTheSinkKnowsIsItsOwnFault) {
  Deliver();
  database_->Query(
      "ALTER TABLE hookswitch_events ADD COLUMN team text NOT NULL DEFAULT 'a'; "
      "ALTER TABLE hookswitch_events ALTER COLUMN team DROP DEFAULT");
  event_.id = "01JD0000000000000000000001";
  const auto of_the_table = Deliver();
  EXPECT_EQ(of_the_table.kind, Outcome::Kind::kMisconfigured) << of_the_table.reason;
  EXPECT_TRUE(of_the_table.scope == Outcome::Scope::kSink);
  database_->Query(
      "ALTER TABLE hookswitch_events DROP COLUMN team; "
      "DELETE FROM hookswitch_events; ALTER TABLE hookswitch_events ALTER COLUMN agent SET NOT NULL");
  event_.agent_id = event_.agent_name = "";
  EXPECT_EQ(Deliver().kind, Outcome::Kind::kRejected) << "this event has no agent, others have";
}

TEST_F(PostgresSink, AMonthWithoutAPartitionIsNoFaultOfItsEvents) {
  database_->Query(
      "CREATE TABLE parts (event_id text, call_id text, source text, agent text, status text, started_at "
      "timestamptz, ended_at timestamptz, duration double precision, received_at timestamptz, event jsonb, "
      "PRIMARY KEY (event_id)) PARTITION BY LIST (event_id)");
  const auto outcome = Deliver({{"table", "parts"}});
  EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured) << outcome.reason;
  EXPECT_EQ(outcome.code, "sqlstate_23514");
  EXPECT_TRUE(outcome.scope == Outcome::Scope::kUnknown);
  EXPECT_THAT(outcome.action, HasSubstr("partition"));
}

TEST_F(PostgresSink, ATableIsWrittenAsItIsCalled) {
  for (const char* table : {"CallEvent", "Über_Anrufe", "\"call events\"", "public.\"Call.Event\"", "a$b"}) {
    ASSERT_EQ(Deliver({{"table", table}}).kind, Outcome::Kind::kDelivered) << table;
  }
  EXPECT_EQ(database_->Query("SELECT count(*) FROM \"CallEvent\""), "1");
  EXPECT_EQ(database_->Query("SELECT count(*) FROM \"Über_Anrufe\""), "1");
  EXPECT_EQ(database_->Query("SELECT count(*) FROM \"call events\""), "1");
  EXPECT_EQ(database_->Query("SELECT count(*) FROM \"Call.Event\""), "1");
}

TEST_F(PostgresSink, AServerThatHasBecomeReadOnlyIsLeftForTheOneThatWrites) {
  const Database first, second;
  auto sink = Make({{"connection", "postgresql://owner:s3cret@127.0.0.1:" + first.Port() +
                                       ",127.0.0.1:" + second.Port() + "/postgres"}});
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(first.Query("SELECT count(*) FROM hookswitch_events"), "1");
  first.Query("ALTER SYSTEM SET default_transaction_read_only = on");
  first.Query("SELECT pg_reload_conf()");
  // A server tells its connections of its new settings when it comes to that: so long the first goes on writing.
  Outcome outcome;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (second.Query("SELECT to_regclass('hookswitch_events') IS NOT NULL") != "t" &&
         std::chrono::steady_clock::now() < until) {
    outcome = Deliver(*sink);
    ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << "no attempt is lost: " << outcome.reason;
  }
  EXPECT_EQ(second.Query("SELECT count(*) FROM hookswitch_events"), "1");
}

TEST_F(PostgresSink, AServerThatRestartsBetweenTwoEventsCostsNoAttempt) {
  auto sink = Make();
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  database_->Stop();
  const auto down = Deliver(*sink);
  EXPECT_EQ(down.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(down.code, "connect_failed");
  database_->Start();
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  database_->Stop();
  database_->Start();
  EXPECT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
}

TEST_F(PostgresSink, ATableThatSomebodyHoldsIsGivenUpInTime) {
  auto sink = Make();
  Deliver(*sink);
  {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> other(PQconnectdb(database_->Conninfo().c_str()), &PQfinish);
    PQclear(PQexec(other.get(), "BEGIN"));
    PQclear(PQexec(other.get(), "LOCK TABLE hookswitch_events"));
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = Deliver(*sink, std::chrono::milliseconds(500));
    EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
    EXPECT_EQ(outcome.code, "timeout");
    EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
  }
  EXPECT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
}

TEST(PostgresConfig, IsCheckedAndItsPasswordIsNotTold) {
  EXPECT_EQ(test::ProblemsOf("postgres", R"({"connection":"postgresql://u:s3cret@localhost/calls?sslmode=require"})"),
            "");
  const auto problem = test::ProblemsOf("postgres", R"({"connection":"host=localhost passwort=s3cret"})");
  EXPECT_THAT(problem, testing::StartsWith("/connection: connection is neither"));
  EXPECT_THAT(problem, testing::Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace hookswitch
