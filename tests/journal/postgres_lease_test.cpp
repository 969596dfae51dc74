// Of several routers on one PostgreSQL one works off what is pending.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core/base/sync.h"
#include "core/journal/history.h"
#include "core/journal/postgres/postgres_journal.h"
#include "tests/journal/postgres_home.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// What a router is told of others.
class Follower {
 public:
  explicit Follower(Journal& journal) {
    journal.OnOthersChanges([heard = heard_](OthersChanges changes) { heard->Add(std::move(changes)); });
  }
  OthersChanges All() const {
    MutexLock lock(heard_->mu);
    return heard_->all;
  }
  std::vector<PendingDelivery> Opened() const { return All().opened; }
  /// The last one; empty if it was resumed, or nothing was heard of it.
  std::optional<Pause> PauseOf(const std::string& sink) const {
    std::optional<Pause> pause;
    for (const LaneDue& lane : All().lanes) {
      if (lane.sink == sink) pause = lane.pause;
    }
    return pause;
  }

 private:
  struct Heard {
    Mutex mu;
    OthersChanges all GUARDED_BY(mu);

    void Add(OthersChanges changes) EXCLUDES(mu) {
      MutexLock lock(mu);
      const auto append = [](auto& to, auto& from) { to.insert(to.end(), from.begin(), from.end()); };
      append(all.opened, changes.opened);
      append(all.canceled, changes.canceled);
      append(all.revised, changes.revised);
      append(all.ended_calls, changes.ended_calls);
      append(all.lanes, changes.lanes);
    }
  };
  const std::shared_ptr<Heard> heard_ = std::make_shared<Heard>();
};

class PostgresLease : public testing::Test {
 protected:
  PostgresOptions Options(const std::string& router, std::int64_t instance) {
    return {.url = database_->Conninfo(),
            .schema = schema_.name(),
            .router = router,
            .instance = instance,
            .lease = lease_,
            .on_taken =
                [this, router] {
                  MutexLock lock(mu_);
                  taken_by_ = router;
                },
            .on_lost =
                [this](const std::string& by) {
                  if (!is_lost_.exchange(true)) lost_to_.set_value(by);
                }};
  }
  Result<std::unique_ptr<Journal>> Open(const std::string& router, std::int64_t instance = 0) {
    return OpenPostgresJournal(Options(router, instance), clock_);
  }
  static Result<Accepted> Append(Journal& journal, const std::string& key) {
    NewEvent event;
    event.source = "bolna";
    event.body = key;
    event.dedup = DigestOf(key);
    event.content = 1;
    const NewDelivery delivery{.sink = "ops", .rule = "r", .template_name = ""};
    event.deliveries = {&delivery, 1};
    return journal.Append(event);
  }
  std::string Sql(std::string sql) {
    for (std::size_t at; (at = sql.find('@')) != std::string::npos;) sql.replace(at, 1, schema_.name() + ".");
    return database_->Query(sql);
  }
  static bool Await(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!is_so() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return is_so();
  }

  test::Database* database_ = &test::TheDatabase();
  test::OwnSchema schema_;
  SystemClock clock_;
  std::chrono::milliseconds lease_ = 1s;
  Mutex mu_;
  std::string taken_by_ GUARDED_BY(mu_);
  std::atomic<bool> is_lost_{false};
  std::promise<std::string> lost_to_;
};

TEST_F(PostgresLease, TheSecondRouterStoresAndTheFirstHearsOfItInOrder) {
  const auto first = Open("first");
  ASSERT_TRUE(first) << first.error().message;
  Follower follower(**first);
  const auto second = Open("second");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_TRUE((*first)->OwnsPending());
  EXPECT_FALSE((*second)->OwnsPending());
  DeliverySeq last = 0;
  for (int i = 0; i < 20; ++i) {
    Journal& theirs = i % 2 == 0 ? **second : **first;
    const auto accepted = Append(theirs, "event " + std::to_string(i));
    ASSERT_TRUE(accepted) << accepted.error().message;
    EXPECT_GT(accepted->first_delivery, last) << "numbers rise in the order of the answers, whoever gives them";
    last = accepted->first_delivery;
    // What was answered before is heard before.
    if (i % 2 == 1) {
      EXPECT_EQ(follower.Opened().size(), static_cast<std::size_t>(i / 2 + 1));
    }
  }
  const auto pending = (*second)->LoadPending(0, 100);
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->size(), 20u);
  EXPECT_TRUE(Await([&] { return (*second)->Stats().pending == 20; })) << "it follows too";
  EXPECT_EQ((*second)->Stats().waiting["ops"], 20u);
  EXPECT_TRUE((*first)->OwnsPending()) << "it renews its lease";
  EXPECT_EQ((*first)->Stats().events, 20u);
}

TEST_F(PostgresLease, AnEventFromIdleIsHeardSoon) {
  const auto first = Open("first");
  Follower follower(**first);
  const auto second = Open("second");
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(Append(**second, "a"));  // the first learns of the second
  ASSERT_TRUE(Await([&] { return follower.Opened().size() == 1; }));
  const auto stored = Append(**second, "b");
  const auto began = std::chrono::steady_clock::now();
  ASSERT_TRUE(Await([&] { return follower.Opened().size() == 2; }));
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5s) << "300 ms on a machine that has nothing else to do";
  EXPECT_EQ(follower.Opened()[1].seq, stored->first_delivery);
  EXPECT_EQ(follower.Opened()[1].sink, "ops");
}

TEST_F(PostgresLease, WhatOperatorsDoAtTheSecondReachesTheFirst) {
  const auto first = Open("first");
  Follower follower(**first);
  const auto second = Open("second");
  ASSERT_TRUE(first && second);
  History& theirs = (*second)->history();
  const auto a = Append(**first, "a"), b = Append(**first, "b");
  ASSERT_TRUE(a && b);
  const std::vector<DeliverySeq> first_one{a->first_delivery}, second_one{b->first_delivery};

  ASSERT_EQ(theirs.Cancel(first_one, "purged")->size(), 1u);
  EXPECT_TRUE(Await([&] { return follower.All().canceled == first_one; }));
  ASSERT_EQ(theirs.Revive(first_one, WallTime(5000ms))->size(), 1u);
  EXPECT_TRUE(Await([&] { return follower.Opened().size() == 1; }));
  EXPECT_EQ(follower.Opened()[0].seq, a->first_delivery);
  EXPECT_TRUE(follower.Opened()[0].is_replay);

  ASSERT_TRUE(theirs.SavePause("ops", Pause{.until = {}, .because = "maintenance"}));
  ASSERT_TRUE(theirs.SavePause("mail", Pause{}));
  ASSERT_TRUE(theirs.SavePause("mail", std::nullopt));
  EXPECT_TRUE(Await([&] { return follower.PauseOf("ops") == Pause{.until = {}, .because = "maintenance"}; }));
  EXPECT_TRUE(Await([&] { return follower.PauseOf("mail") == std::nullopt; }));

  NewEvent revised;
  revised.source = "bolna";
  revised.body = "b again";
  revised.dedup = DigestOf("b");
  revised.content = 2;
  revised.call_key = 7;
  revised.ends_call = true;
  const NewDelivery to_mail{.sink = "mail", .rule = "r", .template_name = ""};
  revised.deliveries = {&to_mail, 1};
  ASSERT_TRUE((*second)->Append(revised)->revised);
  EXPECT_TRUE(Await([&] { return follower.Opened().size() == 2; }));
  const OthersChanges all = follower.All();
  EXPECT_EQ(all.revised, std::vector{b->event});
  EXPECT_EQ(all.canceled, (std::vector{a->first_delivery, b->first_delivery}));
  EXPECT_EQ(all.opened[1].sink, "mail");
  EXPECT_EQ(all.ended_calls, (std::vector{std::pair{std::uint64_t{7}, b->event}}));
}

TEST_F(PostgresLease, ManyNewsOfSeveralRoutersAreHeardInTheOrderInWhichTheyWereStored) {
  const auto first = Open("first");
  ASSERT_TRUE(first);
  Follower follower(**first);
  // Two that take turns: 1,400 transactions, of which an answer has 500.
  Sql("INSERT INTO @router(name, instance, seen) VALUES('a', 0, clock_timestamp()), ('b', 0, clock_timestamp())");
  Sql("INSERT INTO @news(router, number, stored, events, opened, canceled, recorded, revised, ended, sinks, "
      "has_memory, "
      "newest_refused) SELECT r.number, n, '2026-01-01'::timestamptz + make_interval(secs => 2 * n + (r.name = "
      "'b')::int), '{}', '{}', '{}', '{}', ARRAY[2 * n + (r.name = 'b')::int], '{}', '', 0, 0 FROM @router r, "
      "generate_series(1, 700) n WHERE r.name IN ('a', 'b')");
  ASSERT_TRUE(Await([&] { return follower.All().revised.size() == 1400; })) << follower.All().revised.size();
  EXPECT_TRUE(std::ranges::is_sorted(follower.All().revised));
}

TEST_F(PostgresLease, ARouterThatHasMissedNewsEnds) {
  const auto first = Open("first");
  ASSERT_TRUE(first);
  Sql("INSERT INTO @router(name, instance, seen) VALUES('a', 0, clock_timestamp())");
  Sql("INSERT INTO @news(router, number, events, opened, canceled, recorded, revised, ended, sinks, has_memory, "
      "newest_refused) SELECT number, 2, '{}', '{}', '{}', '{}', '{}', '{}', '', 0, 0 FROM @router WHERE name = 'a'");
  auto lost = lost_to_.get_future();
  ASSERT_EQ(lost.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(lost.get(), "") << "nobody has taken over";
}

TEST_F(PostgresLease, ARouterThatIsGoneForAWeekIsRemovedWithItsNews) {
  ASSERT_TRUE(Open("first"));
  ASSERT_TRUE(Append(**Open("second"), "a"));
  Sql("UPDATE @router SET seen = seen - interval '8 days' WHERE name = 'second'");
  ASSERT_TRUE(Open("first"));
  EXPECT_EQ(Sql("SELECT string_agg(name, ',') FROM @router"), "first");
  EXPECT_EQ(Sql("SELECT count(*) FROM @news n WHERE NOT EXISTS(SELECT 1 FROM @router r WHERE r.number = n.router)"),
            "0");
  const auto again = Open("second");
  ASSERT_TRUE(again);
  EXPECT_TRUE(Append(**again, "b"));
}

TEST_F(PostgresLease, TheSecondTakesOverWhenTheFirstEnds) {
  auto first = Open("first");
  ASSERT_TRUE(first);
  const auto second = Open("second");
  ASSERT_TRUE(second);
  const auto a = Append(**first, "a");
  ASSERT_TRUE(a && Append(**second, "b"));
  first->reset();
  ASSERT_TRUE(Await([&] {
    MutexLock lock(mu_);
    return taken_by_ == "second";
  }));
  EXPECT_TRUE((*second)->OwnsPending());
  EXPECT_EQ((*second)->LoadPending(0, 10)->size(), 2u);
  AttemptRecord record{.delivery = a->first_delivery, .event = a->event, .sink = "ops", .number = 1};
  record.state = DeliveryState::kDelivered;
  (*second)->Record(record);
  EXPECT_TRUE(Await([&] { return (*second)->Stats().pending == 1; }));
}

TEST_F(PostgresLease, ANameThatIsInUseIsRefused) {
  const auto first = Open("router-1", 1);
  ASSERT_TRUE(first);
  const auto second = Open("router-1", 2);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("another router named \"router-1\" is at work on it"));
  EXPECT_TRUE(Append(**first, "a"));
}

TEST_F(PostgresLease, OneThatStopsLeavesItToTheNext) {
  lease_ = 60s;
  {
    const auto first = Open("first");
    ASSERT_TRUE(first);
    ASSERT_TRUE(Append(**first, "a"));
  }
  const auto began = std::chrono::steady_clock::now();
  const auto second = Open("second");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - began, 20s) << "without a wait for the end of the lease";
  const auto pending = (*second)->LoadPending(0, 10);
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->size(), 1u);
}

TEST_F(PostgresLease, WhatOneThatWasReplacedRecordsDoesNotCount) {
  const auto first = Open("first", 4711);
  ASSERT_TRUE(first);
  const auto before = Append(**first, "a");
  ASSERT_TRUE(before);
  // As after kill -9: the same router on the same machine does not wait.
  const auto again = Open("first", 4711);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_TRUE((*again)->OwnsPending());
  AttemptRecord record{.delivery = before->first_delivery, .event = before->event, .sink = "ops", .number = 1};
  record.state = DeliveryState::kDelivered;
  (*first)->Record(record);
  auto lost = lost_to_.get_future();
  ASSERT_EQ(lost.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(lost.get(), "first");
  EXPECT_FALSE((*first)->OwnsPending());
  EXPECT_TRUE(Await(
      [&] { return (*first)->Stats().unwritable_reason.find("another router works on it now") != std::string::npos; }));
  (*first)->Close();
  EXPECT_TRUE((*again)->OwnsPending()) << "its end takes nothing from its successor";
  EXPECT_EQ((*again)->LoadPending(0, 10)->size(), 1u);
  EXPECT_TRUE(Append(**again, "b"));
}

TEST_F(PostgresLease, ItEndsByOurOwnClockWhileTheDatabaseIsAway) {
  test::Database own;
  database_ = &own;
  const auto journal = Open("first");
  ASSERT_TRUE(journal) << journal.error().message;
  own.Stop();
  EXPECT_TRUE((*journal)->OwnsPending()) << "what is loaded goes on for a while";
  EXPECT_TRUE(Await([&] { return !(*journal)->OwnsPending(); }));
  own.Start();
  EXPECT_TRUE(Await([&] { return (*journal)->OwnsPending(); })) << "nobody has taken it meanwhile";
  EXPECT_TRUE(Await([&] { return Append(**journal, "a").has_value(); }));
}

}  // namespace
}  // namespace hookswitch
