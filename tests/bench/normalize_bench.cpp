// What a source costs per request: Bolna's completed call (about 3 KB), a short status change, a long transcript, and
// many keys that nobody knows.
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

#include "core/base/json.h"
#include "core/sources/source.h"
#include "tests/bench/allocations.h"

namespace hookswitch {
namespace {

std::string Sample(const std::string& name) {
  std::ifstream file(std::string(HSW_SOURCE_DIR) + "/tests/golden/sources/bolna/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string LongTranscript() {
  json::value body = json::parse(Sample("completed.json"));
  std::string transcript;
  for (int i = 0; i < 2000; ++i) transcript += "assistant: What time suits you best on Friday?\nuser:  ten is fine\n";
  body.as_object()["transcript"] = transcript;
  return ToText(body);
}

/// As many keys as are kept, in an order that is not theirs.
std::string ManyKeys() {
  json::value body = json::parse(Sample("completed.json"));
  for (unsigned i = 0; i < 256; ++i) {
    body.as_object()["key " + std::to_string(i * 2654435761u)] = "a value that is not quite short";
  }
  return ToText(body);
}

void Normalize(benchmark::State& state, const std::string& body) {
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  const auto source = MakeSource(config, std::make_shared<AgentMap>());
  const RawRequest request{body, {}, WallTime{}};
  benchmark::DoNotOptimize(source->Normalize(request));
  const std::size_t before = test::Allocations();
  for (auto _ : state) benchmark::DoNotOptimize(source->Normalize(request));
  state.counters["allocations"] =
      static_cast<double>(test::Allocations() - before) / static_cast<double>(state.iterations());
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(body.size()));
}

BENCHMARK_CAPTURE(Normalize, completed, Sample("completed.json"));
BENCHMARK_CAPTURE(Normalize, ringing, Sample("ringing.json"));
BENCHMARK_CAPTURE(Normalize, long_transcript, LongTranscript());
BENCHMARK_CAPTURE(Normalize, many_keys, ManyKeys());

}  // namespace
}  // namespace hookswitch

BENCHMARK_MAIN();
