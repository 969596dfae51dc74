#pragma once
#include "tests/contract/journal_contract.h"

// What every journal keeps of History::Changes and of the operators' actions. The same suite as journal_contract.h,
// whose includer instantiates all.
namespace hookswitch {

class ChangesContract : public JournalContract {
 protected:
  void SetUp() override {
    JournalContract::SetUp();
    (void)Take();
  }
  /// What has changed since the last call.
  ChangeSet Take() {
    ChangeSet set = journal_->history().Changes(cursor_);
    cursor_ = set.next;
    return set;
  }
  /// Stores `content` of event 1 for `sinks`.
  void Say(std::uint64_t content, const std::vector<std::string>& sinks) {
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = "r", .template_name = ""});
    NewEvent event;
    event.source = "bolna";
    event.dedup = DigestOf("a");
    event.content = content;
    event.deliveries = deliveries;
    ASSERT_TRUE(journal_->Append(event));
  }

  ChangeCursor cursor_;
};

TEST_P(ChangesContract, NothingHasChangedUntilSomethingDoes) {
  const ChangeSet set = Take();
  EXPECT_TRUE(set.deliveries.empty());
  EXPECT_TRUE(set.revised.empty());
  EXPECT_FALSE(set.lost);
  EXPECT_EQ(set.newest_event, 0);
}

TEST_P(ChangesContract, WhatIsCreatedAndAttemptedHasChangedOnce) {
  AppendOne("a");
  ASSERT_TRUE(Append("b", {"ops", "sales"}));
  ChangeSet set = Take();
  EXPECT_EQ(set.deliveries, (Seqs{1, 2, 3}));
  EXPECT_EQ(set.newest_event, 2);
  AppendOne("c");
  journal_->Record(Failed(2, 1, "http_503", "it is down"));
  AttemptRecord again = Delivered(2);
  again.number = 2;
  journal_->Record(Delivered(1));
  journal_->Record(again);
  WaitRecorded(3);
  set = Take();
  EXPECT_EQ(set.deliveries, (Seqs{4, 1, 2})) << "in the order of their last change";
  EXPECT_FALSE(set.lost);
  EXPECT_TRUE(Take().deliveries.empty());
}

TEST_P(ChangesContract, ADuplicateAndAPauseChangeNothing) {
  AppendOne("a");
  (void)Take();
  ASSERT_TRUE(Append("a", {"ops"}));
  ASSERT_TRUE(journal_->history().SavePause("ops", Pause{}));
  const ChangeSet set = Take();
  EXPECT_TRUE(set.deliveries.empty());
  EXPECT_TRUE(set.revised.empty());
}

TEST_P(ChangesContract, AFallbackHasChangedWithWhatItTakesOver) {
  AppendOne("a");
  (void)Take();
  journal_->Record(DeadWithFallback(1));
  WaitRecorded(1);
  EXPECT_EQ(Take().deliveries, (Seqs{1, 2}));
}

TEST_P(ChangesContract, WhatOperatorsChangeHasChanged) {
  AppendOne("a");
  AppendOne("b");
  journal_->Record(Delivered(1));
  WaitRecorded(1);
  (void)Take();
  ASSERT_TRUE(journal_->history().Revive(Seqs{1, 2, 4711}, At(5)));
  EXPECT_EQ(Take().deliveries, Seqs{1});
  ASSERT_TRUE(journal_->history().Cancel(Seqs{2, 4711}, "purged"));
  EXPECT_EQ(Take().deliveries, Seqs{2});
  const NewDelivery more{.sink = "mail", .rule = "r", .template_name = ""};
  ASSERT_TRUE(journal_->history().AddDeliveries(1, {&more, 1}, At(6)));
  EXPECT_EQ(Take().deliveries, Seqs{3});
  EXPECT_FALSE(journal_->history().AddDeliveries(4711, {&more, 1}, At(6)));
  EXPECT_TRUE(Take().deliveries.empty());
}

TEST_P(ChangesContract, ARevisionHasChangedItsEventAndItsDeliveries) {
  Say(5, {"ops", "sales"});
  (void)Take();
  Say(6, {"ops", "leads"});
  const ChangeSet set = Take();
  EXPECT_EQ(set.revised, std::vector<EventSeq>{1});
  EXPECT_EQ(std::set<DeliverySeq>(set.deliveries.begin(), set.deliveries.end()), (std::set<DeliverySeq>{2, 3}));
  EXPECT_EQ(set.newest_event, 1);
}

TEST_P(ChangesContract, TheNumberOfTheNewestRejectedRequestIsTold) {
  for (int i = 1; i <= 3; ++i) journal_->RecordRefused({At(i), "bolna", "192.0.2.7", 404, "not_found", "", "/x"});
  ASSERT_TRUE(journal_->history().SavePause("nobody", std::nullopt));
  const auto page = journal_->history().ListRefused(0, 2);
  ASSERT_TRUE(page);
  EXPECT_EQ(Take().newest_refused, page->items.at(0).number);
  EXPECT_EQ(page->items.at(0).number, page->items.at(1).number + 1);
}

TEST_P(ChangesContract, ACursorOfAnotherProcessIsLost) {
  AppendOne("a");
  (void)Take();
  Crash();
  AppendOne("b");
  const ChangeSet set = Take();
  EXPECT_TRUE(set.lost);
  EXPECT_TRUE(set.deliveries.empty());
  EXPECT_EQ(set.newest_event, 2) << "which the journal keeps";
  AppendOne("c");
  EXPECT_FALSE(Take().lost);
  EXPECT_TRUE(journal_->history().Changes({}).lost);
  EXPECT_TRUE(journal_->history().Changes({cursor_.epoch, cursor_.position + 1}).lost);
}

TEST_P(ChangesContract, ACursorThatIsTooOldIsLostAndGetsTheNewest) {
  AppendOne("a");
  (void)Take();
  const std::vector<std::string> sinks(1024, "ops");
  for (int i = 0; i < 17; ++i) ASSERT_TRUE(Append("e" + std::to_string(i), sinks));
  const ChangeSet set = Take();
  EXPECT_TRUE(set.lost);
  ASSERT_EQ(set.deliveries.size(), 16'384u);
  EXPECT_EQ(set.deliveries.front(), 1 + 1024 + 1);
  EXPECT_EQ(set.deliveries.back(), 1 + 17 * 1024);
  EXPECT_FALSE(Take().lost);
}

// What operators did.

TEST_P(JournalContract, ActionsAreListedNewestFirstAsTheyWereRecorded) {
  const OperatorAction pause{.at = At(1'772'614'923'114),
                             .who = "ana",
                             .peer = "192.0.2.7",
                             .action = "pause",
                             .target = "sinks/ops",
                             .detail = R"({"until":"2h"})",
                             .http_status = 200,
                             .result = R"({"ok":true})"};
  journal_->history().RecordAction(pause);
  for (int i = 2; i <= 5; ++i) {
    journal_->history().RecordAction(
        {.at = At(i), .who = "", .peer = "", .action = "reload", .target = std::to_string(i)});
  }
  ASSERT_EQ(journal_->history().ListActions(0, 10)->items.size(), 5u) << "at once";
  Crash();
  std::vector<std::string> targets;
  std::vector<std::int64_t> numbers;
  std::int64_t before = 0;
  do {
    const auto page = journal_->history().ListActions(before, 2);
    ASSERT_TRUE(page);
    for (const OperatorAction& action : page->items) {
      targets.push_back(action.target);
      numbers.push_back(action.number);
    }
    before = page->next;
  } while (before != 0);
  EXPECT_EQ(targets, (std::vector<std::string>{"5", "4", "3", "2", "sinks/ops"}));
  EXPECT_TRUE(std::is_sorted(numbers.rbegin(), numbers.rend()));
  const OperatorAction oldest = journal_->history().ListActions(0, 10)->items.back();
  EXPECT_EQ(oldest.at, pause.at);
  EXPECT_EQ(oldest.who, "ana");
  EXPECT_EQ(oldest.peer, "192.0.2.7");
  EXPECT_EQ(oldest.action, "pause");
  EXPECT_EQ(oldest.detail, pause.detail);
  EXPECT_EQ(oldest.http_status, 200);
  EXPECT_EQ(oldest.result, pause.result);
  EXPECT_TRUE(journal_->history().ListActions(0, 0)->items.empty());
}

}  // namespace hookswitch
