// A PostgreSQL that fails, or is cut off, and what the journal has said then.
#include <future>
#include <set>

#include "core/base/log.h"
#include "core/journal/history.h"
#include "core/journal/postgres/pg_writer.h"
#include "core/journal/postgres/postgres_journal.h"
#include "tests/fakes/fake_clock.h"
#include "tests/journal/cutting_proxy.h"
#include "tests/journal/postgres_home.h"

namespace hookswitch {
namespace {

using test::CuttingProxy;
using test::OwnSchema;
using test::TheDatabase;
using Fault = CuttingProxy::Fault;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds kSoon{20};  ///< until then something happens, unless it never does

std::string Conninfo(const std::string& port, const std::string& user = "owner") {
  return "host=127.0.0.1 port=" + port + " user=" + user + " password=s3cret dbname=postgres sslmode=disable";
}

/// An event and what it borrows.
struct Posted {
  std::string key, body;
  std::vector<std::string> sinks;
  std::vector<NewDelivery> deliveries{};
  NewEvent event{};

  Posted(std::string name, std::vector<std::string> to, std::uint64_t content = 0)
      : key(std::move(name)), body(key + " " + std::to_string(content)), sinks(std::move(to)) {
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = "r", .template_name = ""});
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf(key);
    event.received_at = WallTime(milliseconds(1'772'614'923'114));
    event.call_id = key;
    event.call_key = 7;
    event.content = content;
    event.deliveries = deliveries;
  }
  Posted(const Posted&) = delete;
  Posted& operator=(const Posted&) = delete;
};

AttemptRecord RecordOf(DeliverySeq delivery, EventSeq event, std::uint32_t number, DeliveryState state) {
  AttemptRecord record;
  record.delivery = delivery;
  record.event = event;
  record.sink = "ops";
  record.call_key = 7;
  record.number = number;
  record.state = state;
  record.outcome.kind = state == DeliveryState::kDelivered ? Outcome::Kind::kDelivered : Outcome::Kind::kRejected;
  return record;
}

class PostgresFault : public testing::Test {
 protected:
  PostgresFault() {
    log::SetWriterForTest([](log::Level, std::string_view) {});
  }
  ~PostgresFault() override {
    journal_.reset();
    log::SetWriterForTest(nullptr);
  }

  Status Open(const std::string& url = TheDatabase().Conninfo()) {
    journal_.reset();
    auto journal = OpenPostgresJournal({.url = url, .schema = schema_.name(), .router = router_}, clock_, tuning_);
    if (!journal) return std::move(journal).error();
    journal_ = std::move(*journal);
    journal_->OnRecorded([this](DeliverySeq delivery, DeliverySeq, bool stored) {
      MutexLock lock(mu_);
      (stored ? recorded_ : quarantined_).push_back(delivery);
      changed_.NotifyAll();
    });
    return Ok();
  }
  Result<Accepted> Append(const std::string& key, std::vector<std::string> sinks = {"ops"}) {
    const Posted posted(key, std::move(sinks));
    return journal_->Append(posted.event);
  }
  void Record(const Accepted& accepted, std::uint32_t number = 1) {
    journal_->Record(RecordOf(accepted.first_delivery, accepted.event, number, DeliveryState::kDelivered));
  }
  /// Until it can be written again: the clock stands still, so each try is asked for.
  bool Recovers() {
    for (const auto end = std::chrono::steady_clock::now() + kSoon; std::chrono::steady_clock::now() < end;) {
      clock_.Advance(seconds(1));
      if (journal_->Stats().unwritable_reason.empty()) return true;
      std::this_thread::yield();
    }
    return false;
  }
  std::vector<DeliverySeq> RecordedOf(std::size_t count) {
    MutexLock lock(mu_);
    const auto end = std::chrono::steady_clock::now() + kSoon;
    while (recorded_.size() < count && std::chrono::steady_clock::now() < end) changed_.WaitUntil(mu_, end);
    return recorded_;
  }
  std::vector<DeliverySeq> Quarantined() {
    MutexLock lock(mu_);
    return quarantined_;
  }
  /// The first row of what `sql` gives, its columns with "|" between; "@" stands for the schema.
  std::string Ask(std::string sql) {
    for (std::size_t at = 0; (at = sql.find('@', at)) != std::string::npos;) sql.replace(at, 1, schema_.name() + ".");
    if (!asking_ || PQstatus(asking_.get()) != CONNECTION_OK) {
      asking_.reset(PQconnectdb(TheDatabase().Conninfo().c_str()));
    }
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(asking_.get(), sql.c_str()), &PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_FATAL_ERROR) << sql << ": " << PQerrorMessage(asking_.get());
    std::string row;
    for (int i = 0; PQntuples(result.get()) > 0 && i < PQnfields(result.get()); ++i) {
      row += (i == 0 ? "" : "|") + std::string(PQgetvalue(result.get(), 0, i));
    }
    return row;
  }
  /// A trigger by which the server refuses rows of `table`.
  void Refuse(const std::string& table, const std::string& when, const std::string& sqlstate) {
    Ask("CREATE FUNCTION @refuse_" + table +
        "() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no room "
        "here' "
        "USING ERRCODE = '" +
        sqlstate + "'; END$$");
    Ask("CREATE TRIGGER refuse BEFORE INSERT ON @" + table + " FOR EACH ROW WHEN (" + when +
        ") EXECUTE FUNCTION @refuse_" + table + "()");
  }
  void ExpectUnavailable(const Status& status, std::string_view reason) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(status.error().message.find(reason), std::string::npos) << status.error().message;
    EXPECT_NE(journal_->Stats().unwritable_reason.find(reason), std::string::npos)
        << journal_->Stats().unwritable_reason;
  }
  void ExpectUnavailable(const Result<Accepted>& result, std::string_view reason) {
    ExpectUnavailable(result ? Status(Ok()) : Status(result.error()), reason);
  }

  OwnSchema schema_;
  FakeClock clock_;
  PostgresTuning tuning_;
  std::string router_ = "router-1";
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<PGconn, decltype(&PQfinish)> asking_{nullptr, &PQfinish};

  Mutex mu_;
  CondVar changed_;
  std::vector<DeliverySeq> recorded_ GUARDED_BY(mu_), quarantined_ GUARDED_BY(mu_);
};

TEST_F(PostgresFault, AServerThatIsAwayAtTheStartIsNamedAndThePasswordIsNot) {
  const std::string port = std::to_string(test::FreePort());
  const Status away = Open("postgres://owner:s3cret@127.0.0.1:" + port + "/postgres");
  ASSERT_FALSE(away);
  EXPECT_EQ(away.error().code, ErrorCode::kUnavailable);
  for (const std::string& part : {std::string("127.0.0.1"), port, std::string("start the server")}) {
    EXPECT_NE(away.error().message.find(part), std::string::npos) << away.error().message;
  }
  for (const std::string& url : std::vector<std::string>{
           "postgres://owner:a@s3cret:9@127.0.0.1:" + port + "/postgres",
           "postgres://owner:1/s3cret@127.0.0.1/postgres",
           "postgres://owner:1?s3cret@127.0.0.1/postgres",
           "postgres://owner:s3cret#@127.0.0.1:" + port + "/x",
           "host=127.0.0.1 password=1 s3cret",
           "host=127.0.0.1 password=1 s3cret=2",
           "postgres://owner:%zs3cret@127.0.0.1:" + port,
           "host=127.0.0.1 password=s3cret port=" + port,
           "postgres://owner:x@127.0.0.1:" + port + "?s3cret=1",
           "s3cret",
       }) {
    const Status refused = Open(url);
    ASSERT_FALSE(refused) << url;
    EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
    EXPECT_EQ(refused.error().message.find("s3cret"), std::string::npos) << refused.error().message;
    EXPECT_FALSE(refused.error().message.empty());
  }
}

TEST_F(PostgresFault, AServerThatGoesAwayIsFoundAgainAndWhatWasRecordedIsStoredOnceInOrder) {
  ASSERT_TRUE(Open());
  std::vector<Accepted> accepted;
  std::vector<DeliverySeq> deliveries;
  for (int i = 0; i < 4; ++i) {
    accepted.push_back(*Append("before " + std::to_string(i)));
    deliveries.push_back(accepted.back().first_delivery);
  }
  TheDatabase().Stop();
  for (const Accepted& one : accepted) Record(one);
  const auto since = std::chrono::steady_clock::now();
  ExpectUnavailable(Append("away"), "cannot be written");
  for (int i = 0; i < 5; ++i) {
    clock_.Advance(seconds(1));
    ExpectUnavailable(Append("away"), "refused");
  }
  EXPECT_LT(std::chrono::steady_clock::now() - since, tuning_.patience);
  const auto read = journal_->Load(accepted[0].event);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::kUnavailable);
  TheDatabase().Start();
  ASSERT_TRUE(Recovers());
  EXPECT_EQ(RecordedOf(4), deliveries);
  EXPECT_EQ(journal_->Load(accepted[0].event)->body, "before 0 0");
  EXPECT_EQ(journal_->history().AttemptsOf(deliveries[3])->size(), 1U);
  const auto later = Append("away");
  ASSERT_TRUE(later);
  EXPECT_FALSE(later->duplicate);
  EXPECT_GT(later->event, accepted.back().event);
  EXPECT_EQ(Ask("SELECT count(*) FROM @event"), "5");
}

TEST_F(PostgresFault, AServerThatNoLongerAnswersHoldsUpOneBatchNotEach) {
  CuttingProxy proxy(TheDatabase().Port());
  tuning_.patience = milliseconds(1000);
  ASSERT_TRUE(Open(Conninfo(proxy.Port()) + " connect_timeout=2"));
  ASSERT_TRUE(Append("before"));
  proxy.Arm(Fault::kSwallow);
  ExpectUnavailable(Append("first"), "answer");
  const auto since = std::chrono::steady_clock::now();
  for (int i = 0; i < 6; ++i) {
    clock_.Advance(seconds(1));
    ExpectUnavailable(Append("away"), "cannot be written");
  }
  // Each attempt to connect takes 2 seconds.
  EXPECT_LT(std::chrono::steady_clock::now() - since, seconds(5));
  proxy.Arm(Fault::kNone);
  ASSERT_TRUE(Recovers());
  EXPECT_TRUE(Append("later"));
}

TEST_F(PostgresFault, TablesThatAreGoneAreNotMadeAgainUnderARunningRouter) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("before"));
  const std::string name = schema_.name();
  schema_.Rename();
  EXPECT_FALSE(Append("gone"));
  clock_.Advance(seconds(1));
  ExpectUnavailable(Append("gone"), "its tables are gone");
  EXPECT_EQ(TheDatabase().Query("SELECT count(*) FROM pg_namespace WHERE nspname = '" + name + "'"), "0");
}

TEST_F(PostgresFault, WhatTheServerRefusesForItsContentHoldsUpNothingElse) {
  ASSERT_TRUE(Open());
  const Accepted first = *Append("first"), second = *Append("second"), third = *Append("third");
  Refuse("event", "NEW.body LIKE '\\x626164'::bytea || '%'::bytea", "22000");
  Refuse("attempt", "NEW.number = 13", "54000");
  std::promise<void> entered, queued;
  const Posted gate("gate", {});
  journal_->AppendThen(gate.event, [&](const Result<Accepted>&) {
    entered.set_value();
    queued.get_future().wait();
  });
  entered.get_future().wait();
  // All of it comes in one batch.
  const Posted good("good", {"ops"}), bad("bad", {"ops"}), listed("listed", {"ops"}), bad_too("bad too", {"ops"}),
      last("last", {"ops"});
  std::promise<Result<Accepted>> of_good, of_bad, of_last;
  std::promise<Result<std::vector<Accepted>>> of_list;
  const auto to = [](auto& promise) { return [&promise](auto result) { promise.set_value(std::move(result)); }; };
  journal_->AppendThen(good.event, to(of_good));
  journal_->AppendThen(bad.event, to(of_bad));
  const std::vector<NewEvent> list{listed.event, bad_too.event};
  journal_->AppendAllThen(list, to(of_list));
  journal_->AppendThen(last.event, to(of_last));
  Record(first);
  Record(second, 13);
  Record(third);
  queued.set_value();
  EXPECT_TRUE(of_good.get_future().get());
  const auto refused = of_bad.get_future().get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_NE(refused.error().message.find("no room here"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(of_list.get_future().get());
  EXPECT_TRUE(of_last.get_future().get());
  EXPECT_EQ(RecordedOf(2), (std::vector{first.first_delivery, third.first_delivery}));
  ASSERT_TRUE(Append("after"));
  EXPECT_EQ(Quarantined(), std::vector{second.first_delivery});
  EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  EXPECT_EQ(Ask("SELECT string_agg(convert_from(call_id, 'UTF8'), ',' ORDER BY seq) FROM @event"),
            "first,second,third,gate,good,last,after");
  EXPECT_EQ(journal_->Stats().pending, 4U);  // second, good, last, after
}

TEST_F(PostgresFault, WhatWasStoredBeforeTheDiskWasFullIsNotAnsweredAsFailed) {
  ASSERT_TRUE(Open());
  Refuse("event", "NEW.body LIKE '\\x626164'::bytea || '%'::bytea", "22000");
  Ask("CREATE FUNCTION @full() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no space left' USING "
      "ERRCODE = '53100'; END$$");
  Ask("CREATE TRIGGER is_full BEFORE INSERT ON @event FOR EACH ROW WHEN (NEW.body LIKE '\\x66756c6c'::bytea || "
      "'%'::bytea) EXECUTE FUNCTION @full()");
  std::promise<void> entered, queued;
  const Posted gate("gate", {});
  journal_->AppendThen(gate.event, [&](const Result<Accepted>&) {
    entered.set_value();
    queued.get_future().wait();
  });
  entered.get_future().wait();
  const Posted bad("bad", {"ops"}), good("good", {"ops"}), full("full", {"ops"}), last("last", {"ops"});
  std::vector<std::promise<Result<Accepted>>> results(4);
  std::size_t next = 0;
  for (const Posted* posted : {&bad, &good, &full, &last}) {
    journal_->AppendThen(posted->event,
                         [&result = results[next++]](auto answer) { result.set_value(std::move(answer)); });
  }
  queued.set_value();
  std::vector<Result<Accepted>> answers;
  for (auto& result : results) answers.push_back(result.get_future().get());
  EXPECT_EQ(answers[0].error().code, ErrorCode::kInvalid);
  EXPECT_TRUE(answers[1]) << answers[1].error().message;
  ExpectUnavailable(answers[2], "no space left");
  ExpectUnavailable(answers[3], "no space left");
  Ask("DROP TRIGGER is_full ON @event");
  ASSERT_TRUE(Recovers());
  EXPECT_TRUE(Append("good")->duplicate);
  EXPECT_FALSE(Append("last")->duplicate);
  EXPECT_FALSE(Append("full")->duplicate);
}

TEST_F(PostgresFault, AnIndexThatIsDamagedFailsAllEventsAndSaysSo) {
  ASSERT_TRUE(Open());
  Refuse("event", "true", "XX002");
  ExpectUnavailable(Append("one"), "no room here");
}

TEST_F(PostgresFault, AReadOnlyServerAFullDiskAndARightThatIsTakenAwayAreReasonsUntilTheyAreGone) {
  ASSERT_EQ(TheDatabase().Query("DO $$BEGIN IF NOT EXISTS(SELECT FROM pg_roles WHERE rolname = 'limited') THEN "
                                "CREATE ROLE limited LOGIN PASSWORD 's3cret'; END IF; END$$"),
            "");
  Ask("CREATE SCHEMA " + schema_.name() + " AUTHORIZATION limited");
  ASSERT_TRUE(Open(Conninfo(TheDatabase().Port(), "limited")));
  const Accepted first = *Append("first");
  struct Trouble {
    std::string begin, end, reason;
  };
  Refuse("event", "false", "53100");
  int number = 0;
  for (const Trouble& trouble :
       {Trouble{"REVOKE INSERT ON @event FROM limited", "GRANT INSERT ON @event TO limited", "permission denied"},
        Trouble{"DROP TRIGGER refuse ON @event; CREATE TRIGGER refuse BEFORE INSERT ON @event FOR EACH ROW EXECUTE "
                "FUNCTION @refuse_event()",
                "DROP TRIGGER refuse ON @event", "no room here"},
        Trouble{"ALTER ROLE limited SET default_transaction_read_only = on", "ALTER ROLE limited RESET ALL",
                "read-only"}}) {
    Ask(trouble.begin);
    if (trouble.reason == "read-only") {
      TheDatabase().Query(
          "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE usename = 'limited' ORDER BY 1 DESC");
      (void)Append("cut");
      clock_.Advance(seconds(1));
    }
    const std::string key = "event " + std::to_string(++number);
    ExpectUnavailable(Append(key), trouble.reason);
    Record(first, static_cast<std::uint32_t>(number));
    Ask(trouble.end);
    ASSERT_TRUE(Recovers());
    const auto again = Append(key);
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_FALSE(again->duplicate);
    EXPECT_EQ(RecordedOf(static_cast<std::size_t>(number)).size(), static_cast<std::size_t>(number));
  }
  EXPECT_EQ(journal_->history().AttemptsOf(first.first_delivery)->size(), 3U);
  journal_.reset();
}

TEST_F(PostgresFault, SomebodyWhoReadsHoldsUpNothingAndALockOnlyForAWhile) {
  tuning_.patience = milliseconds(500);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("before"));
  const auto run = [&](PGconn* connection, const std::string& sql) {
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(connection, sql.c_str()), &PQclear);
    EXPECT_NE(PQresultStatus(result.get()), PGRES_FATAL_ERROR) << PQerrorMessage(connection);
  };
  const std::unique_ptr<PGconn, decltype(&PQfinish)> other(PQconnectdb(TheDatabase().Conninfo().c_str()), &PQfinish);
  run(other.get(), "BEGIN ISOLATION LEVEL REPEATABLE READ");
  run(other.get(), "SELECT count(*) FROM " + schema_.name() + ".event");
  EXPECT_TRUE(Append("while somebody reads"));
  run(other.get(), "LOCK TABLE " + schema_.name() + ".event IN SHARE MODE");
  ExpectUnavailable(Append("locked"), "another transaction holds it");
  run(other.get(), "ROLLBACK");
  ASSERT_TRUE(Recovers());
  EXPECT_FALSE(Append("locked")->duplicate);
}

TEST_F(PostgresFault, BytesAndNamesComeBackAsTheyWere) {
  const std::string text("\0a\xff\xc3(\xed\xa0\x80'\"\\@$1\n", 15);
  router_ = "Zürich \"1\" ' @ \\ 東京";
  ASSERT_TRUE(Open());
  const std::vector<NewDelivery> deliveries{{.sink = text, .rule = text, .template_name = text}};
  NewEvent event;
  event.source = event.headers = event.body = event.call_id = event.agent = event.status = event.note = event.carry =
      text;
  event.dedup = DigestOf(text);
  event.received_at = clock_.Wall();
  event.call_key = ~std::uint64_t{0};
  event.deliveries = deliveries;
  const KeptConfig config{.hash = DigestOf("config"), .since = clock_.Wall(), .text = text};
  event.config = &config;
  const Accepted accepted = *journal_->Append(event);
  AttemptRecord record = RecordOf(accepted.first_delivery, accepted.event, 1, DeliveryState::kFellBack);
  record.sink = record.fallback_sink = record.fallback_story = record.request = record.response = text;
  record.outcome.code = record.outcome.reason = record.outcome.action = record.outcome.remote_id = text;
  record.outcome.memory = text;
  record.outcome.has_memory = true;
  record.call_key = 9;
  journal_->Record(record);
  AttemptRecord next = RecordOf(accepted.first_delivery, accepted.event, 2, DeliveryState::kPending);
  next.outcome.kind = Outcome::Kind::kNext;
  next.outcome.state = text;
  next.step = 1;
  journal_->Record(next);
  ASSERT_EQ(RecordedOf(2).size(), 2U);
  const OperatorAction action{
      .who = text, .peer = text, .action = text, .target = text, .detail = text, .result = text};
  journal_->history().RecordAction(action);
  ASSERT_TRUE(Open());

  const StoredEvent stored = *journal_->Load(accepted.event);
  EXPECT_EQ((std::vector{stored.source, stored.headers, stored.body}), (std::vector{text, text, text}));
  const EventSummary summary = *journal_->history().FindEvent(accepted.event);
  EXPECT_EQ((std::vector{summary.source, summary.call_id, summary.agent, summary.status, summary.note}),
            std::vector(5, text));
  EXPECT_EQ(journal_->history().LoadConfig(summary.config)->text, text);
  EXPECT_EQ(*journal_->LoadMemory(text, 9), text);
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, ~std::uint64_t{0}), text);
  const auto pending = *journal_->LoadPending(0, 10);
  ASSERT_EQ(pending.size(), 2U);
  EXPECT_EQ((std::vector{pending[0].sink, pending[0].rule, pending[0].template_name, pending[0].state}),
            std::vector(4, text));
  EXPECT_EQ((std::vector{pending[1].sink, pending[1].story}), std::vector(2, text));
  const StoredAttempt attempt = journal_->history().AttemptsOf(accepted.first_delivery)->front();
  EXPECT_EQ(
      (std::vector{attempt.code, attempt.reason, attempt.action, attempt.remote_id, attempt.request, attempt.response}),
      std::vector(6, text));
  const OperatorAction done = journal_->history().ListActions(0, 1)->items.front();
  EXPECT_EQ((std::vector{done.who, done.peer, done.action, done.target, done.detail, done.result}),
            std::vector(6, text));
  EXPECT_TRUE(Append("later"));
  EXPECT_EQ(Ask("SELECT count(*) FROM @router"), "1");
}

TEST_F(PostgresFault, ASchemaIsRefusedIfItsNameNeedsQuotes) {
  for (const std::string& name : {std::string("Calls"), std::string("a\"b"), std::string("a'b"), std::string("a@b"),
                                  std::string(), std::string("1a"), std::string(64, 'a'), std::string("a\0b", 3)}) {
    const auto journal = OpenPostgresJournal({.url = TheDatabase().Conninfo(), .schema = name, .router = "r"}, clock_);
    ASSERT_FALSE(journal) << name;
    EXPECT_EQ(journal.error().code, ErrorCode::kInvalid);
  }
}

/// The writer alone, and its batches by hand: what is in one batch is certain then.
class PostgresCut : public PostgresFault {
 protected:
  std::unique_ptr<pg::Writer> OpenWriter(const std::string& port) {
    // The proxy sees no renewal of a lease this long, and a second one takes it at once.
    auto writer =
        pg::Writer::Open({Conninfo(port), schema_.name(), patience_},
                         {.router = router_, .lease = {.instance = 1, .length = std::chrono::hours(1)}}, clock_);
    EXPECT_TRUE(writer) << writer.error().message;
    return writer ? std::move(*writer) : nullptr;
  }
  static void Add(Batch& batch, const Posted& posted, std::size_t others = 0) {
    batch.appends.push_back({.event = &posted.event, .done = {}, .others = others});
  }
  /// As the queue does it; what was recorded is kept.
  void Finish(Batch& batch) {
    told_.insert(told_.end(), batch.recorded.begin(), batch.recorded.end());
    EXPECT_TRUE(batch.quarantined.empty());
    batch.appends.clear();
    batch.refused.clear();
    batch.commands.clear();
    batch.recorded.clear();
  }
  /// Stores one event; empty if that fails.
  std::optional<Accepted> Store(pg::Writer& writer, Batch& batch, const Posted& posted) {
    Add(batch, posted);
    writer.Write(batch);
    Hear(writer);
    const std::optional<Error> error = batch.appends.front().error;
    Accepted accepted = batch.appends.front().accepted;
    Finish(batch);
    if (error) return {};
    EXPECT_FALSE(accepted.id.empty());
    return accepted;
  }
  void WriteUntilItWorks(pg::Writer& writer, Batch& batch) {
    for (const auto end = std::chrono::steady_clock::now() + kSoon;;) {
      clock_.Advance(seconds(1));
      writer.Write(batch);
      Hear(writer);
      Finish(batch);
      if (!batch.is_unwritable && batch.records.empty()) return;
      ASSERT_LT(std::chrono::steady_clock::now(), end) << writer.unwritable()->message;
    }
  }
  void Hear(pg::Writer& writer) {
    auto heard = writer.TakeHeard();
    if (!heard) return;
    const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
    append(heard_.opened, heard->changes.opened);
    append(heard_.canceled, heard->changes.canceled);
    append(heard_.revised, heard->changes.revised);
  }
  bool WasHeard(DeliverySeq delivery) const {
    return std::ranges::count(heard_.opened, delivery, &PendingDelivery::seq) == 1;
  }
  void ExpectNew(std::int64_t number, std::set<std::int64_t>& numbers) {
    EXPECT_TRUE(numbers.insert(number).second) << "the number " << number << " was given twice";
  }

  /// A batch of everything, whose connection fails as `fault` says after `count`; then holds the writer to what it has
  /// said. False if the batch was over before.
  void LiveThrough(pg::Writer& writer, CuttingProxy& proxy, Fault fault, std::size_t count, bool& was_cut) {
    const std::string n = std::to_string(++lives_);
    SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " after " + std::to_string(count));
    Batch batch;
    const Posted revised("revised " + n, {"ops", "mail"}, 1), recorded("recorded " + n, {"ops"}),
        dead("dead " + n, {"ops"});
    const auto to_revise = Store(writer, batch, revised), to_record = Store(writer, batch, recorded),
               to_revive = Store(writer, batch, dead);
    ASSERT_TRUE(to_revise && to_record && to_revive);
    batch.records.push_back(RecordOf(to_revive->first_delivery, to_revive->event, 1, DeliveryState::kDead));
    WriteUntilItWorks(writer, batch);
    told_.clear();
    heard_ = {};

    const Posted fresh("new " + n, {"ops", "mail"}), list_1("list 1 " + n, {"ops"}), list_2("list 2 " + n, {"mail"}),
        revision("revised " + n, {"ops", "sms"}, 2);
    const DeliverySeq delivery = to_record->first_delivery;
    Add(batch, fresh);
    Add(batch, list_1, 1);
    Add(batch, list_2);
    Add(batch, revision);
    batch.records.push_back(RecordOf(delivery, to_record->event, 1, DeliveryState::kPending));
    batch.records.push_back(RecordOf(delivery, to_record->event, 2, DeliveryState::kFellBack));
    batch.records.back().fallback_sink = "oncall";
    batch.actions.push_back({.at = clock_.Wall(), .who = "me", .peer = "", .action = "pause", .target = n});
    const std::vector<DeliverySeq> dead_one{to_revive->first_delivery};
    ReviveChange revive{.deliveries = dead_one, .now = clock_.Wall()};
    Command command{.change = &revive};
    batch.commands.push_back(&command);
    proxy.Arm(fault, count);
    writer.Write(batch);
    was_cut = proxy.HasCut();
    proxy.Arm(Fault::kNone);
    // Nobody asks for what had no chance.
    if (!proxy.HoldsCommit()) proxy.Release();
    const std::vector<AppendRequest> answers = batch.appends;
    Finish(batch);
    WriteUntilItWorks(writer, batch);

    const auto count_of = [&](const std::string& rest) { return Ask("SELECT count(*) FROM " + rest); };
    const auto has_key = [&](const Posted& posted) {
      return count_of("@event WHERE call_id = '" + posted.key + "'::bytea") + "|" +
             count_of("@delivery d JOIN @event e ON e.seq = d.event WHERE e.call_id = '" + posted.key + "'::bytea");
    };
    const Posted* const posted[] = {&fresh, &list_1, &list_2};
    const std::string expected[] = {"1|2", "1|1", "1|1"};
    EXPECT_EQ(answers[1].error.has_value(), answers[2].error.has_value());
    for (std::size_t i = 0; i < 3; ++i) {
      std::optional<Accepted> accepted = answers[i].accepted;
      if (answers[i].error) {
        EXPECT_EQ(answers[i].error->code, ErrorCode::kUnavailable);
        const std::string there = has_key(*posted[i]);
        EXPECT_TRUE(there == "0|0" || there == expected[i]) << there;
        accepted = Store(writer, batch, *posted[i]);
        ASSERT_TRUE(accepted);
        EXPECT_EQ(accepted->duplicate, there != "0|0");
        if (accepted->duplicate) {
          accepted->first_delivery =
              std::stoll(Ask("SELECT first_delivery FROM @event WHERE seq = " + std::to_string(accepted->event)));
          for (std::size_t k = 0; k < posted[i]->deliveries.size(); ++k) {
            EXPECT_TRUE(WasHeard(accepted->first_delivery + static_cast<DeliverySeq>(k))) << "no lane knows it";
          }
        }
      }
      EXPECT_EQ(has_key(*posted[i]), expected[i]);
      ExpectNew(accepted->event, events_);
      for (std::size_t k = 0; k < posted[i]->deliveries.size(); ++k) {
        ExpectNew(accepted->first_delivery + static_cast<DeliverySeq>(k), deliveries_);
      }
    }
    std::optional<Accepted> changed = answers[3].accepted;
    if (answers[3].error) changed = Store(writer, batch, revision);
    ASSERT_TRUE(changed);
    EXPECT_TRUE(changed->duplicate);
    if (changed->revised) {
      ASSERT_EQ(changed->revised->added.size(), 1U);
      EXPECT_EQ(changed->revised->canceled, std::vector{to_revise->first_delivery + 1});
      ExpectNew(changed->revised->added[0].seq, deliveries_);
    } else {
      EXPECT_TRUE(answers[3].error);
      EXPECT_EQ(heard_.canceled, std::vector{to_revise->first_delivery + 1});
      EXPECT_EQ(heard_.revised, std::vector{to_revise->event});
      const auto added = std::ranges::find(heard_.opened, "sms", &PendingDelivery::sink);
      ASSERT_NE(added, heard_.opened.end());
      ExpectNew(added->seq, deliveries_);
    }
    const std::string event = std::to_string(to_revise->event);
    EXPECT_EQ(
        Ask("SELECT string_agg(convert_from(sink, 'UTF8') || state, ',' ORDER BY seq) FROM @delivery WHERE event = " +
            event),
        "ops0,mail4,sms0");
    EXPECT_EQ(Ask("SELECT convert_from(body, 'UTF8') FROM @event WHERE seq = " + event), revision.body);

    ASSERT_EQ(told_.size(), 2U);
    EXPECT_EQ(told_[0], (std::pair{delivery, DeliverySeq{0}}));
    EXPECT_EQ(told_[1].first, delivery);
    ExpectNew(told_[1].second, deliveries_);
    EXPECT_FALSE(WasHeard(told_[1].second)) << "it was told with its record";
    const std::string of_delivery = " WHERE delivery = " + std::to_string(delivery);
    EXPECT_EQ(Ask("SELECT string_agg(number::text, ',' ORDER BY seq) FROM @attempt" + of_delivery), "1,2");
    EXPECT_EQ(Ask("SELECT string_agg(d.seq::text, ',') FROM @delivery d JOIN @more m ON m.delivery = d.seq WHERE "
                  "d.sink = 'oncall' AND d.event = " +
                  std::to_string(to_record->event)),
              std::to_string(told_[1].second));
    EXPECT_EQ(count_of("@action WHERE target = '" + n + "'::bytea"), "1");
    const bool is_revived = !command.error || WasHeard(dead_one.front());
    EXPECT_EQ(
        Ask("SELECT state, code = '' AND flags & 8 = 8 FROM @delivery WHERE seq = " + std::to_string(dead_one.front())),
        is_revived ? "0|t" : "3|f");
    if (!command.error) {
      EXPECT_EQ(revive.revived.size(), 1U);
    }
    EXPECT_EQ(std::to_string(writer.pending()), count_of("@delivery WHERE state < 2"));
    EXPECT_EQ(std::to_string(writer.events()), count_of("@event"));
  }
  void LiveThroughAll(Fault fault) {
    CuttingProxy proxy(TheDatabase().Port());
    const auto writer = OpenWriter(proxy.Port());
    ASSERT_TRUE(writer);
    bool was_cut = true;
    std::size_t count = 0;
    for (; was_cut && !HasFailure(); ++count) LiveThrough(*writer, proxy, fault, count, was_cut);
    EXPECT_GE(count, 4U);
  }

  milliseconds patience_ = seconds(10);
  int lives_ = 0;
  std::vector<std::pair<DeliverySeq, DeliverySeq>> told_;
  OthersChanges heard_;
  std::set<std::int64_t> events_, deliveries_;
};

TEST_F(PostgresCut, AfterWhicheverMessageItIsCutEverythingIsThereOnceOrNot) {
  LiveThroughAll(Fault::kCut);
}

TEST_F(PostgresCut, WhicheverAnswerIsLostEverythingIsThereOnceOrNot) {
  LiveThroughAll(Fault::kAnswer);
}

TEST_F(PostgresCut, ACommitThatComesAfterItWasAskedForIsFound) {
  CuttingProxy proxy(TheDatabase().Port());
  const auto writer = OpenWriter(proxy.Port());
  ASSERT_TRUE(writer);
  bool was_cut = true;
  for (std::size_t count = 0; was_cut && !HasFailure(); ++count) {
    proxy.ReleaseAfter("SELECT token");
    LiveThrough(*writer, proxy, Fault::kHold, count, was_cut);
    proxy.ReleaseAfter("");
  }
}

/// A sender that got 503 asks another router, which knows the event already.
TEST_F(PostgresCut, WhatAnotherRouterSaysIsKnownStaysAndIsHandedOn) {
  CuttingProxy proxy(TheDatabase().Port());
  const auto cut = OpenWriter(proxy.Port());
  router_ = "router-2";
  const auto other = OpenWriter(TheDatabase().Port());
  ASSERT_TRUE(cut && other);
  int known = 0;
  for (std::size_t count = 0; count < 8; ++count) {
    SCOPED_TRACE(count);
    const Posted posted("event " + std::to_string(count), {"ops"});
    Batch batch, theirs;
    proxy.Arm(Fault::kAnswer, count);
    const auto stored = Store(*cut, batch, posted);
    proxy.Arm(Fault::kNone);
    if (stored) break;
    const auto there = Store(*other, theirs, posted);
    ASSERT_TRUE(there);
    heard_ = {};
    WriteUntilItWorks(*cut, batch);
    EXPECT_EQ(Ask("SELECT state FROM @delivery WHERE event = " + std::to_string(there->event)), "0");
    if (!there->duplicate) continue;
    ++known;
    EXPECT_EQ(std::ranges::count(heard_.opened, there->event, &PendingDelivery::event), 1)
        << "or its lane knows it not";
    const auto again = Store(*cut, batch, posted);
    ASSERT_TRUE(again);
    EXPECT_TRUE(again->duplicate);
    EXPECT_EQ(again->event, there->event);
  }
  EXPECT_GE(known, 1);
}

TEST_F(PostgresCut, ATransactionWhoseEndNeverComesHoldsUpNothingForLong) {
  CuttingProxy proxy(TheDatabase().Port());
  patience_ = milliseconds(500);
  const auto writer = OpenWriter(proxy.Port());
  ASSERT_TRUE(writer);
  Batch batch;
  const Posted posted("one", {"ops"});
  proxy.Arm(Fault::kHold, 3);  // its own row is there, and locked
  EXPECT_FALSE(Store(*writer, batch, posted));
  EXPECT_TRUE(proxy.HasCut());
  proxy.Arm(Fault::kNone);
  clock_.Advance(seconds(1));
  EXPECT_FALSE(Store(*writer, batch, posted));
  EXPECT_NE(writer->unwritable()->message.find("another transaction holds it"), std::string::npos)
      << writer->unwritable()->message;
  std::optional<Accepted> accepted;
  for (const auto end = std::chrono::steady_clock::now() + kSoon; !accepted;) {
    ASSERT_LT(std::chrono::steady_clock::now(), end) << writer->unwritable()->message;
    clock_.Advance(seconds(1));
    accepted = Store(*writer, batch, posted);
  }
  EXPECT_FALSE(accepted->duplicate);
}

TEST_F(PostgresCut, ACommitThatComesAfterItsSuccessorIsRefused) {
  CuttingProxy proxy(TheDatabase().Port());
  const auto writer = OpenWriter(proxy.Port());
  ASSERT_TRUE(writer);
  Batch batch;
  const Posted posted("one", {"ops"});
  const Accepted accepted = *Store(*writer, batch, posted);
  std::uint32_t number = 0;
  for (const int later : {0, 150}) {
    batch.records.push_back(RecordOf(accepted.first_delivery, accepted.event, ++number, DeliveryState::kPending));
    proxy.Arm(Fault::kHold, 0);  // all of the transaction
    EXPECT_FALSE(writer->Write(batch));
    EXPECT_TRUE(proxy.HasCut());
    proxy.Arm(Fault::kNone);
    Finish(batch);
    WriteUntilItWorks(*writer, batch);
    for (int i = 0; i < later; ++i) {
      const Posted another("later " + std::to_string(i), {});
      ASSERT_TRUE(Store(*writer, batch, another));
    }
    proxy.Release();
    EXPECT_EQ(Ask("SELECT count(*) FROM @attempt"), std::to_string(number));
    EXPECT_EQ(told_.size(), number);
  }
}

TEST_F(PostgresCut, OfTwoProcessesOfOneNameNoneOverwritesWhatTheOtherHasStored) {
  const auto first = OpenWriter(TheDatabase().Port()), second = OpenWriter(TheDatabase().Port());
  ASSERT_TRUE(first && second);
  Batch batch;
  std::set<std::int64_t> numbers;
  const auto must_store = [&](pg::Writer& writer, const std::string& key) {
    const Posted posted(key, {"ops"});
    const auto accepted = Store(writer, batch, posted);
    ASSERT_TRUE(accepted);
    ExpectNew(accepted->event, numbers);
  };
  const auto must_refuse = [&](pg::Writer& writer, const std::string& key) {
    const Posted posted(key, {"ops"});
    EXPECT_FALSE(Store(writer, batch, posted));
    ASSERT_TRUE(writer.unwritable());
    EXPECT_NE(writer.unwritable()->message.find("another router named \"router-1\" writes to it"), std::string::npos)
        << writer.unwritable()->message;
    clock_.Advance(seconds(1));
  };
  must_store(*first, "a");
  must_refuse(*second, "b");
  must_store(*second, "b");
  must_refuse(*first, "c");
  must_store(*first, "c");
  EXPECT_EQ(Ask("SELECT string_agg(convert_from(call_id, 'UTF8'), ',' ORDER BY seq) FROM @event"), "a,b,c");
}

/// PgBouncer in front of the database of this test, with transactions of its own choice on each server connection.
class Bouncer {
 public:
  explicit Bouncer(const std::string& server_port) : port_(std::to_string(test::FreePort())) {
    const std::string users = dir_ / "users", config = dir_ / "pgbouncer.ini";
    e2e::WriteFile(users, "\"owner\" \"s3cret\"\n");
    e2e::WriteFile(config, "[databases]\npostgres = host=127.0.0.1 port=" + server_port +
                               "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + port_ +
                               "\nunix_socket_dir =\nauth_type = plain\nauth_file = " + users +
                               "\npool_mode = transaction\ndefault_pool_size = 3\nserver_round_robin = 1\n");
    std::vector<std::string> command{"/usr/sbin/pgbouncer", config};
    if (::geteuid() == 0) {
      // It refuses to run as root.
      const auto folder = std::filesystem::path(config).parent_path();
      std::filesystem::permissions(folder, std::filesystem::perms::owner_all | std::filesystem::perms::others_exec);
      const passwd* user = ::getpwnam("postgres");
      for (const std::string& file : {users, config}) {
        HSW_CHECK(user && ::chown(file.c_str(), user->pw_uid, user->pw_gid) == 0, "root may");
      }
      command.insert(command.begin(),
                     {"/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--pdeathsig=INT"});
    }
    child_ = std::make_unique<e2e::Child>(command);
    EXPECT_TRUE(child_->WaitForLine("process up", kSoon));
  }
  ~Bouncer() {
    child_->Signal(SIGINT);
    child_->WaitForExit(kSoon);
  }
  const std::string& Port() const { return port_; }

 private:
  e2e::TempDir dir_;
  const std::string port_;
  std::unique_ptr<e2e::Child> child_;
};

TEST_F(PostgresFault, APoolerThatGivesEachTransactionAnotherConnectionIsNoObstacle) {
  const Bouncer bouncer(TheDatabase().Port());
  ASSERT_TRUE(Open(Conninfo(bouncer.Port())));
  std::vector<Accepted> accepted;
  for (int i = 0; i < 10; ++i) {
    accepted.push_back(*Append("event " + std::to_string(i), {"ops", "mail"}));
    Record(accepted.back());
    EXPECT_EQ(journal_->Load(accepted.back().event)->body, "event " + std::to_string(i) + " 0");
  }
  ASSERT_EQ(RecordedOf(10).size(), 10U);
  EXPECT_TRUE(Append("event 3")->duplicate);
  EXPECT_EQ(journal_->history().ListEvents({}, 0, 100)->items.size(), 10U);
  EXPECT_EQ(journal_->history().AttemptsOf(accepted[0].first_delivery)->size(), 1U);
  EXPECT_EQ(journal_->history().ListDeliveries({.states = {DeliveryState::kPending}}, 0, 100)->items.size(), 10U);
  ASSERT_TRUE(Open(Conninfo(bouncer.Port())));
  EXPECT_TRUE(Append("event 9")->duplicate);
  EXPECT_GT(Append("last")->event, accepted.back().event);
  EXPECT_EQ(journal_->LoadPending(0, 100)->size(), 11U);
  EXPECT_EQ(Ask("SELECT count(*) > 1 FROM pg_stat_activity WHERE application_name = 'hookswitch'"), "t");
}

}  // namespace
}  // namespace hookswitch
