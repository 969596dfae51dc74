#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/journal/history.h"

namespace hookswitch {

/// How an implementation is put under the contract. One journal is open at a time.
class JournalHome {
 public:
  virtual ~JournalHome() = default;
  virtual std::unique_ptr<JournalWithHistory> Open(std::uint64_t max_backlog) = 0;
  /// What would be found if the process were killed now, while `journal` is open; `journal` is discarded.
  virtual std::unique_ptr<JournalWithHistory> Crash(std::unique_ptr<JournalWithHistory> journal) = 0;
};

struct JournalKind {
  std::string name;
  std::function<std::unique_ptr<JournalHome>()> make;
};

/// What every journal keeps. Run with INSTANTIATE_TEST_SUITE_P(…, JournalContract, Values(JournalKind{…})).
class JournalContract : public testing::TestWithParam<JournalKind> {
 protected:
  void SetUp() override {
    home_ = GetParam().make();
    Open();
  }
  void TearDown() override { journal_.reset(); }

  void Open(std::uint64_t max_backlog = 0) {
    journal_.reset();
    Use(home_->Open(max_backlog));
  }
  void Crash() { Use(home_->Crash(std::move(journal_))); }
  void Use(std::unique_ptr<JournalWithHistory> journal) {
    journal_ = std::move(journal);
    ASSERT_TRUE(journal_);
    journal_->OnRecorded([this](DeliverySeq delivery, DeliverySeq fallback, bool stored) {
      EXPECT_TRUE(stored);
      std::lock_guard lock(mu_);
      recorded_.emplace_back(delivery, fallback);
      changed_.notify_all();
    });
  }

  static WallTime At(std::int64_t ms) { return WallTime(std::chrono::milliseconds(ms)); }

  /// Calls `use` with an event whose body, key and call id are derived from `key`, for the sinks named.
  template <class Use>
  auto WithEvent(const std::string& key, const std::vector<std::string>& sinks, std::uint64_t call_key, Use use) {
    const std::string body = "{\"id\":\"" + key + "\"}";
    const std::string rule = "rule of " + key;
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = rule, .template_name = "short"});
    NewEvent event;
    event.source = "bolna";
    event.headers = "x-a: 1\n";
    event.body = body;
    event.dedup = DigestOf(key);
    event.received_at = At(1'772'614'923'114);
    event.call_id = key;
    event.agent = "billing-eu";
    event.status = "completed";
    event.call_key = call_key;
    event.deliveries = deliveries;
    return use(event);
  }
  /// Stores such an event.
  Result<Accepted> Append(std::string key, std::vector<std::string> sinks = {}, std::uint64_t call_key = 7) {
    return WithEvent(key, sinks, call_key, [this](const NewEvent& event) { return journal_->Append(event); });
  }
  DeliverySeq AppendOne(std::string key, std::string sink = "ops", std::uint64_t call_key = 7) {
    const auto accepted = Append(std::move(key), {std::move(sink)}, call_key);
    EXPECT_TRUE(accepted);
    return accepted ? accepted->first_delivery : 0;
  }
  AttemptRecord Attempt(DeliverySeq delivery, DeliveryState state, Outcome::Kind kind = Outcome::Kind::kRetry) {
    AttemptRecord record;
    record.delivery = delivery;
    record.event = 1;
    record.sink = "ops";
    record.call_key = 7;
    record.number = 1;
    record.started_at = At(1'772'614'924'000);
    record.latency = std::chrono::milliseconds(12);
    record.state = state;
    record.outcome.kind = kind;
    return record;
  }
  AttemptRecord Delivered(DeliverySeq delivery) {
    return Attempt(delivery, DeliveryState::kDelivered, Outcome::Kind::kDelivered);
  }
  AttemptRecord Failed(DeliverySeq delivery, std::uint32_t number, std::string code, std::string reason) {
    AttemptRecord record = Attempt(delivery, DeliveryState::kPending);
    record.number = number;
    record.outcome.code = std::move(code);
    record.outcome.reason = std::move(reason);
    return record;
  }
  AttemptRecord DeadWithFallback(DeliverySeq delivery) {
    AttemptRecord record = Attempt(delivery, DeliveryState::kDead, Outcome::Kind::kRejected);
    record.fallback_sink = "oncall";
    return record;
  }
  DeliverySummary Found(DeliverySeq delivery) {
    const auto found = journal_->FindDelivery(delivery);
    EXPECT_TRUE(found) << delivery;
    return found ? *found : DeliverySummary();
  }
  std::vector<StoredAttempt> AttemptsOf(DeliverySeq delivery) {
    const auto attempts = journal_->AttemptsOf(delivery);
    EXPECT_TRUE(attempts) << delivery;
    return attempts ? *attempts : std::vector<StoredAttempt>();
  }
  std::vector<DeliverySeq> SeqsOf(EventSeq event) {
    std::vector<DeliverySeq> seqs;
    const auto deliveries = journal_->DeliveriesOf(event);
    EXPECT_TRUE(deliveries) << event;
    for (const DeliverySummary& delivery : *deliveries) seqs.push_back(delivery.seq);
    return seqs;
  }
  /// Waits until `count` records are stored in all.
  std::vector<std::pair<DeliverySeq, DeliverySeq>> WaitRecorded(std::size_t count) {
    std::unique_lock lock(mu_);
    changed_.wait(lock, [&] { return recorded_.size() >= count; });
    return recorded_;
  }
  std::vector<PendingDelivery> Pending() {
    auto pending = journal_->LoadPending(0, 10'000);
    EXPECT_TRUE(pending);
    return pending ? *pending : std::vector<PendingDelivery>();
  }
  std::vector<DeliverySeq> PendingSeqs() {
    std::vector<DeliverySeq> seqs;
    for (const PendingDelivery& delivery : Pending()) seqs.push_back(delivery.seq);
    return seqs;
  }

  std::unique_ptr<JournalHome> home_;
  std::unique_ptr<JournalWithHistory> journal_;
  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::pair<DeliverySeq, DeliverySeq>> recorded_;
};

using Seqs = std::vector<DeliverySeq>;

TEST_P(JournalContract, AppendedEventIsReadBackByteForByte) {
  NewEvent event;
  const std::string body("{\"a\":\"\xff\0\xc3\"}", 11);
  event.source = "bolna";
  event.headers = "x-signature: abc\n";
  event.body = body;
  event.dedup = DigestOf("k");
  event.received_at = At(1'772'614'923'114);
  const auto accepted = journal_->Append(event);
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->duplicate);
  EXPECT_EQ(accepted->first_delivery, 0);
  EXPECT_EQ(EventSeqOf(accepted->id), accepted->event);

  const auto stored = journal_->Load(accepted->event);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->seq, accepted->event);
  EXPECT_EQ(stored->id, accepted->id);
  EXPECT_EQ(stored->source, "bolna");
  EXPECT_EQ(stored->headers, "x-signature: abc\n");
  EXPECT_EQ(stored->body, body);
  EXPECT_EQ(stored->received_at, At(1'772'614'923'114));
}

TEST_P(JournalContract, EmptyBodyAndHeadersAreKept) {
  NewEvent event;
  event.dedup = DigestOf("empty");
  const auto accepted = journal_->Append(event);
  ASSERT_TRUE(accepted);
  const auto stored = journal_->Load(accepted->event);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->body, "");
  EXPECT_EQ(stored->headers, "");
}

TEST_P(JournalContract, AppendTwiceStoresOnce) {
  const auto first = Append("a", {"ops", "oncall"});
  const auto second = Append("a", {"ops", "oncall"});
  ASSERT_TRUE(first && second);
  EXPECT_FALSE(first->duplicate);
  EXPECT_TRUE(second->duplicate);
  EXPECT_EQ(second->event, first->event);
  EXPECT_EQ(second->id, first->id);
  EXPECT_EQ(journal_->Stats().events, 1u);
  EXPECT_EQ(PendingSeqs().size(), 2u);
}

TEST_P(JournalContract, AppendThenTellsWhatAppendWouldSay) {
  Open(1);
  std::vector<Result<Accepted>> told;
  const auto append = [&](const std::string& key) {
    WithEvent(key, {"ops"}, 7, [&](const NewEvent& event) {
      std::unique_lock lock(mu_);
      const std::size_t before = told.size();
      lock.unlock();
      journal_->AppendThen(event, [&](Result<Accepted> result) {
        std::lock_guard inner(mu_);
        told.push_back(std::move(result));
        changed_.notify_all();
      });
      lock.lock();
      return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return told.size() > before; });
    });
  };
  append("a");
  append("a");
  append("b");
  ASSERT_EQ(told.size(), 3u);
  ASSERT_TRUE(told[0]);
  EXPECT_FALSE(told[0]->duplicate);
  EXPECT_NE(told[0]->first_delivery, 0);
  ASSERT_TRUE(told[1]);
  EXPECT_TRUE(told[1]->duplicate);
  EXPECT_EQ(told[1]->id, told[0]->id);
  ASSERT_FALSE(told[2]);
  EXPECT_EQ(told[2].error().code, ErrorCode::kFull);
  const auto again = Append("a", {"ops"});
  ASSERT_TRUE(again);
  EXPECT_EQ(again->id, told[0]->id);
}

TEST_P(JournalContract, WhatAppendThenWasGivenIsStoredAndToldBeforeTheEnd) {
  int told = 0;
  WithEvent("a", {"ops"}, 7, [&](const NewEvent& event) {
    journal_->AppendThen(event, [&](const Result<Accepted>& result) { told += result ? 1 : 100; });
    Open();
    return 0;
  });
  EXPECT_EQ(told, 1);
  EXPECT_TRUE(Append("a", {"ops"})->duplicate);
}

TEST_P(JournalContract, DuplicateIsKnownAfterReopen) {
  const auto first = Append("a", {"ops"});
  Open();
  const auto second = Append("a", {"ops"});
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(second->duplicate);
  EXPECT_EQ(second->id, first->id);
}

TEST_P(JournalContract, EventsAndDeliveriesAreNumberedInOrder) {
  const auto a = Append("a", {"ops", "oncall", "mail"});
  const auto b = Append("b");
  const auto c = Append("c", {"mail"});
  ASSERT_TRUE(a && b && c);
  EXPECT_LT(a->event, b->event);
  EXPECT_LT(b->event, c->event);
  EXPECT_LT(a->id, c->id);
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 4u);
  EXPECT_EQ(pending[0].seq, a->first_delivery);
  EXPECT_EQ(pending[0].sink, "ops");
  EXPECT_EQ(pending[1].seq, a->first_delivery + 1);
  EXPECT_EQ(pending[1].sink, "oncall");
  EXPECT_EQ(pending[2].seq, a->first_delivery + 2);
  EXPECT_EQ(pending[2].sink, "mail");
  EXPECT_EQ(pending[3].seq, c->first_delivery);
  EXPECT_EQ(pending[3].event, c->event);
}

TEST_P(JournalContract, NumbersGoOnAfterReopen) {
  const auto a = Append("a", {"ops"});
  Open();
  const auto b = Append("b", {"ops"});
  ASSERT_TRUE(a && b);
  EXPECT_EQ(b->event, a->event + 1);
  EXPECT_EQ(b->first_delivery, a->first_delivery + 1);
}

TEST_P(JournalContract, PendingDeliveryCarriesAllALaneNeeds) {
  const auto accepted = Append("a", {"ops"}, 0xfedcba9876543210);
  ASSERT_TRUE(accepted);
  for (int round = 0; round < 2; ++round) {
    const auto pending = Pending();
    ASSERT_EQ(pending.size(), 1u);
    EXPECT_EQ(pending[0].seq, accepted->first_delivery);
    EXPECT_EQ(pending[0].event, accepted->event);
    EXPECT_EQ(pending[0].call_key, 0xfedcba9876543210);
    EXPECT_EQ(pending[0].accepted_at, At(1'772'614'923'114));
    EXPECT_FALSE(pending[0].is_fallback);
    EXPECT_EQ(pending[0].due, WallTime{});
    EXPECT_EQ(pending[0].attempts, 0u);
    EXPECT_EQ(pending[0].step, 0u);
    EXPECT_EQ(pending[0].sink, "ops");
    EXPECT_EQ(pending[0].rule, "rule of a");
    EXPECT_EQ(pending[0].template_name, "short");
    EXPECT_EQ(pending[0].state, "");
    Open();
  }
}

TEST_P(JournalContract, LoadPendingGoesPageByPage) {
  for (int i = 0; i < 10; ++i) AppendOne("e" + std::to_string(i));
  std::vector<DeliverySeq> seen;
  for (DeliverySeq after = 0;;) {
    const auto page = journal_->LoadPending(after, 3);
    ASSERT_TRUE(page);
    ASSERT_LE(page->size(), 3u);
    if (page->empty()) break;
    for (const auto& delivery : *page) seen.push_back(delivery.seq);
    after = page->back().seq;
  }
  EXPECT_EQ(seen, PendingSeqs());
  EXPECT_EQ(seen.size(), 10u);
}

TEST_P(JournalContract, LoadOfAnUnknownEventIsNotFound) {
  const auto stored = journal_->Load(4711);
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, DeliveredEndsADelivery) {
  const DeliverySeq a = AppendOne("a");
  const DeliverySeq b = AppendOne("b");
  journal_->Record(Delivered(a));
  WaitRecorded(1);
  EXPECT_EQ(PendingSeqs(), Seqs{b});
  EXPECT_EQ(journal_->Stats().pending, 1u);
  Open();
  EXPECT_EQ(PendingSeqs(), Seqs{b});
  EXPECT_EQ(journal_->Stats().pending, 1u);
}

TEST_P(JournalContract, DeadAndCanceledEndADelivery) {
  const DeliverySeq a = AppendOne("a");
  const DeliverySeq b = AppendOne("b");
  journal_->Record(Attempt(a, DeliveryState::kDead, Outcome::Kind::kRejected));
  journal_->Record(Attempt(b, DeliveryState::kCanceled));
  WaitRecorded(2);
  EXPECT_EQ(PendingSeqs(), Seqs{});
}

TEST_P(JournalContract, HeldDeliveryIsStillPending) {
  const DeliverySeq a = AppendOne("a");
  journal_->Record(Attempt(a, DeliveryState::kHeld));
  WaitRecorded(1);
  EXPECT_EQ(PendingSeqs(), Seqs{a});
}

TEST_P(JournalContract, RetryKeepsDueAndAttempts) {
  const DeliverySeq a = AppendOne("a");
  AttemptRecord record = Attempt(a, DeliveryState::kPending);
  record.number = 3;
  record.due = At(1'772'614'999'000);
  journal_->Record(record);
  WaitRecorded(1);
  Open();
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].due, At(1'772'614'999'000));
  EXPECT_EQ(pending[0].attempts, 3u);
}

TEST_P(JournalContract, APauseThatASinkAskedForOutlivesACrash) {
  const DeliverySeq a = AppendOne("a");
  ASSERT_TRUE(journal_->LoadLanes());
  EXPECT_TRUE(journal_->LoadLanes()->empty());
  AttemptRecord throttled = Attempt(a, DeliveryState::kPending);
  throttled.lane_due = At(1'772'614'999'000);
  journal_->Record(throttled);
  throttled.lane_due = At(1'772'615'000'000);
  journal_->Record(throttled);
  journal_->Record(Delivered(a));
  WaitRecorded(3);
  Crash();
  const auto lanes = journal_->LoadLanes();
  ASSERT_TRUE(lanes);
  ASSERT_EQ(lanes->size(), 1u);
  EXPECT_EQ(lanes->front().sink, "ops");
  EXPECT_EQ(lanes->front().due, At(1'772'615'000'000));
}

TEST_P(JournalContract, StepAndItsStateSurviveRetriesOfTheNextStep) {
  const DeliverySeq a = AppendOne("a");
  AttemptRecord next = Attempt(a, DeliveryState::kPending, Outcome::Kind::kNext);
  next.step = 1;
  next.outcome.state = "{\"ts\":\"1.2\"}";
  journal_->Record(next);
  AttemptRecord retry = Attempt(a, DeliveryState::kPending);
  retry.number = 2;
  retry.step = 1;
  journal_->Record(retry);
  WaitRecorded(2);
  Open();
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].step, 1u);
  EXPECT_EQ(pending[0].state, "{\"ts\":\"1.2\"}");
  EXPECT_EQ(pending[0].attempts, 2u);
}

TEST_P(JournalContract, FallbackIsANewDeliveryStoredInTheSameStep) {
  const DeliverySeq a = AppendOne("a");
  AttemptRecord dead = Attempt(a, DeliveryState::kDead, Outcome::Kind::kRejected);
  dead.fallback_sink = "oncall";
  journal_->Record(dead);
  const auto recorded = WaitRecorded(1);
  EXPECT_EQ(recorded[0].first, a);
  const DeliverySeq fallback = recorded[0].second;
  EXPECT_GT(fallback, a);
  Crash();
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].seq, fallback);
  EXPECT_EQ(pending[0].sink, "oncall");
  EXPECT_EQ(pending[0].rule, "rule of a");
  EXPECT_EQ(pending[0].event, 1);
  EXPECT_EQ(pending[0].call_key, 7u);
  EXPECT_EQ(pending[0].attempts, 0u);
}

TEST_P(JournalContract, FallbackIsKnownAsOneAndIsAsOldAsTheEndOfTheDeliveryBeforeIt) {
  AttemptRecord dead = Attempt(AppendOne("a"), DeliveryState::kDead, Outcome::Kind::kRejected);
  dead.fallback_sink = "oncall";
  journal_->Record(dead);
  AttemptRecord retry = Attempt(WaitRecorded(1)[0].second, DeliveryState::kPending);
  for (int round = 0; round < 2; ++round) {
    Open();
    const auto pending = Pending();
    ASSERT_EQ(pending.size(), 1u);
    EXPECT_TRUE(pending[0].is_fallback);
    EXPECT_EQ(pending[0].accepted_at, At(1'772'614'924'012));
    journal_->Record(retry);
    WaitRecorded(2 + static_cast<std::size_t>(round));
  }
}

TEST_P(JournalContract, DeadDeliveryCanBecomePendingAgain) {
  const DeliverySeq a = AppendOne("a");
  journal_->Record(Attempt(a, DeliveryState::kDead, Outcome::Kind::kRejected));
  for (int i = 0; i < 100; ++i) journal_->Record(Delivered(AppendOne("later " + std::to_string(i))));
  WaitRecorded(101);
  EXPECT_EQ(PendingSeqs(), Seqs{});
  journal_->Record(Attempt(a, DeliveryState::kPending));
  WaitRecorded(102);
  EXPECT_EQ(PendingSeqs(), Seqs{a});
  Open();
  EXPECT_EQ(PendingSeqs(), Seqs{a});
}

TEST_P(JournalContract, RecordOfAnUnknownDeliveryIsAnsweredAndChangesNothing) {
  AttemptRecord record = Attempt(4711, DeliveryState::kDead);
  record.fallback_sink = "oncall";
  journal_->Record(record);
  const auto recorded = WaitRecorded(1);
  EXPECT_EQ(recorded[0], (std::pair<DeliverySeq, DeliverySeq>(4711, 0)));
  EXPECT_EQ(PendingSeqs(), Seqs{});
}

TEST_P(JournalContract, MemoryIsKeptPerSinkAndCall) {
  const DeliverySeq a = AppendOne("a");
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "");
  AttemptRecord record = Delivered(a);
  record.outcome.memory = "first";
  record.outcome.has_memory = true;
  journal_->Record(record);
  WaitRecorded(1);
  record.outcome.memory = "second";
  journal_->Record(record);
  WaitRecorded(2);
  Open();
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "second");
  EXPECT_EQ(*journal_->LoadMemory("ops", 8), "");
  EXPECT_EQ(*journal_->LoadMemory("oncall", 7), "");
}

TEST_P(JournalContract, OutcomeWithoutMemoryLeavesMemoryAlone) {
  const DeliverySeq a = AppendOne("a");
  AttemptRecord record = Delivered(a);
  record.outcome.memory = "first";
  record.outcome.has_memory = true;
  journal_->Record(record);
  journal_->Record(Delivered(a));
  WaitRecorded(2);
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "first");
}

TEST_P(JournalContract, RecordsAreReportedInOrder) {
  std::vector<std::pair<DeliverySeq, DeliverySeq>> expected;
  for (int i = 0; i < 200; ++i) {
    const DeliverySeq delivery = AppendOne("e" + std::to_string(i));
    expected.emplace_back(delivery, 0);
  }
  for (const auto& [delivery, none] : expected) journal_->Record(Delivered(delivery));
  EXPECT_EQ(WaitRecorded(expected.size()), expected);
}

TEST_P(JournalContract, SameKeyFromManyThreadsIsStoredOnce) {
  constexpr int kThreads = 64;
  constexpr int kKeys = 20;
  std::vector<std::vector<Accepted>> seen(kThreads);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([this, &mine = seen[static_cast<std::size_t>(t)]] {
        for (int k = 0; k < kKeys; ++k) {
          auto accepted = Append("key " + std::to_string(k), {"ops"});
          if (accepted) mine.push_back(*accepted);
        }
      });
    }
  }
  EXPECT_EQ(journal_->Stats().events, static_cast<std::uint64_t>(kKeys));
  EXPECT_EQ(PendingSeqs().size(), static_cast<std::size_t>(kKeys));
  for (std::size_t k = 0; k < kKeys; ++k) {
    int stored = 0;
    for (const auto& mine : seen) {
      ASSERT_EQ(mine.size(), static_cast<std::size_t>(kKeys));
      EXPECT_EQ(mine[k].id, seen[0][k].id);
      stored += !mine[k].duplicate;
    }
    EXPECT_EQ(stored, 1);
  }
}

TEST_P(JournalContract, FullBacklogIsRefusedAndOpensAgain) {
  Open(2);
  const DeliverySeq a = AppendOne("a");
  AppendOne("b");
  const auto refused = Append("c", {"ops"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFull);
  EXPECT_EQ(journal_->Stats().events, 2u);
  EXPECT_TRUE(journal_->Stats().full);
  const auto duplicate = Append("a", {"ops"});
  ASSERT_TRUE(duplicate);
  EXPECT_TRUE(duplicate->duplicate);
  journal_->Record(Delivered(a));
  WaitRecorded(1);
  EXPECT_FALSE(journal_->Stats().full);
  const auto accepted = Append("c", {"ops"});
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->duplicate);
}

TEST_P(JournalContract, WhatWasAnsweredOutlivesACrash) {
  const auto a = Append("a", {"ops", "oncall"});
  const auto b = Append("b", {"ops"});
  ASSERT_TRUE(a && b);
  journal_->Record(Delivered(b->first_delivery));
  WaitRecorded(1);
  Crash();
  EXPECT_EQ(PendingSeqs(), (Seqs{a->first_delivery, a->first_delivery + 1}));
  ASSERT_TRUE(journal_->Load(b->event));
  EXPECT_TRUE(Append("b", {"ops"})->duplicate);
}

TEST_P(JournalContract, RecordsGivenBeforeClosingAreStored) {
  std::vector<DeliverySeq> deliveries;
  for (int i = 0; i < 100; ++i) deliveries.push_back(AppendOne("e" + std::to_string(i)));
  for (const DeliverySeq delivery : deliveries) journal_->Record(Delivered(delivery));
  Open();
  EXPECT_EQ(PendingSeqs(), Seqs{});
}

TEST_P(JournalContract, StatsCountEventsAndPendingDeliveries) {
  Append("a", {"ops", "oncall"}).has_value();
  Append("b").has_value();
  const JournalStats stats = journal_->Stats();
  EXPECT_EQ(stats.events, 2u);
  EXPECT_EQ(stats.pending, 2u);
  EXPECT_EQ(stats.bad_rows, 0u);
  EXPECT_EQ(stats.unwritable_because, "");
}

TEST_P(JournalContract, DeliveryToBeHeldIsKeptUntilItIsDue) {
  NewEvent event;
  event.dedup = DigestOf("held");
  event.received_at = At(1'000'000);
  const NewDelivery deliveries[] = {
      {.sink = "ops", .rule = "r", .template_name = "", .hold = std::chrono::seconds(30), .newest_only = true},
      {.sink = "oncall", .rule = "r", .template_name = "", .ends_call = true}};
  event.deliveries = deliveries;
  ASSERT_TRUE(journal_->Append(event));
  EXPECT_EQ(journal_->Stats().pending, 2u);
  for (int round = 0; round < 2; ++round) {
    const auto pending = Pending();
    ASSERT_EQ(pending.size(), 2u);
    EXPECT_TRUE(pending[0].is_held);
    EXPECT_EQ(pending[0].due, At(1'030'000));
    EXPECT_TRUE(pending[0].newest_only);
    EXPECT_FALSE(pending[0].ends_call);
    EXPECT_FALSE(pending[1].is_held);
    EXPECT_EQ(pending[1].due, WallTime{});
    EXPECT_FALSE(pending[1].newest_only);
    EXPECT_TRUE(pending[1].ends_call);
    EXPECT_FALSE(pending[0].is_replay || pending[1].is_replay);
    Open();
  }
  EXPECT_EQ(Found(1).state, DeliveryState::kHeld);
}

TEST_P(JournalContract, RecordWithoutAnAttemptChangesOnlyTheDelivery) {
  const DeliverySeq a = AppendOne("a");
  journal_->Record(Failed(a, 1, "http_503", "it is down"));
  AttemptRecord old = Attempt(a, DeliveryState::kDead);
  old.number = 0;
  old.outcome.code = "too_old";
  old.outcome.reason = "it waited longer than max_age";
  old.fallback_sink = "oncall";
  old.fallback_story = "ops did not want it";
  journal_->Record(old);
  const DeliverySeq fallback = WaitRecorded(2)[1].second;
  ASSERT_NE(fallback, 0);
  Open();
  EXPECT_EQ(AttemptsOf(a).size(), 1u);
  const DeliverySummary dead = Found(a);
  EXPECT_EQ(dead.state, DeliveryState::kDead);
  EXPECT_EQ(dead.attempts, 1u);
  EXPECT_EQ(dead.code, "too_old");
  EXPECT_EQ(dead.reason, "it waited longer than max_age");
  EXPECT_EQ(dead.fallback, fallback);
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].seq, fallback);
  EXPECT_EQ(pending[0].story, "ops did not want it");
}

TEST_P(JournalContract, RecordWithoutAnAttemptOfAnUnknownDeliveryChangesNothing) {
  AttemptRecord record = Attempt(4711, DeliveryState::kDead);
  record.number = 0;
  record.fallback_sink = "oncall";
  journal_->Record(record);
  EXPECT_EQ(WaitRecorded(1)[0], (std::pair<DeliverySeq, DeliverySeq>(4711, 0)));
  EXPECT_EQ(PendingSeqs(), Seqs{});
}

TEST_P(JournalContract, AttemptsAreToldAsTheyWereRecorded) {
  const DeliverySeq a = AppendOne("a");
  const DeliverySeq b = AppendOne("b");
  AttemptRecord first = Failed(a, 1, "http_503", "it is down");
  first.outcome.http_status = 503;
  first.outcome.may_have_been_delivered = true;
  first.outcome.action = "wait";
  first.request = "POST /hook\n\n{\"text\":\"***\"}";
  first.response = "503\n\nno";
  journal_->Record(first);
  journal_->Record(Failed(b, 1, "other", "of another delivery"));
  AttemptRecord second = Delivered(a);
  second.number = 2;
  second.trigger = Trigger::kAutomatic;
  second.outcome.remote_id = "1772.1";
  second.started_at = At(1'772'614'930'000);
  journal_->Record(second);
  WaitRecorded(3);
  Open();
  const auto attempts = AttemptsOf(a);
  ASSERT_EQ(attempts.size(), 2u);
  EXPECT_EQ(attempts[0].number, 1u);
  EXPECT_EQ(attempts[0].trigger, Trigger::kFirst);
  EXPECT_EQ(attempts[0].started_at, first.started_at);
  EXPECT_EQ(attempts[0].latency, std::chrono::milliseconds(12));
  EXPECT_EQ(attempts[0].kind, Outcome::Kind::kRetry);
  EXPECT_TRUE(attempts[0].may_have_been_delivered);
  EXPECT_EQ(attempts[0].http_status, 503);
  EXPECT_EQ(attempts[0].code, "http_503");
  EXPECT_EQ(attempts[0].reason, "it is down");
  EXPECT_EQ(attempts[0].action, "wait");
  EXPECT_EQ(attempts[0].request, first.request);
  EXPECT_EQ(attempts[0].response, first.response);
  EXPECT_EQ(attempts[1].number, 2u);
  EXPECT_EQ(attempts[1].trigger, Trigger::kAutomatic);
  EXPECT_EQ(attempts[1].kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(attempts[1].remote_id, "1772.1");
  EXPECT_EQ(attempts[1].request, "");
  EXPECT_EQ(journal_->AttemptsOf(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, ADeliveryTellsWhyItIsAsItIs) {
  const DeliverySeq a = AppendOne("a");
  EXPECT_EQ(Found(a).code, "");
  journal_->Record(Failed(a, 1, "http_503", "it is down"));
  WaitRecorded(1);
  DeliverySummary found = Found(a);
  EXPECT_EQ(found.state, DeliveryState::kPending);
  EXPECT_EQ(found.code, "http_503");
  EXPECT_EQ(found.reason, "it is down");
  EXPECT_EQ(found.attempts, 1u);
  EXPECT_EQ(found.call_id, "a");
  EXPECT_EQ(found.agent, "billing-eu");
  EXPECT_EQ(found.status, "completed");
  EXPECT_EQ(found.sink, "ops");
  EXPECT_EQ(found.rule, "rule of a");
  EXPECT_EQ(found.template_name, "short");
  EXPECT_EQ(found.accepted_at, At(1'772'614'923'114));
  EXPECT_EQ(EventSeqOf(found.event_id), found.event);
  AttemptRecord delivered = Delivered(a);
  delivered.number = 2;
  journal_->Record(delivered);
  WaitRecorded(2);
  found = Found(a);
  EXPECT_EQ(found.state, DeliveryState::kDelivered);
  EXPECT_EQ(found.code, "");
  EXPECT_EQ(found.reason, "");
  EXPECT_EQ(journal_->FindDelivery(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, EventsAreListedNewestFirstPageByPage) {
  for (int i = 1; i <= 7; ++i) ASSERT_TRUE(Append("e" + std::to_string(i), {"ops", "oncall"}));
  std::vector<EventSeq> seen;
  EventSeq before = 0;
  do {
    const auto page = journal_->ListEvents({}, before, 3);
    ASSERT_TRUE(page);
    ASSERT_LE(page->items.size(), 3u);
    for (const EventSummary& event : page->items) seen.push_back(event.seq);
    before = page->next;
  } while (before != 0);
  EXPECT_EQ(seen, (std::vector<EventSeq>{7, 6, 5, 4, 3, 2, 1}));
  const auto all = journal_->ListEvents({}, 0, 7);
  ASSERT_TRUE(all);
  EXPECT_EQ(all->next, 0) << "there is nothing before the first";
  const EventSummary& newest = all->items.front();
  EXPECT_EQ(newest.source, "bolna");
  EXPECT_EQ(newest.call_id, "e7");
  EXPECT_EQ(newest.agent, "billing-eu");
  EXPECT_EQ(newest.status, "completed");
  EXPECT_EQ(newest.received_at, At(1'772'614'923'114));
  EXPECT_EQ(newest.deliveries, 2u);
  EXPECT_EQ(EventSeqOf(newest.id), 7);
  EXPECT_TRUE(journal_->ListEvents({}, 1, 10)->items.empty());
}

TEST_P(JournalContract, EventsAreFoundByWhatTheyAre) {
  const auto add = [this](const char* key, std::string_view source, std::string_view agent, std::string_view status,
                          std::int64_t ms, std::string_view body) {
    NewEvent event;
    event.dedup = DigestOf(key);
    event.source = source;
    event.call_id = key;
    event.agent = agent;
    event.status = status;
    event.received_at = At(ms);
    event.body = body;
    return journal_->Append(event).has_value();
  };
  ASSERT_TRUE(add("c1", "bolna", "sales", "completed", 1000, "hello"));
  ASSERT_TRUE(add("c2", "bolna", "billing", "failed", 2000, std::string_view("a\0'x%y", 6)));
  ASSERT_TRUE(add("c3", "vapi", "sales", "failed", 3000, "goodbye"));
  const auto found = [this](const EventFilter& filter) {
    std::string calls;
    const auto page = journal_->ListEvents(filter, 0, 100);
    EXPECT_TRUE(page);
    for (const EventSummary& event : page->items) calls += event.call_id + " ";
    return calls;
  };
  EXPECT_EQ(found({.source = "bolna"}), "c2 c1 ");
  EXPECT_EQ(found({.call_id = "c3"}), "c3 ");
  EXPECT_EQ(found({.agent = "sales", .status = "failed"}), "c3 ");
  EXPECT_EQ(found({.status = "none"}), "");
  EXPECT_EQ(found({.text = "bye"}), "c3 ");
  EXPECT_EQ(found({.text = std::string("\0'x%", 4)}), "c2 ");
  EXPECT_EQ(found({.since = At(2000)}), "c3 c2 ");
  EXPECT_EQ(found({.since = At(1000), .until = At(3000)}), "c2 c1 ");
  ASSERT_TRUE(journal_->FindEvent(2));
  EXPECT_EQ(journal_->FindEvent(2)->agent, "billing");
  EXPECT_EQ(journal_->FindEvent(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, DeliveriesAreFoundByWhatTheyAreAndNewestFirst) {
  ASSERT_TRUE(Append("a", {"ops", "oncall"}));  // 1 2
  ASSERT_TRUE(Append("b", {"ops"}));            // 3
  ASSERT_TRUE(Append("c", {"mail", "ops"}));    // 4 5
  journal_->Record(Delivered(1));
  journal_->Record(Attempt(3, DeliveryState::kDead, Outcome::Kind::kRejected));
  journal_->Record(Attempt(5, DeliveryState::kHeld));
  WaitRecorded(3);
  const auto found = [this](const DeliveryFilter& filter) {
    Seqs seqs;
    const auto page = journal_->ListDeliveries(filter, 0, 100);
    EXPECT_TRUE(page);
    EXPECT_EQ(page->next, 0);
    for (const DeliverySummary& delivery : page->items) seqs.push_back(delivery.seq);
    return seqs;
  };
  EXPECT_EQ(found({}), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(found({.states = {DeliveryState::kPending}}), (Seqs{4, 2}));
  EXPECT_EQ(found({.states = {DeliveryState::kDead, DeliveryState::kDelivered}}), (Seqs{3, 1}));
  EXPECT_EQ(found({.states = {DeliveryState::kHeld}}), (Seqs{5}));
  EXPECT_EQ(found({.states = {DeliveryState::kHeld}, .held_sinks = {"oncall", "ops"}}), (Seqs{5, 2}));
  EXPECT_EQ(found({.states = {DeliveryState::kPending}, .held_sinks = {"oncall"}}), (Seqs{4}));
  EXPECT_EQ(found({.sink = "ops"}), (Seqs{5, 3, 1}));
  EXPECT_EQ(found({.rule = "rule of a"}), (Seqs{2, 1}));
  EXPECT_EQ(found({.call_id = "c"}), (Seqs{5, 4}));
  EXPECT_EQ(found({.agent = "nobody"}), Seqs{});
  EXPECT_EQ(found({.status = "completed", .source = "bolna"}), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(found({.event = 1}), (Seqs{2, 1}));
  EXPECT_EQ(found({.sink = "ops", .event = 1}), (Seqs{1}));
  EXPECT_EQ(found({.event = 4711}), Seqs{});
  EXPECT_EQ(found({.since = At(1'772'614'923'115)}), Seqs{});
  EXPECT_EQ(found({.until = At(1'772'614'923'115)}), (Seqs{5, 4, 3, 2, 1}));
  for (const EventSeq event : {0, 3}) {
    const auto page = journal_->ListDeliveries({.event = event}, 0, 1);
    ASSERT_TRUE(page);
    ASSERT_EQ(page->items.size(), 1u);
    EXPECT_EQ(page->items[0].seq, 5);
    const auto rest = journal_->ListDeliveries({.event = event}, page->next, 1);
    ASSERT_EQ(rest->items.size(), 1u);
    EXPECT_EQ(rest->items[0].seq, 4);
  }
}

TEST_P(JournalContract, DeliveriesOfAnEventAreAllOfThem) {
  ASSERT_TRUE(Append("a", {"ops", "mail"}));  // 1 2
  ASSERT_TRUE(Append("b", {"ops"}));          // 3
  journal_->Record(DeadWithFallback(1));      // 4
  WaitRecorded(1);
  journal_->Record(DeadWithFallback(4));  // 5
  WaitRecorded(2);
  const std::vector<NewDelivery> more = {{.sink = "mail", .rule = "r", .template_name = ""}};
  ASSERT_TRUE(journal_->AddDeliveries(1, more, At(5)));  // 6
  journal_->Record(DeadWithFallback(6));                 // 7
  WaitRecorded(3);
  const Seqs first = {1};
  ASSERT_TRUE(journal_->Revive(first, At(6)));
  journal_->Record(DeadWithFallback(1));  // 8, in the place of 4
  WaitRecorded(4);
  Open();
  EXPECT_EQ(SeqsOf(1), (Seqs{1, 2, 4, 5, 6, 7, 8}));
  EXPECT_EQ(SeqsOf(2), (Seqs{3}));
  EXPECT_EQ(Found(1).fallback, 8);
  EXPECT_TRUE(Found(4).is_fallback);
  EXPECT_EQ(journal_->DeliveriesOf(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, RevivedDeliveryIsPendingAsNew) {
  const DeliverySeq a = AppendOne("a");
  const DeliverySeq b = AppendOne("b");
  AttemptRecord next = Attempt(a, DeliveryState::kPending, Outcome::Kind::kNext);
  next.step = 1;
  next.outcome.state = "left";
  journal_->Record(next);
  AttemptRecord dead = Failed(a, 2, "http_404", "nobody there");
  dead.state = DeliveryState::kDead;
  dead.step = 1;
  dead.due = At(77);
  journal_->Record(dead);
  WaitRecorded(2);
  const auto revived = journal_->Revive(Seqs{a, b, 4711}, At(1'772'700'000'000));
  ASSERT_TRUE(revived);
  ASSERT_EQ(revived->size(), 1u) << "the others have not ended or are not there";
  Crash();
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 2u);
  for (const PendingDelivery& again : {revived->front(), pending.front()}) {
    EXPECT_EQ(again.seq, a);
    EXPECT_EQ(again.event, 1);
    EXPECT_EQ(again.call_key, 7u);
    EXPECT_EQ(again.accepted_at, At(1'772'700'000'000));
    EXPECT_EQ(again.due, WallTime{});
    EXPECT_EQ(again.attempts, 2u) << "numbers of attempts go on";
    EXPECT_EQ(again.step, 0u);
    EXPECT_EQ(again.state, "");
    EXPECT_TRUE(again.is_replay);
    EXPECT_FALSE(again.is_held);
    EXPECT_EQ(again.sink, "ops");
    EXPECT_EQ(again.rule, "rule of a");
  }
  EXPECT_FALSE(pending.back().is_replay);
  EXPECT_TRUE(Found(a).is_replay);
  EXPECT_EQ(AttemptsOf(a).size(), 2u);
}

TEST_P(JournalContract, ReplayIsOneUntilItIsTried) {
  const DeliverySeq a = AppendOne("a");
  journal_->Record(Delivered(a));
  WaitRecorded(1);
  ASSERT_EQ(journal_->Revive(Seqs{a}, At(5))->size(), 1u);
  AttemptRecord waits = Attempt(a, DeliveryState::kHeld);
  waits.number = 0;
  journal_->Record(waits);
  WaitRecorded(2);
  EXPECT_TRUE(Pending().front().is_replay) << "nothing was tried";
  AttemptRecord failed = Failed(a, 2, "http_503", "it is down");
  failed.trigger = Trigger::kManual;
  journal_->Record(failed);
  WaitRecorded(3);
  Open();
  EXPECT_FALSE(Pending().front().is_replay);
  EXPECT_TRUE(Found(a).is_replay);
  ASSERT_EQ(AttemptsOf(a).size(), 2u);
  EXPECT_EQ(AttemptsOf(a).back().trigger, Trigger::kManual);
}

TEST_P(JournalContract, AddedDeliveriesAreTheEventsAndPending) {
  ASSERT_TRUE(Append("a", {}, 0xfedcba9876543210));
  const std::vector<NewDelivery> more = {
      {.sink = "ops", .rule = "r", .template_name = "t", .newest_only = true},
      {.sink = "mail", .rule = "s", .template_name = "", .hold = std::chrono::seconds(1)}};
  const auto added = journal_->AddDeliveries(1, more, At(5000));
  ASSERT_TRUE(added);
  ASSERT_EQ(added->size(), 2u);
  Crash();
  const auto pending = Pending();
  ASSERT_EQ(pending.size(), 2u);
  for (const auto& seen : {*added, pending}) {
    EXPECT_EQ(seen[0].seq, 1);
    EXPECT_EQ(seen[0].event, 1);
    EXPECT_EQ(seen[0].call_key, 0xfedcba9876543210);
    EXPECT_EQ(seen[0].accepted_at, At(5000));
    EXPECT_EQ(seen[0].sink, "ops");
    EXPECT_EQ(seen[0].rule, "r");
    EXPECT_EQ(seen[0].template_name, "t");
    EXPECT_TRUE(seen[0].is_replay);
    EXPECT_TRUE(seen[0].newest_only);
    EXPECT_FALSE(seen[0].is_held);
    EXPECT_EQ(seen[1].seq, 2);
    EXPECT_TRUE(seen[1].is_held);
    EXPECT_EQ(seen[1].due, At(6000));
  }
  EXPECT_EQ(journal_->FindEvent(1)->deliveries, 0u) << "those of its acceptance";
  const auto b = Append("b", {"ops"});
  EXPECT_EQ(b->first_delivery, 3);
  EXPECT_EQ(journal_->AddDeliveries(4711, more, At(1)).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(journal_->AddDeliveries(1, {}, At(1)));
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2, 3}));
}

TEST_P(JournalContract, CancelEndsWhatIsNotDelivered) {
  for (int i = 1; i <= 5; ++i) AppendOne("e" + std::to_string(i));
  journal_->Record(Delivered(1));
  journal_->Record(Attempt(2, DeliveryState::kDead, Outcome::Kind::kRejected));
  journal_->Record(Attempt(3, DeliveryState::kHeld));
  WaitRecorded(3);
  const auto canceled = journal_->Cancel(Seqs{1, 2, 3, 4, 4711, 4}, "purged by the operator");
  ASSERT_TRUE(canceled);
  EXPECT_EQ(*canceled, (Seqs{2, 3, 4}));
  EXPECT_EQ(journal_->Stats().pending, 1u);
  Crash();
  EXPECT_EQ(PendingSeqs(), Seqs{5});
  EXPECT_EQ(Found(1).state, DeliveryState::kDelivered);
  for (const DeliverySeq delivery : {2, 3, 4}) {
    EXPECT_EQ(Found(delivery).state, DeliveryState::kCanceled);
    EXPECT_EQ(Found(delivery).reason, "purged by the operator");
  }
  EXPECT_TRUE(journal_->Cancel(Seqs{2}, "again")->empty());
}

TEST_P(JournalContract, AnOperatorsPauseIsKeptBesideWhatTheSinkAskedFor) {
  const DeliverySeq a = AppendOne("a");
  ASSERT_TRUE(journal_->SavePause("ops", true));
  ASSERT_TRUE(journal_->SavePause("mail", true));
  AttemptRecord throttled = Attempt(a, DeliveryState::kPending);
  throttled.lane_due = At(1'772'614'999'000);
  journal_->Record(throttled);
  WaitRecorded(1);
  ASSERT_TRUE(journal_->SavePause("mail", false));
  Crash();
  const auto lanes = journal_->LoadLanes();
  ASSERT_TRUE(lanes);
  ASSERT_EQ(lanes->size(), 2u);
  EXPECT_EQ((*lanes)[0].sink, "mail");
  EXPECT_FALSE((*lanes)[0].paused);
  EXPECT_EQ((*lanes)[0].due, WallTime{});
  EXPECT_EQ((*lanes)[1].sink, "ops");
  EXPECT_TRUE((*lanes)[1].paused);
  EXPECT_EQ((*lanes)[1].due, At(1'772'614'999'000));
  ASSERT_TRUE(journal_->SavePause("ops", false));
  EXPECT_EQ(journal_->LoadLanes()->at(1).due, WallTime{}) << "the operator lifted that too";
}

}  // namespace hookswitch
