// The real router, with its journal on a real PostgreSQL.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "tests/e2e/poster.h"
#include "tests/e2e/router.h"
#include "tests/sinks/database.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

class OnPostgres : public testing::Test {
 protected:
  /// Writes the config of the router `name`, whose files are in a folder of its own.
  std::string Write(const TempDir& dir, const std::string& name, const std::string& lease = "3s") {
    RouterConfig config(dir);
    config.journal = "{postgres: {url: {file: " + (dir / "url") + "}}}";
    config.more = "state_dir: " + (dir / "state") + "\ncluster: {name: " + name + ", lease: " + lease + "}\n";
    config.Slack("ops", slack_.Url(), {"concurrency: 4"});
    WriteFile(dir / "url", database_.Conninfo() + "\n");
    return config.Write();
  }
  std::map<std::size_t, int> Arrivals() const {
    std::map<std::size_t, int> arrivals;
    for (const auto& posted : slack_.Posted()) {
      if (const auto number = CallNumberIn(posted.body)) ++arrivals[*number];
    }
    return arrivals;
  }
  std::string Url() const { return "postgres://owner:s3cret@127.0.0.1:" + database_.Port() + "/postgres"; }
  static bool Await(const std::function<bool()>& is_so, seconds patience = seconds(30)) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!is_so() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return is_so();
  }

  TempDir dir_;
  test::Database database_;
  FakeSlack slack_;
};

TEST_F(OnPostgres, LosesNothingItAcceptedWhenItIsKilled) {
  constexpr std::size_t kCalls = 1500;
  const std::string config = Write(dir_, "router-1", "30s");
  Poster poster(8);
  {
    Router router(config);
    ASSERT_TRUE(router.Ready());
    poster.Go(router.Ingress(), kCalls);
    poster.WaitForAccepted(500);
    router.Kill();
    poster.Join();
  }
  const auto began = std::chrono::steady_clock::now();
  Router router(config);
  ASSERT_TRUE(router.Ready());
  EXPECT_LT(std::chrono::steady_clock::now() - began, seconds(15)) << "its own lease is not waited for";
  poster.Go(router.Ingress(), kCalls - poster.Accepted().size());
  poster.Join();
  ASSERT_EQ(poster.Accepted().size(), kCalls);
  ASSERT_TRUE(Await([&] { return Arrivals().size() >= kCalls; }, seconds(60)));
  std::size_t doubled = 0;
  for (const auto& [number, times] : Arrivals()) doubled += static_cast<std::size_t>(times - 1);
  EXPECT_LE(doubled, 4u) << "at most what was in flight";
  EXPECT_TRUE(Await([&] { return router.Get("/api/v1/status").body.find("\"pending\":0") != std::string::npos; }));
  EXPECT_THAT(router.Get("/api/v1/events?q=" + CallId(7)).body, HasSubstr("\"call_id\":\"" + CallId(7)));
  EXPECT_EQ(router.Stop(), 0);
}

TEST_F(OnPostgres, AnswersThatItCannotStoreWhileTheDatabaseIsAwayAndGoesOnAfterwards) {
  Router router(Write(dir_, "router-1"));
  ASSERT_TRUE(router.Ready());
  ASSERT_EQ(router.Post(Call(CallId(1))).status, 200);
  database_.Stop();
  const RawAnswer refused = router.Post(Call(CallId(2)));
  EXPECT_EQ(refused.status, 503);
  EXPECT_NE(refused.Header("Retry-After"), "");
  EXPECT_EQ(router.Get("/readyz").status, 503);
  EXPECT_EQ(router.Get("/healthz").status, 200);
  database_.Start();
  EXPECT_TRUE(Await([&] { return router.Post(Call(CallId(2))).status == 200; }));
  EXPECT_TRUE(Await([&] { return router.Get("/readyz").status == 200; }));
  EXPECT_TRUE(Await([&] { return Arrivals().size() == 2; }));
}

TEST_F(OnPostgres, AFrozenRouterIsReplacedAndSendsNothingMore) {
  slack_.GoDown();
  Router first(Write(dir_, "router-1"));
  ASSERT_TRUE(first.Ready());
  for (std::size_t i = 1; i <= 20; ++i) ASSERT_EQ(first.Post(Call(CallId(i))).status, 200);
  first.Process().Signal(SIGSTOP);
  slack_.ComeBack();
  TempDir other;
  Router second(Write(other, "router-2"));
  ASSERT_TRUE(second.Ready()) << "the lease of the first is over";
  ASSERT_TRUE(Await([&] { return Arrivals().size() == 20; }));
  const std::size_t posted = slack_.Posted().size();
  first.Process().Signal(SIGCONT);
  EXPECT_TRUE(first.WaitForEvent("journal_taken_over"));
  EXPECT_EQ(first.Process().WaitForExit(seconds(10)), 1);
  EXPECT_EQ(slack_.Posted().size(), posted);
  EXPECT_EQ(second.Post(Call(CallId(21))).status, 200);
  EXPECT_TRUE(Await([&] { return Arrivals().size() == 21; }));
}

TEST_F(OnPostgres, AJournalMovesThereAndWhatWaitedIsSentOnce) {
  slack_.GoDown();
  RouterConfig before(dir_);
  before.Slack("ops", slack_.Url(), {"concurrency: 4"});
  {
    Router router(before.Write());
    ASSERT_TRUE(router.Ready());
    for (std::size_t i = 1; i <= 20; ++i) ASSERT_EQ(router.Post(Call(CallId(i))).status, 200);
    const Finished refused = RunProgram({Program(), "journal", "copy", "-c", before.Path(), "--to", Url()});
    EXPECT_EQ(refused.exit_code, 1) << refused.out;
    EXPECT_THAT(refused.err, HasSubstr("in use by another hookswitch (pid"));
    EXPECT_EQ(router.Stop(), 0);
  }
  const Finished moved = RunProgram({Program(), "journal", "copy", "-c", before.Path(), "--to", Url()});
  EXPECT_EQ(moved.exit_code, 0) << moved.err;
  EXPECT_THAT(moved.out, HasSubstr("20 x delivery"));
  EXPECT_THAT(moved.out + moved.err, testing::Not(HasSubstr("s3cret")));
  slack_.ComeBack();
  const Finished old = RunProgram({Program(), "serve", "-c", before.Path()});
  EXPECT_EQ(old.exit_code, 1);
  EXPECT_THAT(old.err, HasSubstr("it was moved to 127.0.0.1:" + database_.Port() + "/postgres, schema hookswitch"));
  EXPECT_TRUE(Arrivals().empty());
  Router router(Write(dir_, "router-1"));
  ASSERT_TRUE(router.Ready());
  EXPECT_TRUE(Await([&] { return Arrivals().size() == 20; }));
  EXPECT_EQ(router.Post(Call(CallId(1))).status, 200);
  EXPECT_EQ(router.Post(Call(CallId(21))).status, 200);
  EXPECT_TRUE(Await([&] { return Arrivals().size() == 21; }));
  EXPECT_EQ(Arrivals()[1], 1) << "it is known";
  EXPECT_THAT(router.Get("/api/v1/events?q=" + CallId(7)).body, HasSubstr("\"call_id\":\"" + CallId(7)));
  EXPECT_EQ(router.Stop(), 0);
}

TEST_F(OnPostgres, DoctorSaysWhatACommitPromises) {
  const auto doctor =
      RunProgram({Program(), "doctor", "-c", Write(dir_, "router-1"), "--no-network"}, {"HOOKSWITCH_CONFIG="});
  EXPECT_THAT(doctor.out, HasSubstr("schema hookswitch"));
  EXPECT_THAT(doctor.out, HasSubstr("fsync = off")) << "as the tests' server has it";
  EXPECT_THAT(doctor.out + doctor.err, testing::Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace hookswitch::e2e
