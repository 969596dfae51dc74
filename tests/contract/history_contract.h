#pragma once
#include "tests/contract/journal_contract.h"

// What every journal keeps of History: lists and what is found in them, and what the operator changes. The same suite
// as journal_contract.h, whose includer instantiates both.
namespace hookswitch {

TEST_P(JournalContract, AttemptsAreToldAsTheyWereRecorded) {
  const DeliverySeq a = AppendOne("a");
  const DeliverySeq b = AppendOne("b");
  AttemptRecord first = Failed(a, 1, "http_503", "it is down");
  first.outcome.http_status = 503;
  first.outcome.may_have_been_delivered = true;
  first.outcome.action = "wait";
  first.request = "POST /hook\n\n{\"text\":\"***\"}";
  first.response = "503\n\nno";
  first.waits = {{WaitKind::kPace, std::chrono::milliseconds(1200)}, {WaitKind::kOrder, std::chrono::hours(40)}};
  first.connect = std::chrono::milliseconds(0);
  first.first_byte = std::chrono::milliseconds(11);
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
  EXPECT_EQ(attempts[0].waits, first.waits);
  EXPECT_EQ(attempts[0].connect, first.connect);
  EXPECT_EQ(attempts[0].first_byte, first.first_byte);
  EXPECT_EQ(attempts[1].number, 2u);
  EXPECT_EQ(attempts[1].trigger, Trigger::kAutomatic);
  EXPECT_EQ(attempts[1].kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(attempts[1].remote_id, "1772.1");
  EXPECT_EQ(attempts[1].request, "");
  EXPECT_EQ(attempts[1].waits, Waits());
  EXPECT_EQ(attempts[1].connect, std::nullopt);
  EXPECT_EQ(attempts[1].first_byte, std::nullopt);
  EXPECT_EQ(journal_->history().AttemptsOf(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, ADeliveryTellsWhyItIsAsItIs) {
  const DeliverySeq a = AppendOne("a");
  EXPECT_EQ(Found(a).code, "");
  EXPECT_FALSE(Found(a).latency);
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
  EXPECT_EQ(found.latency, std::chrono::milliseconds(12));
  EXPECT_EQ(found.code, "");
  EXPECT_EQ(found.reason, "");
  EXPECT_EQ(journal_->history().FindDelivery(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, EventsAreListedNewestFirstPageByPage) {
  for (int i = 1; i <= 7; ++i) ASSERT_TRUE(Append("e" + std::to_string(i), {"ops", "oncall"}));
  std::vector<EventSeq> seen;
  EventSeq before = 0;
  do {
    const auto page = journal_->history().ListEvents({}, before, 3);
    ASSERT_TRUE(page);
    ASSERT_LE(page->items.size(), 3u);
    for (const EventSummary& event : page->items) seen.push_back(event.seq);
    before = page->next;
  } while (before != 0);
  EXPECT_EQ(seen, (std::vector<EventSeq>{7, 6, 5, 4, 3, 2, 1}));
  const auto all = journal_->history().ListEvents({}, 0, 7);
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
  EXPECT_TRUE(journal_->history().ListEvents({}, 1, 10)->items.empty());
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
    const auto page = journal_->history().ListEvents(filter, 0, 100);
    EXPECT_TRUE(page);
    for (const EventSummary& event : page->items) calls += event.call_id + " ";
    return calls;
  };
  EXPECT_EQ(found({.source = "bolna"}), "c2 c1 ");
  EXPECT_EQ(found({.call_id = "c3"}), "c3 ");
  EXPECT_EQ(found({.agent = {"sal*"}, .statuses = Bit(CallStatus::kFailed)}), "c3 ");
  EXPECT_EQ(found({.statuses = Bit(CallStatus::kCompleted) | Bit(CallStatus::kFailed)}), "c3 c2 c1 ");
  EXPECT_EQ(found({.agent = {"9b1d2a60", {"billing", "9b1d2a60"}}}), "c2 ");
  EXPECT_EQ(found({.agent = {"sale"}}), "");
  EXPECT_EQ(found({.statuses = Bit(CallStatus::kUnknown)}), "");
  EXPECT_EQ(found({.text = "bye"}), "c3 ");
  EXPECT_EQ(found({.text = std::string("\0'x%", 4)}), "c2 ");
  EXPECT_EQ(found({.since = At(2000)}), "c3 c2 ");
  EXPECT_EQ(found({.since = At(1000), .until = At(3000)}), "c2 c1 ");
  ASSERT_TRUE(journal_->history().FindEvent(2));
  EXPECT_EQ(journal_->history().FindEvent(2)->agent, "billing");
  EXPECT_EQ(journal_->history().FindEvent(4711).error().code, ErrorCode::kNotFound);
}

TEST_P(JournalContract, TheExtentIsThatOfTheStoredEvents) {
  EXPECT_EQ(journal_->history().FindExtent()->oldest, 0);
  const auto first = Append("a"), second = Append("b");
  ASSERT_TRUE(first && second);
  const auto extent = journal_->history().FindExtent();
  ASSERT_TRUE(extent);
  EXPECT_EQ(extent->oldest, first->event);
  EXPECT_EQ(EventId(At(1'772'614'923'114), extent->salt, second->event), second->id);
}

TEST_P(JournalContract, TheBackgroundReadsTheSame) {
  const DeliverySeq delivery = AppendOne("a");
  History& background = journal_->background_history();
  EXPECT_EQ(background.FindEvent(1)->call_id, "a");
  EXPECT_EQ(background.FindDelivery(delivery)->event, 1);
  const auto stored = journal_->LoadInBackground(1);
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->body, journal_->Load(1)->body);
  EXPECT_EQ(journal_->LoadInBackground(2).error().code, ErrorCode::kNotFound);
  journal_->Close();
  EXPECT_EQ(journal_->LoadInBackground(1).error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(background.FindEvent(1).error().code, ErrorCode::kUnavailable);
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
    const auto page = journal_->history().ListDeliveries(filter, 0, 100);
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
  EXPECT_EQ(found({.agent = {"nobody"}}), Seqs{});
  EXPECT_EQ(found({.statuses = Bit(CallStatus::kCompleted), .source = "bolna"}), (Seqs{5, 4, 3, 2, 1}));
  EXPECT_EQ(found({.event = 1}), (Seqs{2, 1}));
  EXPECT_EQ(found({.sink = "ops", .event = 1}), (Seqs{1}));
  EXPECT_EQ(found({.event = 4711}), Seqs{});
  EXPECT_EQ(found({.since = At(1'772'614'923'115)}), Seqs{});
  EXPECT_EQ(found({.until = At(1'772'614'923'115)}), (Seqs{5, 4, 3, 2, 1}));
  for (const EventSeq event : {0, 3}) {
    const auto page = journal_->history().ListDeliveries({.event = event}, 0, 1);
    ASSERT_TRUE(page);
    ASSERT_EQ(page->items.size(), 1u);
    EXPECT_EQ(page->items[0].seq, 5);
    const auto rest = journal_->history().ListDeliveries({.event = event}, page->next, 1);
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
  ASSERT_TRUE(journal_->history().AddDeliveries(1, more, At(5)));  // 6
  journal_->Record(DeadWithFallback(6));                           // 7
  WaitRecorded(3);
  const Seqs first = {1};
  ASSERT_TRUE(journal_->history().Revive(first, At(6)));
  journal_->Record(DeadWithFallback(1));  // 8, in the place of 4
  WaitRecorded(4);
  Open();
  EXPECT_EQ(SeqsOf(1), (Seqs{1, 2, 4, 5, 6, 7, 8}));
  EXPECT_EQ(SeqsOf(2), (Seqs{3}));
  EXPECT_EQ(Found(1).fallback, 8);
  EXPECT_TRUE(Found(4).is_fallback);
  EXPECT_EQ(journal_->history().DeliveriesOf(4711).error().code, ErrorCode::kNotFound);
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
  const auto revived = journal_->history().Revive(Seqs{a, b, 4711}, At(1'772'700'000'000));
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
  EXPECT_TRUE(Found(a).was_replayed);
  EXPECT_EQ(Found(a).accepted_at, At(1'772'614'923'114)) << "its acceptance stays";
  EXPECT_EQ(Found(a).replayed_at, At(1'772'700'000'000));
  EXPECT_FALSE(Found(b).replayed_at);
  EXPECT_EQ(AttemptsOf(a).size(), 2u);
}

TEST_P(JournalContract, ReplayIsOneUntilItIsTried) {
  const DeliverySeq a = AppendOne("a");
  journal_->Record(Delivered(a));
  WaitRecorded(1);
  ASSERT_EQ(journal_->history().Revive(Seqs{a}, At(5))->size(), 1u);
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
  EXPECT_TRUE(Found(a).was_replayed);
  ASSERT_EQ(AttemptsOf(a).size(), 2u);
  EXPECT_EQ(AttemptsOf(a).back().trigger, Trigger::kManual);
}

TEST_P(JournalContract, AddedDeliveriesAreTheEventsAndPending) {
  ASSERT_TRUE(Append("a", {}, 0xfedcba9876543210));
  const std::vector<NewDelivery> more = {
      {.sink = "ops", .rule = "r", .template_name = "t", .newest_only = true},
      {.sink = "mail", .rule = "s", .template_name = "", .hold = std::chrono::seconds(1)}};
  const auto added = journal_->history().AddDeliveries(1, more, At(5000));
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
  EXPECT_EQ(journal_->history().FindEvent(1)->deliveries, 0u) << "those of its acceptance";
  const auto b = Append("b", {"ops"});
  EXPECT_EQ(b->first_delivery, 3);
  EXPECT_EQ(journal_->history().AddDeliveries(4711, more, At(1)).error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(journal_->history().AddDeliveries(1, {}, At(1)));
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2, 3}));
}

TEST_P(JournalContract, CancelEndsWhatIsNotDelivered) {
  for (int i = 1; i <= 5; ++i) AppendOne("e" + std::to_string(i));
  journal_->Record(Delivered(1));
  journal_->Record(Attempt(2, DeliveryState::kDead, Outcome::Kind::kRejected));
  journal_->Record(Attempt(3, DeliveryState::kHeld));
  WaitRecorded(3);
  const auto canceled = journal_->history().Cancel(Seqs{1, 2, 3, 4, 4711, 4}, "purged by the operator");
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
  EXPECT_TRUE(journal_->history().Cancel(Seqs{2}, "again")->empty());
}

TEST_P(JournalContract, AnOperatorsPauseIsKeptBesideWhatTheSinkAskedFor) {
  const DeliverySeq a = AppendOne("a");
  const Pause pause{At(1'772'700'000'000), "carrier maintenance"};
  ASSERT_TRUE(journal_->history().SavePause("ops", pause));
  ASSERT_TRUE(journal_->history().SavePause("mail", Pause{}));
  AttemptRecord throttled = Attempt(a, DeliveryState::kPending);
  throttled.lane_due = At(1'772'614'999'000);
  journal_->Record(throttled);
  WaitRecorded(1);
  ASSERT_TRUE(journal_->history().SavePause("mail", std::nullopt));
  Crash();
  const auto lanes = journal_->LoadLanes();
  ASSERT_TRUE(lanes);
  ASSERT_EQ(lanes->size(), 2u);
  EXPECT_EQ((*lanes)[0].sink, "mail");
  EXPECT_FALSE((*lanes)[0].pause);
  EXPECT_EQ((*lanes)[0].due, WallTime{});
  EXPECT_EQ((*lanes)[1].sink, "ops");
  EXPECT_EQ((*lanes)[1].pause, pause);
  EXPECT_EQ((*lanes)[1].due, At(1'772'614'999'000));
  ASSERT_TRUE(journal_->history().SavePause("ops", std::nullopt));
  EXPECT_EQ(journal_->LoadLanes()->at(1).due, WallTime{}) << "the operator lifted that too";
  EXPECT_FALSE(journal_->LoadLanes()->at(1).pause);
}

TEST_P(JournalContract, TheFirstFailureIsKeptUntilTheDeliveryIsReplayed) {
  const DeliverySeq a = AppendOne("a");
  EXPECT_EQ(Pending().front().first_failed, WallTime{});
  AttemptRecord failed = Failed(a, 1, "http_503", "it is down");
  failed.first_failed = At(1'772'614'930'000);
  journal_->Record(failed);
  WaitRecorded(1);
  Crash();
  EXPECT_EQ(Pending().front().first_failed, At(1'772'614'930'000));
  AttemptRecord dead = Failed(a, 2, "http_503", "it is down");
  dead.state = DeliveryState::kDead;
  dead.first_failed = failed.first_failed;
  journal_->Record(dead);
  WaitRecorded(1);
  ASSERT_EQ(journal_->history().Revive(Seqs{a}, At(5))->size(), 1u);
  EXPECT_EQ(Pending().front().first_failed, WallTime{});
}

TEST_P(JournalContract, WhatAFallbackTookOverIsNeitherDeadNorOpen) {
  const DeliverySeq a = AppendOne("a");
  AttemptRecord given_up = Attempt(a, DeliveryState::kFellBack, Outcome::Kind::kRejected);
  given_up.fallback_sink = "oncall";
  given_up.fallback_story = "Not delivered to ops";
  journal_->Record(given_up);
  WaitRecorded(1);
  Crash();
  EXPECT_EQ(Found(a).state, DeliveryState::kFellBack);
  EXPECT_EQ(Found(a).fallback, 2);
  EXPECT_EQ(Found(2).story, "Not delivered to ops");
  EXPECT_EQ(PendingSeqs(), Seqs{2});
  EXPECT_EQ(journal_->Stats().pending, 1u);
  EXPECT_TRUE(journal_->history().Cancel(Seqs{a}, "purged by the operator")->empty());
  EXPECT_EQ(journal_->history().Revive(Seqs{a}, At(5))->size(), 1u) << "whoever names it may have it again";
}

TEST_P(JournalContract, RefusedRequestsAreListedNewestFirst) {
  for (int i = 1; i <= 1005; ++i) {
    journal_->RecordRefused(
        {At(i), "bolna", "192.0.2.7", 404, "not_found", "detail " + std::to_string(i), "/path/" + std::to_string(i)});
    // They may be dropped under load, and go with the next commit.
    const bool commits = i % 100 == 0 || i == 1005;
    ASSERT_TRUE(!commits || journal_->history().SavePause("nobody", std::nullopt));
  }
  Crash();
  std::vector<std::string> details;
  std::int64_t before = 0;
  do {
    const auto page = journal_->history().ListRefused(before, 100);
    ASSERT_TRUE(page);
    for (const RefusedRequest& refused : page->items) details.push_back(refused.detail);
    before = page->next;
  } while (before != 0);
  ASSERT_EQ(details.size(), 1000u);
  EXPECT_EQ(details.front(), "detail 1005");
  EXPECT_EQ(details.back(), "detail 6");
  const auto newest = journal_->history().ListRefused(0, 1);
  ASSERT_EQ(newest->items.size(), 1u);
  const RefusedRequest& refused = newest->items.front();
  EXPECT_EQ(refused.at, At(1005));
  EXPECT_EQ(refused.source, "bolna");
  EXPECT_EQ(refused.peer, "192.0.2.7");
  EXPECT_EQ(refused.http_status, 404);
  EXPECT_EQ(refused.error, "not_found");
  EXPECT_EQ(refused.path, "/path/1005");
}

TEST_P(JournalContract, ReviveTakesWhateverHasEndedAndNothingElse) {
  for (int i = 1; i <= 6; ++i) AppendOne("e" + std::to_string(i));
  journal_->Record(Attempt(2, DeliveryState::kHeld));
  journal_->Record(Delivered(3));
  journal_->Record(Attempt(4, DeliveryState::kDead, Outcome::Kind::kRejected));
  journal_->Record(Attempt(5, DeliveryState::kCanceled));
  AttemptRecord fell_back = Attempt(6, DeliveryState::kFellBack, Outcome::Kind::kRejected);
  fell_back.fallback_sink = "oncall";
  journal_->Record(fell_back);
  WaitRecorded(5);
  const auto revived = journal_->history().Revive(Seqs{1, 2, 3, 4, 5, 6, 4711, 3}, At(5));
  ASSERT_TRUE(revived);
  Seqs seqs;
  for (const PendingDelivery& delivery : *revived) seqs.push_back(delivery.seq);
  EXPECT_EQ(seqs, (Seqs{3, 4, 5, 6})) << "once each";
  Crash();
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(Found(2).state, DeliveryState::kHeld);
  EXPECT_TRUE(journal_->history().Revive({}, At(6))->empty());
}

TEST_P(JournalContract, APauseWithoutAnEndIsKeptAndSoIsItsRemoval) {
  const Pause pause{.until = {}, .because = "carrier maintenance"};
  AttemptRecord throttled = Attempt(AppendOne("a"), DeliveryState::kPending);
  throttled.lane_due = At(1'772'614'999'000);
  journal_->Record(throttled);
  WaitRecorded(1);
  ASSERT_TRUE(journal_->history().SavePause("ops", pause));
  Crash();
  EXPECT_EQ(journal_->LoadLanes()->at(0).pause, pause);
  ASSERT_TRUE(journal_->history().SavePause("ops", std::nullopt));
  Crash();
  const auto lanes = journal_->LoadLanes();
  ASSERT_TRUE(lanes);
  for (const LaneDue& lane : *lanes) {
    EXPECT_FALSE(lane.pause);
    EXPECT_EQ(lane.due, WallTime{});
  }
}

TEST_P(JournalContract, ANoteIsListedWithItsEvent) {
  NewEvent event;
  event.source = "bolna";
  event.dedup = DigestOf("note");
  event.note = "it has no status";
  ASSERT_TRUE(journal_->Append(event));
  Open();
  EXPECT_EQ(journal_->history().FindEvent(1)->note, "it has no status");
  EXPECT_EQ(journal_->history().ListEvents({}, 0, 1)->items.at(0).note, "it has no status");
}

TEST_P(JournalContract, ADeliveryFilterIncludesItsFirstMomentAndExcludesItsLast) {
  AppendOne("a");
  const auto accepted = At(1'772'614'923'114);
  const auto count = [this](const DeliveryFilter& filter) {
    return journal_->history().ListDeliveries(filter, 0, 10)->items.size();
  };
  EXPECT_EQ(count({.since = accepted}), 1u);
  EXPECT_EQ(count({.until = accepted}), 0u);
}

// The same event again with other content.

class RevisionContract : public JournalContract {
 protected:
  /// The step "a" with `body`, routed to `sinks`; one of them may update in place. The deliveries are like `like`.
  Accepted Say(const std::string& body, std::uint64_t content, const std::vector<std::string>& sinks,
               std::string_view updates = "", std::int64_t at = 1000, const NewDelivery& like = {}) {
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) {
      NewDelivery& delivery = deliveries.emplace_back(like);
      delivery.sink = sink;
      delivery.rule = "r";
      delivery.updates = sink == updates;
    }
    const std::string agent = "agent of " + body;
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf("a");
    event.received_at = At(at);
    event.call_id = "a";
    event.agent = agent;
    event.status = "completed";
    event.call_key = 7;
    event.content = content;
    event.deliveries = deliveries;
    const auto accepted = journal_->Append(event);
    EXPECT_TRUE(accepted);
    return accepted ? *accepted : Accepted{};
  }
  std::vector<std::string> AddedSinks(const Accepted& accepted) {
    std::vector<std::string> sinks;
    for (const auto& added : accepted.revised->added) sinks.push_back(added.sink);
    return sinks;
  }
};

TEST_P(RevisionContract, TheSameContentIsARepetition) {
  Say("one", 5, {"ops"});
  const Accepted again = Say("one, spelled otherwise", 5, {"ops", "sales"});
  EXPECT_TRUE(again.duplicate);
  EXPECT_FALSE(again.revised);
  EXPECT_EQ(journal_->Load(1)->body, "one");
  EXPECT_FALSE(Say("nobody knows", 0, {"sales"}).revised);
  EXPECT_EQ(PendingSeqs(), Seqs{1});
}

TEST_P(RevisionContract, WhatIsHeldWaitsNoLongerOnceItsEventIsFinal) {
  NewDelivery held, real;
  held.hold = std::chrono::minutes(5);
  real.ends_call = true;
  Say("ended", 5, {"ops"}, "", 1000, held);
  ASSERT_TRUE((*journal_->LoadPending(0, 10))[0].is_held);
  Say("ended, again", 6, {"ops"}, "", 2000, held);
  ASSERT_TRUE((*journal_->LoadPending(0, 10))[0].is_held);
  EXPECT_TRUE(Say("final", 7, {"ops"}, "", 3000, real).revised->added.empty());
  Crash();
  const auto pending = journal_->LoadPending(0, 10);
  ASSERT_EQ(pending->size(), 1u);
  EXPECT_FALSE((*pending)[0].is_held);
  EXPECT_TRUE((*pending)[0].ends_call);
  EXPECT_EQ((*pending)[0].due, WallTime{});
}

TEST_P(RevisionContract, ARevisionTakesThePlaceOfWhatWasStored) {
  Say("one", 5, {"ops"});
  const Accepted revised = Say("two", 6, {"ops"}, "", 2000);
  EXPECT_TRUE(revised.duplicate);
  EXPECT_EQ(revised.event, 1);
  ASSERT_TRUE(revised.revised);
  EXPECT_TRUE(revised.revised->added.empty());
  EXPECT_TRUE(revised.revised->canceled.empty());
  Crash();
  EXPECT_EQ(journal_->Load(1)->body, "two");
  EXPECT_EQ(journal_->Load(1)->id, revised.id);
  EXPECT_EQ(journal_->history().FindEvent(1)->agent, "agent of two");
  EXPECT_EQ(PendingSeqs(), Seqs{1}) << "what waits carries it";
  EXPECT_TRUE(Say("two", 6, {"ops"}).duplicate);
  EXPECT_FALSE(Say("two", 6, {"ops"}).revised) << "it is the newest that counts";
  Say("three", 7, {"ops"}, "", 3000);
  const auto all = journal_->history().RevisionsOf(1);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].body, "one");
  EXPECT_EQ((*all)[0].until, At(2000));
  EXPECT_EQ((*all)[1].body, "two");
  EXPECT_EQ((*all)[1].until, At(3000));
  EXPECT_EQ(journal_->Stats().events, 1u);
}

TEST_P(RevisionContract, ItIsRoutedAnew) {
  Say("one", 5, {"ops", "sales", "archive"});
  journal_->Record(Delivered(1));
  WaitRecorded(1);
  const Accepted revised = Say("two", 6, {"ops", "archive", "leads"});
  ASSERT_TRUE(revised.revised);
  EXPECT_EQ(AddedSinks(revised), std::vector<std::string>{"leads"}) << "ops was reached, archive waits";
  EXPECT_EQ(revised.revised->canceled, Seqs{2}) << "no rule wants it at sales any more";
  Crash();
  EXPECT_EQ(PendingSeqs(), (Seqs{3, 4}));
  EXPECT_EQ(Found(2).state, DeliveryState::kCanceled);
  EXPECT_EQ(Found(4).sink, "leads");
  EXPECT_FALSE(Found(4).was_replayed);
  EXPECT_EQ(journal_->history().DeliveriesOf(1)->size(), 4u);
  const Accepted back = Say("three", 7, {"sales"});
  EXPECT_EQ(AddedSinks(back), std::vector<std::string>{"sales"}) << "it was never reached";
  EXPECT_EQ(back.revised->canceled, (Seqs{3, 4}));
}

TEST_P(RevisionContract, WhatIsCanceledWhileItIsUnderWayIsNotTriedAgain) {
  Say("one", 5, {"ops", "sales"});
  const Accepted revised = Say("two", 6, {"archive"});
  EXPECT_EQ(revised.revised->canceled, (Seqs{1, 2}));
  journal_->Record(Failed(1, 1, "http_503", "it is down"));
  journal_->Record(Delivered(2));
  WaitRecorded(2);
  EXPECT_EQ(Found(1).state, DeliveryState::kCanceled);
  EXPECT_EQ(journal_->history().AttemptsOf(1)->size(), 1u);
  EXPECT_EQ(Found(2).state, DeliveryState::kDelivered) << "it has reached its sink, whoever wanted it";
  Crash();
  EXPECT_EQ(PendingSeqs(), Seqs{3});
}

TEST_P(RevisionContract, ASinkThatUpdatesInPlaceGetsItAgain) {
  Say("one", 5, {"bot"});
  journal_->Record(Delivered(1));
  WaitRecorded(1);
  EXPECT_EQ(AddedSinks(Say("two", 6, {"bot"}, "bot")), std::vector<std::string>{"bot"});
  EXPECT_TRUE(Say("three", 7, {"bot"}, "bot").revised->added.empty()) << "the one that waits carries it";
  EXPECT_EQ(PendingSeqs(), Seqs{2});
}

TEST_P(RevisionContract, OnlyTheLastSixteenAreKept) {
  for (int i = 0; i <= 20; ++i) Say("body " + std::to_string(i), static_cast<std::uint64_t>(i) + 1, {"ops"});
  Crash();
  const auto all = journal_->history().RevisionsOf(1);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->size(), 16u);
  EXPECT_EQ(all->front().body, "body 4");
  EXPECT_EQ(all->back().body, "body 19");
}

TEST_P(RevisionContract, AnEventOfUnknownContentIsNotRevised) {
  Say("one", 0, {"ops"});
  const Accepted again = Say("two", 6, {"sales"});
  EXPECT_TRUE(again.duplicate);
  EXPECT_FALSE(again.revised);
  EXPECT_EQ(journal_->Load(1)->body, "one");
  EXPECT_EQ(PendingSeqs(), Seqs{1});
}

TEST_P(RevisionContract, RevisionsAreNumberedFromTheFirst) {
  Say("one", 5, {"ops"});
  EXPECT_TRUE(journal_->history().RevisionsOf(1)->empty()) << "it was never revised";
  Say("two", 6, {"ops"});
  Say("three", 7, {"ops"});
  const auto all = journal_->history().RevisionsOf(1);
  ASSERT_EQ(all->size(), 2u);
  EXPECT_EQ((*all)[0].number, 0u);
  EXPECT_EQ((*all)[1].number, 1u);
  EXPECT_EQ(journal_->history().FindEvent(1)->revisions, 2u);
  EXPECT_EQ(journal_->history().ListEvents({}, 0, 1)->items.at(0).revisions, 2u);
}

TEST_P(RevisionContract, ARevisionHasHeadersAndANoteOfItsOwn) {
  const auto say = [this](std::string_view headers, std::string_view note, std::uint64_t content) {
    NewEvent event;
    event.source = "bolna";
    event.dedup = DigestOf("a");
    event.headers = headers;
    event.note = note;
    event.content = content;
    ASSERT_TRUE(journal_->Append(event));
  };
  say("x-a: 1\n", "no status", 5);
  say("x-a: 2\n", "no agent", 6);
  EXPECT_EQ(journal_->Load(1)->headers, "x-a: 2\n");
  EXPECT_EQ(journal_->history().RevisionsOf(1)->at(0).headers, "x-a: 1\n");
  EXPECT_EQ(journal_->history().FindEvent(1)->note, "no agent");
}

}  // namespace hookswitch
