// What a lane shows to Prometheus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/delivery/delivery_fixture.h"
#include "tests/fakes/series.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

struct LaneMetrics : DispatcherTest {
  bool Shows(const std::string& state) {
    return AwaitMetric("hookswitch_lane_state{sink=\"ops\",state=\"" + state + "\"} 1\n");
  }
  /// One that is answered with `status`.
  DeliverySeq Try(int status) {
    const DeliverySeq seq = Accept("call-" + std::to_string(++tried), {"ops"});
    EXPECT_TRUE(AwaitSent("http://ops", tried));
    EXPECT_TRUE(AnswerAndAwait("http://ops", Answered(status)));
    return seq;
  }
  std::size_t tried = 0;
};

TEST_F(LaneMetrics, AreAllThereBeforeTheFirstDelivery) {
  Lane("ops");
  Start();
  const auto before = fakes::SeriesOf(metrics.Text());
  EXPECT_EQ(std::ranges::count_if(before, [](const auto& one) { return one.starts_with("hookswitch_lane_state{"); }),
            8);
  Try(200);
  Try(400);
  Try(503);
  ASSERT_TRUE(dispatcher->Pause("ops", {}));
  EXPECT_TRUE(Shows("paused"));
  EXPECT_EQ(fakes::SeriesOf(metrics.Text()), before);
}

TEST_F(LaneMetrics, CountFailuresByReason) {
  Lane("ops");
  Start();
  Try(200);
  Try(400);
  Try(503);
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("hookswitch_delivery_failures_total{reason=\"http_4xx\",sink=\"ops\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hookswitch_delivery_failures_total{reason=\"http_5xx\",sink=\"ops\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("hookswitch_delivery_failures_total{reason=\"sink\",sink=\"ops\"} 0\n"));
}

TEST_F(LaneMetrics, MeasureDeliveriesThatTakeHours) {
  Lane("ops").config.retry = {{1h}, 10h};
  Start();
  Try(503);
  Tick(2h);
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(200)));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_delivery_seconds_bucket{sink=\"ops\",le=\"1800\"} 0\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_delivery_seconds_bucket{sink=\"ops\",le=\"43200\"} 1\n"));
}

TEST_F(LaneMetrics, TellWhatHoldsDeliveriesBack) {
  Lane("ops"), Lane("barrier");
  Start();
  how.hold = 60s;
  Accept("call-1", {"ops"}, 7);
  how.hold = 0s;
  Settle();
  clock.Advance(1s);
  EXPECT_TRUE(AwaitMetric("hookswitch_deliveries_held{held_by=\"settle\",sink=\"ops\"} 1\n"));
  ASSERT_TRUE(dispatcher->Pause("ops", {}));
  Accept("call-2", {"ops"});
  Settle();
  clock.Advance(1s);
  EXPECT_TRUE(AwaitMetric("hookswitch_deliveries_held{held_by=\"paused\",sink=\"ops\"} 2\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_held{held_by=\"settle\",sink=\"ops\"} 0\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_lane_state{sink=\"ops\",state=\"open\"} 0\n"));
}

TEST_F(LaneMetrics, CountReplaysAndWhatWasWaitedFor) {
  Lane("ops");
  Start();
  const DeliverySeq dead = Try(400);
  ASSERT_TRUE(AwaitState(dead, DeliveryState::kDead));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_replayed_total{sink=\"ops\"} 0\n"));
  auto revived = journal.inner.Revive(std::vector<DeliverySeq>{dead}, clock.Wall());
  ASSERT_TRUE(revived);
  dispatcher->Accept(nullptr, std::move(*revived));
  ASSERT_TRUE(AwaitSent("http://ops", 2));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_deliveries_replayed_total{sink=\"ops\"} 1\n"));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(503)));
  Tick(20s);
  ASSERT_TRUE(AwaitSent("http://ops", 3));
  ASSERT_TRUE(AnswerAndAwait("http://ops", Answered(200)));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_delivery_wait_seconds_total{kind=\"retry\",sink=\"ops\"} 1"));
}

}  // namespace
}  // namespace hookswitch
