#include <poll.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <random>
#include <thread>

#include "core/base/check.h"
#include "core/base/sync.h"
#include "core/http/http_client.h"
#include "tests/bench/load/arrivals.h"
#include "tests/bench/load/fast_sink.h"
#include "tests/bench/load/load.h"
#include "tests/bench/load/router_process.h"
#include "tests/bench/load/stream_readers.h"
#include "tests/fakes/raw_client.h"

// A router between a client and sinks of our own: how much goes through, how fast, at what cost. Each figure stands
// beside its limit, which is taken in the same run: the same bytes with nothing between the two.
namespace hookswitch::bench {
namespace {

using Mono = Arrivals::Mono;
using Manner = FastSink::Manner;

struct Settings {
  std::string router, plugins, work, plugin = "slack", payload_file, bare;
  int rounds = 3;
  double seconds = 5;
  int connections = 32;
  int concurrency = 128;
  int readers = 10;
  double rate = 12'000;
  double of_bare = 0;  ///< not 0: in place of `rate`, this share of what the bare server answers
  std::uint64_t events = 100'000;
  std::uint64_t few = 1'000, many = 1'000'000;
  std::string payload;
};

double Seconds(Mono::duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double Megabytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / 1e6;
}

/// Figures by name, one of each a round: the middle one and the range at the end.
class Figures {
 public:
  void Add(const std::string& name, double value) {
    if (!values_.contains(name)) order_.push_back(name);
    values_[name].push_back(value);
  }
  void Print() const {
    for (const std::string& name : order_) {
      std::vector<double> sorted = values_.at(name);
      std::sort(sorted.begin(), sorted.end());
      const std::size_t half = sorted.size() / 2;
      const double middle = sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
      const int digits = middle >= 100 ? 0 : middle >= 10 ? 1 : middle >= 1 ? 2 : 3;
      std::printf("  %-34s %.*f (%.*f-%.*f)\n", name.c_str(), digits, middle, digits, sorted.front(), digits,
                  sorted.back());
    }
    std::fflush(stdout);
  }

 private:
  std::map<std::string, std::vector<double>> values_;
  std::vector<std::string> order_;
};

/// One run of calls: their ids, when they were sent and where they arrived.
struct Calls {
  Calls(const Settings& settings, std::size_t sinks, std::uint64_t most)
      : payload(settings.payload, std::random_device()()), arrivals(sinks, most) {}
  Payload payload;
  Arrivals arrivals;
  std::uint64_t sent = 0;

  LoadResult Send(const LoadOptions& options) {
    auto result = RunLoad(options, payload, [this](std::uint64_t number, Mono::time_point at) {
      ++sent;
      arrivals.Sent(number, at);
    });
    const bool fine =
        result && result->unanswered == 0 && result->by_status.size() == 1 && result->by_status.contains(200);
    if (!fine) {
      std::fprintf(stderr, "not every call was answered with 200\n");
      std::exit(1);
    }
    return std::move(*result);
  }

  /// Waits until `count` calls have reached `sink`.
  void Await(std::size_t sink, std::uint64_t count) const {
    const auto deadline = Mono::now() + std::chrono::minutes(5);
    while (arrivals.Count(sink) < count) {
      if (Mono::now() > deadline) {
        std::fprintf(stderr, "only %llu of %llu calls arrived\n", static_cast<unsigned long long>(arrivals.Count(sink)),
                     static_cast<unsigned long long>(count));
        std::exit(1);
      }
      poll(nullptr, 0, 1);
    }
  }

  std::vector<std::uint32_t> Times(std::size_t sinks, std::uint64_t first = 0) const {
    std::vector<std::uint32_t> times;
    for (std::size_t sink = 0; sink < sinks; ++sink) arrivals.AddTimes(sink, first, times);
    std::sort(times.begin(), times.end());
    return times;
  }
};

/// Sinks that tell `calls` of what arrives.
class Sinks {
 public:
  explicit Sinks(const std::vector<Manner>& manners)
      : sink_(manners, [this](std::size_t sink, std::string_view request, Mono::time_point at) {
          MutexLock lock(mu_);
          if (sample_.empty()) sample_ = request;
          if (!calls_) return;
          if (const auto number = calls_->payload.NumberIn(request)) calls_->arrivals.Arrived(sink, *number, at);
        }) {}
  void TellTo(Calls* calls) {
    MutexLock lock(mu_);
    calls_ = calls;
  }
  std::uint16_t Port(std::size_t sink) const { return sink_.Port(sink); }
  /// The first request that arrived.
  std::string Sample() {
    MutexLock lock(mu_);
    return sample_;
  }

 private:
  Mutex mu_;
  Calls* calls_ GUARDED_BY(mu_) = nullptr;
  std::string sample_ GUARDED_BY(mu_);
  FastSink sink_;
};

std::string ConfigFor(const Settings& settings, const Sinks& sinks, std::size_t count, std::string_view rules) {
  std::string text =
      "plugins: {paths: [" + settings.plugins + "]}\nsources:\n  bolna: {type: bolna, path: /bolna/webhook}\nsinks:\n";
  for (std::size_t i = 0; i < count; ++i) {
    const std::string url = "http://127.0.0.1:" + std::to_string(sinks.Port(i)) + "/services/T0/B0/bench";
    text += "  sink" + std::to_string(i) + ":\n    plugin: " + settings.plugin + "\n    config: {";
    text += settings.plugin == "slack" ? "webhook_url: \"" + url + "\", allow_any_host: true"
                                       : "url: \"" + url + "\", allow_private: true, allow_http: true";
    text += "}\n    rate_limit: {max: 1000000, per: 1s, burst: 1000000}\n    concurrency: " +
            std::to_string(settings.concurrency) + "\n";
  }
  return text + "rules:\n" + std::string(rules);
}

constexpr std::string_view kToFirst = "  - {name: completed-calls, when: {status: completed}, send: [sink0]}\n";

LoadOptions OptionsFor(const Settings& settings, std::uint16_t port) {
  LoadOptions options;
  options.port = port;
  options.path = "/bolna/webhook";
  options.connections = settings.connections;
  return options;
}

/// Calls a second that the bare server answers when each connection sends on as soon as it is answered: what the
/// machine can do at this time, for figures that are to be compared with those of another.
double BareRate(const Settings& settings) {
  const BareProcess bare(settings.bare, settings.work + "-bare");
  LoadOptions options = OptionsFor(settings, bare.Port());
  options.connections = 64;  // as in tests/bench/run.sh
  options.duration = std::chrono::milliseconds(2000);
  const LoadResult sent = Calls(settings, 1, 0).Send(options);
  return static_cast<double>(sent.answered) / sent.seconds;
}

// --- sustained -------------------------------------------------------------------------------------------------------

void Sustained(const Settings& settings) {
  std::printf(
      "sustained: %d connections, %zu byte calls, %llu of them a round, each sent on when the last was answered;"
      " sink %s\n",
      settings.connections, settings.payload.size(), static_cast<unsigned long long>(settings.events),
      settings.plugin.c_str());
  Figures figures;
  for (int round = 0; round < settings.rounds; ++round) {
    Sinks sinks({Manner::kAnswer});
    const double bare = settings.bare.empty() ? 0 : BareRate(settings);
    if (bare != 0) figures.Add("bare handler: calls/s", bare);
    for (int turn = 0; turn < 2; ++turn) {
      Calls calls(settings, 1, settings.events);
      sinks.TellTo(&calls);
      if ((turn + round) % 2 == 0) {
        LoadOptions options = OptionsFor(settings, sinks.Port(0));
        options.requests = settings.events;
        figures.Add("limit: calls/s", static_cast<double>(settings.events) / calls.Send(options).seconds);
        figures.Add("limit: p50 us", Percentile(calls.Times(1), 50));
      } else {
        RouterProcess router(settings.router, settings.work, ConfigFor(settings, sinks, 1, kToFirst));
        MemoryWatch memory(router.Pid());
        LoadOptions options = OptionsFor(settings, router.Ingress());
        options.requests = settings.events;
        const double cpu = CpuSeconds(router.Pid());
        const auto begin = Mono::now();
        const LoadResult sent = calls.Send(options);
        calls.Await(0, settings.events);
        const double count = static_cast<double>(settings.events);
        figures.Add("accepted/s", count / sent.seconds);
        const double delivered = count / Seconds(calls.arrivals.Last() - begin);
        figures.Add("delivered/s", delivered);
        if (bare != 0) figures.Add("delivered for each bare call", delivered / bare);
        const auto times = calls.Times(1);
        figures.Add("request to sink p50 us", Percentile(times, 50));
        figures.Add("request to sink p99 us", Percentile(times, 99));
        figures.Add("cpu us/event", (CpuSeconds(router.Pid()) - cpu) * 1e6 / count);
        figures.Add("resident MB", Megabytes(memory.Peak()));
      }
      sinks.TellTo(nullptr);
    }
  }
  figures.Print();
}

// --- watched ---------------------------------------------------------------------------------------------------------

/// What a call costs while nobody reads the stream, and while some do.
void Watched(const Settings& settings) {
  std::printf("watched: as sustained, %llu calls a round, with no reader of the stream and with %d\n",
              static_cast<unsigned long long>(settings.events), settings.readers);
  Figures figures;
  for (int round = 0; round < settings.rounds; ++round) {
    Sinks sinks({Manner::kAnswer});
    double accepted[2] = {}, cpu[2] = {};
    for (int turn = 0; turn < 2; ++turn) {
      const int watched = (turn + round) % 2;
      const std::string kind = watched == 0 ? "alone: " : "watched: ";
      Calls calls(settings, 1, settings.events);
      sinks.TellTo(&calls);
      RouterProcess router(settings.router, settings.work, ConfigFor(settings, sinks, 1, kToFirst));
      const StreamReaders readers(router.Admin(), watched == 0 ? 0 : settings.readers);
      LoadOptions options = OptionsFor(settings, router.Ingress());
      options.requests = settings.events;
      const double before = CpuSeconds(router.Pid());
      const LoadResult sent = calls.Send(options);
      calls.Await(0, settings.events);
      const double count = static_cast<double>(settings.events);
      accepted[watched] = count / sent.seconds;
      cpu[watched] = (CpuSeconds(router.Pid()) - before) * 1e6 / count;
      figures.Add(kind + "accepted/s", accepted[watched]);
      figures.Add(kind + "request to sink p99 us", Percentile(calls.Times(1), 99));
      figures.Add(kind + "cpu us/event", cpu[watched]);
      if (watched != 0) {
        figures.Add("a reader gets: KB/s",
                    static_cast<double>(readers.Bytes()) / settings.readers / 1e3 / sent.seconds);
        figures.Add("readers cut", readers.Ended());
        figures.Add("thread live, % of cpu", CpuSecondsOf(router.Pid(), "live") * 1e8 / count / cpu[watched]);
      }
      sinks.TellTo(nullptr);
    }
    figures.Add("accepted, watched for each alone", accepted[1] / accepted[0]);
    figures.Add("cpu, watched for each alone", cpu[1] / cpu[0]);
  }
  figures.Print();
}

/// The same on a schedule: what the latency is at `rate`, which waits for nobody.
void Paced(const Settings& settings) {
  const bool of_bare = settings.of_bare > 0;
  std::printf("%s: %.*f %s for %.0f s on %d connections, from when a call is due to when it arrives; sink %s\n",
              of_bare ? "steady" : "paced", of_bare ? 3 : 0, of_bare ? settings.of_bare : settings.rate,
              of_bare ? "calls for each that the bare handler answers" : "calls/s", settings.seconds,
              settings.connections, settings.plugin.c_str());
  Figures figures;
  for (int round = 0; round < settings.rounds; ++round) {
    Sinks sinks({Manner::kAnswer});
    double rate = settings.rate;
    if (of_bare) {
      const double bare = BareRate(settings);
      figures.Add("bare handler: calls/s", bare);
      rate = settings.of_bare * bare;
    }
    const auto most = static_cast<std::uint64_t>(rate * (settings.seconds + 2));
    for (int turn = 0; turn < 2; ++turn) {
      Calls calls(settings, 1, most);
      sinks.TellTo(&calls);
      const bool direct = (turn + round) % 2 == 0;
      std::optional<RouterProcess> router;
      std::optional<MemoryWatch> memory;
      if (!direct) {
        router.emplace(settings.router, settings.work, ConfigFor(settings, sinks, 1, kToFirst));
        memory.emplace(router->Pid());
      }
      LoadOptions options = OptionsFor(settings, direct ? sinks.Port(0) : router->Ingress());
      options.rate = rate;
      options.duration = std::chrono::milliseconds(static_cast<int>(settings.seconds * 1000));
      options.pid = direct ? 0 : router->Pid();
      const LoadResult sent = calls.Send(options);
      const std::string side = direct ? "limit: " : "";
      figures.Add(side + "answered/s", static_cast<double>(sent.answered) / sent.seconds);
      const auto behind = calls.sent - calls.arrivals.Count(0);
      calls.Await(0, calls.sent);
      const auto times = calls.Times(1, static_cast<std::uint64_t>(rate / 2));
      figures.Add(side + "request to sink p50 us", Percentile(times, 50));
      figures.Add(side + "request to sink p99 us", Percentile(times, 99));
      if (!direct) {
        figures.Add("behind at the end", static_cast<double>(behind));
        figures.Add("cpu us/event", sent.cpu_us_per_request);
        figures.Add("resident MB", Megabytes(memory->Peak()));
      }
      sinks.TellTo(nullptr);
    }
  }
  figures.Print();
}

// --- drain -----------------------------------------------------------------------------------------------------------

/// Sends `request` `count` times with the client that the router uses, `concurrency` at once. Returns the seconds.
double SendAlone(HttpClient& client, const HttpRequest& request, std::uint64_t count, int concurrency) {
  struct State {
    Mutex mu;
    CondVar changed;
    std::uint64_t begun GUARDED_BY(mu) = 0, ended GUARDED_BY(mu) = 0;
  } state;
  const std::function<void()> next = [&] {
    {
      MutexLock lock(state.mu);
      if (state.begun == count) return;
      ++state.begun;
    }
    client.Send(request, std::chrono::seconds(10), [&](const HttpResult&) {
      next();
      MutexLock lock(state.mu);
      if (++state.ended == count) state.changed.NotifyAll();
    });
  };
  const auto begin = Mono::now();
  for (int i = 0; i < concurrency; ++i) next();
  MutexLock lock(state.mu);
  while (state.ended < count) state.changed.Wait(state.mu);
  return Seconds(Mono::now() - begin);
}

void Drain(const Settings& settings) {
  std::printf("drain: a backlog of %llu deliveries into a sink (%s) that answers at once, %d at a time\n",
              static_cast<unsigned long long>(settings.events), settings.plugin.c_str(), settings.concurrency);
  Figures figures;
  for (int round = 0; round < settings.rounds; ++round) {
    Sinks sinks({Manner::kAnswer});
    Calls calls(settings, 1, settings.events);
    sinks.TellTo(&calls);
    const double count = static_cast<double>(settings.events);
    {
      RouterProcess router(settings.router, settings.work, ConfigFor(settings, sinks, 1, kToFirst));
      router.Pause("sink0");
      LoadOptions options = OptionsFor(settings, router.Ingress());
      options.requests = settings.events;
      calls.Send(options);
      figures.Add("resident MB before", Megabytes(ResidentBytes(router.Pid())));
      MemoryWatch memory(router.Pid());
      const double cpu = CpuSeconds(router.Pid());
      const auto begin = Mono::now();
      router.Resume("sink0");
      calls.Await(0, settings.events);
      figures.Add("delivered/s", count / Seconds(calls.arrivals.Last() - begin));
      figures.Add("cpu us/delivery", (CpuSeconds(router.Pid()) - cpu) * 1e6 / count);
      figures.Add("resident MB at most", Megabytes(memory.Peak()));
    }
    sinks.TellTo(nullptr);
    const std::string sample = sinks.Sample();
    HttpRequest request;
    request.method = "POST";
    request.url = "http://127.0.0.1:" + std::to_string(sinks.Port(0)) + "/services/T0/B0/bench";
    request.headers = {{"Content-Type", "application/json"}};
    request.body = sample.substr(sample.find("\r\n\r\n") + 4);
    const auto client = MakeCurlClient({});
    const double own_cpu = CpuSeconds(getpid());
    figures.Add("limit (curl alone): sent/s",
                count / SendAlone(*client, request, settings.events, settings.concurrency));
    figures.Add("limit (curl alone): cpu us, sink too", (CpuSeconds(getpid()) - own_cpu) * 1e6 / count);
    LoadOptions options = OptionsFor(settings, sinks.Port(0));
    options.connections = settings.concurrency;
    options.requests = settings.events;
    Calls direct(settings, 1, settings.events);
    figures.Add("limit (load client): sent/s", count / direct.Send(options).seconds);
  }
  figures.Print();
}

// --- backlog ---------------------------------------------------------------------------------------------------------

/// One router with so many deliveries that wait for a paused sink.
struct Waiting {
  Waiting(const Settings& settings, const std::string& folder, std::uint64_t count)
      : sinks({Manner::kAnswer, Manner::kAnswer}),
        router(settings.router, folder,
               ConfigFor(settings, sinks, 2,
                         "  - {name: completed-calls, when: {status: completed}, send: [sink0]}\n"
                         "  - {name: queued-calls, when: {status: queued}, send: [sink1]}\n")) {
    router.Pause("sink1");
    Settings small = settings;
    small.payload = R"({"id":"@call_id@","agent_id":"9b1d2a60-3c1e-4a51-9d55-2f8a9c0b7e11","status":"queued"})";
    Calls calls(small, 1, 1);
    LoadOptions options = OptionsFor(settings, router.Ingress());
    options.requests = count;
    calls.Send(options);
  }
  Sinks sinks;
  RouterProcess router;
};

void Backlog(const Settings& settings) {
  std::printf("backlog: accept and deliver %llu calls a round while %llu or %llu deliveries wait for another sink\n",
              static_cast<unsigned long long>(settings.events), static_cast<unsigned long long>(settings.few),
              static_cast<unsigned long long>(settings.many));
  Figures figures;
  Waiting few(settings, settings.work + "/few", settings.few);
  Waiting many(settings, settings.work + "/many", settings.many);
  figures.Add("resident MB, few", Megabytes(ResidentBytes(few.router.Pid())));
  figures.Add("resident MB, many", Megabytes(ResidentBytes(many.router.Pid())));
  for (int round = 0; round < settings.rounds; ++round) {
    double cost[2] = {};
    double took[2] = {};
    for (int turn = 0; turn < 2; ++turn) {
      const bool is_many = (turn + round) % 2 == 1;
      Waiting& waiting = is_many ? many : few;
      Calls calls(settings, 1, settings.events);
      waiting.sinks.TellTo(&calls);
      LoadOptions options = OptionsFor(settings, waiting.router.Ingress());
      options.requests = settings.events;
      const double cpu = CpuSeconds(waiting.router.Pid());
      const auto begin = Mono::now();
      calls.Send(options);
      calls.Await(0, settings.events);
      const double count = static_cast<double>(settings.events);
      took[is_many] = Seconds(calls.arrivals.Last() - begin) * 1e6 / count;
      cost[is_many] = (CpuSeconds(waiting.router.Pid()) - cpu) * 1e6 / count;
      waiting.sinks.TellTo(nullptr);
    }
    figures.Add("us/event, few wait", took[0]);
    figures.Add("us/event, many wait", took[1]);
    figures.Add("cpu us/event, few wait", cost[0]);
    figures.Add("cpu us/event, many wait", cost[1]);
    figures.Add("many / few, time", took[1] / took[0]);
    figures.Add("many / few, cpu", cost[1] / cost[0]);
  }
  figures.Print();
}

// --- one sink down ---------------------------------------------------------------------------------------------------

void Down(const Settings& settings) {
  constexpr std::size_t kOthers = 3;
  std::printf("down: %.0f calls/s for %.0f s, each to four sinks (%s); the fourth answers, refuses, hangs\n",
              settings.rate, settings.seconds, settings.plugin.c_str());
  Figures figures;
  const std::pair<const char*, Manner> kFourth[] = {
      {"answers", Manner::kAnswer}, {"refuses", Manner::kRefuse}, {"hangs", Manner::kHang}};
  const auto most = static_cast<std::uint64_t>(settings.rate * (settings.seconds + 2));
  for (int round = 0; round < settings.rounds; ++round) {
    double p99[3] = {};
    for (int turn = 0; turn < 3; ++turn) {
      const int which = (turn + round) % 3;
      Sinks sinks({Manner::kAnswer, Manner::kAnswer, Manner::kAnswer, kFourth[which].second});
      Calls calls(settings, kOthers + 1, most);
      sinks.TellTo(&calls);
      RouterProcess router(settings.router, settings.work,
                           ConfigFor(settings, sinks, kOthers + 1,
                                     "  - {name: completed-calls, when: {status: completed},"
                                     " send: [sink0, sink1, sink2, sink3]}\n"));
      LoadOptions options = OptionsFor(settings, router.Ingress());
      options.rate = settings.rate;
      options.duration = std::chrono::milliseconds(static_cast<int>(settings.seconds * 1000));
      options.pid = router.Pid();
      calls.Send(options);
      for (std::size_t sink = 0; sink < kOthers; ++sink) calls.Await(sink, calls.sent);
      sinks.TellTo(nullptr);
      const auto times = calls.Times(kOthers, static_cast<std::uint64_t>(settings.rate / 2));
      const std::string name = kFourth[which].first;
      figures.Add("fourth " + name + ": others p50 us", Percentile(times, 50));
      figures.Add("fourth " + name + ": others p99 us", p99[which] = Percentile(times, 99));
    }
    figures.Add("p99, refuses / answers", p99[1] / p99[0]);
    figures.Add("p99, hangs / answers", p99[2] / p99[0]);
  }
  figures.Print();
}

// --- purge -----------------------------------------------------------------------------------------------------------

/// Asks for /readyz every few milliseconds for as long as it lives.
class ReadyWatch {
 public:
  explicit ReadyWatch(std::uint16_t port) {
    thread_ = std::thread([this, port] {
      fakes::RawClient client(port);
      const std::string request = fakes::RequestBytes("GET", "/readyz", "");
      while (!stop_) {
        const auto begin = Mono::now();
        const bool sent = client.Send(request);
        if (!sent || client.Receive().status != 200) {
          std::fprintf(stderr, "/readyz was not answered with 200\n");
          std::exit(1);
        }
        took_ms_.push_back(Seconds(Mono::now() - begin) * 1e3);
        poll(nullptr, 0, 3);
      }
    });
  }
  /// What the answers took, in milliseconds; ends the watch.
  std::vector<double> End() {
    stop_ = true;
    thread_.join();
    std::sort(took_ms_.begin(), took_ms_.end());
    return std::move(took_ms_);
  }

 private:
  std::atomic<bool> stop_{false};
  std::vector<double> took_ms_;
  std::thread thread_;
};

/// One that waits for sink1, of an agent that a purge can name.
Settings SettingsOfAgent(Settings settings, const std::string& agent) {
  settings.payload = R"({"id":"@call_id@","agent_id":")" + agent + R"(","status":"queued"})";
  return settings;
}

void Purge(const Settings& settings) {
  const std::uint64_t purged = settings.many / 10;
  std::printf("purge: %.0f calls/s to one sink while %llu of %llu deliveries that wait for another are purged\n",
              settings.rate, static_cast<unsigned long long>(purged), static_cast<unsigned long long>(settings.many));
  Figures figures;
  for (int round = 0; round < settings.rounds; ++round) {
    Sinks sinks({Manner::kAnswer, Manner::kAnswer});
    RouterProcess router(settings.router, settings.work,
                         ConfigFor(settings, sinks, 2,
                                   "  - {name: completed-calls, when: {status: completed}, send: [sink0]}\n"
                                   "  - {name: queued-calls, when: {status: queued}, send: [sink1]}\n"));
    router.Pause("sink1");
    const std::pair<const char*, std::uint64_t> kWaiting[] = {
        {"stays", (settings.many - purged) / 2}, {"goes", purged}, {"stays", (settings.many - purged) / 2}};
    for (const auto& [agent, count] : kWaiting) {
      LoadOptions options = OptionsFor(settings, router.Ingress());
      options.requests = count;
      Calls(SettingsOfAgent(settings, agent), 1, 1).Send(options);
    }
    for (const bool purges : {false, true}) {
      const auto most = static_cast<std::uint64_t>(settings.rate * (settings.seconds + 2));
      Calls calls(settings, 1, most);
      sinks.TellTo(&calls);
      ReadyWatch ready(router.Admin());
      double seconds = 0;
      std::thread purge([&] {
        if (!purges) return;
        poll(nullptr, 0, 1000);
        const auto begin = Mono::now();
        const auto answer =
            fakes::Fetch(router.Admin(), "POST", "/api/v1/deliveries/purge",
                         R"({"sink": "sink1", "state": "held", "agent": "goes"})", {}, std::chrono::minutes(5));
        seconds = Seconds(Mono::now() - begin);
        if (answer.body.find("\"changed\":" + std::to_string(purged)) == std::string::npos) {
          std::fprintf(stderr, "the purge answered %d %.300s %s\n", answer.status, answer.body.c_str(),
                       answer.error.c_str());
          std::exit(1);
        }
      });
      LoadOptions options = OptionsFor(settings, router.Ingress());
      options.rate = settings.rate;
      options.duration = std::chrono::milliseconds(static_cast<int>(settings.seconds * 1000));
      calls.Send(options);
      purge.join();
      calls.Await(0, calls.sent);
      sinks.TellTo(nullptr);
      const auto times = calls.Times(1);
      const auto answers = ready.End();
      const std::string when = purges ? "meanwhile: " : "before: ";
      if (purges) figures.Add("purge: seconds", seconds);
      figures.Add(when + "request to sink p50 us", Percentile(times, 50));
      figures.Add(when + "request to sink p99 us", Percentile(times, 99));
      figures.Add(when + "request to sink most us", times.back());
      figures.Add(when + "/readyz p99 us", answers[answers.size() * 99 / 100] * 1e3);
      figures.Add(when + "/readyz most us", answers.back() * 1e3);
    }
  }
  figures.Print();
}

int Main(int argc, char** argv) {
  CLI::App app{"Measures a router between a client and sinks of its own.", "hookswitch-flow"};
  Settings settings;
  std::string scenario;
  app.add_option("scenario", scenario, "what to measure")
      ->required()
      ->check(CLI::IsMember({"sustained", "watched", "paced", "drain", "backlog", "down", "purge"}));
  app.add_option("--router", settings.router, "the program")->required()->check(CLI::ExistingFile);
  app.add_option("--plugins", settings.plugins, "folder of the sink plugin")->required()->check(CLI::ExistingDirectory);
  app.add_option("--work", settings.work, "a folder for journals; it is emptied")->required();
  app.add_option("--payload", settings.payload_file, "the call; @call_id@ becomes an id of its own each time")
      ->required()
      ->check(CLI::ExistingFile);
  app.add_option("--plugin", settings.plugin, "which sink")->check(CLI::IsMember({"slack", "webhook"}));
  app.add_option("--rounds", settings.rounds)->check(CLI::Range(1, 100));
  app.add_option("--seconds", settings.seconds, "of a paced round")->check(CLI::Range(0.5, 600.0));
  app.add_option("--rate", settings.rate, "calls a second of a paced round")->check(CLI::Range(1.0, 1e6));
  app.add_option("--bare", settings.bare, "hookswitch-bare, to be measured beside")->check(CLI::ExistingFile);
  app.add_option("--of-bare", settings.of_bare, "calls of a paced round for each that the bare handler answers")
      ->check(CLI::Range(0.001, 10.0))
      ->needs("--bare")
      ->excludes("--rate");
  app.add_option("--connections", settings.connections)->check(CLI::Range(1, 4096));
  app.add_option("--concurrency", settings.concurrency, "of each sink")->check(CLI::Range(1, 1000));
  app.add_option("--readers", settings.readers, "of the stream, in watched")->check(CLI::Range(1, 64));
  app.add_option("--events", settings.events, "of a round that is not paced")->check(CLI::Range(100, 10'000'000));
  app.add_option("--few", settings.few, "waiting deliveries of backlog's one side");
  app.add_option("--many", settings.many, "and of its other; those that wait for purge");
  CLI11_PARSE(app, argc, argv);
  std::ifstream in(settings.payload_file, std::ios::binary);
  settings.payload.assign(std::istreambuf_iterator<char>(in), {});

  if (scenario == "sustained") Sustained(settings);
  if (scenario == "watched") Watched(settings);
  if (scenario == "paced") Paced(settings);
  if (scenario == "drain") Drain(settings);
  if (scenario == "backlog") Backlog(settings);
  if (scenario == "down") Down(settings);
  if (scenario == "purge") Purge(settings);
  return 0;
}

}  // namespace
}  // namespace hookswitch::bench

int main(int argc, char** argv) {
  return hookswitch::bench::Main(argc, argv);
}
