// The protocol of pg_lease and its fence, in a model: random interleavings of routers that freeze, of messages that are
// late, and of the database. Two planted faults show that it would see what is wrong.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "tests/fakes/effort.h"

namespace hookswitch {
namespace {

using Ms = std::int64_t;

constexpr std::size_t kRouters = 3;
constexpr Ms kLength = 3000;

enum class Fault { kNone, kCountsFromTheAnswer, kNoFence };

/// What is in the table `lease`; the database's clock is the true time.
struct Row {
  std::size_t router = kRouters;
  int epoch = 0;
  Ms expires = 0;
};

/// A request to the database and its answer, each of which takes its time.
struct Message {
  enum class What { kAsk, kRecord } what = What::kAsk;
  std::size_t router = 0;
  int life = 0;  ///< of the router's processes
  int epoch = 0;
  Ms sent = 0, arrives = 0, answered = 0;
  std::optional<int> granted{};  ///< the epoch, if the lease is the router's
};

struct Router {
  int life = 0;
  int epoch = 0;  ///< 0: it never had the lease
  Ms valid_until = 0, next_ask = 0, frozen_until = 0;
  bool is_lost = false, asks = false;
};

class Model {
 public:
  Model(std::uint32_t seed, Fault fault) : random_(seed), fault_(fault) {}

  /// Why it must not be so; empty if nothing went wrong.
  std::string Run() {
    for (now_ = 0; now_ < 20'000 && wrong_.empty(); ++now_) Step();
    // In the end nothing is late, and nobody is frozen: one of them delivers.
    calm_ = true;
    const Ms end = now_ + 10 * kLength;  // what is late now may be so for two, and its answer for two more
    std::size_t before = starts_;
    for (; now_ < end && wrong_.empty(); ++now_) {
      if (now_ == end - kLength) before = starts_;
      Step();
    }
    if (wrong_.empty() && starts_ == before) wrong_ = "nobody delivers";
    return wrong_;
  }
  int take_overs() const { return row_.epoch; }

 private:
  Ms Pick(Ms least, Ms most) { return std::uniform_int_distribution<Ms>(least, most)(random_); }
  bool Chance(int one_in) { return Pick(1, one_in) == 1; }
  /// Mostly some milliseconds; now and then longer than a lease.
  Ms Late() { return calm_ || !Chance(12) ? Pick(1, 20) : Pick(20, kLength * 2); }

  void Step() {
    for (std::size_t i = 0; i < kRouters; ++i) {
      Router& router = routers_[i];
      if (!calm_ && Chance(4000)) router.frozen_until = now_ + Pick(1, kLength * 2);
      if (now_ < router.frozen_until && !calm_) continue;
      if (router.is_lost) {
        router = {.life = router.life + 1};  // the process ends, and another begins
      }
      if (!router.asks && now_ >= router.next_ask) {
        router.asks = true;
        messages_.push_back({.what = Message::What::kAsk,
                             .router = i,
                             .life = router.life,
                             .epoch = router.epoch,
                             .sent = now_,
                             .arrives = now_ + Late()});
      }
      // A delivery begins, and what came of it is recorded some time later.
      if (now_ < router.valid_until && Chance(20)) {
        ++starts_;
        if (row_.router != i || row_.epoch != router.epoch) wrong_ = "a router delivers while another has the lease";
        messages_.push_back({.what = Message::What::kRecord,
                             .router = i,
                             .life = router.life,
                             .epoch = router.epoch,
                             .sent = now_,
                             .arrives = now_ + Late()});
      }
    }
    for (Message& message : messages_) {
      if (message.arrives == now_) Arrive(message);
    }
    for (Message& message : messages_) {
      const bool is_thawed = now_ >= routers_[message.router].frozen_until || calm_;
      if (message.answered > 0 && now_ >= message.answered && is_thawed) Answer(message);
    }
    std::erase_if(messages_, [](const Message& message) { return message.answered < 0; });
  }

  void Arrive(Message& message) {
    const bool is_ours = row_.router == message.router && row_.epoch == message.epoch;
    if (message.what == Message::What::kRecord) {
      // The fence and what it guards are one transaction.
      const bool is_stored = is_ours || fault_ == Fault::kNoFence;
      if (is_stored && !is_ours) wrong_ = "a router that was replaced records";
      message.answered = -1;
      return;
    }
    if (message.epoch == 0 && row_.expires <= now_) {
      row_ = {message.router, row_.epoch + 1, now_ + kLength};
      message.granted = row_.epoch;
    } else if (message.epoch != 0 && is_ours) {
      row_.expires = now_ + kLength;
      message.granted = row_.epoch;
    }
    message.answered = now_ + Late();
  }

  void Answer(Message& message) {
    message.answered = -1;
    Router& router = routers_[message.router];
    if (router.life != message.life) return;  // nobody hears it
    router.asks = false;
    router.next_ask = now_ + kLength / 3;
    if (!message.granted) {
      router.is_lost = router.epoch != 0;
      return;
    }
    router.epoch = *message.granted;
    router.valid_until = (fault_ == Fault::kCountsFromTheAnswer ? now_ : message.sent) + kLength;
  }

  std::mt19937 random_;
  const Fault fault_;
  bool calm_ = false;
  Ms now_ = 0;
  Row row_;
  std::array<Router, kRouters> routers_;
  std::vector<Message> messages_;
  std::size_t starts_ = 0;
  std::string wrong_;
};

TEST(LeaseModel, OneRouterDeliversAndOneThatWasReplacedRecordsNothing) {
  constexpr int kRuns = 2000 / test::kOneIn;
  int take_overs = 0;
  for (std::uint32_t seed = 1; seed <= kRuns; ++seed) {
    Model model(seed, Fault::kNone);
    ASSERT_EQ(model.Run(), "") << "seed " << seed;
    take_overs += model.take_overs();
  }
  EXPECT_GT(take_overs, 3 * kRuns) << "else it has tried little";
}

TEST(LeaseModel, SeesALeaseThatIsCountedFromItsAnswer) {
  std::string wrong;
  for (std::uint32_t seed = 1; seed <= 1000 && wrong.empty(); ++seed) {
    wrong = Model(seed, Fault::kCountsFromTheAnswer).Run();
  }
  EXPECT_EQ(wrong, "a router delivers while another has the lease");
}

TEST(LeaseModel, SeesARecordWithoutAFence) {
  std::string wrong;
  for (std::uint32_t seed = 1; seed <= 1000 && wrong.empty(); ++seed) wrong = Model(seed, Fault::kNoFence).Run();
  EXPECT_EQ(wrong, "a router that was replaced records");
}

}  // namespace
}  // namespace hookswitch
