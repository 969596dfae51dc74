#include "core/admin/problems.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = LaneStatus::State;
using Severity = StatusProblem::Severity;

class ProblemsTest : public testing::Test {
 protected:
  LaneStatus& Lane(const std::string& sink, State state, const std::string& because, std::uint64_t pending) {
    LaneStatus& lane = router_.lanes.emplace_back();
    lane.sink = sink;
    lane.state = state;
    lane.because = because;
    lane.pending = pending;
    return lane;
  }
  std::vector<StatusProblem> Find() { return finder_.Find(router_.status); }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts;
    for (const StatusProblem& problem : Find()) texts.push_back(problem.text);
    return texts;
  }
  void LastReload(bool applied, std::vector<config::Problem> problems) {
    router_.last_reload = std::make_shared<const hookswitch::LastReload>(
        hookswitch::LastReload{1, clock_.Wall(), "ana", {applied, 3, std::move(problems), {}}});
  }

  FakeClock clock_;
  FakeHistory history_;
  FakeRouter router_;
  ProblemFinder finder_{router_, history_, clock_};
};

TEST_F(ProblemsTest, WhatEndsByItselfIsNone) {
  Lane("ops", State::kOpen, "", 3);
  Lane("sales", State::kThrottled, "429; asked by the other side: 30s", 9);
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(ProblemsTest, ASinkThatDeliversNothingIsNamedWithItsReasonAndWhatWaits) {
  LaneStatus& lane = Lane("ops", State::kMisconfigured, "Slack answered 404 no_service", 14);
  lane.since = clock_.Wall();
  const auto problems = Find();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].severity, Severity::kError);
  EXPECT_EQ(problems[0].kind, "sink");
  EXPECT_EQ(problems[0].name, "ops");
  EXPECT_EQ(problems[0].since, clock_.Wall());
  EXPECT_EQ(problems[0].text, "ops is misconfigured: Slack answered 404 no_service; 14 wait");
  EXPECT_THAT(problems[0].hint, HasSubstr("reload"));
}

TEST_F(ProblemsTest, EachTroubleOfASinkIsOneSentence) {
  Lane("a", State::kFailing, "it is down", 5);
  Lane("b", State::kProbing, "it is down", 4);
  Lane("c", State::kUnavailable, "its plugin is too new", 3);
  Lane("d", State::kRemoved, "the config no longer has this sink", 2);
  Lane("e", State::kRemoved, "the config no longer has this sink", 1);
  EXPECT_THAT(Texts(), ElementsAre("a is failing: it is down; 5 wait", "b is being tried again: it is down; 4 wait",
                                   "c is unavailable: its plugin is too new; 3 wait",
                                   "2 deliveries wait for d, which the config does not have",
                                   "1 delivery waits for e, which the config does not have"));
}

TEST_F(ProblemsTest, APauseIsAWarningWithItsEndAndReason) {
  Lane("ops", State::kPaused, "paused by the operator: carrier maintenance", 1).until = clock_.Wall();
  const auto problems = Find();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].severity, Severity::kWarning);
  EXPECT_EQ(problems[0].until, clock_.Wall());
  EXPECT_EQ(problems[0].text, "ops is paused by the operator: carrier maintenance; 1 waits");
}

TEST_F(ProblemsTest, TheWorstComesFirst) {
  Lane("paused", State::kPaused, "paused by the operator", 90);
  Lane("few", State::kFailing, "", 2);
  Lane("many", State::kMisconfigured, "", 40);
  router_.lanes[1].places = {{"C0ARCHIVED", "is_archived", 3, clock_.Wall()}};
  router_.status.journal.unwritable_reason = "no space left on the disk";
  router_.status.journal.bad_rows = 2;
  router_.status.journal.full = {"many"};
  router_.status.need_restart = {"server.listen", "journal"};
  router_.parts = {{"journal", true, "no space left on the disk"},
                   {"descriptors", true, "every file descriptor is in use"},
                   {"sink many", false, "misconfigured"}};
  history_.AddDelivery(1, DeliveryState::kDead, "many").reason = "no_service";
  LastReload(false, {});
  EXPECT_THAT(Texts(),
              ElementsAre("nothing can be stored: no space left on the disk",
                          "as many deliveries wait for many as journal.max_backlog allows: senders of events "
                          "for it get 503",
                          "every file descriptor is in use", "many is misconfigured; 40 wait", "few is failing; 2 wait",
                          "there are dead deliveries, the newest for many: no_service", "the last reload failed",
                          "the journal has 2 damaged rows", "paused is paused by the operator; 90 wait",
                          "few is refused at C0ARCHIVED: is_archived; 3 wait",
                          "a restart is needed to apply server.listen, journal"));
}

TEST_F(ProblemsTest, AFailedReloadNamesItsFirstErrorUntilOneIsApplied) {
  config::Problem warning, error;
  warning.severity = config::Problem::Severity::kWarning;
  warning.message = "a rule that never runs";
  error.message = "\"agnet\" is not a key";
  error.hint = "did you mean \"agent\"?";
  error.where.line = 12;
  error.where.column = 7;
  LastReload(false, {warning, error, error, error});
  const auto problems = Find();
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].kind, "config");
  EXPECT_EQ(problems[0].since, clock_.Wall());
  EXPECT_EQ(problems[0].text, "the last reload failed: config:12:7: \"agnet\" is not a key (and 2 more)");
  EXPECT_EQ(problems[0].hint, "did you mean \"agent\"?");
  LastReload(true, {warning});
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(ProblemsTest, ADeadDeliveryIsOneUntilItIsReplayedOrPurged) {
  history_.AddDelivery(1, DeliveryState::kDelivered);
  EXPECT_THAT(Find(), IsEmpty());
  history_.deliveries[1].summary.state = DeliveryState::kDead;
  history_.deliveries[1].summary.code = "rejected";
  EXPECT_THAT(Texts(), ElementsAre("there are dead deliveries, the newest for ops: rejected"));
  int reads = 0;
  history_.on_page = [&reads] { ++reads; };
  EXPECT_EQ(Find().size(), 1u);
  EXPECT_EQ(reads, 0) << "as long as that one is dead, the list is not read each time";
  history_.deliveries[1].summary.state = DeliveryState::kPending;
  EXPECT_THAT(Find(), IsEmpty());
}

}  // namespace
}  // namespace hookswitch
