// What rendering costs, and what of it is the ABI's. Aims: the default message with a 20 KB transcript under 60 us, the
// ABI under 1 us per call.
#include <benchmark/benchmark.h>

#include "tests/bench/allocations.h"
#include "tests/sinks/load_sink.h"

namespace hookswitch {
namespace {

Message DefaultMessage(std::size_t transcript_bytes) {
  Message message;
  message.title = "Bolna call ended: completed";
  message.severity = Severity::kSuccess;
  message.fields = {{"Call ID", "3f0c7c4e-1111-4222-8333-444455556666"},
                    {"Agent ID", "9b1d2a60-1111-4222-8333-444455556666"},
                    {"Duration", "1m 13s"},
                    {"Status", "completed"}};
  while (message.transcript.size() < transcript_bytes)
    message.transcript += "Agent: Could you repeat that, please?\nUser: R&D, I said.\n";
  message.at = WallTime(std::chrono::milliseconds(1'772'614'922'000));
  return message;
}

void CountSince(benchmark::State& state, std::size_t before) {
  state.counters["allocations"] =
      static_cast<double>(test::Allocations() - before) / static_cast<double>(state.iterations());
}

void RenderSlack(benchmark::State& state) {
  auto sink =
      test::LoadSink("slack", R"({"webhook_url":"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh"})");
  if (!sink) return state.SkipWithError(sink.error().message.c_str());
  const CallEvent event;
  const Message message = DefaultMessage(static_cast<std::size_t>(state.range(0)));
  const SinkDelivery delivery{event, message, "d-7f", "ops", "rule-1", 1, 0, "", ""};
  const std::size_t before = test::Allocations();
  for (auto _ : state) benchmark::DoNotOptimize((*sink)->Render(delivery));
  CountSince(state, before);
}
BENCHMARK(RenderSlack)->Arg(0)->Arg(20 << 10)->Arg(160 << 10);

void InterpretOk(benchmark::State& state) {
  auto sink =
      test::LoadSink("slack", R"({"webhook_url":"https://hooks.slack.com/services/T1A2B3C4D/B5E6F7G8H/abcdefgh"})");
  if (!sink) return state.SkipWithError(sink.error().message.c_str());
  const CallEvent event;
  const Message message = DefaultMessage(0);
  const SinkDelivery delivery{event, message, "d-7f", "ops", "rule-1", 1, 0, "", ""};
  const HttpResponse response{200, {{"Content-Type", "text/html"}}, "ok"};
  const std::size_t before = test::Allocations();
  for (auto _ : state) benchmark::DoNotOptimize((*sink)->Interpret(delivery, response, {}));
  CountSince(state, before);
}
BENCHMARK(InterpretOk);

/// A sink that does nothing: what is left is the border.
void CrossTheBorder(benchmark::State& state) {
  auto plugin = std::make_shared<Plugin>();
  plugin->sink.size = sizeof(hsw_sink);
  plugin->sink.kind = HSW_KIND_CALL;
  plugin->sink.create = [](const hsw_host*, const hsw_config*, char*, std::size_t) {
    static int instance;
    return reinterpret_cast<hsw_instance*>(&instance);
  };
  plugin->sink.destroy = [](hsw_instance*) {};
  plugin->sink.deliver = [](hsw_instance*, const hsw_call*, const hsw_delivery*, hsw_outcome* outcome) {
    outcome->status = HSW_DELIVERED;
  };
  auto sink = plugins::MakePluginSink(plugin, std::make_shared<const plugins::PluginConfig>("ops", "{}", "UTC"),
                                      plugins::Masker({}));
  if (!sink) return state.SkipWithError(sink.error().message.c_str());
  const CallEvent event;
  const Message message = DefaultMessage(20 << 10);
  const SinkDelivery delivery{event, message, "d-7f", "ops", "rule-1", 1, 0, "", ""};
  for (auto _ : state) benchmark::DoNotOptimize((*sink)->Deliver(delivery, std::chrono::seconds(1), {}));
}
BENCHMARK(CrossTheBorder);

}  // namespace
}  // namespace hookswitch

BENCHMARK_MAIN();
