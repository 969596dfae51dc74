#include "core/event/wait.h"

#include <gtest/gtest.h>

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

TEST(Waits, AreReadAsTheyWereWritten) {
  Waits waits;
  for (std::size_t kind = 0; kind < kWaitKinds; ++kind) waits.push_back({static_cast<WaitKind>(kind), 1h});
  EXPECT_EQ(ParseWaits(ToText(waits)), waits);
  EXPECT_EQ(ToText(Waits{{WaitKind::kPace, 1200ms}, {WaitKind::kOrder, 40ms}}), "pace 1200,order 40");
  EXPECT_EQ(ToText(Waits()), "");
  EXPECT_EQ(ParseWaits(""), Waits());
}

TEST(Waits, WhatIsNotUnderstoodIsLeftOut) {
  const Waits pace{{WaitKind::kPace, 1200ms}};
  for (const char* text : {"pace 1200,moon 40", "moon,pace 1200", "pace 1200,order", "pace 1200,order ", ",pace 1200,",
                           "order -4,pace 1200", "order 4x,pace 1200", "order 99999999999999999999,pace 1200"}) {
    EXPECT_EQ(ParseWaits(text), pace) << text;
  }
}

}  // namespace
}  // namespace hookswitch
