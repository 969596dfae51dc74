#include "core/base/thread_priority.h"

#include <gtest/gtest.h>

#include <thread>

namespace hookswitch {
namespace {

TEST(ThreadPriority, OnlyTheThreadThatYieldsIsOfLeastPriority) {
  const int before = getpriority(PRIO_PROCESS, 0);
  std::thread([] {
    ASSERT_TRUE(YieldToOthers());
    EXPECT_EQ(getpriority(PRIO_PROCESS, 0), 19);
  }).join();
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), before);
}

}  // namespace
}  // namespace hookswitch
