// Of several routers on one PostgreSQL one works off what is pending.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "core/journal/postgres/postgres_journal.h"
#include "tests/journal/postgres_home.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class PostgresLease : public testing::Test {
 protected:
  PostgresOptions Options(const std::string& router, std::int64_t instance) {
    return {.url = database_->Conninfo(),
            .schema = schema_.name(),
            .router = router,
            .instance = instance,
            .lease = 1s,
            .on_lost = [this](const std::string& by) { lost_to_.set_value(by); }};
  }
  Result<std::unique_ptr<Journal>> Open(const std::string& router, std::int64_t instance = 0) {
    return OpenPostgresJournal(Options(router, instance), clock_);
  }
  static Result<Accepted> Append(Journal& journal, const std::string& key) {
    NewEvent event;
    event.source = "bolna";
    event.body = key;
    event.dedup = DigestOf(key);
    const NewDelivery delivery{.sink = "ops", .rule = "r", .template_name = ""};
    event.deliveries = {&delivery, 1};
    return journal.Append(event);
  }
  static bool Await(const std::function<bool()>& is_so) {
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (!is_so() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return is_so();
  }

  test::Database* database_ = &test::TheDatabase();
  test::OwnSchema schema_;
  SystemClock clock_;
  std::promise<std::string> lost_to_;
};

TEST_F(PostgresLease, ARouterThatWorksIsNamedToTheNextOne) {
  const auto first = Open("first");
  ASSERT_TRUE(first) << first.error().message;
  EXPECT_TRUE((*first)->OwnsPending());
  const auto second = Open("second");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(second.error().message, HasSubstr("the router \"first\" works on it"));
  EXPECT_TRUE((*first)->OwnsPending()) << "it renews its lease";
  EXPECT_TRUE(Append(**first, "a"));
}

TEST_F(PostgresLease, OneThatStopsLeavesItToTheNext) {
  {
    const auto first = Open("first");
    ASSERT_TRUE(first);
    ASSERT_TRUE(Append(**first, "a"));
  }
  const auto began = std::chrono::steady_clock::now();
  const auto second = Open("second");
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_LT(std::chrono::steady_clock::now() - began, 900ms) << "without a wait for the end of the lease";
  const auto pending = (*second)->LoadPending(0, 10);
  ASSERT_TRUE(pending);
  EXPECT_EQ(pending->size(), 1u);
}

TEST_F(PostgresLease, OneThatWasReplacedCanWriteNothing) {
  const auto first = Open("first", 4711);
  ASSERT_TRUE(first);
  const auto before = Append(**first, "a");
  ASSERT_TRUE(before);
  // As after kill -9: the same router on the same machine does not wait.
  const auto again = Open("first", 4711);
  ASSERT_TRUE(again) << again.error().message;
  const auto refused = Append(**first, "b");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(refused.error().message, HasSubstr("another router works on it now"));
  AttemptRecord record{.delivery = before->first_delivery, .event = before->event, .sink = "ops", .number = 1};
  record.state = DeliveryState::kDelivered;
  (*first)->Record(record);
  auto lost = lost_to_.get_future();
  ASSERT_EQ(lost.wait_for(20s), std::future_status::ready);
  EXPECT_EQ(lost.get(), "first");
  EXPECT_FALSE((*first)->OwnsPending());
  (*first)->Close();
  EXPECT_TRUE((*again)->OwnsPending()) << "its end takes nothing from its successor";
  EXPECT_EQ((*again)->LoadPending(0, 10)->size(), 1u) << "and its outcome does not count";
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
