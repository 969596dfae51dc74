#include "core/admin/event_rows.h"

#include <gtest/gtest.h>

#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

class EventRowsTest : public testing::Test {
 protected:
  /// Stores event 1 in the journal and in the lists.
  EventSummary& Store() {
    NewEvent event;
    event.source = "bolna";
    event.body = "{}";
    (void)journal_.Append(event);
    return history_.AddEvent(1);
  }
  json::object Row() {
    auto row = ReadRow(history_.events.at(1), Holds(router_.Lanes(), router_), history_, journal_, router_);
    EXPECT_TRUE(row);
    return row ? std::move(row->row) : json::object();
  }

  MemoryJournal journal_{MemoryJournal::MakeDisk(), 0};
  FakeHistory history_;
  FakeRouter router_;
};

TEST_F(EventRowsTest, ARowTellsTheCallAndWhatBecameOfEachDelivery) {
  Store().revisions = 2;
  auto call = std::make_shared<CallEvent>();
  call->duration = 73.5;
  call->direction = Direction::kInbound;
  call->stage = Stage::kFinal;
  router_.reading.call = call;
  history_.AddDelivery(1, DeliveryState::kDelivered).latency = std::chrono::milliseconds(84);
  DeliverySummary& waits = history_.AddDelivery(2, DeliveryState::kPending, "sales");
  waits.attempts = 3;
  waits.was_replayed = true;
  waits.code = "http_503";
  waits.reason = "it is down";
  router_.lanes.resize(1);
  router_.lanes[0].sink = "sales";
  router_.lanes[0].state = LaneStatus::State::kPaused;
  const json::object row = Row();
  EXPECT_EQ(row.at("id"), json::string(history_.events.at(1).id));
  EXPECT_EQ(row.at("duration"), 73.5);
  EXPECT_EQ(row.at("direction"), "inbound");
  EXPECT_EQ(row.at("stage"), "final");
  EXPECT_EQ(row.at("revised"), true);
  EXPECT_EQ(row.at("outcomes"), json::parse(R"([
      {"id": "d-1", "sink": "ops", "rule": "everything", "state": "delivered", "held_by": null, "because": null,
       "attempts": 0, "latency_ms": 84, "is_replay": false, "code": null, "reason": null},
      {"id": "d-2", "sink": "sales", "rule": "everything", "state": "held", "held_by": "paused",
       "because": "the sink is paused", "attempts": 3, "latency_ms": null, "is_replay": true, "code": "http_503",
       "reason": "it is down"}])"));
}

TEST_F(EventRowsTest, WhatIsNoCallOrCannotBeReadHasNoDetailsButItsOutcomes) {
  Store().status = "";
  journal_.Damage(1);
  history_.AddDelivery(1, DeliveryState::kDead);
  const json::object row = Row();
  for (const char* key : {"duration", "direction", "stage"}) EXPECT_TRUE(row.at(key).is_null()) << key;
  EXPECT_EQ(row.at("revised"), false);
  EXPECT_EQ(row.at("outcomes").at(0).at("state"), "dead");
}

TEST_F(EventRowsTest, AJournalThatCannotBeReadIsAnError) {
  Store();
  journal_.Close();
  const auto row = ReadRow(history_.events.at(1), Holds({}, router_), history_, journal_, router_);
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace hookswitch
