#include "core/journal/copy/journal_copy.h"

#include <gmock/gmock.h>
#include <sqlite3.h>

#include <condition_variable>
#include <mutex>
#include <sstream>
#include <thread>

#include "core/journal/history.h"
#include "core/journal/postgres/postgres_journal.h"
#include "core/journal/sqlite_journal.h"
#include "core/journal/verify.h"
#include "tests/journal/postgres_home.h"
#include "tests/journal/temp_folder.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

// Bytes that are no UTF-8, with a zero among them.
const std::string kBytes("{\"a\":\"\xff\0\xc3\"}", 11);

WallTime At(std::int64_t ms) {
  return WallTime(std::chrono::milliseconds(ms));
}

/// All that a journal tells.
class Dump {
 public:
  explicit Dump(Journal& journal) : journal_(journal) {
    for (const auto& event : All<EventSummary>([&](auto before) { return History().ListEvents({}, before, 100); })) {
      Add(event);
    }
    for (const PendingDelivery& delivery : Of(journal_.LoadPending(0, 1000))) {
      Line("pending", delivery.seq, delivery.due, delivery.accepted_at, delivery.first_failed, delivery.state,
           delivery.story, delivery.is_held, delivery.newest_only, delivery.ends_call, delivery.is_replay,
           delivery.step);
    }
    for (const LaneDue& lane : Of(journal_.LoadLanes())) {
      Line("lane", lane.sink, lane.due, lane.pause.has_value(), lane.pause.value_or(Pause()).until,
           lane.pause.value_or(Pause()).because);
    }
    for (const char* sink : {"", "ops", "oncall"}) Line("memory", sink, Of(journal_.LoadMemory(sink, 7)));
    for (const auto& refused : All<RefusedRequest>([&](auto before) { return History().ListRefused(before, 100); })) {
      Line("refused", refused.number, refused.at, refused.source, refused.peer, refused.http_status, refused.error,
           refused.detail, refused.path);
    }
    for (const auto& action : All<OperatorAction>([&](auto before) { return History().ListActions(before, 100); })) {
      Line("action", action.number, action.at, action.who, action.peer, action.action, action.target, action.detail,
           action.http_status, action.result);
    }
    Line("salt", Of(History().FindExtent()).salt);
  }
  std::string text() const { return text_.str(); }

 private:
  void Add(const EventSummary& event) {
    Line("event", event.seq, event.id, event.received_at, event.source, event.call_id, event.agent, event.status,
         event.note, event.deliveries, event.revisions, event.config);
    const StoredEvent stored = Of(journal_.Load(event.seq));
    Line("body", stored.headers, stored.body);
    if (event.config != 0) Line("config", Of(History().LoadConfig(event.config)).text);
    for (const Revision& revision : Of(History().RevisionsOf(event.seq))) {
      Line("revision", revision.number, revision.until, revision.headers, revision.body);
    }
    for (const DeliverySummary& delivery : Of(History().DeliveriesOf(event.seq))) {
      Line("delivery", delivery.seq, delivery.event, delivery.call_key, delivery.sink, delivery.rule,
           delivery.template_name, ToString(delivery.state), delivery.attempts, delivery.is_fallback, delivery.fallback,
           delivery.was_replayed, delivery.accepted_at, delivery.replayed_at.value_or(WallTime{}), delivery.due,
           delivery.code, delivery.reason, delivery.story);
      for (const StoredAttempt& attempt : Of(History().AttemptsOf(delivery.seq))) {
        Line("attempt", attempt.number, ToString(attempt.trigger), attempt.started_at, attempt.latency.count(),
             static_cast<int>(attempt.kind), attempt.may_have_been_delivered, attempt.http_status, attempt.code,
             attempt.reason, attempt.action, attempt.remote_id, attempt.request, attempt.response,
             ToText(attempt.waits), attempt.connect.value_or(-1ms).count(), attempt.first_byte.value_or(-1ms).count());
      }
    }
  }
  template <class T>
  static T Of(Result<T> result) {
    EXPECT_TRUE(result) << result.error().message;
    return result ? *std::move(result) : T();
  }
  hookswitch::History& History() { return journal_.history(); }
  template <class T, class List>
  static std::vector<T> All(List list) {
    std::vector<T> all;
    std::int64_t before = 0;
    do {
      const Page<T> page = Of<Page<T>>(list(before));
      all.insert(all.end(), page.items.begin(), page.items.end());
      before = page.next;
    } while (before != 0);
    return all;
  }
  template <class... Fields>
  void Line(const Fields&... fields) {
    (Put(fields), ...);
    text_ << '\n';
  }
  void Put(WallTime time) { text_ << time.time_since_epoch().count() << '|'; }
  template <class Field>
  void Put(const Field& field) {
    text_ << field << '|';
  }

  Journal& journal_;
  std::ostringstream text_;
};

class JournalCopy : public testing::Test {
 protected:
  CopyPlace File() const { return {.path = folder_ / "journal.db"}; }
  CopyPlace OtherFile() const { return {.path = folder_ / "other.db"}; }
  CopyPlace Schema() const { return {.path = "", .url = test::TheDatabase().Conninfo(), .schema = schema_->name()}; }

  Result<std::unique_ptr<Journal>> Open(const CopyPlace& place) {
    if (!place.path.empty()) return OpenSqliteJournal({.path = place.path}, clock_);
    return OpenPostgresJournal({.url = place.url, .schema = place.schema, .router = "router-1", .lease = 1s}, clock_);
  }
  std::string DumpOf(const CopyPlace& place) {
    const auto journal = Open(place);
    EXPECT_TRUE(journal) << journal.error().message;
    return journal ? Dump(**journal).text() : "";
  }
  Result<CopyReport> Copy(const CopyPlace& from, const CopyPlace& to) { return CopyJournal(from, to, clock_, tuning_); }
  /// A copy that is ended before its durable change number `step`, from 0.
  Result<CopyReport> CopyUntil(int step, const CopyPlace& from, const CopyPlace& to) {
    CopyTuning tuning = tuning_;
    tuning.before_step = [&step] { return step-- > 0; };
    return CopyJournal(from, to, clock_, tuning);
  }
  void ExpectSound(const CopyPlace& file) {
    const auto report = VerifyJournal(file.path);
    ASSERT_TRUE(report) << report.error().message;
    for (const auto& finding : report->findings) ADD_FAILURE() << finding.kind << ": " << finding.what;
  }

  Result<Accepted> Append(Journal& journal, const std::string& key, const std::string& body,
                          const std::vector<NewDelivery>& deliveries, std::uint64_t content = 0,
                          std::string_view carry = "") {
    NewEvent event;
    event.source = "bolna";
    event.headers = "x-a: \xfe\n";
    event.body = body;
    event.dedup = DigestOf(key);
    event.received_at = At(1'772'614'923'114);
    event.call_id = kBytes;
    event.agent = "billing-eu";
    event.status = "completed";
    event.call_key = 7;
    event.content = content;
    event.config = &config_;
    event.carry = carry;
    event.deliveries = deliveries;
    return journal.Append(event);
  }
  AttemptRecord Attempt(DeliverySeq delivery, std::uint32_t number, DeliveryState state, Outcome::Kind kind) {
    AttemptRecord record{.delivery = delivery, .event = 1, .sink = "ops", .call_key = 7, .number = number};
    record.started_at = At(1'772'614'924'000 + number);
    record.latency = 12ms;
    record.state = state;
    record.outcome.kind = kind;
    record.outcome.reason = kBytes;
    record.request = kBytes;
    record.connect = 3ms;
    return record;
  }
  void Record(Journal& journal, const std::vector<AttemptRecord>& records) {
    for (const AttemptRecord& record : records) journal.Record(record);
    std::unique_lock lock(mu_);
    wanted_ += records.size();
    changed_.wait(lock, [&] { return recorded_ >= wanted_; });
  }
  /// Something of everything that a journal keeps.
  void Fill(const CopyPlace& place) {
    const auto opened = Open(place);
    ASSERT_TRUE(opened) << opened.error().message;
    Journal& journal = **opened;
    recorded_ = wanted_ = 0;
    journal.OnRecorded([this](DeliverySeq, DeliverySeq, bool stored) {
      EXPECT_TRUE(stored);
      const std::lock_guard lock(mu_);
      ++recorded_;
      changed_.notify_all();
    });
    const NewDelivery ops{.sink = "ops", .rule = "r", .template_name = "short"};
    const NewDelivery oncall{.sink = "oncall", .rule = "r", .template_name = ""};
    NewDelivery held = ops;
    held.hold = 1h;
    held.newest_only = held.ends_call = true;
    const auto waits = Append(journal, "waits", kBytes, {ops, oncall}, 0, "of the call");
    const auto delivered = Append(journal, "delivered", "b", {ops});
    const auto dead = Append(journal, "dead", "c", {ops, oncall});
    const auto fell_back = Append(journal, "fell back", "d", {ops});
    ASSERT_TRUE(Append(journal, "held", "e", {held}));
    ASSERT_TRUE(Append(journal, "no delivery", "", {}));
    const auto revised = Append(journal, "revised", "f", {ops}, 1);
    ASSERT_TRUE(waits && delivered && dead && fell_back && revised);
    AttemptRecord again = Attempt(waits->first_delivery, 1, DeliveryState::kPending, Outcome::Kind::kNext);
    again.due = At(1'772'614'999'000);
    again.step = 1;
    again.first_failed = At(1'772'614'924'000);
    again.outcome.state = kBytes;
    again.lane_due = At(1'772'614'998'000);
    again.waits = {{WaitKind::kPace, 1200ms}};
    AttemptRecord still = Attempt(waits->first_delivery, 2, DeliveryState::kPending, Outcome::Kind::kRetry);
    still.step = 1;
    AttemptRecord sent = Attempt(delivered->first_delivery, 1, DeliveryState::kDelivered, Outcome::Kind::kDelivered);
    sent.outcome.memory = kBytes;
    sent.outcome.has_memory = true;
    AttemptRecord moves = Attempt(fell_back->first_delivery, 1, DeliveryState::kFellBack, Outcome::Kind::kRejected);
    moves.fallback_sink = "oncall";
    moves.fallback_story = kBytes;
    Record(journal,
           {again, sent, moves, Attempt(dead->first_delivery, 1, DeliveryState::kPending, Outcome::Kind::kRetry),
            Attempt(dead->first_delivery, 2, DeliveryState::kDead, Outcome::Kind::kRejected), still});
    ASSERT_TRUE(Append(journal, "revised", "f2", {ops, oncall}, 2));
    // It falls back once more, after a replay.
    History& history = journal.history();
    const DeliverySeq replayed[] = {fell_back->first_delivery};
    ASSERT_TRUE(history.Revive(replayed, At(1'772'615'000'000)));
    moves.number = 2;
    Record(journal, {moves});
    const NewDelivery more[] = {ops, oncall};
    ASSERT_TRUE(history.AddDeliveries(delivered->event, more, At(1'772'615'000'001)));
    const DeliverySeq canceled[] = {dead->first_delivery + 1};
    ASSERT_TRUE(history.Cancel(canceled, kBytes));
    ASSERT_TRUE(history.SavePause("oncall", Pause{At(1'772'616'000'000), kBytes}));
    for (int i = 0; i < 3; ++i) {
      journal.RecordRefused(
          {.at = At(i), .source = "s", .peer = kBytes, .http_status = 401, .error = "e", .detail = "d"});
      history.RecordAction({.at = At(i), .who = "o", .peer = "", .action = "pause", .target = kBytes});
    }
  }
  /// What is moved goes on as before: what was there is known, and what is new gets new numbers.
  void ExpectGoesOn(const CopyPlace& place, EventSeq last_event, DeliverySeq last_delivery,
                    const std::string& key = "new") {
    const auto journal = Open(place);
    ASSERT_TRUE(journal) << journal.error().message;
    const NewDelivery ops{.sink = "ops", .rule = "r", .template_name = ""};
    const auto again = Append(**journal, "waits", kBytes, {ops});
    ASSERT_TRUE(again) << again.error().message;
    EXPECT_TRUE(again->duplicate);
    const auto added = Append(**journal, key, "n", {ops});
    ASSERT_TRUE(added) << added.error().message;
    EXPECT_FALSE(added->duplicate);
    EXPECT_GT(added->event, last_event);
    EXPECT_GT(added->first_delivery, last_delivery);
    EXPECT_EQ((*journal)->history().FindEvent(added->event)->config, 1) << "the config is known";
    (*journal)->history().RecordAction({.at = At(9), .who = "o", .peer = "", .action = "pause", .target = "new"});
    EXPECT_EQ((*journal)->history().ListActions(0, 1)->items.at(0).target, "new");
  }

  TempFolder folder_;
  std::unique_ptr<test::OwnSchema> schema_ = std::make_unique<test::OwnSchema>();
  SystemClock clock_;
  CopyTuning tuning_{.lease = 500ms};
  const KeptConfig config_{DigestOf("config"), At(1'772'614'000'000), kBytes};
  std::mutex mu_;
  std::condition_variable changed_;
  std::size_t recorded_ = 0, wanted_ = 0;
};

TEST_F(JournalCopy, AFileComesBackFromPostgresAsItWas) {
  Fill(File());
  const std::string before = DumpOf(File());
  const auto there = Copy(File(), Schema());
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_EQ(there->events, 7);
  EXPECT_FALSE(there->was_done);
  EXPECT_THAT(there->to, Not(HasSubstr("s3cret")));
  EXPECT_EQ(DumpOf(Schema()), before);
  const auto back = Copy(Schema(), OtherFile());
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(DumpOf(OtherFile()), before);
  ExpectSound(OtherFile());
}

TEST_F(JournalCopy, ASchemaComesBackFromAFileAsItWas) {
  Fill(Schema());
  const std::string before = DumpOf(Schema());
  const CopyPlace first = Schema();
  const auto there = Copy(first, File());
  ASSERT_TRUE(there) << there.error().message;
  EXPECT_EQ(DumpOf(File()), before);
  ExpectSound(File());
  const test::OwnSchema second;
  const CopyPlace other{.path = "", .url = first.url, .schema = second.name()};
  const auto back = Copy(File(), other);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(DumpOf(other), before);
}

TEST_F(JournalCopy, WhatIsMovedGoesOnWithNewNumbers) {
  Fill(File());
  const std::string before = DumpOf(File());
  ASSERT_TRUE(Copy(File(), Schema()));
  ExpectGoesOn(Schema(), 7, 13);
  const auto moved = Copy(Schema(), OtherFile());
  ASSERT_TRUE(moved) << moved.error().message;
  ExpectGoesOn(OtherFile(), 8, 14, "newer");
}

TEST_F(JournalCopy, TheOldJournalIsRefusedAndNamesTheNewOne) {
  Fill(File());
  ASSERT_TRUE(Copy(File(), Schema()));
  const auto file = Open(File());
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("it was moved to 127.0.0.1:"));
  EXPECT_THAT(file.error().message, HasSubstr("schema " + Schema().schema));
  EXPECT_THAT(file.error().message, Not(HasSubstr("s3cret")));
  ASSERT_TRUE(Copy(Schema(), OtherFile()));
  const auto schema = Open(Schema());
  ASSERT_FALSE(schema);
  EXPECT_THAT(schema.error().message, HasSubstr("it was moved to " + OtherFile().path));
}

TEST_F(JournalCopy, AnEmptyJournalIsMovedToo) {
  ASSERT_TRUE(Open(File()));
  ASSERT_TRUE(Copy(File(), Schema()));
  ASSERT_TRUE(Open(Schema()));
  const auto back = Copy(Schema(), OtherFile());
  ASSERT_TRUE(back) << back.error().message;
  ASSERT_TRUE(Open(OtherFile()));
}

TEST_F(JournalCopy, KilledAtAnyStepItIsGoneOnWithAndNeverLeavesTwoToRun) {
  for (const bool to_postgres : {true, false}) {
    bool is_done = false;
    for (int step = 0; !is_done; ++step) {
      SCOPED_TRACE("step " + std::to_string(step) + (to_postgres ? " to PostgreSQL" : " to a file"));
      const TempFolder folder;
      schema_ = std::make_unique<test::OwnSchema>();
      const CopyPlace file{.path = folder / "journal.db"};
      const CopyPlace from = to_postgres ? file : Schema(), to = to_postgres ? Schema() : file;
      {
        const auto journal = Open(from);
        const NewDelivery ops{.sink = "ops", .rule = "r", .template_name = ""};
        ASSERT_TRUE(journal && Append(**journal, "a", kBytes, {ops}));
      }
      const std::string before = DumpOf(from);
      const auto killed = CopyUntil(step, from, to);
      is_done = killed.has_value();
      {
        const auto old = Open(from);
        EXPECT_EQ(old.has_value(), step == 0);
        const auto copied = Open(to);
        // Before it is marked it is an empty journal like any other.
        EXPECT_EQ(copied.has_value(), is_done || step <= 1);
        if (copied && !is_done) {
          EXPECT_EQ((*copied)->Stats().events, 0u);
        }
      }
      const auto done = Copy(from, to);
      ASSERT_TRUE(done) << done.error().message;
      EXPECT_FALSE(Open(from));
      EXPECT_EQ(DumpOf(to), before);
      ASSERT_LT(step, 40);
    }
  }
}

TEST_F(JournalCopy, KilledAgainAndAgainItComesToItsEnd) {
  tuning_.most_rows = 2;
  for (const bool to_postgres : {true, false}) {
    schema_ = std::make_unique<test::OwnSchema>();
    const CopyPlace from = to_postgres ? File() : Schema(), to = to_postgres ? Schema() : OtherFile();
    Fill(from);
    const std::string before = DumpOf(from);
    int times = 0;
    while (!CopyUntil(3, from, to)) ASSERT_LT(++times, 40);
    EXPECT_GT(times, 5);
    EXPECT_EQ(DumpOf(to), before);
  }
  ExpectSound(OtherFile());
}

TEST_F(JournalCopy, TheSameCommandAfterItsEndSaysSo) {
  Fill(File());
  ASSERT_TRUE(Copy(File(), Schema()));
  const auto again = Copy(File(), Schema());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE(again->was_done);
  EXPECT_TRUE(Open(Schema()));
  const test::OwnSchema other;
  const auto elsewhere = Copy(File(), {.path = "", .url = Schema().url, .schema = other.name()});
  ASSERT_FALSE(elsewhere);
  EXPECT_THAT(elsewhere.error().message, HasSubstr("it was moved to"));
}

TEST_F(JournalCopy, ACopyThatIsGivenUpLeavesTheOldJournalToRun) {
  Fill(File());
  EXPECT_FALSE(GiveUpCopy(File(), clock_)) << "nothing was begun";
  const std::string before = DumpOf(File());
  ASSERT_FALSE(CopyUntil(6, File(), Schema()));
  const auto given_up = GiveUpCopy(File(), clock_, tuning_);
  ASSERT_TRUE(given_up) << given_up.error().message;
  EXPECT_THAT(*given_up, HasSubstr(Schema().schema));
  EXPECT_EQ(DumpOf(File()), before);
  const auto target = Open(Schema());
  ASSERT_FALSE(target);
  EXPECT_THAT(target.error().message, HasSubstr("it is a copy of " + File().path + " that is not finished"));
  const auto again = Copy(File(), Schema());
  ASSERT_FALSE(again) << "the old journal has gone on since";
  EXPECT_THAT(again.error().message, HasSubstr("is not empty: it has part of a copy of " + File().path));
  EXPECT_TRUE(Open(File()));
  const test::OwnSchema other;
  const CopyPlace elsewhere{.path = "", .url = Schema().url, .schema = other.name()};
  ASSERT_TRUE(Copy(File(), elsewhere));
  EXPECT_FALSE(GiveUpCopy(File(), clock_)) << "too late";
  EXPECT_EQ(DumpOf(elsewhere), before);
}

TEST_F(JournalCopy, AJournalThatHasSomethingIsNoTarget) {
  Fill(File());
  {
    const auto other = Open(Schema());
    ASSERT_TRUE(other && Append(**other, "a", "a", {}));
  }
  const auto refused = Copy(File(), Schema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message,
              HasSubstr("schema " + Schema().schema + " is not empty: its table event has rows"));
  EXPECT_TRUE(Open(File())) << "nothing was begun";
  const auto back = Copy(Schema(), File());
  ASSERT_FALSE(back);
  EXPECT_THAT(back.error().message, HasSubstr(File().path + " is not empty"));
  EXPECT_TRUE(Open(Schema()));
}

TEST_F(JournalCopy, ARunningRouterIsNamed) {
  Fill(File());
  {
    const auto router = Open(File());
    ASSERT_TRUE(router);
    const auto refused = Copy(File(), Schema());
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message, HasSubstr("in use by another hookswitch (pid"));
  }
  const auto router = Open(Schema());
  ASSERT_TRUE(router);
  const auto refused = Copy(File(), Schema());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("the router \"router-1\" works on it"));
  EXPECT_TRUE((*router)->OwnsPending());
  EXPECT_TRUE(Open(File())) << "nothing was begun";
}

TEST_F(JournalCopy, ARouterThatBeginsBesideTheCopyAndTheCopyDoNotBothGoOn) {
  Fill(Schema());
  std::unique_ptr<Journal> waited;
  Status opened = Ok();
  std::thread router;
  CopyTuning tuning = tuning_;
  tuning.before_step = [&] {
    // It may find the journal unmarked yet.
    if (!router.joinable()) {
      router = std::thread([&] {
        auto journal = Open(Schema());
        if (!journal) opened = journal.error();
      });
    }
    return true;
  };
  const auto done = CopyJournal(Schema(), File(), clock_, tuning);
  router.join();
  EXPECT_FALSE(done && opened);
  if (!done) {
    EXPECT_THAT(done.error().message, HasSubstr("another router works on it now"));
  }
  if (!opened) {
    EXPECT_THAT(opened.error().message, testing::AnyOf(HasSubstr("it was moved to"), HasSubstr("journal copy")));
  }
}

TEST_F(JournalCopy, WhatDoesNotExistIsNoSource) {
  EXPECT_THAT(Copy(File(), Schema()).error().message, HasSubstr("journal.db cannot be read"));
  EXPECT_THAT(Copy(Schema(), File()).error().message, HasSubstr("it has no journal"));
  EXPECT_FALSE(std::filesystem::exists(File().path));
  EXPECT_THAT(Copy(File(), OtherFile()).error().message, HasSubstr("hookswitch backup"));
  EXPECT_THAT(Copy(Schema(), Schema()).error().message, HasSubstr("pg_dump"));
  CopyPlace wrong = Schema();
  wrong.url = "postgres://owner:s3c@ret@127.0.0.1/postgres";
  ASSERT_TRUE(Open(File()));
  EXPECT_THAT(Copy(File(), wrong).error().message, Not(HasSubstr("s3c")));
}

TEST_F(JournalCopy, ADamagedRowIsNotCopiedAsIfItWereSound) {
  Fill(File());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(File().path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(db, "UPDATE raw SET body = 'x' WHERE seq = 3", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const auto refused = Copy(File(), Schema());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalid);
  EXPECT_THAT(refused.error().message, HasSubstr("table event, at or after seq 3"));
  EXPECT_THAT(refused.error().message, HasSubstr("journal verify"));
  EXPECT_TRUE(GiveUpCopy(File(), clock_));
  EXPECT_TRUE(Open(File()));
}

TEST_F(JournalCopy, WhatArrivesOtherwiseThanItWasReadIsFound) {
  Fill(File());
  // After the last table, before it is read again.
  CopyTuning tuning = tuning_;
  tuning.on_table = [&](std::string_view table, std::int64_t) {
    if (table == "action") {
      (void)test::TheDatabase().Query("UPDATE " + schema_->name() + ".delivery SET due_ms = 1 WHERE seq = 1");
    }
  };
  const auto refused = CopyJournal(File(), Schema(), clock_, tuning);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("table delivery: 13 rows"));
  EXPECT_THAT(refused.error().message, HasSubstr("but not the same"));
  EXPECT_FALSE(Open(Schema()));
  EXPECT_TRUE(GiveUpCopy(File(), clock_));
}

TEST_F(JournalCopy, AFallbackWithALowerNumberIsFoundInAFile) {
  // Where routers took turns, each with numbers of its own.
  {
    const auto journal = Open(Schema());
    ASSERT_TRUE(journal);
    const NewDelivery ops{.sink = "ops", .rule = "r", .template_name = ""};
    ASSERT_TRUE(Append(**journal, "a", "a", {ops}));
    ASSERT_TRUE((*journal)->history().AddDeliveries(1, {&ops, 1}, At(5)));
  }
  const std::string in = schema_->name() + ".";
  (void)test::TheDatabase().Query("UPDATE " + in + "event SET first_delivery = 2");
  (void)test::TheDatabase().Query("UPDATE " + in + "more SET delivery = 1");
  (void)test::TheDatabase().Query("UPDATE " + in + "delivery SET fallback = 1, state = 5 WHERE seq = 2");
  const std::string before = DumpOf(Schema());
  const auto done = Copy(Schema(), File());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(DumpOf(File()), before);
  ExpectSound(File());
}

TEST_F(JournalCopy, NumbersFarApartKeepTheirPartitions) {
  Fill(File());
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(File().path.c_str(), &db), SQLITE_OK);
  // As after years: events beyond the first partition, deliveries beyond the second.
  const char* const later =
      "UPDATE event SET seq = seq + 20000000, first_delivery = first_delivery + 40000000 * (deliveries > 0);"
      "UPDATE raw SET seq = seq + 20000000;"
      "UPDATE delivery SET seq = seq + 40000000, event = event + 20000000, "
      "fallback = fallback + 40000000 * (fallback > 0);"
      "UPDATE attempt SET delivery = delivery + 40000000;"
      "UPDATE revision SET event = event + 20000000;"
      "UPDATE replay SET event = event + 20000000, first_delivery = first_delivery + 40000000;"
      "UPDATE memory SET event = event + 20000000;"
      "UPDATE meta SET value = value + 20000000 WHERE key = 'next_event';"
      "UPDATE meta SET value = value + 40000000 WHERE key IN ('next_delivery', 'pending_floor')";
  EXPECT_EQ(sqlite3_exec(db, later, nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(db);
  const std::string before = DumpOf(File());
  const auto done = Copy(File(), Schema());
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(DumpOf(Schema()), before);
  ExpectGoesOn(Schema(), 20'000'007, 40'000'013);
}

}  // namespace
}  // namespace hookswitch
