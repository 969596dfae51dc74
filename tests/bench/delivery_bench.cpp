#include <benchmark/benchmark.h>

#include <atomic>
#include <memory>

#include "core/base/log.h"
#include "core/delivery/dispatcher.h"
#include "core/delivery/lane.h"
#include "tests/delivery/delivery_fakes.h"
#include "tests/fakes/http_loop.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

void LaneStartFinishSettle(benchmark::State& state) {
  Lane lane({{}, 8, {{1s}, 1h}});
  Jitter jitter(1);
  MonoTime now(1h);
  DeliverySeq seq = 0;
  for (int i = 0; i < state.range(0); ++i) {
    ++seq;
    lane.Add({{.seq = seq, .event = seq, .call_key = static_cast<std::uint64_t>(seq)}, now, now});
  }
  Outcome delivered;
  delivered.kind = Outcome::Kind::kDelivered;
  for (auto _ : state) {
    ++seq;
    now += 1us;
    lane.Add({{.seq = seq, .event = seq, .call_key = static_cast<std::uint64_t>(seq)}, now, now});
    const auto ref = lane.Start(now);
    lane.Finish(*ref, delivered, now, jitter);
    lane.Settle(*ref);
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(LaneStartFinishSettle)->Arg(0)->Arg(1000)->Arg(1'000'000);

/// Gives out pending deliveries and takes records as if the disk were free.
class FreeJournal final : public Journal {
 public:
  explicit FreeJournal(std::size_t pending) : pending_(pending) {}
  Result<Accepted> Append(const NewEvent&) override { return Error{ErrorCode::kUnsupported, ""}; }
  void AppendAllThen(std::span<const NewEvent>, AppendedAll done) override { done(Error{ErrorCode::kUnsupported, ""}); }
  void Record(AttemptRecord record) override {
    recorded_(record.delivery, 0, true);
    if (++recorded == wanted) recorded.notify_all();
  }
  void OnRecorded(Recorded recorded) override { recorded_ = std::move(recorded); }
  void RecordRefused(RefusedRequest) override {}
  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) override {
    std::vector<PendingDelivery> page;
    for (auto seq = static_cast<std::size_t>(after) + 1; seq <= pending_ && page.size() < limit; ++seq) {
      const auto number = static_cast<DeliverySeq>(seq);
      page.push_back({{.seq = number, .event = number, .call_key = seq},
                      {.sink = "ops", .rule = "failed-billing", .template_name = "short"},
                      WallTime(1ms)});
    }
    return page;
  }
  Result<std::vector<LaneDue>> LoadLanes() override { return std::vector<LaneDue>(); }
  Result<StoredEvent> Load(EventSeq event) override {
    return StoredEvent{event, "01JD0000000000000000000000", "bolna", "", "call", WallTime(1ms)};
  }
  Result<std::string> LoadMemory(std::string_view, std::uint64_t) override { return std::string(); }
  JournalStats Stats() override { return {}; }
  History& history() override { return history_; }
  void Await(std::size_t count) {
    wanted = count;
    for (std::size_t now = recorded; now < count; now = recorded) recorded.wait(now);
  }

  std::atomic<std::size_t> recorded{0}, wanted{~std::size_t{0}};

 private:
  const std::size_t pending_;
  Recorded recorded_;
  MemoryJournal history_;
};

std::shared_ptr<DeliveryPlan> PlanFor(std::shared_ptr<Sink> sink, int concurrency) {
  config::Problems problems;
  auto plan = std::make_shared<DeliveryPlan>();
  auto& lane = plan->lanes["ops"];
  lane.config.name = "ops";
  lane.config.retry = {{1s}, 1h};
  lane.config.concurrency = concurrency;
  lane.sink = std::move(sink);
  plan->sources["bolna"] = std::make_shared<FakeSource>();
  plan->composer = Composer::Compile({}, problems);
  return plan;
}

void StartWithPending(benchmark::State& state) {
  const SystemClock clock;
  Bell bell;
  FakeHttp http(bell);
  for (auto _ : state) {
    Metrics metrics;
    FreeJournal journal(static_cast<std::size_t>(state.range(0)));
    Dispatcher dispatcher(journal, journal.history(), http, clock, metrics);
    dispatcher.Use(PlanFor(nullptr, 8));
    benchmark::DoNotOptimize(dispatcher.Start().has_value());
  }
}
BENCHMARK(StartWithPending)->Arg(100'000)->Unit(benchmark::kMillisecond);

/// From the journal to a server on loopback that answers at once, and back to the journal.
void DeliverToLoopback(benchmark::State& state) {
  constexpr std::size_t kCount = 20'000;
  log::SetLevel(log::Level::kWarn);
  auto server = fakes::HttpLoop::Start([](const fakes::HttpRequest&) { return fakes::HttpReply{}; });
  auto sink = std::make_shared<FakeSink>();
  const std::string url = "http://127.0.0.1:" + std::to_string((*server)->Port()) + "/hook";
  sink->render = [&url](const SinkDelivery& delivery) -> std::variant<HttpRequest, Outcome> {
    return HttpRequest{
        "POST", url, {{"Content-Type", "application/json"}}, std::string(2000, 'x') + delivery.message.title};
  };
  const SystemClock clock;
  const auto http = MakeCurlClient({});
  for (auto _ : state) {
    Metrics metrics;
    FreeJournal journal(kCount);
    Dispatcher dispatcher(journal, journal.history(), *http, clock, metrics);
    dispatcher.Use(PlanFor(sink, static_cast<int>(state.range(0))));
    if (!dispatcher.Start()) state.SkipWithError("it does not start");
    journal.Await(kCount);
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kCount));
}
BENCHMARK(DeliverToLoopback)->Arg(8)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace hookswitch

BENCHMARK_MAIN();
