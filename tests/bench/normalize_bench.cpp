// What a source costs per request: Bolna's completed call (about 3 KB), a short status change, a long transcript, and
// many keys that nobody knows; and the same bodies by a mapping that reads the same of them, as a share of that
// ("ratio"; at most 1.5).
#include <benchmark/benchmark.h>

#include <chrono>
#include <fstream>
#include <iterator>
#include <string>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/config/loader.h"
#include "core/sources/mapping/mapped_source.h"
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

constexpr char kConfig[] = R"(
sources:
  bolna:
    type: json
    path: /x
    allow_ips: [192.0.2.1]
    map:
      call_id: [id, execution_id]
      agent: {id: agent_id}
      status: {path: status, values: {prepared: scheduled, scheduled: scheduled, queued: queued, ringing: ringing,
        initiated: initiated, in-progress: in-progress, call-disconnected: call-disconnected, completed: completed,
        busy: busy, no-answer: no-answer, "cancel*": canceled, failed: failed, stopped: stopped, error: error}}
      direction: [telephony_data.call_type, {path: [provider, telephony_data.provider], values: {web-call: web, websocket: web}}]
      from: [telephony_data.from_number, agent_number]
      to: [telephony_data.to_number, user_number, context_details.recipient_phone_number]
      started_at: [initiated_at, created_at]
      ended_at: {path: updated_at, when: {status: [completed, call-disconnected, failed, no-answer, busy, canceled]}}
      duration: [conversation_duration, conversation_time, telephony_data.duration]
      transcript: {path: transcript, roles: {tool_response: tool, assistant_tool_call: tool}}
      summary: summary
      cost: {path: total_cost, divide: 100}
      recording_url: [telephony_data.recording_url, recording_url]
      hangup: {by: telephony_data.hangup_by, reason: telephony_data.hangup_reason,
        code: [telephony_data.hangup_provider_code, telephony_data.hangup_code]}
      voicemail: answered_by_voice_mail
      error: [error_message, {path: telephony_data.hangup_reason, when: {status: [balance-low, failed, error]}}]
      data: [extracted_data, agent_extraction, custom_extractions]
      meta: [batch_id, campaign_id, provider, retry_count, scheduled_at, rescheduled_at, telephony_data.provider,
        telephony_data.provider_call_id, telephony_data.ring_duration, telephony_data.post_dial_delay,
        telephony_data.to_number_carrier, retry_config.max_retries, {path: transfer_call_data, name: transfer_call_data},
        {path: batch_run_details, name: batch_run_details},
        {path: context_details.recipient_data, name: recipient_data, skip: ["recipient_data.current_*"]}]
      volatile: [ended_at]
sinks: {ops: {plugin: slack}}
)";

std::shared_ptr<const Source> ByMapping() {
  config::Environment environment;
  environment.read_file = [](const std::string&, std::string&) { return std::optional<std::string>(kConfig); };
  environment.list_files = [](const std::string&) { return std::vector<std::string>(); };
  environment.variable = [](const std::string&) { return std::optional<std::string>(); };
  const auto loaded = config::Load("router.yaml", environment);
  HSW_CHECK(loaded.config, "the config of this benchmark is fine");
  return std::make_shared<MappedSource>(MappedSource::Names{"bolna", "Bolna", "json", "USD"},
                                        loaded.config->sources.at(0).map, std::make_shared<AgentMap>());
}

/// Both in turns, so that what else the machine does meets both.
void MappingAgainstBolna(benchmark::State& state, const std::string& body) {
  using Clock = std::chrono::steady_clock;
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  const auto bolna = MakeSource(config, std::make_shared<AgentMap>()), mapped = ByMapping();
  const RawRequest request{body, {}, WallTime{}};
  HSW_CHECK(std::holds_alternative<Normalized>(mapped->Normalize(request)), "the mapping reads the body");
  Clock::duration by_bolna{}, by_mapping{};
  std::size_t allocations = 0;
  for (auto _ : state) {
    const auto begin = Clock::now();
    benchmark::DoNotOptimize(bolna->Normalize(request));
    const auto middle = Clock::now();
    const std::size_t before = test::Allocations();
    benchmark::DoNotOptimize(mapped->Normalize(request));
    allocations += test::Allocations() - before;
    const auto end = Clock::now();
    by_bolna += middle - begin;
    by_mapping += end - middle;
  }
  const auto count = static_cast<double>(state.iterations());
  state.counters["ratio"] = static_cast<double>(by_mapping.count()) / static_cast<double>(by_bolna.count());
  state.counters["mapping_ns"] = std::chrono::duration<double, std::nano>(by_mapping).count() / count;
  state.counters["allocations"] = static_cast<double>(allocations) / count;
}

BENCHMARK_CAPTURE(Normalize, completed, Sample("completed.json"));
BENCHMARK_CAPTURE(Normalize, ringing, Sample("ringing.json"));
BENCHMARK_CAPTURE(Normalize, long_transcript, LongTranscript());
BENCHMARK_CAPTURE(Normalize, many_keys, ManyKeys());
BENCHMARK_CAPTURE(MappingAgainstBolna, completed, Sample("completed.json"));
BENCHMARK_CAPTURE(MappingAgainstBolna, ringing, Sample("ringing.json"));
BENCHMARK_CAPTURE(MappingAgainstBolna, long_transcript, LongTranscript());

}  // namespace
}  // namespace hookswitch

BENCHMARK_MAIN();
