// Numbered events through the real program while everything around it goes wrong, and the account of them afterwards.
//
// LEDGER_SECONDS (60) and LEDGER_SEED (1) change the run; what is done is told line by line, so that a failure can be
// read, and the same seed does the same things in the same order.
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
#include "tests/e2e/small_disk.h"

namespace hookswitch::e2e {
namespace {

using Mode = SlackBehaviour::Mode;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr int kConcurrency = 8;
constexpr int kSenders = 8;
#ifdef HSW_SANITIZED
constexpr double kCallsPerSecond = 40;    // sanitizers take several times the time
constexpr std::uint64_t kKillWeight = 4;  // and a router that lives longer shows them more
#else
constexpr double kCallsPerSecond = 150;
constexpr std::uint64_t kKillWeight = 20;
#endif

std::uint64_t FromEnvironment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

/// Of so many calls the last status of one is a message that no sink ever takes.
constexpr std::size_t kCallsPerRefused = 19;
constexpr const char* kRefusal = "invalid_blocks";

/// Connections that want something else than an answer: some that say nothing, send half a head or half a body, or
/// never read what they are answered.
class BadConnections {
 public:
  void Leave() { clients_.clear(); }
  /// Leaves the ones before and comes anew.
  void Come(std::uint16_t port) {
    Leave();
    std::string unread;
    for (int i = 0; i < 500; ++i) unread += fakes::RequestBytes("POST", "/nowhere", "{}");
    const std::string kinds[] = {"", "POST /bolna/webhook HTTP/1.1\r\nHost: ", kHead + std::string(50, '{'), unread};
    for (int i = 0; i < 12; ++i) {
      for (const std::string& bytes : kinds) {
        // What the router does not read any more is not waited for.
        auto& client = clients_.emplace_back(std::make_unique<RawClient>(port, milliseconds(20), "127.0.0.9"));
        if (client->Connected()) client->Send(bytes);
      }
    }
  }

 private:
  const std::string kHead = "POST /bolna/webhook HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n";
  std::vector<std::unique_ptr<RawClient>> clients_;
};

/// A sink of the router, and the moods of the one who stands behind it.
struct MoodySink {
  std::string name;
  std::unique_ptr<FakeSlack> slack;
  bool down = false;
};

class Storm {
 public:
  Storm() {
    std::cout << "LEDGER_SEED=" << seed_ << " LEDGER_SECONDS=" << seconds_.count() << "\n";
    for (const std::string name : {"a", "b", "c"}) {
      FakeSlack::Options options;
      options.keep = 0;
      options.refuses = [](const FakeSlack::Request& request) {
        const auto event = EventIn(request.body);
        return event && event->last && event->call % kCallsPerRefused == 0 ? kRefusal : "";
      };
      options.on_request = [this, name](const FakeSlack::Request& request) {
        const auto event = EventIn(request.body);
        if (!event) return ledger_.Wrong("a message without a call at " + name);
        if (request.problem == kRefusal) ledger_.Refused(name, *event, kRefusal);
        if (request.posted) ledger_.Arrived(name, *event, request.answered != 0);
      };
      auto slack = FakeSlack::Start(std::move(options));
      HSW_CHECK(slack, "the loopback has a free port");
      sinks_.push_back({name, std::move(*slack)});
    }
    WriteConfig();
  }

  void Run() {
    StartRouter();
    while (Mono::now() < begun_ + seconds_ && !testing::Test::HasFailure()) {
      // A few events more, or a moment without any: the next act comes at any point of their way.
      ledger_.WaitForAnswered(ledger_.AnsweredCount() + Pick(1, 120), milliseconds(Pick(50, 800)));
      if (router_->Process().WaitForExit(milliseconds(0))) {
        ADD_FAILURE() << "the router ended by itself; its log ends:\n" << LogEnd();
        return;
      }
      Act();
    }
  }

  /// Everything works again: what was begun is answered, what was answered ends.
  void Settle() {
    Tell("everything works again");
    for (MoodySink& sink : sinks_) SetMood(sink, {});
    disk_.Free();
    EXPECT_TRUE(platform_.Finish(seconds(60)));
    const auto deadline = Mono::now() + seconds(120);
    std::string pending;
    while (pending != "0" && Mono::now() < deadline) {
      ledger_.WaitForAnswered(SIZE_MAX, milliseconds(50));
      const RawAnswer status = router_->Get("/api/v1/status");
      if (status.status == 200) pending = json::serialize(json::parse(status.body).at("journal").at("pending"));
    }
    EXPECT_EQ(pending, "0") << "deliveries wait for ever; the log ends:\n" << LogEnd();
    EXPECT_EQ(router_->Stop(), 0);
  }

  void Balance() {
    const auto journal = ReadJournal(disk_ / "journal.db");
    std::cout << ledger_.Told(journal);
    for (const auto& [act, times] : acts_) std::cout << act << ": " << times << "\n";
    EXPECT_GT(ledger_.AnsweredCount(), 0U);
    EXPECT_THAT(ledger_.Check(journal), IsEmpty()) << "seed " << seed_ << "; the router's log ends:\n" << LogEnd();
  }

 private:
  using Mono = std::chrono::steady_clock;

  static std::optional<LedgerEvent> EventIn(const std::string& body) {
    const auto call = CallNumberIn(body);
    if (!call) return {};
    return LedgerEvent{*call, body.find("call-disconnected") == std::string::npos};
  }

  std::uint64_t Pick(std::uint64_t least, std::uint64_t most) {
    return std::uniform_int_distribution<std::uint64_t>(least, most)(random_);
  }

  void Tell(const std::string& what) {
    const auto at = std::chrono::duration_cast<milliseconds>(Mono::now() - begun_);
    std::cout << at.count() << " ms, " << ledger_.AnsweredCount() << " answered: " << what << std::endl;
  }

  void WriteConfig() {
    RouterConfig config(dir_);
    // Nothing is removed before it is counted.
    config.journal = "{path: " + (disk_ / "journal.db") + ", retention: {age: 365d, size: 1024GiB}}";
    config.server = "{listen: \"127.0.0.1:0\", drain_timeout: 5s}";
    for (const MoodySink& sink : sinks_) {
      const bool gives_up = sink.name == "c";
      config.Slack(sink.name, sink.slack->Url(),
                   {"concurrency: " + std::to_string(reloads_ % 2 == 0 ? kConcurrency : kConcurrency / 2),
                    "timeout: 5s", "breaker: {wait: 100ms, max_wait: 1s}",
                    "retry: {schedule: [100ms], give_up_after: " + std::string(gives_up ? "1s" : "1h") + "}"});
    }
    config.rules = reloads_ % 3 == 0 ? "  - {name: all, when: {status: any}, send: [a, b, c]}\n"
                                     : "  - {name: some, when: {status: any}, send: [c, b]}\n"
                                       "  - {name: one, when: {status: any}, send: [a]}\n";
    config.Write();
  }

  void StartRouter() {
    router_.emplace(dir_ / "hookswitch.yaml");
    for (const MoodySink& sink : sinks_) {
      if (!sink.down) ledger_.Calm(sink.name);
    }
    platform_.Aim(router_->Ingress());
    bad_.Come(router_->Ingress());
  }

  void KillRouter() {
    ledger_.Disturbed();
    platform_.Aim(0);
    router_->Kill();
  }

  std::string LogEnd() const {
    const std::string log = router_->Log();
    return log.size() < 4000 ? log : log.substr(log.size() - 4000);
  }

  void Act() {
    struct Choice {
      const char* name;
      std::uint64_t weight;
      void (Storm::*act)();
    };
    static constexpr Choice kChoices[] = {
        {"kill", kKillWeight, &Storm::Kill},        {"flip", 60, &Storm::Flip},      {"reload", 12, &Storm::Reload},
        {"broken reload", 3, &Storm::BrokenReload}, {"restart", 6, &Storm::Restart}, {"full disk", 4, &Storm::FullDisk},
        {"bad connections", 10, &Storm::ComeBadly}};
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
    Tell("kill -9");
    KillRouter();
    StartRouter();
  }

  void Restart() {
    Tell("SIGTERM and a new start");
    // Who does not read its answers may hold a drain for all of its time.
    if (Pick(0, 3) != 0) bad_.Leave();
    EXPECT_EQ(router_->Stop(), 0);
    platform_.Aim(0);
    StartRouter();
  }

  void Reload() {
    Tell("reload");
    ++reloads_;
    WriteConfig();
    const RawAnswer answer = fakes::Fetch(router_->Admin(), "POST", "/api/v1/reload");
    EXPECT_EQ(answer.status, 200) << answer.body << answer.error;
  }

  void BrokenReload() {
    Tell("reload of a broken config");
    WriteFile(dir_ / "hookswitch.yaml", "version: 1\nrules: nonsense\n");
    EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/reload").status, 422);
    WriteConfig();
    EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/reload").status, 200);
  }

  void ComeBadly() {
    Tell("bad connections");
    bad_.Come(router_->Ingress());
  }

  void FullDisk() {
    if (!disk_.Mounted()) return Tell("(no disk can be mounted here, so none is filled)");
    // Each time the big calls stay in the journal, for which the disk must have room to the end of a long run.
    if (full_disks_ >= 4 + (Mono::now() - begun_) / seconds(30)) return Flip();
    ++full_disks_;
    MoodySink& sink = sinks_[Pick(0, sinks_.size() - 1)];
    Tell("the disk is full, with deliveries under way to sink " + sink.name);
    SetMood(sink, {.mode = Mode::kSlow, .delay = milliseconds(Pick(50, 250))});
    disk_.Fill();
    // The log that the journal has already is written over until it must grow.
    RawAnswer answer;
    const auto deadline = Mono::now() + seconds(30);
    do {
      answer = platform_.PostBig(500'000);
    } while (answer.status == 200 && Mono::now() < deadline);
    EXPECT_EQ(answer.status, 503) << answer.error;
    const RawAnswer ready = router_->Get("/readyz");
    EXPECT_EQ(ready.status, 503);
    EXPECT_THAT(ready.body, HasSubstr("journal"));
    ledger_.WaitForAnswered(SIZE_MAX, milliseconds(Pick(0, 1000)));
    const bool killed = Pick(0, 3) == 0;
    if (killed) {
      Tell("kill -9 with a full disk");
      KillRouter();
    }
    Tell("the disk has room again");
    disk_.Free();
    if (killed) StartRouter();
    while (router_->Get("/readyz").status != 200 && Mono::now() < deadline + seconds(30)) {
      ledger_.WaitForAnswered(SIZE_MAX, milliseconds(20));
    }
    EXPECT_EQ(router_->Get("/readyz").status, 200);
  }

  void Flip() {
    MoodySink& sink = sinks_[Pick(0, sinks_.size() - 1)];
    struct Mood {
      const char* name;
      SlackBehaviour behaviour;
      bool down = false;
    };
    const int some = static_cast<int>(Pick(1, 20));
    const Mood moods[] = {
        {"fine", {}},
        {"fine, one way", {.mode = Mode::kOk}},
        {"slow", {.mode = Mode::kSlow, .delay = milliseconds(Pick(5, 250))}},
        {"429", {.mode = Mode::kRateLimited, .retry_after = "1"}},
        {"500", {.mode = Mode::kStatus, .status = 500, .word = "rollup_error"}},
        {"503 sometimes", {.mode = Mode::kStatus, .status = 503, .word = "service_unavailable", .times = some}},
        {"refusing some messages", {.mode = Mode::kStatus, .status = 400, .word = "invalid_payload", .times = some}},
        {"dropping", {.mode = Mode::kDrop}},
        {"dropping after it posted", {.mode = Mode::kDropAfter, .times = some}},
        {"silent", {.mode = Mode::kHang, .times = some}},
        {"dripping for ever", {.mode = Mode::kEndless, .delay = milliseconds(20), .word = "o", .times = some}},
        {"flooding for ever",
         {.mode = Mode::kEndless, .delay = milliseconds(1), .word = std::string(64 << 10, 'o'), .times = some}},
        {"revoked", {.mode = Mode::kStatus, .status = 403, .word = "invalid_token"}},
        {"unreachable", {}, true},
    };
    const Mood& mood = moods[Pick(0, std::size(moods) - 1)];
    Tell("sink " + sink.name + " is " + mood.name);
    SetMood(sink, mood.behaviour, mood.down);
  }

  void SetMood(MoodySink& sink, const SlackBehaviour& behaviour, bool down = false) {
    sink.slack->Behave(behaviour);
    if (down && !sink.down) {
      ledger_.Disturbed(sink.name);
      sink.slack->GoDown();
    } else if (!down && sink.down) {
      sink.slack->ComeBack();
      ledger_.Calm(sink.name);
    }
    sink.down = down;
    // A sink that was revoked waits half a minute before it is tried again.
    EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/sinks/" + sink.name + "/resume").status, 200);
  }

  const std::uint64_t seed_ = FromEnvironment("LEDGER_SEED", 1);
  const seconds seconds_{FromEnvironment("LEDGER_SECONDS", 60)};
  const Mono::time_point begun_ = Mono::now();
  std::mt19937_64 random_{seed_};
  std::size_t reloads_ = 0;
  std::int64_t full_disks_ = 0;
  std::map<std::string, int> acts_;
  TempDir dir_;
  SmallDisk disk_{256 + 2 * static_cast<std::size_t>(seconds_.count())};
  Ledger ledger_{{"a", "b", "c"}, kConcurrency};
  std::vector<MoodySink> sinks_;
  BadConnections bad_;
  std::optional<Router> router_;
  Platform platform_{ledger_, kSenders, kCallsPerSecond, seed_};
};

TEST(LedgerStorm, EveryAnsweredEventIsDeliveredOrDeadWithAReason) {
  Storm storm;
  storm.Run();
  if (!HasFailure()) storm.Settle();
  if (!HasFailure()) storm.Balance();
}

/// One event for one sink, answered and arrived: a ledger that balances until a test breaks it.
class LedgerBooks : public testing::Test {
 protected:
  LedgerBooks() {
    ledger_.Answered(event_, "e-1", false);
    ledger_.Arrived("a", event_, true);
  }
  std::vector<std::string> Check() const { return ledger_.Check(journal_); }

  const LedgerEvent event_{7, false};
  Ledger ledger_{{"a"}, 1};
  std::vector<JournalLine> journal_{{event_, "a", DeliveryState::kDelivered, "", ""}};
};

TEST_F(LedgerBooks, BalanceWhenWhatIsAnsweredArrived) {
  EXPECT_THAT(Check(), IsEmpty());
}
TEST_F(LedgerBooks, SeeAnAnsweredEventThatIsNotStored) {
  journal_.clear();
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("not stored")));
}
TEST_F(LedgerBooks, SeeADeliveryThatNeverArrived) {
  const LedgerEvent other{8, true};
  ledger_.Answered(other, "e-2", false);
  journal_.push_back({other, "a", DeliveryState::kDelivered, "", ""});
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("never seen")));
  journal_.back() = {other, "a", DeliveryState::kPending, "", ""};
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("neither delivered nor dead")));
  journal_.back() = {other, "a", DeliveryState::kDead, "http_400", ""};
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("without a reason")));
  journal_.back() = {other, "a", DeliveryState::kDead, "http_400", "the answer was 400"};
  EXPECT_THAT(Check(), IsEmpty());
}
TEST_F(LedgerBooks, SeeARefusedMessageThatIsNotDeadAndAGoodOneThatDiesForIt) {
  const LedgerEvent bad{8, true};
  ledger_.Answered(bad, "e-2", false);
  ledger_.Refused("a", bad, "invalid_blocks");
  journal_.push_back({bad, "a", DeliveryState::kPending, "", ""});
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("refused, but not dead")));
  journal_.back() = {bad, "a", DeliveryState::kDead, "invalid_blocks", "it was refused"};
  EXPECT_THAT(Check(), IsEmpty());
  journal_.front() = {event_, "a", DeliveryState::kDead, "invalid_blocks", "it was refused"};
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("said of another")));
}
TEST_F(LedgerBooks, SeeWhatIsStoredTwiceOrUnasked) {
  journal_.push_back(journal_.front());
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("stored twice")));
  journal_.back().event.call = 9;
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("nobody was told")));
  journal_.pop_back();
  ledger_.Arrived("a", {9, true}, true);
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("never answered")));
}
TEST_F(LedgerBooks, SeeARepeatWithoutAReason) {
  ledger_.Disturbed("b");
  ledger_.Arrived("a", event_, true);
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("without a reason")));
}
TEST_F(LedgerBooks, AllowARepeatOfWhatWasCutOff) {
  ledger_.Disturbed("a");
  ledger_.Arrived("a", event_, true);
  ledger_.Calm();
  EXPECT_THAT(Check(), IsEmpty());
}
TEST_F(LedgerBooks, AllowARepeatOfWhatTheRouterCouldNotKnow) {
  const LedgerEvent other{8, true};
  ledger_.Answered(other, "e-2", false);
  journal_.push_back({other, "a", DeliveryState::kDelivered, "", ""});
  ledger_.Arrived("a", other, false);
  ledger_.Arrived("a", other, true);
  EXPECT_THAT(Check(), IsEmpty());
}
TEST_F(LedgerBooks, SeeMoreRepeatsThanWereInFlight) {
  const LedgerEvent other{8, true};
  ledger_.Answered(other, "e-2", false);
  journal_.push_back({other, "a", DeliveryState::kDelivered, "", ""});
  ledger_.Arrived("a", other, true);
  ledger_.Disturbed();
  ledger_.Calm();
  ledger_.Arrived("a", event_, true);
  EXPECT_THAT(Check(), IsEmpty());
  ledger_.Arrived("a", other, true);
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("more repeated")));
}
TEST_F(LedgerBooks, SeeAFirstStatusBehindTheLast) {
  const LedgerEvent last{7, true};
  ledger_.Answered(last, "e-2", false);
  ledger_.Arrived("a", last, true);
  journal_.push_back({last, "a", DeliveryState::kDelivered, "", ""});
  EXPECT_THAT(Check(), IsEmpty());
  ledger_.Disturbed();
  ledger_.Arrived("a", event_, true);
  EXPECT_THAT(Check(), ElementsAre(HasSubstr("out of order")));
}
TEST_F(LedgerBooks, SeeAnEventThatIsStoredAsNewTwice) {
  ledger_.Answered(event_, "e-1", true);
  EXPECT_THAT(Check(), IsEmpty());
  ledger_.Answered(event_, "e-2", false);
  EXPECT_THAT(Check(), testing::SizeIs(2)) << "another id, and new again";
}

}  // namespace
}  // namespace hookswitch::e2e
