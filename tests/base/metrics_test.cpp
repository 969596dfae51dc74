#include "core/base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace hookswitch {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

TEST(Metrics, TheSameNameAndLabelsAreOneSeries) {
  Metrics metrics;
  metrics.MakeCounter("calls_total", "Calls.", {{"sink", "ops"}}).Add();
  metrics.MakeCounter("calls_total", "Calls.", {{"sink", "ops"}}).Add(2);
  EXPECT_THAT(metrics.Text(), HasSubstr("calls_total{sink=\"ops\"} 3\n"));
}

TEST(Metrics, ALabelMayBeAnyBytes) {
  Metrics metrics;
  metrics.MakeCounter("calls_total", "Calls.", {{"agent", "a\0b\r\n\x1b[1m\"\\\xff"s}}).Add();
  const std::string text = metrics.Text();
  EXPECT_THAT(text, HasSubstr("calls_total{agent=\"a b   [1m\\\"\\\\\xef\xbf\xbd\"} 1\n"));
  EXPECT_EQ(text.find('\0'), std::string::npos);
}

TEST(Metrics, AScrapeRefreshesFirst) {
  Metrics metrics;
  int scrapes = 0;
  metrics.BeforeScrape(
      [&, gauge = metrics.MakeGauge("scrapes", "Scrapes.")] { gauge.Set(static_cast<double>(++scrapes)); });
  EXPECT_THAT(metrics.Text(), HasSubstr("scrapes 1\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("scrapes 2\n"));
}

}  // namespace
}  // namespace hookswitch
