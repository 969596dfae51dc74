#include <future>
#include <map>
#include <mutex>
#include <set>

#include "core/base/log.h"
#include "core/journal/verify.h"
#include "tests/fakes/effort.h"
#include "tests/journal/fault_vfs.h"
#include "tests/journal/sqlite_fixture.h"

namespace hookswitch {
namespace {

using Fault = FaultVfs::Fault;

std::string BodyOf(const std::string& key) {
  return key + " " + std::string(400, 'b');
}

/// Lives through a journal's life on a disk that fails, and holds the journal to what it has said.
class SqliteFault : public SqliteFixture {
 protected:
  void SetUp() override {
    log::SetWriterForTest([](log::Level, std::string_view) {});
    // All steps on one thread, and all kinds of them.
    tuning_.checkpoint_thread = false;
    tuning_.checkpoint_frames = 20;
    options_.retention_age = std::chrono::hours(1);
  }
  void TearDown() override {
    SqliteFixture::TearDown();
    log::SetWriterForTest(nullptr);
  }

  bool Reopen() {
    if (!Open()) return false;
    journal_->OnRecorded([this](DeliverySeq delivery, DeliverySeq fallback, bool stored) {
      std::lock_guard lock(mu_);
      EXPECT_TRUE(stored);
      // What was changed by a command since is as that says.
      if (const auto given = given_.find(delivery); given != given_.end()) expected_[delivery] = given->second;
      if (fallback != 0) expected_.emplace(fallback, DeliveryState::kPending);
    });
    return true;
  }
  void Add(const std::string& key, std::vector<std::string> sinks) {
    clock_.Advance(std::chrono::seconds(1));
    const std::string body = BodyOf(key);
    std::vector<NewDelivery> deliveries;
    for (const std::string& sink : sinks) deliveries.push_back({.sink = sink, .rule = "r", .template_name = ""});
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf(key);
    event.call_id = key;
    event.received_at = clock_.Wall();
    event.call_key = 7;
    event.deliveries = deliveries;
    // Old ones have their own, which retention removes with them.
    const std::string text = key.starts_with("old") ? "config of then" : "config";
    const KeptConfig config{.hash = DigestOf(text), .since = clock_.Wall(), .text = text};
    event.config = &config;
    const auto accepted = journal_->Append(event);
    if (!accepted) return;
    answered_[key] = accepted->event;
    first_[key] = accepted->first_delivery;
    if (accepted->duplicate) return;
    std::lock_guard lock(mu_);
    for (std::size_t i = 0; i < sinks.size(); ++i) {
      expected_[accepted->first_delivery + static_cast<DeliverySeq>(i)] = DeliveryState::kPending;
    }
  }
  void AddTogether(const std::vector<std::string>& keys) {
    clock_.Advance(std::chrono::seconds(1));
    std::vector<std::string> bodies;
    for (const std::string& key : keys) bodies.push_back(BodyOf(key));
    const NewDelivery delivery{.sink = "ops", .rule = "r", .template_name = ""};
    std::vector<NewEvent> events(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      events[i].source = "bolna";
      events[i].body = bodies[i];
      events[i].dedup = DigestOf(keys[i]);
      events[i].call_id = keys[i];
      events[i].received_at = clock_.Wall();
      events[i].deliveries = {&delivery, 1};
    }
    std::promise<Result<std::vector<Accepted>>> promise;
    auto told = promise.get_future();
    journal_->AppendAllThen(events,
                            [&](Result<std::vector<Accepted>> result) { promise.set_value(std::move(result)); });
    const auto stored = told.get();
    if (!stored) return;
    std::lock_guard lock(mu_);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      answered_[keys[i]] = (*stored)[i].event;
      expected_[(*stored)[i].first_delivery] = DeliveryState::kPending;
    }
  }
  void Tell(const std::string& key, DeliveryState state) {
    if (!answered_.contains(key) || first_[key] == 0) return;
    AttemptRecord record;
    record.delivery = first_[key];
    record.event = answered_[key];
    record.sink = "ops";
    record.call_key = 7;
    record.number = 1;
    record.state = state;
    record.outcome.kind = state == DeliveryState::kDelivered ? Outcome::Kind::kDelivered : Outcome::Kind::kRejected;
    if (state == DeliveryState::kDead) record.fallback_sink = "oncall";
    {
      // Until it is told as stored, either may be on disk.
      std::lock_guard lock(mu_);
      given_[record.delivery] = state;
      expected_.erase(record.delivery);
    }
    journal_->Record(record);
  }
  /// With a commit of its own, so that what was told before is stored or was tried.
  void Pause() {
    clock_.Advance(std::chrono::seconds(1));
    if (journal_->history().SavePause("ops", hookswitch::Pause{})) is_paused_ = true;
  }
  template <class Ask>
  void Change(const std::string& key, DeliveryState to, Ask ask) {
    clock_.Advance(std::chrono::seconds(1));
    if (!first_.contains(key) || first_[key] == 0) return;
    const DeliverySeq delivery = first_[key];
    {
      std::lock_guard lock(mu_);
      given_.erase(delivery);
      expected_.erase(delivery);
    }
    const auto changed = ask(std::vector<DeliverySeq>{delivery});
    std::lock_guard lock(mu_);
    if (changed && !changed->empty()) expected_[delivery] = to;
  }

  void Live() {
    if (!Reopen()) return;
    for (int i = 0; i < 3; ++i) Add("old " + std::to_string(i), {"ops"});
    for (int i = 0; i < 3; ++i) Tell("old " + std::to_string(i), DeliveryState::kDelivered);
    Pause();
    clock_.Advance(std::chrono::hours(2));
    for (int i = 0; i < 5; ++i) Add("e" + std::to_string(i), {"ops", "mail"});
    Tell("e0", DeliveryState::kDelivered);
    Tell("e1", DeliveryState::kDead);
    Tell("e2", DeliveryState::kDead);
    Pause();
    Change("e1", DeliveryState::kPending,
           [&](auto deliveries) { return journal_->history().Revive(deliveries, clock_.Wall()); });
    Change("e2", DeliveryState::kCanceled,
           [&](auto deliveries) { return journal_->history().Cancel(deliveries, "purged"); });
    if (answered_.contains("e3")) {
      const std::vector<NewDelivery> more = {{.sink = "mail", .rule = "r", .template_name = ""}};
      const auto added = journal_->history().AddDeliveries(answered_["e3"], more, clock_.Wall());
      std::lock_guard lock(mu_);
      if (added) expected_[added->front().seq] = DeliveryState::kPending;
    }
    if (!Reopen()) return;
    Add("e0", {"ops", "mail"});
    for (int i = 5; i < 8; ++i) Add("e" + std::to_string(i), {"ops"});
    AddTogether({"list 0", "list 1", "list 2"});
    Tell("e5", DeliveryState::kDelivered);
    Pause();
    journal_.reset();
  }

  /// On a disk that works again.
  void HoldToItsWord() {
    ASSERT_TRUE(Open());
    for (const auto& [key, seq] : answered_) {
      if (key.starts_with("old") && !journal_->history().FindEvent(seq)) continue;
      const auto stored = journal_->Load(seq);
      ASSERT_TRUE(stored) << key << ": " << stored.error().message;
      EXPECT_EQ(stored->body, BodyOf(key));
      EXPECT_EQ(journal_->history().FindEvent(seq)->call_id, key);
    }
    for (const auto& [delivery, state] : expected_) {
      const auto found = journal_->history().FindDelivery(delivery);
      if (!found && state == DeliveryState::kDelivered) continue;  // an old one
      ASSERT_TRUE(found) << delivery << ": " << found.error().message;
      EXPECT_EQ(found->state, state) << delivery;
    }
    std::map<std::string, int> times;
    const auto events = journal_->history().ListEvents({}, 0, 1000);
    ASSERT_TRUE(events);
    for (const EventSummary& event : events->items) EXPECT_EQ(++times[event.call_id], 1) << event.call_id;
    EXPECT_EQ(times.count("list 0"), times.count("list 1")) << "all of a list or nothing";
    EXPECT_EQ(times.count("list 0"), times.count("list 2")) << "all of a list or nothing";
    if (is_paused_) {
      const auto lanes = journal_->LoadLanes();
      ASSERT_TRUE(lanes);
      ASSERT_EQ(lanes->size(), 1u);
      EXPECT_TRUE(lanes->front().pause.has_value());
    }
    EXPECT_EQ(journal_->Stats().bad_rows, 0u);
    const auto last = Append("last", 10, {"ops"});
    EXPECT_TRUE(last) << last.error().message;
    journal_.reset();
    const auto report = VerifyJournal(path_);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_TRUE(report->IsSound()) << report->findings.front().kind << ": " << report->findings.front().what;
  }

  void ForEveryStep(Fault fault) {
    for (std::int64_t step = 1; !HasFailure(); step += test::kOneIn) {
      SCOPED_TRACE("step " + std::to_string(step));
      path_ = folder_ / ("journal" + std::to_string(step) + ".db");
      answered_.clear(), first_.clear(), given_.clear(), expected_.clear(), is_paused_ = false;
      bool struck = false;
      {
        FaultVfs disk(fault, step, static_cast<std::uint32_t>(step));
        Live();
        journal_.reset();
        struck = disk.Struck();
        if (fault == Fault::kPowerCut && struck) disk.LeaveWhatIsOnDisk();
      }
      HoldToItsWord();
      for (const char* part : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path_ + part);
      if (!struck) {
        EXPECT_GT(step, 100) << "the scenario has steps";
        EXPECT_EQ(answered_.size(), 14u) << "without a fault all is answered";
        return;
      }
    }
  }

  /// Asks until it is done, as a sender or an operator does. The disk fails until the writer, too, has looked at it
  /// again.
  template <class Ask>
  void Insist(FaultVfs& disk, Ask ask) {
    if (ask()) return;
    EXPECT_FALSE(Append("nobody", 10)) << "answered without the disk";
    disk.Repair();
    clock_.Advance(std::chrono::seconds(1));
    EXPECT_TRUE(ask());
  }
  /// Adds an event for "ops"; what the answer says is scheduled.
  void AddScheduled(FaultVfs& disk, const std::string& key) {
    Insist(disk, [&] {
      const auto accepted = Append(key, 10, {"ops"});
      if (accepted && !accepted->duplicate) scheduled_.insert(accepted->first_delivery);
      if (accepted) answered_[key] = accepted->event;
      return accepted.has_value();
    });
  }
  template <class Ask>
  void ChangeScheduled(FaultVfs& disk, Ask ask) {
    Insist(disk, [&] {
      const auto changed = ask();
      if (changed) {
        for (const PendingDelivery& delivery : *changed) scheduled_.insert(delivery.seq);
      }
      return changed.has_value();
    });
  }

  std::map<std::string, EventSeq> answered_;
  std::map<std::string, DeliverySeq> first_;
  std::mutex mu_;
  std::map<DeliverySeq, DeliveryState> given_;     ///< to Record
  std::map<DeliverySeq, DeliveryState> expected_;  ///< what the journal has said is on disk
  bool is_paused_ = false;
  std::set<DeliverySeq> scheduled_;  ///< somebody was told that they wait
};

TEST_F(SqliteFault, AStepThatFailsOnceLosesNothingThatWasAnswered) {
  ForEveryStep(Fault::kFailOnce);
}
TEST_F(SqliteFault, ADiskThatFailsFromAStepOnLosesNothingThatWasAnswered) {
  ForEveryStep(Fault::kFail);
}
TEST_F(SqliteFault, PowerLostAtAnyStepLosesNothingThatWasAnswered) {
  ForEveryStep(Fault::kPowerCut);
}

// A commit whose sync failed is whole in the log, and may come to count later.
TEST_F(SqliteFault, WhateverWaitsHasBeenToldToSomebody) {
  for (const Fault fault : {Fault::kFail, Fault::kReadOnly}) {
    for (std::int64_t step = 1; !HasFailure(); ++step) {
      SCOPED_TRACE("step " + std::to_string(step) + (fault == Fault::kReadOnly ? ", read-only" : ""));
      path_ = folder_ / ("journal" + std::to_string(step) + ".db");
      answered_.clear(), scheduled_.clear();
      FaultVfs disk(fault, step, 1);
      if (!Open()) {
        disk.Repair();
        ASSERT_TRUE(Open());
      }
      for (const char* key : {"a", "b", "c"}) AddScheduled(disk, key);
      Deliver(1, answered_["a"]);
      AddScheduled(disk, "d");
      scheduled_.erase(1);
      const std::vector<DeliverySeq> ended{1};
      ChangeScheduled(disk, [&] { return journal_->history().Revive(ended, clock_.Wall()); });
      const std::vector<NewDelivery> more = {{.sink = "ops", .rule = "r", .template_name = ""}};
      ChangeScheduled(disk, [&] { return journal_->history().AddDeliveries(answered_["b"], more, clock_.Wall()); });
      AddScheduled(disk, "e");
      const auto waiting = journal_->LoadPending(0, 100);
      ASSERT_TRUE(waiting);
      std::set<DeliverySeq> pending;
      for (const PendingDelivery& delivery : *waiting) pending.insert(delivery.seq);
      EXPECT_EQ(scheduled_, pending);
      EXPECT_EQ(journal_->Stats().pending, pending.size());
      const bool struck = disk.Struck();
      journal_.reset();
      for (const char* part : {"", "-wal", "-shm", ".lock"}) std::filesystem::remove(path_ + part);
      if (struck) continue;
      EXPECT_GT(step, 50) << "the scenario has steps";
      break;
    }
  }
}

}  // namespace
}  // namespace hookswitch
