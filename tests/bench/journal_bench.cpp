#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "core/journal/postgres/postgres_journal.h"
#include "core/journal/sqlite_journal.h"

// What waiting senders see: 64 threads, each appending an event of 3 KB with one delivery and waiting for the disk.
// Compare the rows of one interleaved run only (--benchmark_enable_random_interleaving=true), never across runs. With
// HSW_POSTGRES_URL set (a database of its own: schemas hookswitch_bench_N are made in it and stay), PostgreSQL's, too.
namespace hookswitch {
namespace {

constexpr int kThreads = 64;
constexpr std::size_t kBody = 3100;

struct Shape {
  SqliteTuning tuning{};
  int threads = kThreads;
  bool records = false;  ///< each event is also recorded as delivered
  std::uint64_t retention_size = 0;
  std::string postgres{};  ///< URL of a database, instead of a SQLite file
};

Result<std::unique_ptr<Journal>> Open(const Shape& shape, const std::string& folder, const Clock& clock) {
  if (shape.postgres.empty()) {
    return OpenSqliteJournal({.path = folder + "/journal.db", .retention_size = shape.retention_size}, clock,
                             shape.tuning);
  }
  static int count = 0;
  const std::string schema = "hookswitch_bench_" + std::to_string(getpid()) + "_" + std::to_string(++count);
  return OpenPostgresJournal({.url = shape.postgres, .schema = schema, .router = "bench"}, clock);
}

void Append(benchmark::State& state, const Shape& shape) {
  const SystemClock clock;
  std::string folder = (std::filesystem::temp_directory_path() / "hsw_bench_XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return state.SkipWithError("no folder");
  const int per_thread = 65536 / shape.threads;
  const KeptConfig config{.hash = DigestOf("config"), .since = clock.Wall(), .text = "rules: []"};
  std::vector<std::int64_t> latencies;
  std::int64_t round = 0;
  {
    auto journal = Open(shape, folder, clock);
    if (!journal) return state.SkipWithError(journal.error().message.c_str());
    for (auto _ : state) {
      std::vector<std::vector<std::int64_t>> took(static_cast<std::size_t>(shape.threads));
      {
        std::vector<std::jthread> threads;
        for (int t = 0; t < shape.threads; ++t) {
          threads.emplace_back([&, t, &mine = took[static_cast<std::size_t>(t)]] {
            std::string body(kBody, 'x');
            for (int i = 0; i < per_thread; ++i) {
              const std::string key = std::to_string(round) + "/" + std::to_string(t) + "/" + std::to_string(i);
              std::copy(key.begin(), key.end(), body.begin());
              const NewDelivery delivery{.sink = "ops", .rule = "failed-billing", .template_name = ""};
              NewEvent event;
              event.source = "bolna";
              event.body = body;
              event.dedup = DigestOf(key);
              event.received_at = clock.Wall();
              event.call_id = "3f0c7c4e-66c1-4b3c-9a47-0d6ad5a0a111";
              event.agent = "9b1d2a60-66c1-4b3c-9a47-0d6ad5a0a111";
              event.status = "completed";
              event.call_key = static_cast<std::uint64_t>(i);
              event.config = &config;
              event.deliveries = {&delivery, 1};
              const auto before = std::chrono::steady_clock::now();
              const auto accepted = (*journal)->Append(event);
              mine.push_back((std::chrono::steady_clock::now() - before).count());
              if (!accepted || !shape.records) continue;
              AttemptRecord record;
              record.delivery = accepted->first_delivery;
              record.event = accepted->event;
              record.sink = "ops";
              record.number = 1;
              record.started_at = event.received_at;
              record.outcome.kind = Outcome::Kind::kDelivered;
              record.outcome.http_status = 200;
              record.state = DeliveryState::kDelivered;
              (*journal)->Record(std::move(record));
            }
          });
        }
      }
      ++round;
      for (const auto& mine : took) latencies.insert(latencies.end(), mine.begin(), mine.end());
    }
  }
  std::sort(latencies.begin(), latencies.end());
  const auto at = [&](double part) {
    return static_cast<double>(latencies[static_cast<std::size_t>(part * static_cast<double>(latencies.size() - 1))]) /
           1e6;
  };
  state.SetItemsProcessed(static_cast<std::int64_t>(latencies.size()));
  state.counters["p50_ms"] = at(0.5);
  state.counters["p99_ms"] = at(0.99);
  state.counters["max_ms"] = at(1);
  std::filesystem::remove_all(folder);
}

void Register(const char* name, const Shape& shape) {
  benchmark::RegisterBenchmark(name, [shape](benchmark::State& state) { Append(state, shape); })
      ->UseRealTime()
      ->Unit(benchmark::kMillisecond)
      ->Iterations(2);
}

}  // namespace
}  // namespace hookswitch

int main(int argc, char** argv) {
  using hookswitch::Register;
  Register("append/64_senders", {});
  Register("append/64_senders/page_4096", {.tuning = {.page_size = 4096}});
  Register("append/64_senders/page_16384", {.tuning = {.page_size = 16384}});
  Register("append/64_senders/checkpoint_by_writer", {.tuning = {.checkpoint_thread = false}});
  Register("append/64_senders/with_records", {.records = true});
  // From a third of the run on it removes as fast as is added.
  Register("append/64_senders/with_records/with_retention", {.records = true, .retention_size = 128 << 20});
  Register("append/16_senders", {.threads = 16});
  Register("append/1_sender", {.threads = 1});
  if (const char* url = std::getenv("HSW_POSTGRES_URL")) {
    Register("append/64_senders/postgres", {.postgres = url});
    Register("append/64_senders/with_records/postgres", {.records = true, .postgres = url});
    Register("append/16_senders/postgres", {.threads = 16, .postgres = url});
    Register("append/1_sender/postgres", {.threads = 1, .postgres = url});
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
