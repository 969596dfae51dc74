#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>

#include "core/base/sync.h"
#include "tests/bench/load/load.h"
#include "tests/fakes/http_loop.h"

namespace hookswitch::bench {
namespace {

using Mono = std::chrono::steady_clock;

/// The other end of the way: takes what the router sends and knows how long each call was under way.
class Sink {
 public:
  explicit Sink(const Payload& payload) : payload_(payload) {
    auto loop = fakes::HttpLoop::Start([this](const fakes::HttpRequest& request) { return Take(request); });
    HSW_CHECK(loop, "the loopback has a free port");
    loop_ = std::move(*loop);
  }

  std::uint16_t Port() const { return loop_->Port(); }

  void Sent(std::uint64_t number, Mono::time_point due) {
    MutexLock lock(mu_);
    if (due_.size() <= number) due_.resize(number + 1024);
    due_[number] = due;
    ++sent_;
  }

  /// Waits for the last ones, at most `timeout`; the latencies, sorted,.
  std::vector<std::uint32_t> Finish(std::chrono::milliseconds timeout) {
    const auto deadline = Mono::now() + timeout;
    MutexLock lock(mu_);
    while (latencies_us_.size() < sent_ && Mono::now() < deadline) changed_.WaitUntil(mu_, deadline);
    std::sort(latencies_us_.begin(), latencies_us_.end());
    return latencies_us_;
  }

 private:
  fakes::HttpReply Take(const fakes::HttpRequest& request) {
    const auto now = Mono::now();
    fakes::HttpReply reply;
    reply.body = "ok";
    const auto number = payload_.NumberIn(request.body);
    if (!number) return reply;
    MutexLock lock(mu_);
    if (*number >= due_.size() || due_[*number] == Mono::time_point()) return reply;
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now - due_[*number]).count();
    latencies_us_.push_back(static_cast<std::uint32_t>(took));
    due_[*number] = {};  // a second arrival of the same call counts once
    changed_.NotifyAll();
    return reply;
  }

  const Payload& payload_;
  Mutex mu_;
  CondVar changed_;
  std::vector<Mono::time_point> due_ GUARDED_BY(mu_);
  std::vector<std::uint32_t> latencies_us_ GUARDED_BY(mu_);
  std::size_t sent_ GUARDED_BY(mu_) = 0;
  std::unique_ptr<fakes::HttpLoop> loop_;  // last: its thread ends first
};

int Main(int argc, char** argv) {
  CLI::App app{"Posts calls to a router and measures; figures are name=value, times in microseconds.",
               "hookswitch-load"};
  LoadOptions options;
  std::string payload_path;
  double seconds = 4;
  double warm_up = 0.5;
  bool with_sink = false;
  app.add_option("--port", options.port, "the router's port on 127.0.0.1");
  app.add_option("--path", options.path, "the path to post to");
  app.add_option("--payload", payload_path, "the body to post; @call_id@ in it becomes an id of its own each time")
      ->required();
  app.add_option("--connections", options.connections, "keep-alive connections")->check(CLI::Range(1, 20000));
  app.add_option("--rate", options.rate, "requests a second on a schedule; 0: as fast as answers come");
  app.add_option("--seconds", seconds, "how long to measure")->check(CLI::Range(0.1, 3600.0));
  app.add_option("--warm-up", warm_up, "seconds before that");
  app.add_option("--pid", options.pid, "measure the CPU time of this process");
  app.add_flag(
      "--sink", with_sink,
      "be the sink too: prints its URL, reads \"PORT PID\" of the router from stdin, measures from when a call is due "
      "to when its message arrives");
  CLI11_PARSE(app, argc, argv);

  std::ifstream in(payload_path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", payload_path.c_str());
    return 1;
  }
  Payload payload(std::string(std::istreambuf_iterator<char>(in), {}), std::random_device()());
  options.duration = std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
  options.warm_up = std::chrono::milliseconds(static_cast<std::int64_t>(warm_up * 1000));

  std::unique_ptr<Sink> sink;
  std::function<void(std::uint64_t, Mono::time_point)> sent;
  if (with_sink) {
    sink = std::make_unique<Sink>(payload);
    sent = [&](std::uint64_t number, Mono::time_point due) { sink->Sent(number, due); };
    std::printf("http://127.0.0.1:%u/services/T0/B0/bench\n", static_cast<unsigned>(sink->Port()));
    std::fflush(stdout);
    if (!(std::cin >> options.port >> options.pid)) return 1;
  }

  const auto result = RunLoad(options, payload, sent);
  if (!result) {
    std::fprintf(stderr, "%s\n", result.error().message.c_str());
    return 1;
  }
  std::printf("per_second=%.0f p50=%u p99=%u max=%u cpu_per_request=%.1f",
              static_cast<double>(result->answered) / result->seconds, Percentile(result->latencies_us, 50),
              Percentile(result->latencies_us, 99), result->latencies_us.empty() ? 0 : result->latencies_us.back(),
              result->cpu_us_per_request);
  for (const auto& [status, count] : result->by_status) {
    std::printf(" status_%d=%llu", status, static_cast<unsigned long long>(count));
  }
  std::printf(" unanswered=%llu reconnects=%llu fewest=%llu most=%llu",
              static_cast<unsigned long long>(result->unanswered), static_cast<unsigned long long>(result->reconnects),
              static_cast<unsigned long long>(result->fewest), static_cast<unsigned long long>(result->most));
  if (sink) {
    const auto latencies = sink->Finish(std::chrono::seconds(10));
    std::printf(" arrived=%zu e2e_p50=%u e2e_p99=%u e2e_max=%u", latencies.size(), Percentile(latencies, 50),
                Percentile(latencies, 99), latencies.empty() ? 0 : latencies.back());
  }
  std::printf("\n");
  const bool all_fine = result->unanswered == 0 && result->by_status.size() == 1 && result->by_status.contains(200);
  return all_fine ? 0 : 1;
}

}  // namespace
}  // namespace hookswitch::bench

int main(int argc, char** argv) {
  return hookswitch::bench::Main(argc, argv);
}
