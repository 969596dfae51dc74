#include "core/plugins/control_calls.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>
#include <vector>

namespace hookswitch::plugins {
namespace {

using namespace std::chrono_literals;

/// A call that returns when the test says so.
struct Stuck {
  std::shared_ptr<std::promise<void>> release = std::make_shared<std::promise<void>>();
  std::function<void()> Call() const {
    return [released = release->get_future().share()] { released.wait(); };
  }
};

TEST(ControlCalls, ReturnWhenTheCallHas) {
  ControlCalls calls;
  bool ran = false;
  EXPECT_TRUE(calls.Run([&] { ran = true; }, 20s));
  EXPECT_TRUE(ran);
}

TEST(ControlCalls, AreMadeOneAtATime) {
  ControlCalls calls;
  std::atomic<int> inside{0}, ran{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int times = 0; times < 50; ++times) {
        const Status returned = calls.Run(
            [&] {
              EXPECT_EQ(++inside, 1);
              std::this_thread::yield();
              --inside;
              ++ran;
            },
            20s);
        EXPECT_TRUE(returned);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(ran, 400);
}

TEST(ControlCalls, OneThatDoesNotReturnIsGivenUpAndTheNextOneIsMade) {
  ControlCalls calls;
  const Stuck stuck;
  const Status hung = calls.Run(stuck.Call(), 20ms);
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().code, ErrorCode::kInvalid);
  EXPECT_NE(hung.error().message.find("not returned after 20ms"), std::string::npos) << hung.error().message;
  EXPECT_TRUE(calls.Run([] {}, 20s));
  stuck.release->set_value();
}

TEST(ControlCalls, TheNextOneWaitsForOneThatIsStillInItsTime) {
  ControlCalls calls;
  const Stuck stuck;
  std::atomic<bool> returned{false};
  ASSERT_FALSE(calls.Run(
      [call = stuck.Call(), &returned] {
        call();
        returned = true;
      },
      20s, 1ms));
  std::thread next([&] { EXPECT_TRUE(calls.Run([&] { EXPECT_TRUE(returned); }, 20s)); });
  stuck.release->set_value();
  next.join();
}

TEST(ControlCalls, ALateReturnDoesNotEndTheTurnOfAnother) {
  ControlCalls calls;
  const Stuck late, second;
  ASSERT_FALSE(calls.Run(late.Call(), 1ms));
  ASSERT_FALSE(calls.Run(second.Call(), 20s, 1ms));
  std::atomic<bool> third_ran{false};
  std::thread third([&] { EXPECT_TRUE(calls.Run([&] { third_ran = true; }, 20s)); });
  late.release->set_value();
  for (int i = 0; i < 1000; ++i) std::this_thread::yield();
  EXPECT_FALSE(third_ran) << "the second one has the turn";
  second.release->set_value();
  third.join();
  EXPECT_TRUE(third_ran);
}

TEST(ControlCalls, WhatAGivenUpCallHoldsStaysUntilItReturns) {
  ControlCalls calls;
  const Stuck stuck;
  auto held = std::make_shared<int>(1);
  const std::weak_ptr<int> seen = held;
  ASSERT_FALSE(calls.Run([held = std::move(held), call = stuck.Call()] { call(); }, 1ms));
  EXPECT_FALSE(seen.expired());
  stuck.release->set_value();
  while (!seen.expired()) std::this_thread::yield();
}

}  // namespace
}  // namespace hookswitch::plugins
