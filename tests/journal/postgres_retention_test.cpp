#include "core/journal/postgres/pg_retention.h"

#include <atomic>
#include <random>
#include <thread>

#include "core/journal/history.h"
#include "core/journal/postgres/pg_schema.h"
#include "core/journal/postgres/postgres_journal.h"
#include "tests/fakes/fake_clock.h"
#include "tests/journal/cutting_proxy.h"
#include "tests/journal/postgres_home.h"

namespace hookswitch {
namespace {

using pg::kPartSize;
using std::chrono::hours;
using std::chrono::minutes;

constexpr hours kWeek{24 * 7};

struct Way {
  const char* name;
  pg::RetentionOptions options;
  bool copies = false;  ///< what waits, in the place of its partition
};

class PostgresRetention : public testing::TestWithParam<Way> {
 protected:
  void SetUp() override { journal_ = Open("router-1"); }
  void TearDown() override { journal_.reset(); }

  std::unique_ptr<Journal> Open(const std::string& router, const PostgresOptions& with = {},
                                const PostgresTuning& tuning = {}) {
    PostgresOptions options = with;
    options.url = test::TheDatabase().Conninfo();
    options.schema = schema_.name();
    options.router = router;
    auto journal = OpenPostgresJournal(options, clock_, tuning);
    EXPECT_TRUE(journal) << journal.error().message;
    if (!journal) return nullptr;
    (*journal)->OnRecorded([this](DeliverySeq, DeliverySeq fallback, bool stored) {
      EXPECT_TRUE(stored);
      if (fallback != 0) fallback_ = fallback;
      ++recorded_;
    });
    return std::move(*journal);
  }
  void Reopen(const std::string& router = "router-1") {
    journal_.reset();
    journal_ = Open(router);
  }
  /// The calls are numbered as the events are, by their keys.
  Result<Accepted> Append(const std::string& key, const std::vector<std::string>& sinks = {}, std::string body = "") {
    if (body.empty()) body = "body of " + key;
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = "rule", .template_name = ""});
    if (!sinks.empty() && sinks.front() == "later") deliveries.front().hold = hours(24 * 365);
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf(key);
    event.content = std::hash<std::string>{}(body);
    event.call_key = CallOf(key);
    event.received_at = clock_.Wall();
    event.config = config_.text.empty() ? nullptr : &config_;
    event.deliveries = deliveries;
    return journal_->Append(event);
  }
  EventSeq AppendOne(const std::string& key, const std::vector<std::string>& sinks = {}) {
    const auto accepted = Append(key, sinks);
    EXPECT_TRUE(accepted && !accepted->duplicate) << key;
    return accepted ? accepted->event : 0;
  }
  static std::uint64_t CallOf(const std::string& key) { return std::hash<std::string>{}(key) | 1; }
  AttemptRecord Attempt(EventSeq event, const std::string& key, DeliverySeq delivery, DeliveryState state) {
    AttemptRecord record;
    record.delivery = delivery;
    record.event = event;
    record.sink = "ops";
    record.call_key = CallOf(key);
    record.number = 1;
    record.started_at = clock_.Wall();
    record.state = state;
    record.outcome.kind = state == DeliveryState::kPending ? Outcome::Kind::kRetry : Outcome::Kind::kDelivered;
    return record;
  }
  void Record(AttemptRecord record) {
    const int before = recorded_;
    journal_->Record(std::move(record));
    while (recorded_ == before) std::this_thread::yield();
  }
  DeliverySeq FirstOf(EventSeq event) { return Deliveries(event).front(); }
  std::vector<DeliverySeq> Deliveries(EventSeq event) {
    std::vector<DeliverySeq> seqs;
    const auto all = journal_->history().DeliveriesOf(event);
    EXPECT_TRUE(all) << event;
    if (all) {
      for (const DeliverySummary& delivery : *all) seqs.push_back(delivery.seq);
    }
    return seqs;
  }
  void Deliver(EventSeq event, const std::string& key) {
    Record(Attempt(event, key, FirstOf(event), DeliveryState::kDelivered));
  }
  std::vector<DeliverySeq> Pending() {
    std::vector<DeliverySeq> seqs;
    const auto pending = journal_->LoadPending(0, 1000);
    EXPECT_TRUE(pending);
    if (pending) {
      for (const PendingDelivery& delivery : *pending) seqs.push_back(delivery.seq);
    }
    return seqs;
  }
  bool IsThere(EventSeq event) {
    const auto loaded = journal_->Load(event);
    EXPECT_TRUE(loaded || loaded.error().code == ErrorCode::kNotFound) << loaded.error().message;
    return loaded.has_value();
  }

  /// Of the router that has the lease now.
  pg::Retention Make(const pg::RetentionOptions& options,
                     const std::string& conninfo = test::TheDatabase().Conninfo()) {
    const pg::Fence fence{.router = std::stoll(Sql("SELECT router FROM @lease")),
                          .epoch = std::stoll(Sql("SELECT epoch FROM @lease"))};
    return {pg::Place{conninfo, schema_.name()}, [fence] { return fence; }, options, clock_};
  }
  static std::string Conninfo(const test::CuttingProxy& proxy) {
    return test::TheDatabase().Conninfo() + " sslmode=disable port=" + proxy.Port();
  }
  void RunAll(pg::Retention& retention) {
    for (int steps = 0;; ++steps) {
      ASSERT_LT(steps, 1000) << "it comes to an end";
      const auto more = retention.Step();
      ASSERT_TRUE(more) << more.error().message;
      if (!*more) return;
    }
  }
  void RunAll() {
    auto retention = Make(options_);
    RunAll(retention);
  }
  /// The next partition begins, some days after the one before.
  void NextPart() {
    clock_.Advance(hours(24));
    RunAll();
  }
  std::string Sql(std::string sql) {
    for (std::size_t at; (at = sql.find('@')) != std::string::npos;) sql.replace(at, 1, schema_.name() + ".");
    return test::TheDatabase().Query(sql);
  }
  /// Rows of what belongs to events.
  std::string Rows() {
    return Sql(
        "SELECT (SELECT count(*) FROM @event), (SELECT count(*) FROM @delivery), (SELECT count(*) FROM @attempt), "
        "(SELECT count(*) FROM @more), (SELECT count(*) FROM @revision), (SELECT count(*) FROM @memory), "
        "(SELECT count(*) FROM @dedup)");
  }
  std::string Parts() {
    return Sql("SELECT string_agg(inhrelid::regclass::text, ',' ORDER BY 1) FROM pg_inherits WHERE inhparent = '@" +
               std::string("event'::regclass"));
  }
  bool HasPart(int part) { return Sql("SELECT to_regclass('@event_" + std::to_string(part) + "') IS NOT NULL") == "t"; }

  test::OwnSchema schema_;
  FakeClock clock_;
  pg::RetentionOptions options_{.age = kWeek};
  KeptConfig config_{};
  std::atomic<int> recorded_{0};
  std::atomic<DeliverySeq> fallback_{0};
  std::unique_ptr<Journal> journal_;
};

TEST_F(PostgresRetention, OldEventsGoWithTheirPartition) {
  const EventSeq old = AppendOne("old", {"ops"});
  Deliver(old, "old");
  NextPart();
  const EventSeq young = AppendOne("young", {"ops"});
  EXPECT_GE(young, kPartSize) << "a new partition has begun";
  Deliver(young, "young");
  clock_.Advance(kWeek - hours(25));
  RunAll();
  EXPECT_TRUE(IsThere(old)) << "it has an hour left";
  clock_.Advance(hours(2));
  RunAll();
  EXPECT_FALSE(IsThere(old));
  EXPECT_TRUE(IsThere(young));
  EXPECT_FALSE(HasPart(0));
  EXPECT_EQ(Rows(), "1|1|1|0|0|0|1");
  EXPECT_EQ(journal_->history().FindExtent()->oldest, young);
  Reopen();
  EXPECT_EQ(journal_->Stats().events, 1u);
  EXPECT_GT(AppendOne("next"), young);
}

TEST_F(PostgresRetention, TheNewestPartitionStays) {
  const EventSeq event = AppendOne("event");
  options_.parts = 1;
  clock_.Advance(kWeek - hours(1));
  RunAll();
  EXPECT_FALSE(HasPart(1)) << "too early";
  clock_.Advance(hours(2));
  RunAll();
  EXPECT_FALSE(IsThere(event)) << "it is old, and no longer in the newest";
  EXPECT_TRUE(HasPart(1));
  clock_.Advance(kWeek * 3);
  RunAll();
  EXPECT_TRUE(HasPart(1));
  EXPECT_FALSE(HasPart(2)) << "it is empty";
}

TEST_F(PostgresRetention, EveryRouterGoesOnInTheNewPartition) {
  for (EventSeq part = 0; part <= 3; ++part) {
    for (const std::string router : {"router-1", "router-2"}) {
      Reopen(router);
      const auto accepted = Append(router + " " + std::to_string(part), {"ops"});
      ASSERT_TRUE(accepted);
      EXPECT_EQ(accepted->event / kPartSize, part);
      EXPECT_EQ(accepted->first_delivery / kPartSize, part);
    }
    NextPart();
  }
  EXPECT_EQ(Sql("SELECT count(*) FROM (SELECT received_ms - lag(received_ms) OVER (ORDER BY seq) d FROM @event) t "
                "WHERE d < 0"),
            "0");
}

TEST_F(PostgresRetention, ARouterWhoseNumbersAreOfADroppedPartitionTakesOthers) {
  const EventSeq waits = AppendOne("waits", {"ops"});
  NextPart();
  AppendOne("its last numbers are of partition 1");
  Reopen("router-2");
  for (int day = 0; day < 9; ++day) {
    NextPart();
    AppendOne("day " + std::to_string(day));
  }
  EXPECT_TRUE(HasPart(0));
  ASSERT_FALSE(HasPart(1));
  Reopen("router-1");
  AttemptRecord fell = Attempt(waits, "waits", FirstOf(waits), DeliveryState::kFellBack);
  fell.fallback_sink = "oncall";
  Record(std::move(fell));
  EXPECT_EQ(Pending(), std::vector<DeliverySeq>{fallback_});
  EXPECT_EQ(Deliveries(waits).size(), 2u);
  EXPECT_GE(AppendOne("new"), kPartSize * 9);
}

TEST_F(PostgresRetention, ARouterThatWasReplacedRemovesNothing) {
  AppendOne("old");
  auto replaced = Make(options_);
  Reopen("router-2");
  clock_.Advance(kWeek * 2);
  RunAll(replaced);
  EXPECT_LT(std::stoll(Sql("SELECT last_value FROM @event_number")), kPartSize) << "no partition has begun";
  EXPECT_EQ(Rows(), "1|0|0|0|0|0|1");
  RunAll();
  EXPECT_EQ(Rows(), "0|0|0|0|0|0|0");
}

const Way kWays[] = {
    {"copied", {.age = kWeek, .few_removed = 0}, true},
    {"many_wait", {.age = kWeek, .most_copied = 0, .few_removed = 0}},
    {"much_text_waits", {.age = kWeek, .most_bytes_copied = 20, .few_removed = 0}},
    {"few_can_go", {.age = kWeek}},
};
INSTANTIATE_TEST_SUITE_P(Ways, PostgresRetention, testing::ValuesIn(kWays),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_P(PostgresRetention, WhatWaitsStaysUntilItHasEnded) {
  options_ = GetParam().options;
  const EventSeq done = AppendOne("done", {"ops"});
  const EventSeq tried = AppendOne("tried", {"ops", "other"});
  const EventSeq held = AppendOne("held", {"later"});
  const EventSeq fell = AppendOne("fell", {"ops"});
  const EventSeq replayed = AppendOne("replayed", {"ops"});
  for (const auto& [event, key] : {std::pair{done, "done"}, {replayed, "replayed"}}) {
    AttemptRecord record = Attempt(event, key, FirstOf(event), DeliveryState::kDelivered);
    record.outcome.has_memory = true;
    record.outcome.memory = std::string("memory of ") + key;
    Record(std::move(record));
  }
  AttemptRecord failed = Attempt(tried, "tried", FirstOf(tried), DeliveryState::kPending);
  failed.outcome.has_memory = true;
  failed.outcome.memory = "memory of tried";
  Record(std::move(failed));
  ASSERT_TRUE(Append("done", {"ops"}, "revised")->revised);
  ASSERT_TRUE(Append("tried", {"ops", "other"}, "revised")->revised);
  Record(Attempt(tried, "tried", Deliveries(tried).back(), DeliveryState::kDelivered));

  NextPart();
  const EventSeq second = AppendOne("second");
  ASSERT_GE(second, kPartSize);
  AttemptRecord record = Attempt(fell, "fell", FirstOf(fell), DeliveryState::kFellBack);
  record.fallback_sink = "oncall";
  Record(std::move(record));
  const NewDelivery replay{.sink = "ops", .rule = "rule", .template_name = ""};
  ASSERT_TRUE(journal_->history().AddDeliveries(replayed, {&replay, 1}, clock_.Wall()));
  const std::vector<DeliverySeq> before = Pending();
  ASSERT_EQ(before.size(), 4u);
  ASSERT_EQ(Deliveries(fell).size(), 2u);
  const auto table = [&] { return Sql("SELECT '@event_0'::regclass::oid"); };
  const std::string table_before = table();

  for (int day = 0; day < 9; ++day) NextPart();
  EXPECT_FALSE(IsThere(done));
  EXPECT_FALSE(IsThere(second));
  EXPECT_EQ(table() != table_before, GetParam().copies);
  for (const bool again : {false, true}) {
    if (again) Reopen();
    EXPECT_EQ(journal_->Stats().pending, 4u);
    EXPECT_EQ(Pending(), before);
    EXPECT_EQ(journal_->Load(tried)->body, "revised");
    EXPECT_EQ(journal_->history().RevisionsOf(tried)->size(), 1u);
    EXPECT_EQ(Deliveries(tried).size(), 2u);
    EXPECT_EQ(journal_->history().AttemptsOf(Deliveries(tried)[0])->size(), 1u);
    EXPECT_EQ(journal_->history().AttemptsOf(Deliveries(tried)[1])->size(), 1u);
    EXPECT_EQ(Deliveries(held).size(), 1u);
    EXPECT_EQ(Deliveries(fell).size(), 2u);
    EXPECT_EQ(Deliveries(replayed).size(), 2u);
    EXPECT_EQ(journal_->LoadMemory("ops", CallOf("tried")).value(), "memory of tried");
    EXPECT_EQ(journal_->LoadMemory("ops", CallOf("replayed")).value(), "memory of replayed");
    EXPECT_EQ(journal_->LoadMemory("ops", CallOf("done")).value(), "");
    EXPECT_TRUE(Append("held")->duplicate);
  }
  EXPECT_EQ(Rows(), "4|7|4|2|1|2|4");
  // One after the other they end, and go.
  std::size_t left = 4;
  for (const auto& [event, key] : {std::pair{tried, "tried"}, {fell, "fell"}, {held, "held"}, {replayed, "replayed"}}) {
    const std::vector<DeliverySeq> all = Deliveries(event);
    const DeliverySeq open = *std::ranges::find_first_of(all, before);
    Record(Attempt(event, key, open, DeliveryState::kDelivered));
    clock_.Advance(minutes(2));
    RunAll();
    clock_.Advance(minutes(2));
    RunAll();
    EXPECT_FALSE(IsThere(event)) << key;
    EXPECT_EQ(Pending().size(), --left);
  }
  EXPECT_EQ(Rows(), "0|0|0|0|0|0|0");
  EXPECT_FALSE(HasPart(0));
  EXPECT_GT(AppendOne("done"), second);
}

TEST_P(PostgresRetention, WhatBeginsToWaitMeanwhileStays) {
  options_ = GetParam().options;
  AppendOne("waits", {"ops"});
  const EventSeq event = AppendOne("event", {"ops"});
  const DeliverySeq delivery = FirstOf(event);
  for (const char* change : {"revived", "replayed"}) {
    SCOPED_TRACE(change);
    Record(Attempt(event, "event", delivery, DeliveryState::kDelivered));
    clock_.Advance(kWeek * 2);
    const std::unique_ptr<PGconn, decltype(&PQfinish)> writer(PQconnectdb(test::TheDatabase().Conninfo().c_str()),
                                                              &PQfinish);
    const auto write = [&](const std::string& sql) { PQclear(PQexec(writer.get(), sql.c_str())); };
    write("BEGIN; SET search_path = " + schema_.name());
    const std::string seq = std::to_string(delivery), number = std::to_string(event);
    if (change == std::string("revived")) {
      write("UPDATE delivery SET state = 0 WHERE seq = " + seq);
    } else {
      write("SELECT 1 FROM event WHERE seq = " + number + " FOR KEY SHARE");
      write(
          "INSERT INTO delivery SELECT seq + 1000, event, call_key, accepted_ms, 0, 0, 0, 0, 0, 0, 0, 0, sink, rule, "
          "template FROM delivery WHERE seq = " +
          seq);
      write("INSERT INTO more VALUES(" + number + ", " + seq + " + 1000)");
    }
    ASSERT_EQ(PQtransactionStatus(writer.get()), PQTRANS_INTRANS);
    auto retention = Make(options_);
    std::atomic<bool> done{false};
    std::thread retaining([&] {
      RunAll(retention);
      done = true;
    });
    while (!done && Sql("SELECT count(*) FROM pg_locks WHERE NOT granted") == "0") std::this_thread::yield();
    write("COMMIT");
    retaining.join();
    clock_.Advance(minutes(2));
    RunAll(retention);
    EXPECT_TRUE(IsThere(event));
    EXPECT_EQ(Pending().size(), 2u);
  }
}

/// As when the process is killed: within a transaction, and after it was stored but before that is known.
TEST_F(PostgresRetention, WhereverItIsCutOffNothingIsLostAndTheNextOneGoesOn) {
  using Fault = test::CuttingProxy::Fault;
  test::CuttingProxy proxy(test::TheDatabase().Port());
  struct {
    Fault fault;
    std::size_t step;
  } const faults[] = {{Fault::kCut, 17}, {Fault::kAnswer, 3}};
  for (const auto& [fault, step] : faults) {
    for (const Way& way : {kWays[0], kWays[1]}) {
      auto retention = Make(way.options, Conninfo(proxy));
      bool was_cut = true;
      std::size_t count = 0;
      for (; was_cut && !HasFailure(); count += step) {
        SCOPED_TRACE(way.name + std::string(" after ") + std::to_string(count) + " of " + std::to_string(step));
        RunAll(retention);
        const std::string n = std::to_string(clock_.Wall().time_since_epoch().count());
        const EventSeq waits = AppendOne("waits " + n, {"ops", "mail"});
        const EventSeq done = AppendOne("done " + n, {"ops"});
        Record(Attempt(waits, "waits " + n, FirstOf(waits), DeliveryState::kDelivered));
        Deliver(done, "done " + n);
        clock_.Advance(kWeek * 2);
        proxy.Arm(fault, count);
        for (auto more = retention.Step(); more && *more;) more = retention.Step();
        was_cut = proxy.HasCut();
        proxy.Arm(Fault::kNone);
        EXPECT_EQ(Pending().size(), 1u);
        EXPECT_EQ(Deliveries(waits).size(), 2u);
        EXPECT_EQ(journal_->history().AttemptsOf(FirstOf(waits))->size(), 1u);
        ASSERT_TRUE(Append("meanwhile " + n));
        clock_.Advance(kWeek * 2);
        // The server may still be at the transaction that was cut off.
        do RunAll(retention);
        while (IsThere(done) && !HasFailure());
        EXPECT_EQ(Deliveries(waits).size(), 2u);
        Record(Attempt(waits, "waits " + n, Pending().front(), DeliveryState::kDelivered));
        for (int i = 0; i < 2; ++i) {
          clock_.Advance(kWeek * 2);
          RunAll(retention);
        }
        EXPECT_EQ(Rows(), "0|0|0|0|0|0|0");
        EXPECT_EQ(Parts().find(','), std::string::npos) << "one partition is left: " << Parts();
      }
      EXPECT_GT(count, 20u) << "it was cut off more than once";
    }
  }
}

TEST_F(PostgresRetention, WhatBelongsToEventsIsRemovedThoughTheAnswerWasLost) {
  test::CuttingProxy proxy(test::TheDatabase().Port());
  auto retention = Make(options_, Conninfo(proxy));
  EventSeq event = 0;
  int not_cut = 0;
  // The first answer without which the event is gone is that to the transaction that removed it.
  for (std::size_t count = 0; event == 0 || IsThere(event); ++count) {
    ASSERT_LT(count, 100u);
    RunAll(retention);
    event = AppendOne("event " + std::to_string(count));
    clock_.Advance(kWeek * 2);
    proxy.Arm(test::CuttingProxy::Fault::kAnswer, count);
    for (auto more = retention.Step(); more && *more;) more = retention.Step();
    const bool was_cut = proxy.HasCut();
    proxy.Arm(test::CuttingProxy::Fault::kNone);
    if (!was_cut) {
      // On a busy machine a lock may take longer than retention waits for it: then it has stopped before.
      ASSERT_LT(++not_cut, 20);
      event = 0;
      --count;
      continue;
    }
    if (IsThere(event)) continue;
    EXPECT_NE(Sql("SELECT count(*) FROM @dedup"), "0");
    RunAll(retention);
    EXPECT_EQ(Rows(), "0|0|0|0|0|0|0");
  }
}

TEST_F(PostgresRetention, BySizeTheOldestGo) {
  constexpr std::uint64_t kSize = 12u << 20;
  options_ = {.size = kSize};
  const auto bytes = [&] {
    return std::stoull(
        Sql("SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n "
            "ON n.oid = c.relnamespace WHERE n.nspname = '" +
            schema_.name() + "' AND c.relkind = 'r'"));
  };
  std::mt19937 random(1);
  std::vector<EventSeq> events;
  const EventSeq waits = AppendOne("waits", {"ops"});
  auto retention = Make(options_);
  for (int i = 0; i < 60; ++i) {
    std::string body(400'000, ' ');
    for (char& c : body) c = static_cast<char>(random());
    const auto accepted = Append("event " + std::to_string(i), {}, body);
    ASSERT_TRUE(accepted);
    events.push_back(accepted->event);
    RunAll(retention);
    EXPECT_LE(bytes(), kSize + kSize / 8);
  }
  const auto first = std::ranges::find_if(events, [&](EventSeq event) { return IsThere(event); });
  EXPECT_GT(first - events.begin(), 20);
  EXPECT_LT(first - events.begin(), 45);
  EXPECT_TRUE(std::all_of(first, events.end(), [&](EventSeq event) { return IsThere(event); }));
  EXPECT_TRUE(IsThere(waits));
  EXPECT_EQ(Pending(), Deliveries(waits));
}

TEST_F(PostgresRetention, WithoutALimitNothingGoes) {
  options_ = {};
  const EventSeq event = AppendOne("event");
  clock_.Advance(kWeek * 100);
  RunAll();
  EXPECT_TRUE(IsThere(event));
  EXPECT_FALSE(HasPart(1));
}

TEST_F(PostgresRetention, AKeyIsFreeAsSoonAsItsEventIsGone) {
  const EventSeq event = AppendOne("event");
  clock_.Advance(kWeek * 2);
  auto retention = Make(options_);
  while (IsThere(event)) ASSERT_TRUE(retention.Step());
  ASSERT_EQ(Sql("SELECT count(*) FROM @dedup"), "1") << "it is not swept yet";
  const auto accepted = Append("event");
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->duplicate);
  RunAll(retention);
  EXPECT_TRUE(Append("event")->duplicate);
  EXPECT_EQ(Append("event")->event, accepted->event);
}

TEST_F(PostgresRetention, AConfigGoesWithTheLastPartitionThatNamesIt) {
  const auto configs = [&] {
    return Sql("SELECT string_agg(convert_from(text, 'UTF8'), ',' ORDER BY number) FROM @config");
  };
  for (const char* text : {"a", "b", "a", "c", "c"}) {
    config_ = {DigestOf(text), clock_.Wall(), text};
    AppendOne("event " + Sql("SELECT count(*) FROM @event"));
    NextPart();
  }
  std::vector<std::string> seen;
  for (int day = 0; day < 15; ++day) {
    if (seen.empty() || seen.back() != configs()) seen.push_back(configs());
    NextPart();
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"a,b,c", "a,c", "c"}));
  EXPECT_EQ(Sql("SELECT count(*) FROM @event"), "0");
  // Whoever still knows the number of "a" gives it another; it is not one that was used.
  config_ = {DigestOf("a"), clock_.Wall(), "a"};
  const EventSeq event = AppendOne("new");
  const std::int64_t number = journal_->Load(event)->config;
  EXPECT_GT(number, 3);
  EXPECT_EQ(journal_->history().LoadConfig(number)->text, "a");
}

TEST_F(PostgresRetention, AConfigOfWhatWaitsStays) {
  config_ = {DigestOf("a"), clock_.Wall(), "a"};
  const EventSeq waits = AppendOne("waits", {"ops"});
  config_ = {DigestOf("b"), clock_.Wall(), "b"};
  AppendOne("done");
  config_ = {DigestOf("c"), clock_.Wall(), "c"};
  options_.few_removed = 0;
  clock_.Advance(kWeek * 2);
  RunAll();
  AppendOne("new");
  clock_.Advance(kWeek * 2);
  RunAll();
  EXPECT_EQ(journal_->history().LoadConfig(journal_->Load(waits)->config)->text, "a");
  EXPECT_EQ(Sql("SELECT count(*) FROM @config"), "2");
}

TEST_F(PostgresRetention, BySizeWhatWaitsIsCopiedHoweverFewCanGo) {
  options_ = {.size = 4u << 20};
  const EventSeq waits = AppendOne("waits", {"ops"});
  std::mt19937 random(1);
  for (int i = 0; i < 20; ++i) {
    std::string body(400'000, ' ');
    for (char& c : body) c = static_cast<char>(random());
    ASSERT_TRUE(Append("event " + std::to_string(i), {}, body));
  }
  RunAll();
  EXPECT_EQ(Rows(), "1|1|0|0|0|0|1") << "deleted rows would free nothing on the disk";
  EXPECT_EQ(Pending(), Deliveries(waits));
}

TEST_F(PostgresRetention, NoPartitionBeginsOrGoesBesideABatch) {
  const EventSeq old = AppendOne("old");
  auto retention = Make(options_);
  RunAll(retention);
  for (const char* what : {"begins", "goes"}) {
    SCOPED_TRACE(what);
    clock_.Advance(kWeek / 2 + hours(1));
    const std::unique_ptr<PGconn, decltype(&PQfinish)> batch(PQconnectdb(test::TheDatabase().Conninfo().c_str()),
                                                             &PQfinish);
    for (const std::string& sql :
         {std::string("BEGIN"), "LOCK TABLE ONLY " + schema_.name() + ".event IN ROW EXCLUSIVE MODE"}) {
      PQclear(PQexec(batch.get(), sql.c_str()));
    }
    const std::string before = Sql("SELECT last_value FROM @event_number");
    RunAll(retention);
    EXPECT_EQ(Sql("SELECT last_value FROM @event_number"), before);
    EXPECT_TRUE(IsThere(old));
    PQclear(PQexec(batch.get(), "COMMIT"));
    RunAll(retention);
    EXPECT_EQ(Sql("SELECT last_value FROM @event_number"), std::to_string(kPartSize));
  }
  EXPECT_FALSE(IsThere(old));
}

TEST_F(PostgresRetention, AProcessThatIsCutOffWithTheTablesLockedHoldsUpNothingForLong) {
  journal_.reset();
  PostgresTuning tuning;
  tuning.patience = std::chrono::milliseconds(500);
  journal_ = Open("router-1", {}, tuning);
  AppendOne("old");
  clock_.Advance(kWeek * 2);
  test::CuttingProxy proxy(test::TheDatabase().Port());
  const auto has_locked = [&] {
    return Sql("SELECT count(*) FROM pg_locks WHERE relation = '@event'::regclass AND granted AND mode = "
               "'AccessExclusiveLock'") == "1";
  };
  for (std::size_t count = 0; !has_locked(); count += 3) {
    ASSERT_LT(count, 300u);
    proxy.Release();
    auto retention = Make(options_, Conninfo(proxy));
    proxy.Arm(test::CuttingProxy::Fault::kHold, count);
    for (auto more = retention.Step(); more && *more;) more = retention.Step();
  }
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!Append("new")) {
    ASSERT_LT(std::chrono::steady_clock::now(), give_up);
    clock_.Advance(minutes(1));
  }
  EXPECT_FALSE(has_locked());
}

TEST_F(PostgresRetention, AReadersTransactionStopsNobody) {
  const EventSeq old = AppendOne("old");
  NextPart();
  AppendOne("young");
  clock_.Advance(kWeek - hours(1));
  {
    const std::unique_ptr<PGconn, decltype(&PQfinish)> reader(PQconnectdb(test::TheDatabase().Conninfo().c_str()),
                                                              &PQfinish);
    for (const std::string& sql : {std::string("BEGIN"), "SELECT * FROM " + schema_.name() + ".event"}) {
      PQclear(PQexec(reader.get(), sql.c_str()));
    }
    ASSERT_EQ(PQtransactionStatus(reader.get()), PQTRANS_INTRANS);
    std::atomic<bool> done{false};
    std::thread retention([&] {
      RunAll();
      done = true;
    });
    int appended = 0;
    for (; !done; ++appended) EXPECT_TRUE(Append("meanwhile " + std::to_string(appended)));
    retention.join();
    EXPECT_TRUE(IsThere(old));
    EXPECT_TRUE(HasPart(2)) << "partitions begin all the same";
    EXPECT_TRUE(Append("after"));
    EXPECT_EQ(journal_->Stats().unwritable_reason, "");
  }
  RunAll();
  EXPECT_FALSE(IsThere(old));
}

TEST_F(PostgresRetention, AReaderWhoNeverEndsIsAFailureInTheEnd) {
  AppendOne("old");
  NextPart();
  clock_.Advance(kWeek);
  const std::unique_ptr<PGconn, decltype(&PQfinish)> reader(PQconnectdb(test::TheDatabase().Conninfo().c_str()),
                                                            &PQfinish);
  PQclear(PQexec(reader.get(), "BEGIN"));
  PQclear(PQexec(reader.get(), ("SELECT * FROM " + schema_.name() + ".event").c_str()));
  options_.most_locked_out = 3;
  auto retention = Make(options_);
  int passes = 0;
  for (int steps = 0;; ++steps) {
    ASSERT_LT(steps, 1000);
    const auto more = retention.Step();
    if (!more) break;
    passes += *more ? 0 : 1;
  }
  EXPECT_EQ(passes, 2);
  EXPECT_FALSE(retention.Step()) << "until it works again";
  PQclear(PQexec(reader.get(), "COMMIT"));
  RunAll(retention);
  EXPECT_FALSE(HasPart(0));
}

TEST_F(PostgresRetention, AClockThatWasSetBackHoldsUpNoOther) {
  const EventSeq beside = AppendOne("beside");
  clock_.SetWall(clock_.Wall() + hours(24 * 365));
  const EventSeq future = AppendOne("future", {"ops"});
  Deliver(future, "future");
  NextPart();
  const EventSeq alone = AppendOne("alone");
  clock_.SetWall(clock_.Wall() - hours(24 * 366));
  RunAll();
  const EventSeq event = AppendOne("event");
  EXPECT_EQ(future / kPartSize, beside / kPartSize);
  EXPECT_GT(event / kPartSize, alone / kPartSize) << "those after the change do not wait with those before it";
  for (int day = 0; day < 9; ++day) NextPart();
  EXPECT_FALSE(IsThere(event));
  EXPECT_FALSE(IsThere(beside));
  EXPECT_TRUE(IsThere(future));
  EXPECT_TRUE(IsThere(alone));
  EXPECT_EQ(Deliveries(future).size(), 1u);
  clock_.Advance(hours(24 * 373));
  RunAll();
  EXPECT_FALSE(IsThere(future));
  EXPECT_FALSE(IsThere(alone));
}

TEST_F(PostgresRetention, AJournalDoesItAllByItself) {
  journal_.reset();
  journal_ = Open("router-1", {.retention_age = kWeek});
  const EventSeq waits = AppendOne("waits", {"ops"});
  for (int i = 0; i < 20; ++i) AppendOne("event " + std::to_string(i));
  ASSERT_EQ(journal_->Stats().events, 21u);
  clock_.Advance(kWeek * 2);
  while (journal_->Stats().events != 1) std::this_thread::yield();
  EXPECT_TRUE(IsThere(waits));
  AppendOne("event 0", {"ops"});
  while (journal_->Stats().events != 2) std::this_thread::yield();
  Deliver(waits, "waits");
  while (IsThere(waits)) {
    clock_.Advance(minutes(2));
    std::this_thread::yield();
  }
  while (journal_->Stats().events != 1) std::this_thread::yield();
  Reopen();
  EXPECT_EQ(journal_->Stats().events, 1u);
}

}  // namespace
}  // namespace hookswitch
