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
    WriteFile(dir / "url", (url_.empty() ? database_.Conninfo() : url_) + "\n");
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
  std::string url_;  ///< instead of that of database_
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
  ASSERT_TRUE(second.Ready());
  EXPECT_EQ(second.Post(Call(CallId(22))).status, 200) << "it takes calls while the lease of the first lasts";
  ASSERT_TRUE(Await([&] { return Arrivals().size() == 21; }));
  const std::size_t posted = slack_.Posted().size();
  first.Process().Signal(SIGCONT);
  EXPECT_TRUE(first.WaitForEvent("journal_taken_over"));
  EXPECT_EQ(first.Process().WaitForExit(seconds(10)), 1);
  EXPECT_EQ(slack_.Posted().size(), posted);
  EXPECT_EQ(second.Post(Call(CallId(21))).status, 200);
  EXPECT_TRUE(Await([&] { return Arrivals().size() == 22; }));
}

TEST_F(OnPostgres, OfTwoRoutersBothTakeCallsAndOneDelivers) {
  TempDir other;
  Router first(Write(dir_, "router-1", "9s"));
  Router second(Write(other, "router-2", "9s"));
  ASSERT_TRUE(first.Ready() && second.Ready());
  constexpr std::size_t kCalls = 40;
  for (std::size_t i = 1; i <= kCalls; ++i) {
    ASSERT_EQ((i % 2 == 0 ? first : second).Post(Call(CallId(i))).status, 200);
  }
  ASSERT_TRUE(Await([&] { return slack_.Posted().size() == kCalls; }));
  EXPECT_EQ(Arrivals().size(), kCalls) << "each once";
  // What is sent twice is known at both.
  EXPECT_THAT(first.Post(Call(CallId(1))).body, HasSubstr("\"duplicate\":true"));
  EXPECT_THAT(second.Post(Call(CallId(2))).body, HasSubstr("\"duplicate\":true"));

  EXPECT_THAT(second.Get("/readyz").body, HasSubstr("another router delivers"));
  EXPECT_THAT(second.Get("/api/v1/events?q=" + CallId(40)).body, HasSubstr(CallId(40)));
  ASSERT_EQ(second.PostAdmin("/api/v1/sinks/ops/pause").status, 200);
  ASSERT_TRUE(first.WaitForEvent("lane_paused"));
  ASSERT_EQ(second.Post(Call(CallId(41))).status, 200);
  ASSERT_EQ(first.Post(Call(CallId(42))).status, 200);
  EXPECT_THAT(second.GetWith("\"pending\":2", "/api/v1/sinks"), HasSubstr("\"state\":\"paused\""));
  EXPECT_EQ(slack_.Posted().size(), kCalls);
  // What is purged at the one must not go out at the other.
  ASSERT_EQ(second.Post(Call(CallId(43))).status, 200);
  const auto purged =
      second.PostAdmin("/api/v1/deliveries/purge", R"({"state":"pending,held","call_id":")" + CallId(43) + "\"}");
  EXPECT_THAT(purged.body, HasSubstr("\"changed\":1"));
  ASSERT_EQ(second.PostAdmin("/api/v1/sinks/ops/resume").status, 200);
  ASSERT_TRUE(Await([&] { return slack_.Posted().size() == kCalls + 2; }));
  EXPECT_THAT(second.GetWith("\"pending\":0", "/api/v1/status"), HasSubstr("\"pending\":0"));
  // An operator may ask either.
  ASSERT_EQ(second.PostAdmin("/api/v1/deliveries/replay", R"({"state":["delivered"],"all":true})").status, 200);
  EXPECT_TRUE(Await([&] { return slack_.Posted().size() == 2 * (kCalls + 2); }));
  const json::value cluster = json::parse(second.Get("/api/v1/cluster").body);
  const json::value &one = cluster.at("routers").at(0), &two = cluster.at("routers").at(1);
  EXPECT_EQ(one.at("name"), "router-1");
  EXPECT_EQ(one.at("lanes"), json::array{"ops"});
  EXPECT_EQ(two.at("name"), "router-2");
  EXPECT_EQ(two.at("lanes"), json::array());
  EXPECT_EQ(two.at("this"), true);
  EXPECT_EQ(one.at("config"), two.at("config"));
  const auto reloaded =
      RunProgram({Program(), "reload", "--all", "--url", "http://127.0.0.1:" + std::to_string(second.Admin()), "-c",
                  dir_ / "hookswitch.yaml"},
                 {"HOOKSWITCH_CONFIG="});
  EXPECT_THAT(reloaded.out, HasSubstr("asked to reload: router-1\nreloaded: generation 2"));
  EXPECT_TRUE(first.WaitForEvent("reloaded"));
  const auto status = RunProgram({Program(), "status", "--url", "http://127.0.0.1:" + std::to_string(second.Admin()),
                                  "-c", dir_ / "hookswitch.yaml"},
                                 {"HOOKSWITCH_CONFIG="});
  EXPECT_THAT(status.out, HasSubstr("router-2 (this)"));
  EXPECT_EQ(second.Stop(), 0);
  EXPECT_EQ(first.Stop(), 0);
  EXPECT_EQ(slack_.Posted().size(), 2 * (kCalls + 2));
}

TEST_F(OnPostgres, ARouterThatStopsHandsOverAtOnce) {
  TempDir other;
  Router first(Write(dir_, "router-1", "30s"));
  ASSERT_TRUE(first.Ready());
  ASSERT_EQ(first.Post(Call(CallId(1))).status, 200);
  ASSERT_TRUE(Await([&] { return Arrivals().size() == 1; }));
  ASSERT_EQ(first.PostAdmin("/api/v1/sinks/ops/pause").status, 200);
  Router second(Write(other, "router-2", "30s"));
  ASSERT_TRUE(second.Ready());
  EXPECT_THAT(second.GetWith("paused", "/api/v1/sinks"), HasSubstr("\"state\":\"paused\""));
  const milliseconds busy = first.CpuTime() + second.CpuTime();
  EXPECT_FALSE(second.WaitForEvent("deliveries_taken_over", seconds(2)));
  EXPECT_LT(first.CpuTime() + second.CpuTime() - busy, milliseconds(400)) << "with nothing to do they do nothing";
  for (std::size_t i = 2; i <= 20; ++i) ASSERT_EQ((i % 2 == 0 ? first : second).Post(Call(CallId(i))).status, 200);
  ASSERT_EQ(first.Stop(), 0);
  ASSERT_TRUE(second.WaitForEvent("deliveries_taken_over"));
  EXPECT_EQ(Arrivals().size(), 1u) << "a pause is of all routers";
  ASSERT_EQ(second.PostAdmin("/api/v1/sinks/ops/resume").status, 200);
  EXPECT_TRUE(Await([&] { return slack_.Posted().size() == 20; }));
  EXPECT_EQ(Arrivals().size(), 20u);
}

TEST_F(OnPostgres, WhenTheOneThatDeliversIsKilledTheOtherGoesOn) {
  TempDir other;
  auto first = std::make_unique<Router>(Write(dir_, "router-1"));
  Router second(Write(other, "router-2"));
  ASSERT_TRUE(first->Ready() && second.Ready());
  constexpr std::size_t kCalls = 600;
  Poster to_first(4), to_second(4);
  to_second.body = [](std::size_t number) { return Call(CallId(number + kCalls)); };
  to_first.Go(first->Ingress(), kCalls);
  to_second.Go(second.Ingress(), kCalls);
  to_first.WaitForAccepted(200);
  first->Kill();
  to_first.Join();
  to_second.Join();
  EXPECT_EQ(to_second.Accepted().size(), kCalls) << "the other takes calls all the time";
  ASSERT_TRUE(second.WaitForEvent("deliveries_taken_over"));
  const std::size_t accepted = to_first.Accepted().size() + to_second.Accepted().size();
  ASSERT_TRUE(Await([&] { return Arrivals().size() >= accepted; }, seconds(60)));
  std::size_t doubled = 0;
  for (const auto& [number, times] : Arrivals()) doubled += static_cast<std::size_t>(times - 1);
  EXPECT_LE(doubled, 4u) << "at most what was in flight";
  EXPECT_TRUE(Await([&] { return second.Get("/api/v1/status").body.find("\"pending\":0") != std::string::npos; }));
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

/// examples/cluster/nginx.conf, with the ports of a test.
class Nginx {
 public:
  Nginx(std::uint16_t first, std::uint16_t second) : port_(test::FreePort()) {
    std::string server = ReadFile(std::string(HSW_SOURCE_DIR) + "/examples/cluster/nginx.conf");
    const auto put = [&](const std::string& what, const std::string& instead) {
      const std::size_t at = server.find(what);
      ASSERT_NE(at, std::string::npos) << what;
      server.replace(at, what.size(), instead);
    };
    put("router-1:8000", "127.0.0.1:" + std::to_string(first));
    put("router-2:8000", "127.0.0.1:" + std::to_string(second));
    put("listen 80;", "listen 127.0.0.1:" + std::to_string(port_) + ";");
    WriteFile(dir_ / "nginx.conf", "daemon off; pid " + (dir_ / "pid") + "; error_log " + (dir_ / "log") +
                                       ";\nevents {}\nhttp {\naccess_log off;\nclient_body_temp_path " +
                                       (dir_ / "body") + "; proxy_temp_path " + (dir_ / "proxy") +
                                       "; fastcgi_temp_path " + (dir_ / "f") + "; uwsgi_temp_path " + (dir_ / "u") +
                                       "; scgi_temp_path " + (dir_ / "s") + ";\n" + server + "}\n");
    child_ = std::make_unique<Child>(
        std::vector<std::string>{"/usr/sbin/nginx", "-c", dir_ / "nginx.conf", "-e", dir_ / "log"});
  }
  ~Nginx() {
    child_->Signal(SIGTERM);
    child_->WaitForExit(seconds(10));
  }
  std::uint16_t Port() const { return static_cast<std::uint16_t>(port_); }

 private:
  TempDir dir_;
  const int port_;
  std::unique_ptr<Child> child_;
};

TEST_F(OnPostgres, BehindNginxASenderSeesNothingOfARouterThatIsKilled) {
  TempDir other;
  auto first = std::make_unique<Router>(Write(dir_, "router-1"));
  Router second(Write(other, "router-2"));
  ASSERT_TRUE(first->Ready() && second.Ready());
  Nginx nginx(first->Ingress(), second.Ingress());
  ASSERT_TRUE(
      Await([&] { return fakes::Fetch(nginx.Port(), "POST", "/bolna/webhook", Call(CallId(0))).status == 200; }));
  constexpr std::size_t kCalls = 600;
  Poster poster(4);
  poster.body = [](std::size_t number) { return Call(CallId(number + 1)); };
  poster.Go(nginx.Port(), kCalls);
  poster.WaitForAccepted(200);
  first->Kill();
  poster.Join();
  EXPECT_THAT(poster.Others(), testing::IsEmpty());
  EXPECT_EQ(poster.Accepted().size(), kCalls);
  EXPECT_TRUE(Await([&] { return Arrivals().size() == kCalls + 1; }, seconds(60)));
}

TEST_F(OnPostgres, AFailoverToASynchronousStandbyLosesNothingThatWasAnswered) {
  test::Database standby(database_);
  url_ = "host=127.0.0.1,127.0.0.1 port=" + database_.Port() + "," + standby.Port() +
         " user=owner password=s3cret dbname=postgres";
  // The primary waits for the standby from now on.
  ASSERT_TRUE(Await([&] { return database_.Query("SELECT sync_state FROM pg_stat_replication") == "sync"; }));
  TempDir other;
  Router first(Write(dir_, "router-1", "10s"));
  Router second(Write(other, "router-2", "10s"));
  ASSERT_TRUE(first.Ready() && second.Ready());
  slack_.GoDown();  // everything waits, and so is in the database alone
  constexpr std::size_t kCalls = 400;
  Poster to_first(4), to_second(4);
  to_second.body = [](std::size_t number) { return Call(CallId(number + kCalls)); };
  to_first.Go(first.Ingress(), kCalls);
  to_second.Go(second.Ingress(), kCalls);
  to_second.WaitForAccepted(100);
  database_.Crash();
  standby.Promote();
  to_first.Join();
  to_second.Join();
  EXPECT_TRUE(Await([&] { return first.Post(Call(CallId(2 * kCalls + 1))).status == 200; }));
  EXPECT_TRUE(Await([&] { return second.Post(Call(CallId(2 * kCalls + 2))).status == 200; }));
  slack_.ComeBack();
  std::set<std::size_t> accepted = to_first.Accepted();
  for (const std::size_t number : to_second.Accepted()) accepted.insert(number + kCalls);
  ASSERT_GE(accepted.size(), 100u);
  accepted.insert({2 * kCalls + 1, 2 * kCalls + 2});
  EXPECT_TRUE(Await([&] {
    const auto arrivals = Arrivals();
    return std::ranges::all_of(accepted, [&](std::size_t number) { return arrivals.contains(number); });
  })) << Arrivals().size()
      << " of " << accepted.size();
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
