#include "core/admin/indexer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base/log.h"
#include "tests/admin/search_fixture.h"
#include "tests/journal/fault_vfs.h"

namespace hookswitch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using State = DeliveryState;

class IndexerTest : public SearchFixture {
 protected:
  IndexerTest() {
    log::SetWriterForTest([this](log::Level, std::string_view line) { log_ += std::string(line) + '\n'; });
  }
  ~IndexerTest() override { log::SetWriterForTest(nullptr); }
  std::size_t Logged(const std::string& event) const {
    std::size_t count = 0;
    const std::string text = "\"event\":\"" + event + '"';
    for (auto at = log_.find(text); at != std::string::npos; at = log_.find(text, at + 1)) ++count;
    return count;
  }
  /// What the index alone finds.
  std::vector<EventSeq> Indexed(const std::string& text = "") {
    const auto index = indexer_->index();
    if (!index) return {};
    const auto page = index->reader().Find(Parse(text), 0, 1000, MonoTime::max());
    EXPECT_TRUE(page) << page.error().message;
    return page ? page->items : std::vector<EventSeq>();
  }

  /// Of all files of the index.
  std::string Bytes() const {
    std::string bytes;
    for (const char* part : {".search", ".search-wal", ".search-shm"}) {
      std::ifstream in(path_ + part, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    return bytes;
  }

  std::string log_;
};

TEST_F(IndexerTest, EventsAreIndexedInTheirOrderWithWhatTheyWereReadAs) {
  Accept(Call("call-1", "completed", {{"transcript", "a refund"}, {"conversation_duration", 130.5}}));
  Accept(Call("call-2", "ringing", {{"agent_id", "agent-1"}}));
  EXPECT_EQ(indexer_->StatusNow().behind, 2u);
  EXPECT_FALSE(indexer_->StatusNow().usable);
  Index();
  EXPECT_EQ(Indexed(), (std::vector<EventSeq>{2, 1}));
  EXPECT_THAT(Indexed("refund duration:130.5 rule:long"), ElementsAre(1));
  EXPECT_THAT(Indexed("agent:\"Zoë*\" is:unmatched"), ElementsAre(2));
  const IndexStatus status = indexer_->StatusNow();
  EXPECT_TRUE(status.usable);
  EXPECT_EQ(status.indexed, 2u);
  EXPECT_EQ(status.behind, 0u);
  EXPECT_GT(status.bytes, 0u);
}

TEST_F(IndexerTest, WhatIsNoCallOrDamagedIsIndexedByWhatIsKnownOfIt) {
  Accept(std::string(R"({"batch_id":"b-1","status":"executed","total_contacts":3})"));
  Accept(Call("call-2", "completed", {{"summary", "gone"}}));
  journal_->Damage(2);
  Index();
  EXPECT_THAT(Indexed("is:skipped"), ElementsAre(1));
  EXPECT_THAT(Indexed("status:completed"), ElementsAre(2));
  EXPECT_THAT(Indexed("gone"), IsEmpty());
}

TEST_F(IndexerTest, APassDoesALittleAndSaysThatThereIsMore) {
  for (int i = 0; i < 200; ++i) Accept(Call("call-" + std::to_string(i), "ringing"));
  EXPECT_TRUE(indexer_->Pass());
  EXPECT_LT(Indexed().size(), 200u);
  Index();
  EXPECT_EQ(Indexed().size(), 200u);
  EXPECT_FALSE(indexer_->Pass());
}

TEST_F(IndexerTest, WhatBecomesOfDeliveriesIsFollowed) {
  Accept(Call("call-1", "failed"));
  Accept(Call("call-2", "ringing"));
  Index();
  EXPECT_THAT(Indexed("state:pending"), ElementsAre(1));
  const auto deliveries = DeliveriesOf(1);
  ASSERT_EQ(deliveries.size(), 2u);
  End(deliveries[0], State::kDelivered);
  End(deliveries[1], State::kDead);
  Index();
  EXPECT_THAT(Indexed("state:pending"), IsEmpty());
  EXPECT_THAT(Indexed("state:dead sink:oncall"), ElementsAre(1));
  ASSERT_TRUE(journal_->Revive(std::vector{deliveries[1]}, clock_.Wall()));
  Index();
  EXPECT_THAT(Indexed("is:replayed state:pending"), ElementsAre(1));
  ASSERT_TRUE(journal_->Cancel(std::vector{deliveries[1]}, "purged"));
  Index();
  EXPECT_THAT(Indexed("state:canceled"), ElementsAre(1));
  const NewDelivery more[] = {{.sink = "sales", .rule = "by hand", .template_name = ""}};
  ASSERT_TRUE(journal_->AddDeliveries(2, more, clock_.Wall()));
  Index();
  EXPECT_THAT(Indexed("rule:\"by hand\""), ElementsAre(2));
}

TEST_F(IndexerTest, ARevisedEventIsIndexedAgain) {
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  Index();
  Accept(Call("call-1", "completed", {{"summary", "beta"}, {"conversation_duration", 300}}));
  Index();
  EXPECT_THAT(Indexed("beta alpha duration:>4m is:revised rule:long"), ElementsAre(1));
}

TEST_F(IndexerTest, MatchesAreCountedAsTheRulesWereApplied) {
  Accept(Call("call-1", "completed", {{"conversation_duration", 130}}));
  Accept(Call("call-2", "failed"));
  Accept(Call("call-3", "ringing"));
  Index();
  const auto hits = *indexer_->index()->reader().HitsOfRules(clock_.Wall() - hours(24));
  ASSERT_EQ(hits.size(), 4u);
  EXPECT_EQ(hits[0].rule, "ended");
  EXPECT_EQ(hits[0].hits, 2);
  EXPECT_EQ(hits[0].taken_since, 1);
  EXPECT_EQ(hits[0].taken_by, "failed");
  EXPECT_EQ(hits[1].rule, "failed");
  EXPECT_EQ(hits[2].rule, "long");
  EXPECT_EQ(hits[2].last_event, 1);
  EXPECT_EQ(hits[3].rule, "unmatched");
  EXPECT_EQ(hits[3].last_event, 3);
}

TEST_F(IndexerTest, WhatRetentionRemovesLeavesTheIndex) {
  for (int i = 1; i <= 5; ++i) Accept(Call("call-" + std::to_string(i), "ringing"));
  Index();
  for (EventSeq seq = 1; seq <= 3; ++seq) journal_->Forget(seq);
  clock_.Advance(seconds(10));
  Index();
  EXPECT_EQ(Indexed(), (std::vector<EventSeq>{5, 4}));
  for (EventSeq seq = 4; seq <= 5; ++seq) journal_->Forget(seq);
  clock_.Advance(seconds(10));
  Index();
  EXPECT_THAT(Indexed(), IsEmpty());
}

TEST_F(IndexerTest, GapsThatRetentionLeavesBehindWhatWaitsAreFound) {
  for (int i = 1; i <= 1000; ++i) Accept(Call("call-" + std::to_string(i), "ringing"));
  Index();
  for (EventSeq seq = 2; seq <= 900; ++seq) journal_->Forget(seq);
  clock_.Advance(seconds(10));
  Index();
  EXPECT_EQ(Indexed().size(), 101u);
}

TEST_F(IndexerTest, WhatRetentionRemovedIsNotInTheFilesADayLater) {
  Accept(Call("call-1", "completed", {{"summary", "waits"}}));
  Accept(Call("call-2", "completed", {{"summary", "quokka"}}));
  Accept(Call("call-3", "completed", {{"summary", "alpha"}}));
  Accept(Call("call-4", "completed", {{"summary", "wombat"}}));
  Index();
  // The index may keep the first letters of a word with the word before.
  EXPECT_THAT(Bytes(), AllOf(HasSubstr("uokka"), HasSubstr("ombat")));
  // Behind one that waits; the second in the middle of what is done for the first.
  journal_->Forget(2);
  clock_.Advance(hours(1));
  Index();
  journal_->Forget(4);
  const auto pass_hours = [&](int count) {
    for (int hour = 0; hour < count; ++hour) {
      clock_.Advance(hours(1));
      Index();
    }
  };
  pass_hours(22);
  EXPECT_THAT(Bytes(), Not(HasSubstr("uokka")));
  pass_hours(1);
  EXPECT_THAT(Bytes(), Not(HasSubstr("ombat")));
  EXPECT_THAT(Indexed("alpha"), ElementsAre(3));
  EXPECT_THAT(Indexed("waits"), ElementsAre(1));
}

TEST_F(IndexerTest, ARestartGoesOnWhereItEnded) {
  Accept(Call("call-1", "failed"));
  Index();
  Accept(Call("call-2", "ringing"));
  Restart();
  // What a process does after the indexer has stopped: the journal's last records.
  End(DeliveriesOf(1)[0], State::kDead);
  Index();
  EXPECT_EQ(Indexed(), (std::vector<EventSeq>{2, 1}));
  EXPECT_THAT(Indexed("state:dead"), ElementsAre(1));
  EXPECT_EQ(Logged("search_index_begun_anew"), 0u);
}

TEST_F(IndexerTest, AfterACrashEverythingIsComparedWithTheJournal) {
  for (int i = 1; i <= 600; ++i) Accept(Call("call-" + std::to_string(i), "failed", {{"summary", "alpha"}}));
  Index();
  for (EventSeq seq = 1; seq <= 600; ++seq) {
    for (const DeliverySeq delivery : DeliveriesOf(seq)) End(delivery, State::kDelivered);
  }
  Index();
  // None of this is seen before the crash, and none of these deliveries is open in the index.
  ASSERT_TRUE(journal_->Revive(std::vector{DeliveriesOf(7)[0]}, clock_.Wall()));
  End(DeliveriesOf(7)[0], State::kDead);
  Accept(Call("call-500", "failed", {{"summary", "beta"}}));
  journal_->Forget(300);
  Restart(/*in_peace=*/false);
  Index();
  EXPECT_THAT(Indexed("is:replayed state:dead"), ElementsAre(7));
  EXPECT_THAT(Indexed("beta"), ElementsAre(500));
  EXPECT_EQ(Indexed().size(), 599u);
  EXPECT_EQ(Logged("search_index_begun_anew"), 0u);
}

TEST_F(IndexerTest, MoreChangesAtOnceThanAreKeptAreFoundByComparing) {
  Accept(Call("call-1", "failed"));
  Accept(Call("call-2", "completed"));
  Index();
  const auto deliveries = DeliveriesOf(1);
  End(deliveries[0], State::kDelivered);
  End(DeliveriesOf(2)[0], State::kDelivered);
  Index();
  ASSERT_TRUE(journal_->Revive(std::vector{deliveries[0]}, clock_.Wall()));
  End(deliveries[0], State::kDead);
  for (int i = 0; i < 20'000; ++i) End(deliveries[1], i % 2 == 0 ? State::kPending : State::kDead);
  Index();
  EXPECT_THAT(Indexed("sink:ops state:dead is:replayed"), ElementsAre(1));
}

TEST_F(IndexerTest, AFileThatIsDeletedIsMadeAgain) {
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  Index();
  std::remove((path_ + ".search").c_str());
  clock_.Advance(seconds(10));
  Index();
  EXPECT_THAT(Indexed("alpha"), ElementsAre(1));
  EXPECT_TRUE(std::filesystem::exists(path_ + ".search"));
  EXPECT_THAT(log_, HasSubstr("somebody has deleted it"));
  Restart();
  std::remove((path_ + ".search").c_str());
  Index();
  EXPECT_THAT(Indexed("alpha"), ElementsAre(1));
}

TEST_F(IndexerTest, ADamagedFileIsMadeAgain) {
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  Index();
  indexer_->Stop();
  std::ofstream(path_ + ".search", std::ios::trunc) << std::string(5000, 'x');
  Restart();
  Index();
  EXPECT_THAT(Indexed("alpha"), ElementsAre(1));
  EXPECT_EQ(Logged("search_index_begun_anew"), 1u);
}

TEST_F(IndexerTest, AnIndexOfAnotherJournalIsMadeAgain) {
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  Accept(Call("call-2", "completed", {{"summary", "alpha"}}));
  Index();
  indexer_->Stop();
  // A backup that was put back, and has gone on with other events.
  disk_ = MemoryJournal::MakeDisk();
  journal_ = std::make_unique<MemoryJournal>(disk_);
  clock_.Advance(minutes(1));
  Accept(Call("call-3", "completed", {{"summary", "beta"}}));
  Restart();
  Index();
  EXPECT_THAT(log_, HasSubstr("ahead of the journal"));
  EXPECT_THAT(Indexed("alpha"), IsEmpty());
  EXPECT_THAT(Indexed("beta"), ElementsAre(1));
  indexer_->Stop();
  disk_ = MemoryJournal::MakeDisk();
  journal_ = std::make_unique<MemoryJournal>(disk_);
  clock_.Advance(minutes(1));
  Accept(Call("call-4", "completed", {{"summary", "gamma"}}));
  Accept(Call("call-5", "completed", {{"summary", "gamma"}}));
  Restart();
  Index();
  EXPECT_THAT(log_, HasSubstr("the journal has other events now"));
  EXPECT_THAT(Indexed("beta"), IsEmpty());
  EXPECT_THAT(Indexed("gamma"), ElementsAre(2, 1));
}

TEST_F(IndexerTest, WithoutAFileItSaysSoOnceAndTriesAgain) {
  std::filesystem::create_directory(path_ + ".search");
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(indexer_->Pass());
    clock_.Advance(minutes(1));
  }
  EXPECT_EQ(Logged("search_unavailable"), 1u);
  EXPECT_EQ(indexer_->index(), nullptr);
  EXPECT_FALSE(indexer_->StatusNow().usable);
  EXPECT_EQ(indexer_->StatusNow().behind, 1u);
  EXPECT_THAT(Find("alpha"), ElementsAre(1)) << "the journal is read instead";
  std::filesystem::remove(path_ + ".search");
  clock_.Advance(minutes(1));
  Index();
  EXPECT_THAT(Indexed("alpha"), ElementsAre(1));
  EXPECT_EQ(Logged("search_works_again"), 1u);
}

TEST_F(IndexerTest, ChangesThatCouldNotBeWrittenAreTriedAgain) {
  FaultVfs disk(FaultVfs::Fault::kNone, 0, 1);
  Accept(Call("call-1", "failed"));
  Accept(Call("call-2", "completed", {{"summary", "alpha"}}));
  Index();
  const auto fail_once = [&] {
    disk.Break(FaultVfs::Fault::kFail);
    EXPECT_FALSE(indexer_->Pass());
    disk.Repair();
    clock_.Advance(minutes(1));
    Index();
  };
  End(DeliveriesOf(1)[0], State::kDead);
  fail_once();
  EXPECT_THAT(Indexed("state:dead"), ElementsAre(1));
  Accept(Call("call-2", "completed", {{"summary", "beta"}}));
  fail_once();
  EXPECT_THAT(Indexed("beta"), ElementsAre(2));
  EXPECT_EQ(Logged("search_unavailable"), 2u);
  EXPECT_EQ(Logged("search_index_begun_anew"), 0u);
  indexer_->Stop();
}

TEST_F(IndexerTest, AnIndexThatCouldNotBeMadeAgainIsTriedAgain) {
  FaultVfs disk(FaultVfs::Fault::kNone, 0, 1);
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  Index();
  std::remove((path_ + ".search").c_str());
  disk.Break(FaultVfs::Fault::kFail);
  for (int i = 0; i < 3; ++i) {
    clock_.Advance(minutes(1));
    EXPECT_FALSE(indexer_->Pass());
    EXPECT_THAT(Find("alpha"), ElementsAre(1)) << "the journal is read instead";
  }
  disk.Repair();
  clock_.Advance(minutes(1));
  Index();
  EXPECT_THAT(Indexed("alpha"), ElementsAre(1));
  EXPECT_EQ(Logged("search_works_again"), 1u);
  indexer_->Stop();
}

TEST(IndexerRest, WhileManyEventsComeItLeavesThemTheMachine) {
  const auto rest = [](int spent_ms, bool more, bool busy, std::uint64_t arrived, int elapsed_ms) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(
               Indexer::RestAfter(std::chrono::milliseconds(spent_ms), more, busy, arrived,
                                  std::chrono::milliseconds(elapsed_ms)))
        .count();
  };
  EXPECT_EQ(rest(20, true, true, 1000, 200), 180);
  EXPECT_EQ(rest(1, true, true, 1000, 200), 50);
  EXPECT_EQ(rest(20, true, true, 10, 200), 0) << "it makes up for what is missing";
  EXPECT_EQ(rest(20, false, true, 10, 200), 50);
  EXPECT_EQ(rest(1, false, false, 0, 200), 200);
  EXPECT_EQ(rest(1, false, true, 1, 0), 50) << "the first pass";
}

TEST_F(IndexerTest, ItFollowsOnAThreadOfItsOwnAndStopsWhenItIsTold) {
  const SystemClock clock;
  Indexer indexer(path_, *journal_, router_, clock);
  indexer.Start();
  Accept(Call("call-1", "completed", {{"summary", "alpha"}}));
  while (!indexer.StatusNow().usable || indexer.StatusNow().behind != 0) std::this_thread::yield();
  const SearchFilter filter = Parse("alpha");
  EXPECT_THAT(indexer.index()->reader().Find(filter, 0, 10, MonoTime::max())->items, ElementsAre(1));
  indexer.Stop();
  EXPECT_EQ(indexer.index(), nullptr);
}

}  // namespace
}  // namespace hookswitch
