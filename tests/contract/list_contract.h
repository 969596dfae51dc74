#pragma once
#include <future>

#include "tests/contract/journal_contract.h"

// What every journal keeps of several events that are stored in one step. The same suite as journal_contract.h, whose
// includer instantiates all.
namespace hookswitch {

class ListContract : public JournalContract {
 protected:
  struct Item {
    std::string key, body;
    std::vector<std::string> sinks{};
    std::uint64_t content = 0;
  };
  Result<std::vector<Accepted>> AppendAll(const std::vector<Item>& items) {
    std::vector<std::vector<NewDelivery>> deliveries(items.size());
    std::vector<NewEvent> events(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      for (const auto& sink : items[i].sinks) deliveries[i].push_back({.sink = sink, .rule = "r", .template_name = ""});
      events[i].source = "bolna";
      events[i].body = items[i].body;
      events[i].dedup = DigestOf(items[i].key);
      events[i].received_at = At(1'772'614'923'114);
      events[i].call_id = items[i].key;
      events[i].content = items[i].content;
      events[i].deliveries = deliveries[i];
    }
    std::promise<Result<std::vector<Accepted>>> promise;
    auto told = promise.get_future();
    journal_->AppendAllThen(events,
                            [&](Result<std::vector<Accepted>> result) { promise.set_value(std::move(result)); });
    return told.get();
  }
};

TEST_P(ListContract, EveryEventOfAListIsStoredWithItsDeliveriesAndAnsweredInOrder) {
  const auto stored = AppendAll({{"a", "body a", {"ops"}}, {"b", "body b"}, {"c", "body c", {"ops", "sales"}}});
  ASSERT_TRUE(stored);
  ASSERT_EQ(stored->size(), 3u);
  EXPECT_EQ((*stored)[0].first_delivery, 1);
  EXPECT_EQ((*stored)[1].first_delivery, 0);
  EXPECT_EQ((*stored)[2].first_delivery, 2);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_FALSE((*stored)[i].duplicate);
    const auto event = journal_->Load((*stored)[i].event);
    ASSERT_TRUE(event);
    EXPECT_EQ(event->id, (*stored)[i].id);
    EXPECT_EQ(event->body, std::string("body ") + "abc"[i]);
  }
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2, 3}));
  EXPECT_EQ(journal_->Stats().events, 3u);
}

TEST_P(ListContract, AnEmptyListIsAnsweredAtOnce) {
  const auto stored = AppendAll({});
  ASSERT_TRUE(stored);
  EXPECT_TRUE(stored->empty());
}

TEST_P(ListContract, AnEventThatWasThereOrComesTwiceIsADuplicateOrARevision) {
  const auto before = Append("there", {"ops"});
  ASSERT_TRUE(before);
  const auto stored = AppendAll(
      {{"there", "again", {"ops"}}, {"a", "one", {"ops"}, 5}, {"a", "one", {"ops"}, 5}, {"a", "two", {"sales"}, 6}});
  ASSERT_TRUE(stored);
  EXPECT_TRUE((*stored)[0].duplicate);
  EXPECT_EQ((*stored)[0].id, before->id);
  EXPECT_FALSE((*stored)[1].duplicate);
  EXPECT_TRUE((*stored)[2].duplicate);
  EXPECT_FALSE((*stored)[2].revised);
  EXPECT_EQ((*stored)[2].id, (*stored)[1].id);
  ASSERT_TRUE((*stored)[3].revised);
  EXPECT_EQ((*stored)[3].id, (*stored)[1].id);
  EXPECT_EQ((*stored)[3].revised->canceled, Seqs{(*stored)[1].first_delivery});
  EXPECT_EQ(journal_->Load((*stored)[1].event)->body, "two");
  EXPECT_EQ(journal_->Stats().events, 2u);
}

TEST_P(ListContract, IfOneCanNeverBeStoredNoneIsAndNothingIsHeldUp) {
  home_->LimitSize(100'000);
  Open();
  const auto refused = AppendAll({{"a", "body", {"ops"}}, {"b", std::string(200'000, 'b')}, {"c", "body", {"ops"}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kTooLarge);
  EXPECT_EQ(journal_->Stats().events, 0u);
  EXPECT_EQ(PendingSeqs(), Seqs{});
  const auto stored = AppendAll({{"a", "body", {"ops"}}, {"c", "body", {"ops"}}});
  ASSERT_TRUE(stored);
  EXPECT_FALSE((*stored)[0].duplicate);
  EXPECT_EQ((*stored)[1].event, 2);
}

TEST_P(ListContract, AFullSinkRefusesTheWholeList) {
  Open(2);
  AppendOne("a");
  AppendOne("b");
  const auto refused = AppendAll({{"c", "body", {"oncall"}}, {"d", "body", {"ops"}}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kFull);
  EXPECT_EQ(journal_->Stats().events, 2u);
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2}));
  const auto known = AppendAll({{"a", "body", {"ops"}}, {"c", "body", {"oncall"}}});
  ASSERT_TRUE(known) << "what is there already needs no room";
  EXPECT_TRUE((*known)[0].duplicate);
}

TEST_P(ListContract, AListMayGoOverTheBacklogThatWasNotFullBefore) {
  Open(2);
  EXPECT_TRUE(AppendAll({{"a", "body", {"ops"}}, {"b", "body", {"ops"}}, {"c", "body", {"ops"}}}));
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2, 3}));
  EXPECT_FALSE(AppendAll({{"d", "body", {"ops"}}}));
}

TEST_P(ListContract, WhatWasAnsweredIsThereAfterACrash) {
  ASSERT_TRUE(AppendAll({{"a", "body a", {"ops"}}, {"b", "body b", {"ops"}}}));
  Crash();
  EXPECT_EQ(journal_->Stats().events, 2u);
  EXPECT_EQ(PendingSeqs(), (Seqs{1, 2}));
  const auto again = AppendAll({{"a", "body a", {"ops"}}, {"b", "body b", {"ops"}}});
  ASSERT_TRUE(again);
  EXPECT_TRUE((*again)[0].duplicate && (*again)[1].duplicate);
}

TEST_P(ListContract, AfterTheEndAListIsRefusedOnce) {
  journal_->Close();
  const auto refused = AppendAll({{"a", "body"}, {"b", "body"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
}

}  // namespace hookswitch
