#pragma once
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <deque>
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
  virtual std::unique_ptr<Journal> Open(std::uint64_t max_backlog) = 0;
  /// What would be found if the process were killed now, while `journal` is open; `journal` is discarded.
  virtual std::unique_ptr<Journal> Crash(std::unique_ptr<Journal> journal) = 0;
  /// Makes an event or record with a text of more than `bytes` too large for journals opened from now on.
  virtual void LimitSize(int bytes) = 0;
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
  void Use(std::unique_ptr<Journal> journal) {
    journal_ = std::move(journal);
    ASSERT_TRUE(journal_);
    journal_->OnRecorded([this](DeliverySeq delivery, DeliverySeq fallback, bool stored) {
      std::lock_guard lock(mu_);
      EXPECT_TRUE(stored || may_drop_);
      if (!stored) dropped_.push_back(delivery);
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
    const auto found = journal_->history().FindDelivery(delivery);
    EXPECT_TRUE(found) << delivery;
    return found ? *found : DeliverySummary();
  }
  std::vector<StoredAttempt> AttemptsOf(DeliverySeq delivery) {
    const auto attempts = journal_->history().AttemptsOf(delivery);
    EXPECT_TRUE(attempts) << delivery;
    return attempts ? *attempts : std::vector<StoredAttempt>();
  }
  std::vector<DeliverySeq> SeqsOf(EventSeq event) {
    std::vector<DeliverySeq> seqs;
    const auto deliveries = journal_->history().DeliveriesOf(event);
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
  std::unique_ptr<Journal> journal_;
  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::pair<DeliverySeq, DeliverySeq>> recorded_;
  bool may_drop_ = false;  ///< a record may be reported as not stored
  std::vector<DeliverySeq> dropped_;
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

TEST_P(JournalContract, WhatAnEventLeavesForItsCallIsKept) {
  const auto append = [&](const std::string& key, std::string_view carry, std::uint64_t content = 1) {
    return WithEvent(key, {"ops"}, 7, [&](NewEvent event) {
      event.carry = carry;
      event.content = content;
      return journal_->Append(event);
    });
  };
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, 7), "");
  ASSERT_TRUE(append("a", "first"));
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, 7), "first");
  ASSERT_TRUE(append("b", ""));
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, 7), "first");
  ASSERT_TRUE(append("b", "second"));  // the same again
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, 7), "first");
  ASSERT_TRUE(append("b", "revised", 2));
  Open();
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, 7), "revised");
  EXPECT_EQ(*journal_->LoadMemory(kNoSink, 8), "");
  EXPECT_EQ(*journal_->LoadMemory("ops", 7), "");
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

TEST_P(JournalContract, AFullBacklogIsRefusedForItsSinkAloneAndOpensAgain) {
  using Names = std::vector<std::string>;
  Open(2);
  const DeliverySeq a = AppendOne("a");
  AppendOne("b");
  for (const auto& sinks : {Names{"ops"}, Names{"oncall", "ops"}}) {
    const auto refused = Append("c", sinks);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kFull);
  }
  EXPECT_EQ(journal_->Stats().events, 2u);
  EXPECT_EQ(journal_->Stats().full, Names{"ops"});
  const auto duplicate = Append("a", {"ops"});
  ASSERT_TRUE(duplicate);
  EXPECT_TRUE(duplicate->duplicate);
  EXPECT_TRUE(Append("d", {"oncall"}));
  EXPECT_TRUE(Append("skipped", {}));
  journal_->Record(Delivered(a));
  WaitRecorded(1);
  EXPECT_EQ(journal_->Stats().full, Names{});
  const auto accepted = Append("c", {"ops"});
  ASSERT_TRUE(accepted);
  EXPECT_FALSE(accepted->duplicate);
  Open(2);
  EXPECT_EQ(journal_->Stats().full, Names{"ops"}) << "counted again after a restart";
  ASSERT_TRUE(journal_->history().Cancel(Seqs{accepted->first_delivery}, "purged"));
  EXPECT_EQ(journal_->Stats().full, Names{});
  ASSERT_TRUE(journal_->history().Revive(Seqs{a}, At(1'772'614'930'000)));
  EXPECT_EQ(journal_->Stats().full, Names{"ops"});
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
  journal_->Close();
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
  EXPECT_EQ(stats.unwritable_reason, "");
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

TEST_P(JournalContract, AppendThenCallsDoneExactlyOnce) {
  constexpr int kThreads = 8;
  constexpr int kEvents = 50;
  struct Sent {
    std::string key;
    NewEvent event;
    std::atomic<int> calls{0};
  };
  std::deque<Sent> sent(kThreads * kEvents);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i].key = "key " + std::to_string(i / 2);  // each twice
    sent[i].event.source = "bolna";
    sent[i].event.body = sent[i].key;
    sent[i].event.dedup = DigestOf(sent[i].key);
  }
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = t; i < sent.size(); i += kThreads) {
          journal_->AppendThen(sent[i].event, [&one = sent[i]](const Result<Accepted>& result) {
            EXPECT_TRUE(result);
            ++one.calls;
          });
        }
      });
    }
  }
  journal_->Close();
  for (const Sent& one : sent) EXPECT_EQ(one.calls, 1) << one.key;
  EXPECT_EQ(journal_->Stats().events, sent.size() / 2);
}

TEST_P(JournalContract, EveryRecordIsReportedOnce) {
  const DeliverySeq a = AppendOne("a");
  for (std::uint32_t number = 1; number <= 50; ++number) journal_->Record(Failed(a, number, "http_503", "it is down"));
  journal_->Close();
  EXPECT_EQ(WaitRecorded(50).size(), 50u);
}

TEST_P(JournalContract, AfterCloseCallsFailAndRecordsAreDropped) {
  const DeliverySeq a = AppendOne("a");
  AttemptRecord with_memory = Failed(a, 1, "http_503", "it is down");
  with_memory.outcome.memory = "left";
  with_memory.outcome.has_memory = true;
  journal_->Record(with_memory);
  WaitRecorded(1);
  journal_->Close();
  const auto is_closed = [](const auto& result) { return !result && result.error().code == ErrorCode::kUnavailable; };
  EXPECT_TRUE(is_closed(Append("a", {"ops"})));
  EXPECT_TRUE(is_closed(Append("b", {"ops"})));
  int calls = 0;
  WithEvent("c", {"ops"}, 7, [&](const NewEvent& event) {
    journal_->AppendThen(event, [&](const Result<Accepted>& result) { calls += is_closed(result) ? 1 : 100; });
    return 0;
  });
  EXPECT_EQ(calls, 1);
  journal_->Record(Delivered(a));
  journal_->RecordRefused({});
  EXPECT_TRUE(is_closed(journal_->LoadPending(0, 10)));
  EXPECT_TRUE(is_closed(journal_->LoadLanes()));
  EXPECT_TRUE(is_closed(journal_->Load(1)));
  EXPECT_TRUE(is_closed(journal_->LoadMemory("ops", 7)));
  History& history = journal_->history();
  EXPECT_TRUE(is_closed(history.ListEvents({}, 0, 10)));
  EXPECT_TRUE(is_closed(history.ListDeliveries({}, 0, 10)));
  EXPECT_TRUE(is_closed(history.FindEvent(1)));
  EXPECT_TRUE(is_closed(history.DeliveriesOf(1)));
  EXPECT_TRUE(is_closed(history.FindDelivery(a)));
  EXPECT_TRUE(is_closed(history.AttemptsOf(a)));
  EXPECT_TRUE(is_closed(history.RevisionsOf(1)));
  EXPECT_TRUE(is_closed(history.ListRefused(0, 10)));
  const std::vector<NewDelivery> more = {{.sink = "mail", .rule = "r", .template_name = ""}};
  EXPECT_TRUE(is_closed(history.Revive(Seqs{a}, At(5))));
  EXPECT_TRUE(is_closed(history.AddDeliveries(1, more, At(5))));
  EXPECT_TRUE(is_closed(history.Cancel(Seqs{a}, "purged")));
  EXPECT_TRUE(is_closed(history.SavePause("ops", Pause{})));
  Open();
  EXPECT_EQ(PendingSeqs(), Seqs{a});
  EXPECT_EQ(AttemptsOf(a).size(), 1u);
  EXPECT_EQ(journal_->Stats().events, 1u);
}

TEST_P(JournalContract, AnEventThatCanNeverBeStoredIsTooLargeAndHoldsUpNoOther) {
  home_->LimitSize(100'000);
  Open();
  const std::string body(200'000, 'b');
  const NewDelivery delivery{.sink = "ops", .rule = "r", .template_name = ""};
  NewEvent large;
  large.source = "bolna";
  large.body = body;
  large.dedup = DigestOf("large");
  large.deliveries = {&delivery, 1};
  for (int i = 0; i < 2; ++i) {
    const auto refused = journal_->Append(large);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  }
  EXPECT_EQ(journal_->Stats().events, 0u);
  EXPECT_EQ(PendingSeqs(), Seqs{});
  const auto accepted = Append("small", {"ops"});
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->event, 1);
  EXPECT_EQ(accepted->first_delivery, 1);
}

TEST_P(JournalContract, ARecordThatCanNeverBeStoredIsDroppedAndItsDeliveryStaysAsItWas) {
  home_->LimitSize(100'000);
  Open();
  may_drop_ = true;
  const DeliverySeq a = AppendOne("a");
  const DeliverySeq b = AppendOne("b");
  AttemptRecord large = Delivered(a);
  large.request = std::string(200'000, 'q');
  journal_->Record(large);
  journal_->Record(Delivered(b));
  WaitRecorded(2);
  EXPECT_EQ(dropped_, Seqs{a});
  Crash();
  EXPECT_EQ(PendingSeqs(), Seqs{a});
  EXPECT_TRUE(AttemptsOf(a).empty());
  EXPECT_EQ(Found(b).state, DeliveryState::kDelivered);
}

TEST_P(JournalContract, LoadPendingCountsOnlyWhatHasNotEnded) {
  for (int i = 1; i <= 6; ++i) AppendOne("e" + std::to_string(i));
  for (const DeliverySeq ended : {1, 3, 4}) journal_->Record(Delivered(ended));
  WaitRecorded(3);
  const auto seqs = [this](DeliverySeq after, std::size_t limit) {
    Seqs found;
    const auto page = journal_->LoadPending(after, limit);
    EXPECT_TRUE(page);
    for (const PendingDelivery& delivery : *page) found.push_back(delivery.seq);
    return found;
  };
  EXPECT_EQ(seqs(0, 2), (Seqs{2, 5}));
  EXPECT_EQ(seqs(5, 2), (Seqs{6}));
  EXPECT_EQ(seqs(3, 10), (Seqs{5, 6}));
  EXPECT_EQ(seqs(6, 2), Seqs{});
  EXPECT_EQ(seqs(4711, 2), Seqs{});
  EXPECT_EQ(seqs(0, 0), Seqs{});
}

}  // namespace hookswitch
