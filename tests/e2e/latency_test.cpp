// A sink that is down must not be felt by the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <optional>

#include "core/base/check.h"
#include "core/base/text.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using Mode = SlackBehaviour::Mode;
using Mono = std::chrono::steady_clock;

constexpr std::size_t kCallsPerRound = 150;
constexpr milliseconds kBetweenCalls{10};
// Other work on the machine moves a p99 of a few milliseconds by more than a tenth. A lane that held others would show
// in their deliveries as the broken sink's timeout, a second.
constexpr double kNoiseMs = 100;

struct Latencies {
  std::vector<double> ms;
  double At(double share) {
    std::sort(ms.begin(), ms.end());
    return ms[static_cast<std::size_t>(share * static_cast<double>(ms.size() - 1))];
  }
};

TEST(Latency, ASinkThatIsDownIsNotFeltByThreeOthers) {
  TempDir dir;
  FakeSlack others;
  FakeSlack broken;
  RouterConfig config(dir);
  const std::vector<std::string> quick = {"/services/T0/B0/x1", "/services/T0/B0/x2", "/services/T0/B0/x3"};
  for (std::size_t i = 0; i < quick.size(); ++i) config.Slack("quick" + std::to_string(i), others.Url(quick[i]));
  config.Slack("broken", broken.Url(), {"timeout: 1s", "breaker: {wait: 100ms, max_wait: 500ms}"});
  Router router(config.Write());
  ASSERT_TRUE(router.Ready());

  Mutex mu;
  CondVar never;
  std::map<std::size_t, Mono::time_point> posted;
  std::size_t calls = 0;
  std::optional<RawClient> sender;
  const auto round = [&] {
    auto due = Mono::now();
    for (const std::size_t end = calls + kCallsPerRound; calls < end; ++calls) {
      {
        MutexLock lock(mu);
        while (Mono::now() < due) never.WaitUntil(mu, due);
      }
      due += kBetweenCalls;
      posted[calls] = Mono::now();
      if (!sender) sender.emplace(router.Ingress());
      sender->Send(fakes::RequestBytes("POST", "/bolna/webhook", Call(CallId(calls))));
      const RawAnswer answer = sender->Receive();
      HSW_CHECK(answer.status == 200, "an idle router accepts");
      if (EqualsIgnoreCase(answer.Header("Connection"), "close")) sender.reset();
    }
    return others.WaitForPosted(calls * quick.size());
  };

  ASSERT_TRUE(round()) << "everything is warm";
  const std::size_t warm = calls;
  std::map<std::size_t, std::string> rounds;  // how the fourth sink was, by the first call of a round
  for (const char* how : {"fine", "refusing", "fine", "silent", "fine", "failing"}) {
    const bool down = std::string(how) != "fine";
    if (std::string(how) == "refusing") broken.GoDown();
    if (std::string(how) == "silent") broken.Behave({.mode = Mode::kHang});
    if (std::string(how) == "failing") broken.Behave({.mode = Mode::kStatus, .status = 500});
    rounds[calls] = how;
    ASSERT_TRUE(round()) << how;
    if (!down) continue;
    EXPECT_LT(broken.PostedCount(), calls) << "it was down indeed";
    broken.Behave({});
    broken.ComeBack();
    ASSERT_TRUE(broken.WaitForPosted(calls, seconds(60))) << "all of it is delivered afterwards";
  }

  Latencies up;
  Latencies down;
  std::map<std::string, Latencies> by_how;
  for (const auto& request : others.Posted()) {
    const std::size_t call = CallNumberIn(request.body).value();
    if (call < warm) continue;
    const std::chrono::duration<double, std::milli> took = request.received_mono - posted[call];
    const std::string& how = std::prev(rounds.upper_bound(call))->second;
    by_how[how].ms.push_back(took.count());
    (how == "fine" ? up : down).ms.push_back(took.count());
  }
  for (auto& [how, each] : by_how) {
    std::cout << "the fourth is " << how << ": " << each.ms.size() << " deliveries to the others, median "
              << each.At(0.5) << " ms, p99 " << each.At(0.99) << " ms\n";
  }
  EXPECT_LT(down.At(0.5), up.At(0.5) * 1.1 + kNoiseMs / 10);
  EXPECT_LT(down.At(0.99), up.At(0.99) * 1.1 + kNoiseMs);
}

}  // namespace
}  // namespace hookswitch::e2e
