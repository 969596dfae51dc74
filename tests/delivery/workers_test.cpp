#include "core/delivery/workers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "core/base/log.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

TEST(Workers, RunsJobsOfDifferentStrandsAtTheSameTime) {
  FakeClock clock;
  // Before the workers, whose end waits for the jobs: a job may still be inside set_value when the test wakes.
  std::promise<void> first, second;
  auto first_ran = first.get_future().share(), second_ran = second.get_future().share();
  std::promise<void> done;
  Workers workers(clock, 2);
  workers.Post(1, 1, 1s, [&] { first.set_value(), second_ran.wait(); });
  workers.Post(2, 2, 1s, [&] { second.set_value(), first_ran.wait(), done.set_value(); });
  done.get_future().wait();
}

TEST(Workers, RunsJobsOfOneStrandOneByOneInOrder) {
  FakeClock clock;
  std::atomic<int> running{0};
  std::vector<int> order;  // guarded by the strand
  std::promise<void> done;
  Workers workers(clock, 4);
  for (int i = 0; i < 1000; ++i) {
    workers.Post(static_cast<Workers::JobId>(i + 1), 7, 1s, [&, i] {
      EXPECT_EQ(++running, 1);
      order.push_back(i);
      --running;
      if (i == 999) done.set_value();
    });
  }
  done.get_future().wait();
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Workers, AStrandThatIsBusyStaysOneWhenOverdueJobsAreLookedFor) {
  FakeClock clock;
  std::promise<void> began, release, second, other;
  auto released = release.get_future().share();
  auto second_ran = second.get_future();
  std::atomic<bool> first_ended{false};
  Workers workers(clock, 2);
  workers.Post(1, 7, 1s, [&] { began.set_value(), released.wait(), first_ended = true; });
  began.get_future().wait();
  EXPECT_TRUE(workers.TakeOverdue().empty());
  workers.Post(2, 7, 1s, [&] {
    EXPECT_TRUE(first_ended);
    second.set_value();
  });
  // The free thread would take the second before this one.
  workers.Post(3, 8, 1s, [&] { other.set_value(); });
  other.get_future().wait();
  release.set_value();
  second_ran.wait();
}

TEST(Workers, AJobPastItsLimitIsGivenUpAndItsStrandGoesOn) {
  FakeClock clock;
  const auto release = std::make_shared<std::promise<void>>();
  std::promise<void> began, next;
  Workers workers(clock, 1);
  workers.Post(1, 7, 1s, [&began, released = release->get_future().share()] { began.set_value(), released.wait(); });
  workers.Post(2, 7, 1s, [&next] { next.set_value(); });
  began.get_future().wait();
  clock.Advance(1s);
  EXPECT_TRUE(workers.TakeOverdue().empty()) << "not past it yet";
  clock.Advance(1ms);
  EXPECT_EQ(workers.TakeOverdue(), std::vector<Workers::JobId>{1});
  EXPECT_EQ(workers.stuck(), 1u);
  next.get_future().wait();
  release->set_value();
}

TEST(Workers, AThreadThatCannotBeStartedIsTriedAgain) {
  FakeClock clock;
  log::SetWriterForTest([](log::Level, std::string_view) {});
  std::atomic<bool> can_start{false};
  std::promise<void> ran;
  Workers workers(clock, 2, 2, [&](Workers::Job job) {
    if (!can_start) throw std::system_error(EAGAIN, std::generic_category());
    return std::thread(std::move(job));
  });
  workers.Post(1, 7, 1s, [&] { ran.set_value(); });
  EXPECT_TRUE(workers.TakeOverdue().empty());
  EXPECT_EQ(workers.busy(), 1u);
  can_start = true;
  EXPECT_TRUE(workers.TakeOverdue().empty());
  ran.get_future().wait();
  log::SetWriterForTest(nullptr);
}

TEST(Workers, SlowStrandsDoNotHoldTheOthers) {
  FakeClock clock;
  std::promise<void> first_began, second_began, release, third, fourth;
  auto released = release.get_future().share();
  Workers workers(clock, 2, 4);
  workers.Post(1, 1, 1h, [&, released] { first_began.set_value(), released.wait(); });
  workers.Post(2, 2, 1h, [&, released] { second_began.set_value(), released.wait(); });
  first_began.get_future().wait();
  second_began.get_future().wait();
  std::atomic<bool> ran{false};
  workers.Post(3, 3, 1h, [&] { ran = true, third.set_value(); });
  clock.Advance(49ms);
  EXPECT_TRUE(workers.TakeOverdue().empty());
  EXPECT_FALSE(ran) << "two threads are enough as long as they are quick";
  clock.Advance(1ms);
  EXPECT_TRUE(workers.TakeOverdue().empty());
  third.get_future().wait();
  workers.Post(4, 4, 1h, [&] { fourth.set_value(); });
  fourth.get_future().wait();
  release.set_value();
}

TEST(Workers, GrowsNoFurtherThanItsMost) {
  FakeClock clock;
  std::atomic<int> threads{0};
  std::vector<std::promise<void>> began(3);
  std::promise<void> release;
  auto released = release.get_future().share();
  Workers workers(clock, 1, 3, [&](Workers::Job job) { return ++threads, std::thread(std::move(job)); });
  for (std::size_t i = 0; i < 10; ++i) {
    workers.Post(i + 1, i + 1, 1h, [&, i, released] {
      if (i < began.size()) began[i].set_value();
      released.wait();
    });
  }
  began[0].get_future().wait();
  for (int i = 0; i < 3; ++i) {
    clock.Advance(50ms);
    workers.TakeOverdue();
  }
  began[1].get_future().wait();
  began[2].get_future().wait();
  clock.Advance(50ms);
  workers.TakeOverdue();
  EXPECT_EQ(threads, 3);
  release.set_value();
}

TEST(Workers, WhatWaitsForAThreadIsNotOverdue) {
  FakeClock clock;
  std::promise<void> began, release, next;
  Workers workers(clock, 1);
  auto released = release.get_future().share();
  workers.Post(1, 0, 1h, [&, released] { began.set_value(), released.wait(); });
  workers.Post(2, 0, 1s, [&] { next.set_value(); });
  began.get_future().wait();
  clock.Advance(1min);
  EXPECT_TRUE(workers.TakeOverdue().empty());
  release.set_value();
  next.get_future().wait();
}

TEST(Workers, EndingItDropsWhatHasNotBegunAndLeavesAStuckThreadBehind) {
  FakeClock clock;
  const auto release = std::make_shared<std::promise<void>>();
  std::atomic<bool> ran{false};
  {
    Workers workers(clock, 1);
    workers.SetPatience(0ms);
    const auto began = std::make_shared<std::promise<void>>();
    workers.Post(1, 0, 1s, [began, released = release->get_future().share()] { began->set_value(), released.wait(); });
    workers.Post(2, 0, 1s, [&ran] { ran = true; });
    began->get_future().wait();
  }
  EXPECT_FALSE(ran);
  release->set_value();
}

}  // namespace
}  // namespace hookswitch
