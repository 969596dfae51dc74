#include "core/base/log.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

class SqliteHistory : public SqliteFixture {
 protected:
  void SetUp() override {
    log::SetWriterForTest([this](log::Level, std::string_view line) { lines_.emplace_back(line); });
  }
  void TearDown() override {
    SqliteFixture::TearDown();
    log::SetWriterForTest(nullptr);
  }
  std::vector<DeliverySeq> Listed(const DeliveryFilter& filter) {
    std::vector<DeliverySeq> seqs;
    for (DeliverySeq before = 0;;) {
      const auto page = journal_->history().ListDeliveries(filter, before, 100);
      EXPECT_TRUE(page);
      if (!page) return seqs;
      for (const DeliverySummary& delivery : page->items) seqs.push_back(delivery.seq);
      if (page->next == 0) return seqs;
      before = page->next;
    }
  }
  /// Makes what waits in the journal durable: records go with the next commit.
  void Settle() { EXPECT_TRUE(journal_->history().SavePause("nobody", std::nullopt)); }

  std::vector<std::string> lines_;  ///< of the log
};

using Seqs = std::vector<DeliverySeq>;

// A journal as hookswitch 0.1.0 before history wrote it: one delivery pending after a retry, one delivered, one lane.
constexpr const char* kStepOne = R"sql(
PRAGMA page_size = 8192; PRAGMA journal_mode = WAL;
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE event(
  seq INTEGER PRIMARY KEY, received_ms INTEGER NOT NULL, dedup BLOB NOT NULL, call_key INTEGER NOT NULL,
  first_delivery INTEGER NOT NULL, deliveries INTEGER NOT NULL,
  source TEXT NOT NULL, call_id TEXT NOT NULL, agent TEXT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL);
CREATE TABLE raw(
  seq INTEGER PRIMARY KEY, sum INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE delivery(
  seq INTEGER PRIMARY KEY, event INTEGER NOT NULL, call_key INTEGER NOT NULL, accepted_ms INTEGER NOT NULL,
  state INTEGER NOT NULL, due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, step INTEGER NOT NULL,
  last_attempt INTEGER NOT NULL, fallback INTEGER NOT NULL, is_fallback INTEGER NOT NULL,
  sink TEXT NOT NULL, rule TEXT NOT NULL, template TEXT NOT NULL,
  carried TEXT NOT NULL, room BLOB NOT NULL);
CREATE TABLE attempt(
  seq INTEGER PRIMARY KEY, previous INTEGER NOT NULL, delivery INTEGER NOT NULL, number INTEGER NOT NULL,
  started_ms INTEGER NOT NULL, latency_ms INTEGER NOT NULL, kind INTEGER NOT NULL,
  may_have_been_delivered INTEGER NOT NULL, http_status INTEGER NOT NULL,
  code TEXT NOT NULL, reason TEXT NOT NULL, action TEXT NOT NULL, remote_id TEXT NOT NULL);
CREATE TABLE memory(
  sink TEXT NOT NULL, call_key INTEGER NOT NULL, event INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(sink, call_key)) WITHOUT ROWID;
CREATE TABLE lane(sink TEXT PRIMARY KEY, due_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE refused(
  slot INTEGER PRIMARY KEY, number INTEGER NOT NULL, at_ms INTEGER NOT NULL, source TEXT NOT NULL, peer TEXT NOT NULL,
  http_status INTEGER NOT NULL, error TEXT NOT NULL, detail TEXT NOT NULL);
INSERT INTO meta VALUES('next_event', 1), ('next_delivery', 1), ('pending_floor', 1);
INSERT INTO meta VALUES('salt', 4660), ('schema_version', 1), ('written_by', '0.1.0');
INSERT INTO event VALUES(1, 1000, x'00112233445566778899aabbccddeeff', 7, 1, 2, 'bolna', 'c1', 'sales', 'failed', '');
INSERT INTO raw VALUES(1, 0, '', x'7b7d');
INSERT INTO delivery VALUES(1, 1, 7, 1000, 0, 9000, 1, 0, 1, 0, 0, 'ops', 'r', '', '', x'');
INSERT INTO delivery VALUES(2, 1, 7, 1000, 2, 0, 1, 0, 2, 0, 0, 'mail', 'r', '', '', x'');
INSERT INTO attempt VALUES(1, 0, 1, 1, 2000, 30, 1, 0, 503, 'http_503', 'it is down', '', '');
INSERT INTO attempt VALUES(2, 0, 2, 1, 2000, 30, 0, 0, 200, '', '', '', 'm1');
INSERT INTO lane VALUES('ops', 9000);
)sql";

TEST_F(SqliteHistory, AJournalOfTheFirstSchemaKeepsWhatItHolds) {
  Shell(kStepOne);
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(Open());
    ASSERT_EQ(lines_.size(), 1u) << "told once";
    EXPECT_NE(lines_[0].find("\"event\":\"journal_upgraded\""), std::string::npos) << lines_[0];
    EXPECT_NE(lines_[0].find("\"from\":1"), std::string::npos) << lines_[0];
    EXPECT_EQ(Shell("SELECT value FROM meta WHERE key = 'schema_version'"), "4");
    const auto pending = journal_->LoadPending(0, 10);
    ASSERT_TRUE(pending);
    ASSERT_EQ(pending->size(), 1u);
    EXPECT_EQ(pending->front().sink, "ops");
    EXPECT_EQ(pending->front().due, WallTime(std::chrono::milliseconds(9000)));
    EXPECT_EQ(pending->front().attempts, 1u);
    EXPECT_FALSE(pending->front().is_held || pending->front().is_replay || pending->front().newest_only);
    EXPECT_EQ(pending->front().story, "");
    const auto attempts = journal_->history().AttemptsOf(1);
    ASSERT_TRUE(attempts);
    ASSERT_EQ(attempts->size(), 1u);
    EXPECT_EQ(attempts->front().http_status, 503);
    EXPECT_EQ(attempts->front().trigger, Trigger::kFirst);
    EXPECT_EQ(journal_->history().FindDelivery(1)->reason, "it is down");
    EXPECT_EQ(journal_->history().FindDelivery(2)->state, DeliveryState::kDelivered);
    EXPECT_EQ(journal_->history().FindEvent(1)->call_id, "c1");
    const auto lanes = journal_->LoadLanes();
    ASSERT_TRUE(lanes);
    EXPECT_FALSE(lanes->at(0).pause);
  }
  ASSERT_EQ(journal_->history().Revive(Seqs{2}, clock_.Wall())->size(), 1u);
  const auto next = Append("next", 100, {"ops"});
  ASSERT_TRUE(next);
  EXPECT_EQ(next->event, 2);
  EXPECT_EQ(next->first_delivery, 3);
}

TEST_F(SqliteHistory, AMigrationThatCannotEndChangesNothing) {
  Shell(kStepOne);
  Shell("CREATE TABLE replay(in_the_way)");
  EXPECT_FALSE(Open());
  EXPECT_EQ(Shell("SELECT value FROM meta WHERE key = 'schema_version'"), "1");
  EXPECT_EQ(Shell("SELECT count(*) FROM pragma_table_info('delivery') WHERE name = 'flags'"), "0");
  Shell("DROP TABLE replay");
  EXPECT_TRUE(Open());
}

TEST_F(SqliteHistory, ARowWithDamagedBitsIsSteppedOverAndRefusesNoStart) {
  ASSERT_TRUE(Open());
  for (int i = 1; i <= 4; ++i) ASSERT_TRUE(Append("e" + std::to_string(i), 100, {"ops"}));
  const std::vector<NewDelivery> more = {{.sink = "ops", .rule = "r", .template_name = ""}};
  ASSERT_TRUE(journal_->history().AddDeliveries(1, more, clock_.Wall()));
  journal_.reset();
  Shell("UPDATE delivery SET state = 1, flags = -1, due_ms = 9223372036854775807, step = -1 WHERE seq = 1");
  Shell("UPDATE delivery SET state = 77 WHERE seq = 2");
  Shell("UPDATE delivery SET state = 'x', flags = 'y', accepted_ms = x'00' WHERE seq = 3");
  Shell("INSERT INTO replay VALUES(1, 4, 9223372036854775807), (1, -5, 9), (2, 9223372036854775807, 3), (77, 1, 1)");
  ASSERT_TRUE(Open());
  ASSERT_TRUE(journal_->LoadPending(0, 10));
  EXPECT_EQ(Listed({.sink = "ops"}), (Seqs{5, 4, 3, 1}));
  EXPECT_EQ(journal_->history().FindDelivery(2).error().code, ErrorCode::kInvalid);
  const auto all = journal_->history().DeliveriesOf(1);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->size(), 2u) << "what belongs to another event is not its";
  EXPECT_TRUE(journal_->history().DeliveriesOf(2));
  EXPECT_TRUE(journal_->history().Revive(Seqs{2}, clock_.Wall())->empty());
  EXPECT_TRUE(Append("next", 100, {"ops"}));
}

TEST_F(SqliteHistory, ReplaysGoWithTheirEventAndNotBeforeTheyHaveEnded) {
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  const auto event = Append("a", 100, {"ops"});
  ASSERT_TRUE(event);
  Deliver(1, 1);
  AttemptRecord dead;
  const std::vector<NewDelivery> more = {{.sink = "ops", .rule = "r", .template_name = ""},
                                         {.sink = "mail", .rule = "r", .template_name = ""}};
  ASSERT_TRUE(journal_->history().AddDeliveries(1, more, clock_.Wall()));
  Deliver(2, 1);
  dead.delivery = 3;
  dead.number = 1;
  dead.state = DeliveryState::kDead;
  dead.fallback_sink = "oncall";
  journal_->Record(dead);  // 4 takes over
  Settle();
  clock_.Advance(std::chrono::hours(2));
  ASSERT_TRUE(Append("b"));
  ASSERT_TRUE(Append("c"));
  EXPECT_TRUE(journal_->history().FindEvent(1)) << "one of its replays has not ended";
  EXPECT_EQ(journal_->history().DeliveriesOf(1)->size(), 4u);
  Deliver(4, 1);
  Settle();
  clock_.Advance(std::chrono::minutes(2));
  ASSERT_TRUE(Append("d"));
  ASSERT_TRUE(Append("e"));
  EXPECT_FALSE(journal_->history().FindEvent(1));
  for (const char* table : {"delivery", "attempt", "replay"}) {
    EXPECT_EQ(Shell(std::string("SELECT count(*) FROM ") + table), "0") << table;
  }
}

TEST_F(SqliteHistory, AFallbackWhosePlaceWasTakenGoesWithItsEvent) {
  options_.retention_age = std::chrono::hours(1);
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  AttemptRecord dead;
  dead.delivery = 1;
  dead.number = 1;
  dead.state = DeliveryState::kDead;
  dead.fallback_sink = "oncall";
  journal_->Record(dead);  // 2
  Settle();
  ASSERT_EQ(journal_->history().Revive(Seqs{1}, clock_.Wall())->size(), 1u);
  journal_->Record(dead);  // 3
  Settle();
  EXPECT_EQ(journal_->history().FindDelivery(1)->fallback, 3);
  Deliver(2, 1);
  Deliver(3, 1);
  Settle();
  clock_.Advance(std::chrono::hours(2));
  ASSERT_TRUE(Append("b"));
  ASSERT_TRUE(Append("c"));
  EXPECT_EQ(Shell("SELECT count(*) FROM delivery"), "0");
  EXPECT_EQ(Shell("SELECT count(*) FROM replay"), "0");
}

TEST_F(SqliteHistory, ListsCrossWhatRetentionRemoved) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("old", 100, {"ops"}));
  journal_.reset();
  Shell("UPDATE meta SET value = 1000000 WHERE key IN ('next_event', 'next_delivery')");
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("new", 100, {"ops"}));
  const auto first = journal_->history().ListEvents({}, 0, 10);
  ASSERT_TRUE(first);
  ASSERT_EQ(first->items.size(), 1u);
  ASSERT_NE(first->next, 0);
  const auto second = journal_->history().ListEvents({}, first->next, 10);
  ASSERT_TRUE(second);
  ASSERT_EQ(second->items.size(), 1u) << "the gap costs no call";
  EXPECT_EQ(second->items[0].seq, 1);
  EXPECT_EQ(second->next, 0);
  EXPECT_EQ(Listed({}), (Seqs{1'000'000, 1}));
}

TEST_F(SqliteHistory, ACallLooksAtABoundedNumberOfRowsAndMissesNone) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("wanted", 10, {"rare"}));
  journal_.reset();
  Shell(
      "WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 45000) INSERT INTO delivery "
      "SELECT i, 1, 7, 1000, 2, 0, 0, 0, 0, 0, 0, 'ops', 'r', '', '', x'', 0, '', '', '', 0, 0 FROM n");
  ASSERT_TRUE(Open());
  const DeliveryFilter rare{.sink = "rare"};
  int calls = 0;
  std::vector<DeliverySeq> found;
  DeliverySeq before = 0;
  do {
    const auto page = journal_->history().ListDeliveries(rare, before, 10);
    ASSERT_TRUE(page);
    for (const DeliverySummary& delivery : page->items) found.push_back(delivery.seq);
    before = page->next;
    ++calls;
  } while (before != 0);
  EXPECT_EQ(found, Seqs{1});
  EXPECT_EQ(calls, 3);
}

TEST_F(SqliteHistory, WhatHasEndedLongAgoIsNotReadToListWhatWaits) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("event", 10));
  journal_.reset();
  Shell(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000) INSERT INTO delivery "
      "SELECT i, 1, 7, 1000, 2, 0, 0, 0, 0, 0, 0, 'ops', 'r', '', '', x'', 0, '', '', '', 0, 0 FROM n");
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("waits", 10, {"ops"}));
  const auto page =
      journal_->history().ListDeliveries({.states = {DeliveryState::kPending, DeliveryState::kHeld}}, 0, 10);
  ASSERT_TRUE(page);
  EXPECT_EQ(page->items.size(), 1u);
  EXPECT_EQ(page->next, 0);
}

TEST_F(SqliteHistory, WhatWasDeliveredIsNotReadToListWhatIsDead) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("event", 10));
  journal_.reset();
  Shell(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 45000) INSERT INTO delivery "
      "SELECT i, 1, 7, 1000, CASE WHEN i IN (3, 44000) THEN 3 ELSE 2 END, 0, 0, 0, 0, 0, 0, 'ops', 'r', '', '', x'', "
      "0, '', '', '', 0, 0 FROM n");
  ASSERT_TRUE(Open());
  const auto newest = journal_->history().ListDeliveries({.states = {DeliveryState::kDead}}, 0, 1);
  ASSERT_TRUE(newest);
  ASSERT_EQ(newest->items.size(), 1u);
  EXPECT_EQ(newest->items[0].seq, 44'000);
  const auto older = journal_->history().ListDeliveries({.states = {DeliveryState::kDead}}, newest->next, 10);
  ASSERT_TRUE(older);
  ASSERT_EQ(older->items.size(), 1u) << "what lies between costs no call";
  EXPECT_EQ(older->items[0].seq, 3);
  EXPECT_EQ(older->next, 0);
}

TEST_F(SqliteHistory, WithoutItsEventADeliveryIsStillListed) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  journal_.reset();
  Shell("DELETE FROM event");
  ASSERT_TRUE(Open());
  EXPECT_EQ(Listed({}), Seqs{1});
  EXPECT_EQ(Listed({.source = "bolna"}), Seqs{});
  EXPECT_EQ(journal_->history().FindDelivery(1)->event_id, "");
}

TEST_F(SqliteHistory, CommandsAreRefusedWhileTheJournalCannotBeWritten) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  Deliver(1, 1);
  Settle();
  // A writer outside that holds the lock: SQLite gives up waiting, as it does on a full disk.
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  const auto refused = journal_->history().Revive(Seqs{1}, clock_.Wall());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(journal_->Stats().pending, 0u);
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(journal_->history().Revive(Seqs{1}, clock_.Wall())->size(), 1u);
  EXPECT_EQ(journal_->Stats().pending, 1u);
}

TEST_F(SqliteHistory, WhileTheJournalCannotBeWrittenActionsWaitAndNothingHasChanged) {
  ASSERT_TRUE(Open());
  ASSERT_TRUE(Append("a", 100, {"ops"}));
  Settle();
  const ChangeCursor before = journal_->history().Changes({}).next;
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  for (int i = 1; i <= 1003; ++i) {
    journal_->history().RecordAction({.who = "ana", .peer = "", .action = "pause", .target = std::to_string(i)});
  }
  ASSERT_FALSE(journal_->history().Cancel(Seqs{1}, "purged"));
  EXPECT_EQ(journal_->history().Changes(before).next, before);
  ASSERT_EQ(sqlite3_exec(other, "ROLLBACK", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(other);
  clock_.Advance(std::chrono::seconds(1));
  ASSERT_TRUE(journal_->history().Cancel(Seqs{1}, "purged"));
  EXPECT_EQ(journal_->history().Changes(before).deliveries, Seqs{1});
  const auto actions = journal_->history().ListActions(0, 2000);
  ASSERT_TRUE(actions);
  ASSERT_EQ(actions->items.size(), 1000u);
  EXPECT_EQ(actions->items.front().target, "1000");
}

TEST_F(SqliteHistory, TheNewestTenThousandActionsAreKept) {
  ASSERT_TRUE(Open());
  journal_.reset();
  Shell(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO action "
      "SELECT i, i, 'ana', '', 'pause', 'sinks/ops', '', 200, '' FROM n");
  ASSERT_TRUE(Open());
  journal_->history().RecordAction({.who = "", .peer = "", .action = "resume", .target = "sinks/ops"});
  EXPECT_EQ(Shell("SELECT count(*) FROM action"), "10000");
  EXPECT_EQ(Shell("SELECT min(number) FROM action"), "2");
  EXPECT_EQ(journal_->history().ListActions(0, 1)->items.at(0).action, "resume");
}

}  // namespace
}  // namespace hookswitch
