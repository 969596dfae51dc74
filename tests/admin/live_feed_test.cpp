#include "core/admin/live_feed.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "core/base/json.h"
#include "tests/admin/api_document.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;

/// A message as a reader sees it.
struct Seen {
  std::string event, id;
  json::object data;
};

Seen Read(const std::string& text) {
  const auto line = [&](std::string_view name) {
    const auto begin = text.find(std::string(name) + ": ") + name.size() + 2;
    return text.substr(begin, text.find('\n', begin) - begin);
  };
  EXPECT_TRUE(text.ends_with("\n\n"));
  Seen seen{line("event"), line("id"), json::parse(line("data")).as_object()};
  ExpectDocumentedMessage(seen.event, seen.data);
  return seen;
}

class LiveFeedTest : public testing::Test {
 protected:
  LiveFeedTest() { feed_.Begin(); }

  /// Stores an event of this call for `sinks`.
  Accepted Store(const std::string& call, const std::vector<std::string>& sinks = {}, std::uint64_t content = 0) {
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = "r", .template_name = ""});
    NewEvent event;
    event.source = "bolna";
    event.body = "{}";
    event.dedup = DigestOf(call);
    event.call_id = call;
    event.status = "completed";
    event.content = content;
    event.deliveries = deliveries;
    const auto accepted = journal_.Append(event);
    EXPECT_TRUE(accepted);
    return *accepted;
  }
  void Refuse(const std::string& detail) {
    RefusedRequest refused;
    refused.detail = detail;
    journal_.RecordRefused(refused);
  }
  void Deliver(DeliverySeq delivery) {
    AttemptRecord record;
    record.delivery = delivery;
    record.sink = "ops";
    record.number = 1;
    record.latency = 84ms;
    record.state = DeliveryState::kDelivered;
    record.outcome.kind = Outcome::Kind::kDelivered;
    journal_.Record(record);
  }
  std::vector<Seen> Take(std::vector<LiveMessage> messages) {
    std::vector<Seen> seen;
    for (const LiveMessage& message : messages) seen.push_back(Read(message.text));
    return seen;
  }
  std::vector<Seen> Pass(LiveKinds kinds = kAllLiveKinds) { return Take(feed_.Pass(kinds)); }
  std::vector<Seen> CatchUp(const std::string& id, LiveKinds kinds = kAllLiveKinds) {
    return Take(feed_.CatchUp(ParseLiveCursor(id), kinds));
  }
  /// "event c1", "delivery d-1 pending", "gap event,delivery 3", …
  static std::vector<std::string> Texts(const std::vector<Seen>& messages) {
    std::vector<std::string> texts;
    for (const auto& [event, id, data] : messages) {
      std::string text = event;
      const auto add = [&text](const json::value& value) {
        text += ' ';
        text += value.is_string() ? std::string(value.get_string()) : ToText(value);
      };
      if (event == "event") add(data.at("call_id"));
      if (event == "delivery") add(data.at("id")), add(data.at("state"));
      if (event == "refused") add(data.at("detail"));
      if (event == "sink") add(data.at("sink")), add(data.at("state"));
      if (event == "reload") add(data.at("ok")), add(data.at("generation"));
      if (event == "gap") {
        for (const json::value& kind : data.at("kinds").as_array()) add(kind);
        add(data.at("missed"));
      }
      texts.push_back(std::move(text));
    }
    return texts;
  }

  FakeClock clock_;
  std::shared_ptr<MemoryJournal::Disk> disk_ = MemoryJournal::MakeDisk();
  MemoryJournal journal_{disk_};
  FakeRouter router_;
  LiveFeed feed_{router_, journal_, journal_, clock_};
};

TEST_F(LiveFeedTest, NothingIsToldOfWhatWasBefore) {
  Store("before", {"ops"});
  feed_.Begin();
  EXPECT_THAT(Pass(), IsEmpty());
}

TEST_F(LiveFeedTest, AnEventIsToldWithItsOutcomesAndThenWhatBecomesOfThem) {
  auto call = std::make_shared<CallEvent>();
  call->duration = 73.5;
  router_.reading.call = call;
  Store("c1", {"ops", "sales"});
  const auto first = Pass();
  ASSERT_THAT(Texts(first), ElementsAre("event c1", "delivery d-1 pending", "delivery d-2 pending"));
  EXPECT_EQ(first[0].data.at("duration"), 73.5);
  EXPECT_EQ(first[0].data.at("outcomes").at(1).at("sink"), "sales");
  EXPECT_EQ(first[1].data.at("event"), first[0].data.at("id"));
  Deliver(2);
  const auto second = Pass();
  ASSERT_THAT(Texts(second), ElementsAre("delivery d-2 delivered"));
  EXPECT_EQ(second[0].data.at("latency_ms"), 84);
  EXPECT_THAT(Pass(), IsEmpty());
}

TEST_F(LiveFeedTest, OnlyTheKindsThatAreWantedAreRead) {
  Store("c1", {"ops"});
  EXPECT_THAT(Texts(Pass(kLiveDelivery)), ElementsAre("delivery d-1 pending"));
  Store("c2", {"ops"});
  EXPECT_THAT(Texts(Pass(kLiveEvent)), ElementsAre("event c2"));
  Refuse("a");
  router_.last_reload = std::make_shared<const LastReload>(LastReload{1, clock_.Wall(), "ana", {true, 4, {}, {}}});
  EXPECT_THAT(Pass(kLiveEvent | kLiveDelivery), IsEmpty());
  EXPECT_THAT(Pass(), IsEmpty()) << "what was before is not told to those who want it from now on";
}

TEST_F(LiveFeedTest, AnEventThatIsRevisedIsToldAgain) {
  Store("c1", {"ops"}, 5);
  (void)Pass();
  Store("c1", {"leads"}, 6);
  const auto seen = Pass();
  EXPECT_THAT(Texts(seen), ElementsAre("event c1", "delivery d-1 canceled", "delivery d-2 pending"));
  EXPECT_EQ(seen[0].data.at("revised"), true);
  Store("c2", {}, 5);
  Store("c2", {}, 6);
  EXPECT_THAT(Texts(Pass()), ElementsAre("event c2")) << "once, as it is now";
}

TEST_F(LiveFeedTest, WhatAnOperatorChangesIsTold) {
  Store("c1", {"ops"});
  Deliver(1);
  (void)Pass();
  ASSERT_TRUE(journal_.Revive(std::vector<DeliverySeq>{1}, clock_.Wall()));
  EXPECT_THAT(Texts(Pass()), ElementsAre("delivery d-1 pending"));
  ASSERT_TRUE(journal_.Cancel(std::vector<DeliverySeq>{1}, "purged"));
  EXPECT_THAT(Texts(Pass()), ElementsAre("delivery d-1 canceled"));
}

TEST_F(LiveFeedTest, RejectedRequestsSinksAndReloadsAreTold) {
  Refuse("a");
  Refuse("b");
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  router_.last_reload = std::make_shared<const LastReload>(LastReload{1, clock_.Wall(), "ana", {true, 4, {}, {}}});
  EXPECT_THAT(Texts(Pass()), ElementsAre("sink ops open", "reload true 4", "refused a", "refused b"));
  router_.lanes[0].state = LaneStatus::State::kPaused;
  clock_.Advance(1s);
  config::Problem problem;
  problem.message = "\"agnet\" is not a key";
  router_.last_reload =
      std::make_shared<const LastReload>(LastReload{2, clock_.Wall(), "ana", {false, 4, {problem}, {}}});
  const auto seen = Pass();
  EXPECT_THAT(Texts(seen), ElementsAre("sink ops paused", "reload false 4"));
  EXPECT_EQ(seen[1].data.at("problems").at(0).at("message"), "\"agnet\" is not a key");
}

TEST_F(LiveFeedTest, ADeliveryThatItsSinkHoldsIsToldAsHeld) {
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  router_.lanes[0].state = LaneStatus::State::kPaused;
  Store("c1", {"ops"});
  const auto seen = Pass(kLiveEvent | kLiveDelivery);
  ASSERT_THAT(Texts(seen), ElementsAre("event c1", "delivery d-1 held"));
  EXPECT_EQ(seen[0].data.at("outcomes").at(0).at("held_by"), "paused");
}

TEST_F(LiveFeedTest, OfAFloodTheNewestAreToldAndTheOthersCounted) {
  for (int i = 1; i <= 500; ++i) Store("c" + std::to_string(i), {"ops"});
  const auto first = Texts(Pass());
  ASSERT_GT(first.size(), 2u);
  EXPECT_EQ(first[0], "gap event 450");
  EXPECT_EQ(first[1], "event c451");
  EXPECT_EQ(first[50], "event c500");
  EXPECT_EQ(first[51], "gap delivery 400") << "those of the events that were told cost nothing more";
  EXPECT_EQ(first.size(), 152u);
  Store("c501");
  clock_.Advance(499ms);
  EXPECT_THAT(Pass(), IsEmpty()) << "then it rests";
  clock_.Advance(1ms);
  EXPECT_THAT(Texts(Pass()), ElementsAre("event c501"));
}

TEST_F(LiveFeedTest, ChangesOfOldDeliveriesHaveTheirShareOfAFlood) {
  for (int i = 1; i <= 200; ++i) Store("c" + std::to_string(i), {"ops"});
  feed_.Begin();
  for (DeliverySeq i = 1; i <= 200; ++i) Deliver(i);
  for (int i = 201; i <= 400; ++i) Store("c" + std::to_string(i));
  for (int i = 1; i <= 200; ++i) Refuse("r" + std::to_string(i));
  const auto seen = Texts(Pass());
  const auto count = [&seen](std::string_view kind) {
    return std::ranges::count_if(seen, [&](const std::string& text) { return text.starts_with(kind); });
  };
  EXPECT_EQ(count("refused"), 25);
  EXPECT_EQ(count("event"), 37);
  EXPECT_EQ(count("delivery"), 38);
  EXPECT_EQ(count("gap"), 3);
}

TEST_F(LiveFeedTest, WhatTheRingHasLostIsAGapOfUnknownSize) {
  const std::vector<std::string> sinks(1024, "ops");
  for (int i = 1; i <= 17; ++i) Store("c" + std::to_string(i), sinks);
  const auto seen = Texts(Pass(kLiveDelivery));
  EXPECT_EQ(seen[0], "gap delivery null");
  EXPECT_EQ(seen.back(), "delivery d-4400 pending");
  EXPECT_EQ(seen.size(), 101u);
}

TEST_F(LiveFeedTest, ARowThatIsTooLargeIsLeftOut) {
  Store(std::string(100'000, 'x'));
  Store("c2");
  EXPECT_THAT(Texts(Pass()), ElementsAre("gap event 1", "event c2"));
}

TEST_F(LiveFeedTest, AReaderThatComesAgainGetsWhatItHasMissed) {
  Store("c1", {"ops"});
  const auto seen = Pass();
  Deliver(1);
  Store("c2", {"ops"});
  Refuse("a");
  (void)Pass();
  EXPECT_THAT(Texts(CatchUp(seen.back().id)),
              ElementsAre("refused a", "event c2", "delivery d-1 delivered", "delivery d-2 pending"));
  EXPECT_THAT(Texts(CatchUp(seen[0].id, kLiveDelivery)), ElementsAre("delivery d-1 delivered", "delivery d-2 pending"));
  EXPECT_THAT(CatchUp(ToText(feed_.cursor())), IsEmpty());
  EXPECT_THAT(Pass(), IsEmpty()) << "others get nothing twice";
}

TEST_F(LiveFeedTest, WhoeverIsCutOffAtAnyMessageMissesNothing) {
  for (int i = 1; i <= 3; ++i) Store("c" + std::to_string(i), {"ops", "sales"});
  Refuse("a");
  const auto all = Pass();
  const auto texts = Texts(all);
  for (std::size_t cut = 0; cut < all.size(); ++cut) {
    std::set<std::string> got(texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(cut) + 1);
    for (const std::string& text : Texts(CatchUp(all[cut].id))) got.insert(text);
    EXPECT_EQ(got, std::set<std::string>(texts.begin(), texts.end())) << "after " << texts[cut];
  }
}

TEST_F(LiveFeedTest, WhoWasAwayTooLongGetsTheNewestAndAGap) {
  const std::string id = ToText(feed_.cursor());
  for (int i = 1; i <= 500; ++i) Store("c" + std::to_string(i));
  const auto seen = Texts(CatchUp(id));
  EXPECT_EQ(seen[0], "gap event 200");
  EXPECT_EQ(seen[1], "event c201");
  EXPECT_EQ(seen.size(), 301u);
  EXPECT_THAT(Texts(CatchUp(id)), ElementsAre("gap event 500")) << "many that come again are bounded together";
}

TEST_F(LiveFeedTest, AfterARestartEventsAreCaughtUpAndTheRestIsReadAgain) {
  Store("c1", {"ops"});
  const std::string id = Pass().back().id;
  Store("c2", {"ops"});
  MemoryJournal reopened(disk_);
  LiveFeed next(router_, reopened, reopened, clock_);
  next.Begin();
  EXPECT_THAT(Texts(Take(next.CatchUp(ParseLiveCursor(id), kAllLiveKinds))),
              ElementsAre("gap event delivery null", "event c2"));
}

TEST_F(LiveFeedTest, ACursorOfAnotherJournalOrOfNobodyIsAGap) {
  Store("c1");
  (void)Pass();
  LiveCursor other = feed_.cursor();
  other.changes.epoch += 2;
  other.event = 4711;
  EXPECT_THAT(Texts(CatchUp(ToText(other))), ElementsAre("gap event delivery null", "gap refused null"));
  router_.lanes.resize(1);
  router_.lanes[0].sink = "ops";
  EXPECT_THAT(Texts(CatchUp("nonsense")), ElementsAre("gap event delivery refused null", "sink ops open"));
  EXPECT_THAT(Texts(CatchUp("nonsense", kLiveSink)), ElementsAre("sink ops open"));
}

TEST_F(LiveFeedTest, WhileTheJournalCannotBeReadNothingIsSkipped) {
  Store("c1", {"ops"});
  journal_.Close();
  const LiveCursor before = feed_.cursor();
  EXPECT_THAT(Pass(), IsEmpty());
  EXPECT_EQ(feed_.cursor(), before);
}

TEST(LiveMessage, ACursorIsReadBackFromItsText) {
  const LiveCursor cursor{{0xfedcba9876543210, 12}, 4711, 0, 3};
  EXPECT_EQ(ParseLiveCursor(ToText(cursor)), cursor);
  const LiveCursor none{{}, 0, -1, 0};
  EXPECT_EQ(ParseLiveCursor(ToText(none)), none);
  for (const char* text :
       {"", "1", "1-2-3-4", "1-2-3-4-5-6", "1-2-3-4-", "-1-2-3-4", "1-2-3-4-zzzzzzzzzzzzzzz", "1--3-4-5", "1-2-3-4-5 ",
        "1-2-3-4-\xc3\xa4", "0-0-1y2p0ij32e8e8-0-0", "0-0-0-1y2p0ij32e8e8-0"}) {
    EXPECT_FALSE(ParseLiveCursor(text)) << text;
  }
}

TEST(LiveMessage, KindsAreNamedAndSuggested) {
  EXPECT_EQ(*ParseLiveKinds("event, sink"), kLiveEvent | kLiveSink);
  EXPECT_EQ(*ParseLiveKinds("event,delivery,refused,sink,reload"), kAllLiveKinds);
  for (const char* text : {"events", "", "event,", "gap"}) EXPECT_FALSE(ParseLiveKinds(text)) << text;
  EXPECT_THAT(ParseLiveKinds("events").error().message, testing::HasSubstr("did you mean \"event\"?"));
}

}  // namespace
}  // namespace hookswitch
