#pragma once
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/log.h"
#include "core/delivery/dispatcher.h"
#include "tests/delivery/delivery_fakes.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {

/// A Dispatcher between fakes: the test moves the clock and answers what is sent.
struct DispatcherTest : testing::Test {
  DispatcherTest() {
    config::Problems problems;
    composer = Composer::Compile({}, problems);
    dispatcher = std::make_unique<Dispatcher>(journal, journal.inner, http, clock, metrics, Marks());
    log::SetLevel(log::Level::kDebug);
    log::SetWriterForTest([this](log::Level, std::string_view line) {
      MutexLock lock(log_mu);
      log_lines.emplace_back(line);
    });
  }
  ~DispatcherTest() override {
    dispatcher.reset();
    log::SetWriterForTest(nullptr);
    log::SetLevel(log::Level::kInfo);
  }

  DeliveryPlan::Lane& Lane(const std::string& name, std::shared_ptr<Sink> sink = std::make_shared<FakeSink>()) {
    auto& lane = lanes[name];
    lane.config.name = name;
    lane.config.retry = {{std::chrono::seconds(10), std::chrono::seconds(60)}, std::chrono::hours(1)};
    lane.config.timeout = std::chrono::seconds(10);
    lane.sink = std::move(sink);
    return lane;
  }
  void Use() {
    auto plan = std::make_shared<DeliveryPlan>();
    plan->lanes = lanes;
    plan->sources["bolna"] = std::make_shared<FakeSource>();
    plan->composer = composer;
    plan->keep_bodies = keep_bodies;
    dispatcher->Use(plan);
  }
  void Start() {
    Use();
    ASSERT_TRUE(dispatcher->Start().has_value());
  }
  /// What was in flight is forgotten; the journal is all that stays.
  void Restart() {
    dispatcher.reset();
    dispatcher = std::make_unique<Dispatcher>(journal, journal.inner, http, clock, metrics, Marks());
    Start();
  }
  std::shared_ptr<CrashMarks> Marks() const {
    if (marks_path.empty()) return nullptr;
    auto marks = CrashMarks::Open(marks_path);
    EXPECT_TRUE(marks);
    return marks ? std::move(*marks) : nullptr;
  }
  /// Stores an event and gives its deliveries' numbers.
  std::vector<PendingDelivery> Store(const std::string& call, const std::vector<std::string>& sinks,
                                     std::uint64_t call_key = 0) {
    std::vector<NewDelivery> wanted;
    for (const auto& sink : sinks) {
      wanted.push_back(how);
      wanted.back().sink = sink;
    }
    NewEvent event;
    event.source = "bolna";
    event.body = call;
    event.dedup = DigestOf(call + std::to_string(++stored));
    event.received_at = clock.Wall();
    event.call_key = call_key;
    event.deliveries = wanted;
    const auto accepted = journal.Append(event);
    return StoredDeliveries(event, *accepted);
  }
  DeliverySeq Accept(const std::string& call, const std::vector<std::string>& sinks, std::uint64_t call_key = 0) {
    auto pending = Store(call, sinks, call_key);
    const DeliverySeq first = pending.front().seq;
    dispatcher->Accept(nullptr, std::move(pending));
    return first;
  }
  /// Moves the clock and lets the scheduler see it. No plugin may be at work: see AnswerAndAwait.
  void Tick(std::chrono::nanoseconds by) {
    clock.Advance(by);
    dispatcher->Accept(nullptr, {});  // wakes the scheduler
  }
  bool AwaitState(DeliverySeq seq, DeliveryState state) {
    return bell.Await([&] { return journal.inner.StateOf(seq) == state; });
  }
  bool AwaitSent(const std::string& url, std::size_t count) {
    return bell.Await([&] { return http.CountSent(url) >= count; });
  }
  bool AwaitRecords(std::size_t count) {
    return bell.Await([&] { return journal.inner.Records().size() >= count; });
  }
  /// Metrics show the lanes as last published, by a pass of the scheduler.
  bool AwaitMetric(const std::string& line) {
    return bell.Await([&] {
      dispatcher->Accept(nullptr, {});
      return metrics.Text().find(line) != std::string::npos;
    });
  }
  /// Answers the oldest request to `url` and waits until what became of it is recorded: a plugin that is still reading
  /// an answer when the clock is moved by more than its limit is one that hangs.
  bool AnswerAndAwait(const std::string& url, HttpResult result) {
    const std::size_t before = journal.inner.Records().size();
    return http.Answer(url, std::move(result)) && AwaitRecords(before + 1);
  }
  /// Returns when the scheduler has seen everything that happened before, by a delivery through a lane of its own.
  void Settle() {
    const DeliverySeq seq = Accept("barrier", {"barrier"});
    ASSERT_TRUE(AwaitSent("http://barrier", ++barriers));
    ASSERT_TRUE(http.Answer("http://barrier", Answered(200)));
    ASSERT_TRUE(AwaitState(seq, DeliveryState::kDelivered));
  }
  LaneStatus StatusOf(const std::string& sink) {
    for (auto& status : dispatcher->Lanes()) {
      if (status.sink == sink) return status;
    }
    return {};
  }
  std::string Log() {
    MutexLock lock(log_mu);
    std::string all;
    for (const auto& line : log_lines) all += line + "\n";
    return all;
  }

  Bell bell;
  FakeClock clock;
  Metrics metrics;
  BellJournal journal{bell};
  FakeHttp http{bell};
  std::shared_ptr<const Composer> composer;
  std::map<std::string, DeliveryPlan::Lane, std::less<>> lanes;
  std::unique_ptr<Dispatcher> dispatcher;
  NewDelivery how{.sink = {}, .rule = "rule", .template_name = {}};  ///< for what is stored from now on
  std::uint64_t keep_bodies = 0;
  std::string marks_path;  ///< "" for none; Restart opens it
  int stored = 0;
  std::size_t barriers = 0;
  Mutex log_mu;
  std::vector<std::string> log_lines;
};

}  // namespace hookswitch
