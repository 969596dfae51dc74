// Three routers on one PostgreSQL while they are killed, frozen, stopped and reloaded and the database restarts; the
// account of every event afterwards.
//
// CLUSTER_SECONDS (25) and CLUSTER_SEED (1) change the run; what is done is told line by line.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

#include "core/base/check.h"
#include "tests/e2e/ledger.h"
#include "tests/e2e/platform.h"
#include "tests/e2e/router.h"
#include "tests/sinks/database.h"

namespace hookswitch::e2e {
namespace {

using Mode = SlackBehaviour::Mode;
using testing::IsEmpty;

constexpr int kConcurrency = 4;
constexpr int kSenders = 6;
constexpr double kCallsPerSecond = 60;
constexpr std::size_t kRouters = 3;
constexpr seconds kLease{3};

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

class Cluster {
 public:
  Cluster() {
    std::cout << "CLUSTER_SEED=" << seed_ << " CLUSTER_SECONDS=" << seconds_.count() << "\n";
    for (const std::string name : {"a", "b"}) {
      FakeSlack::Options options;
      options.keep = 0;
      options.on_request = [this, name](const FakeSlack::Request& request) {
        const auto call = CallNumberIn(request.body);
        if (!call) return ledger_.Wrong("a message without a call at " + name);
        const LedgerEvent event{*call, request.body.find("call-disconnected") == std::string::npos};
        if (request.posted) ledger_.Arrived(name, event, request.answered != 0);
      };
      auto slack = FakeSlack::Start(std::move(options));
      HSW_CHECK(slack, "the loopback has a free port");
      sinks_.emplace(name, std::move(*slack));
    }
  }

  void Run() {
    for (std::size_t i = 0; i < kRouters; ++i) StartRouter(i);
    ledger_.Calm();
    while (Mono::now() < begun_ + seconds_ && !testing::Test::HasFailure()) {
      ledger_.WaitForAnswered(ledger_.AnsweredCount() + Pick(1, 150), milliseconds(Pick(50, 1500)));
      Act();
    }
  }

  /// Everything works again: what was begun is answered, what was answered ends.
  void Settle() {
    Tell("everything works again");
    for (const auto& [name, slack] : sinks_) slack->Behave({});
    EXPECT_TRUE(platform_.Finish(seconds(60)));
    const auto deadline = Mono::now() + seconds(90);
    std::string pending;
    while (pending != "0" && Mono::now() < deadline) {
      ledger_.WaitForAnswered(SIZE_MAX, milliseconds(50));
      const RawAnswer status = routers_[0]->Get("/api/v1/status");
      if (status.status == 200) pending = json::serialize(json::parse(status.body).at("journal").at("pending"));
    }
    EXPECT_EQ(pending, "0") << "deliveries wait for ever; the logs end:\n" << LogEnds();
    for (auto& router : routers_) EXPECT_EQ(router->Stop(), 0);
  }

  void Balance() {
    const auto journal = ReadDeliveries();
    std::cout << ledger_.Told(journal);
    for (const auto& [act, times] : acts_) std::cout << act << ": " << times << "\n";
    EXPECT_GT(ledger_.AnsweredCount(), 0U);
    EXPECT_THAT(ledger_.Check(journal), IsEmpty()) << "seed " << seed_ << "; the logs end:\n" << LogEnds();
  }

 private:
  using Mono = std::chrono::steady_clock;

  std::uint64_t Pick(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
  }

  void Tell(const std::string& what) {
    const auto at = std::chrono::duration_cast<milliseconds>(Mono::now() - begun_);
    std::cout << at.count() << " ms, " << ledger_.AnsweredCount() << " answered: " << what << std::endl;
  }
  static std::string Name(std::size_t router) { return "router-" + std::to_string(router + 1); }

  void StartRouter(std::size_t i) {
    const TempDir& dir = dirs_[i];
    RouterConfig config(dir);
    config.journal = "{postgres: {url: {file: " + (dir / "url") + "}}, retention: {age: 365d, size: 1024GiB}}";
    config.server = "{listen: \"127.0.0.1:0\", drain_timeout: 5s}";
    config.more = "state_dir: " + (dir / "state") + "\ncluster: {name: " + Name(i) +
                  ", lease: " + std::to_string(kLease.count()) + "s}\n";
    for (const auto& [name, slack] : sinks_) {
      config.Slack(name, slack->Url(),
                   {"concurrency: " + std::to_string(kConcurrency), "timeout: 5s",
                    "breaker: {wait: 100ms, max_wait: 1s}", "retry: {schedule: [100ms], give_up_after: 1h}"});
    }
    WriteFile(dir / "url", database_.Conninfo() + "\n");
    routers_[i].emplace(config.Write());
    ASSERT_TRUE(routers_[i]->Ready()) << routers_[i]->Log();
    Aim();
  }

  /// At all that are at work, so that the statuses of a call come in at several of them.
  void Aim(std::size_t except = kRouters) {
    std::vector<std::uint16_t> ports;
    for (std::size_t i = 0; i < kRouters; ++i) {
      if (i != except && routers_[i]) ports.push_back(routers_[i]->Ingress());
    }
    platform_.Aim(std::move(ports));
  }

  std::size_t PickRouter() { return Pick(0, kRouters - 1); }

  void Act() {
    struct Choice {
      const char* name;
      std::uint64_t weight;
      void (Cluster::*act)();
    };
    static constexpr Choice kChoices[] = {{"kill", 10, &Cluster::Kill},    {"freeze", 4, &Cluster::Freeze},
                                          {"stop", 8, &Cluster::Stop},     {"database", 4, &Cluster::RestartDatabase},
                                          {"reload", 4, &Cluster::Reload}, {"flip", 20, &Cluster::Flip}};
    std::uint64_t sum = 0;
    for (const Choice& choice : kChoices) sum += choice.weight;
    std::uint64_t at = Pick(0, sum - 1);
    for (const Choice& choice : kChoices) {
      if (at < choice.weight) {
        ++acts_[choice.name];
        return (this->*choice.act)();
      }
      at -= choice.weight;
    }
  }

  void Kill() {
    const std::size_t i = PickRouter();
    Tell("kill -9 of " + Name(i));
    ledger_.Disturbed();
    Aim(i);
    routers_[i]->Kill();
    // Sometimes another one takes over before it is back.
    ledger_.WaitForAnswered(SIZE_MAX, milliseconds(Pick(0, 1) == 0 ? 0 : Pick(0, 4500)));
    StartRouter(i);
    ledger_.Calm();
  }

  void Stop() {
    const std::size_t i = PickRouter();
    Tell("SIGTERM of " + Name(i));
    Aim(i);
    EXPECT_EQ(routers_[i]->Stop(), 0) << routers_[i]->Log();
    StartRouter(i);
  }

  void Freeze() {
    const std::size_t i = PickRouter();
    Tell(Name(i) + " freezes");
    ledger_.Disturbed();
    Aim(i);
    routers_[i]->Process().Signal(SIGSTOP);
    ledger_.WaitForAnswered(SIZE_MAX, kLease + milliseconds(Pick(0, 2500)));
    routers_[i]->Process().Signal(SIGCONT);
    // If another one has taken over it ends.
    if (routers_[i]->WaitForEvent("journal_taken_over", seconds(2))) {
      Tell("it was replaced");
      EXPECT_EQ(routers_[i]->Process().WaitForExit(seconds(10)), 1);
      StartRouter(i);
    }
    Aim();
    ledger_.Calm();
  }

  void RestartDatabase() {
    Tell("the database restarts");
    ledger_.Disturbed();
    database_.Stop();
    ledger_.WaitForAnswered(SIZE_MAX, milliseconds(Pick(0, 2000)));
    database_.Start();
    ledger_.WaitForAnswered(ledger_.AnsweredCount() + 20, seconds(20));
    for (std::size_t i = 0; i < kRouters; ++i) {
      // One that could not renew its lease in time was replaced, perhaps.
      if (!routers_[i]->Process().WaitForExit(milliseconds(0))) continue;
      Tell(Name(i) + " was replaced");
      StartRouter(i);
    }
    ledger_.Calm();
  }

  void Reload() {
    const std::size_t i = PickRouter();
    Tell("reload of all at " + Name(i));
    EXPECT_EQ(fakes::Fetch(routers_[i]->Admin(), "POST", "/api/v1/cluster/reload").status, 200);
    EXPECT_EQ(fakes::Fetch(routers_[i]->Admin(), "POST", "/api/v1/reload").status, 200);
  }

  void Flip() {
    const std::string name = Pick(0, 1) == 0 ? "a" : "b";
    const int some = static_cast<int>(Pick(1, 20));
    const std::pair<const char*, SlackBehaviour> moods[] = {
        {"fine", {}},
        {"slow", {.mode = Mode::kSlow, .delay = milliseconds(Pick(5, 250))}},
        {"500", {.mode = Mode::kStatus, .status = 500, .word = "rollup_error"}},
        {"dropping", {.mode = Mode::kDrop}},
        {"dropping after it posted", {.mode = Mode::kDropAfter, .times = some}}};
    const auto& [mood, behaviour] = moods[Pick(0, std::size(moods) - 1)];
    Tell("sink " + name + " is " + mood);
    sinks_.at(name)->Behave(behaviour);
  }

  std::vector<JournalLine> ReadDeliveries() const {
    const std::string rows = database_.Query(
        "SELECT coalesce(json_agg(json_build_array(convert_from(e.call_id, 'UTF8'), convert_from(e.status, 'UTF8'), "
        "convert_from(d.sink, 'UTF8'), d.state, convert_from(coalesce(nullif(d.code, ''), a.code, ''), 'UTF8'), "
        "convert_from(coalesce(nullif(d.because, ''), a.reason, ''), 'UTF8'))), '[]') "
        "FROM hookswitch.delivery d JOIN hookswitch.event e ON e.seq = d.event LEFT JOIN LATERAL (SELECT code, reason "
        "FROM hookswitch.attempt WHERE delivery = d.seq ORDER BY seq DESC LIMIT 1) a ON true");
    std::vector<JournalLine> lines;
    const json::value all = json::parse(rows);
    for (const json::value& row : all.as_array()) {
      const auto text = [&](std::size_t column) { return std::string(row.at(column).as_string()); };
      lines.push_back({.event = {.call = CallNumberIn(text(0)).value(), .last = text(1) == "completed"},
                       .sink = text(2),
                       .state = static_cast<DeliveryState>(row.at(3).as_int64()),
                       .code = text(4),
                       .reason = text(5)});
    }
    return lines;
  }

  std::string LogEnds() const {
    std::string all;
    for (const auto& router : routers_) {
      const std::string log = router ? router->Log() : "";
      all += log.size() < 3000 ? log : log.substr(log.size() - 3000);
      all += "\n\n";
    }
    return all;
  }

  const std::uint64_t seed_ = FromEnvironment("CLUSTER_SEED", 1);
  const seconds seconds_{FromEnvironment("CLUSTER_SECONDS", 25)};
  const Mono::time_point begun_ = Mono::now();
  std::mt19937_64 random_{seed_};
  std::map<std::string, int> acts_;
  test::Database database_;
  std::array<TempDir, kRouters> dirs_;
  Ledger ledger_{{"a", "b"}, kConcurrency};
  std::map<std::string, std::unique_ptr<FakeSlack>> sinks_;
  std::array<std::optional<Router>, kRouters> routers_;
  Platform platform_{ledger_, kSenders, kCallsPerSecond, seed_};
};

TEST(ClusterLedger, EveryAnsweredEventIsDeliveredByOneRouterOrTheNext) {
  Cluster cluster;
  cluster.Run();
  if (!HasFailure()) cluster.Settle();
  if (!HasFailure()) cluster.Balance();
}

}  // namespace
}  // namespace hookswitch::e2e
