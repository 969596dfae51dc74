// Any bytes: a mapping that uses every part of the language neither throws nor crashes, and what it makes keeps the
// promises of CallEvent.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/base/check.h"
#include "core/config/loader.h"
#include "core/sources/mapping/mapped_source.h"
#include "tests/fuzz/event_promises.h"

using namespace hookswitch;

namespace {

constexpr char kConfig[] = R"(
sources:
  x:
    type: json
    path: /x
    allow_ips: [192.0.2.1]
    map:
      each: calls
      events: {path: [event, "header:x-event"], live: ["*.started"], ended: [call.ended, {"call.reason": ["busy*", null], event: over}],
        skip: ["turn.*"]}
      call_id: [call.id, "query:id", "form:CallSid", "Legs[*].id"]
      agent: {id: call.agent, name: "agents[0].name"}
      status: {path: call.outcome, values: {ok: completed, "no*": no-answer, later: null}, otherwise: failed}
      direction: call.direction
      from: "*.from"
      to: people[*].number
      started_at: [{path: call.start, unit: ms}, {path: call.start, zone: "+05:30"}]
      ended_at: {path: call.end, unit: rfc2822, plus: {path: call.more, unit: us}}
      duration: [{path: call.seconds}, {from: call.begin, to: call.over}, {path: call.minutes, unit: m}]
      transcript: [{path: turns, role: who, text: "words[*].w", roles: {bot: agent, "note*": null}, only: {kind: [said, null]}}, text]
      summary: notes[*].text
      cost: {path: cost, currency_path: currency, divide: 100}
      recording_url: recording
      hangup: {by: by, reason: reason, code: code}
      voicemail: {path: answered, values: {machine: true, human: false}}
      success: success
      sentiment: mood
      error: problem
      data: [{path: fields, skip: ["_*"]}, {path: pairs, key: k, value: v}, "results.*.value"]
      meta: [{path: $, prefix: all, when: {deep: "*"}}, {path: more, name: more}]
      volatile: [ended_at, meta.x]
sinks: {ops: {plugin: slack}}
)";

std::shared_ptr<const Source> Make() {
  config::Environment environment;
  environment.read_file = [](const std::string&, std::string&) { return std::optional<std::string>(kConfig); };
  environment.list_files = [](const std::string&) { return std::vector<std::string>(); };
  environment.variable = [](const std::string&) { return std::optional<std::string>(); };
  const auto loaded = config::Load("router.yaml", environment);
  HSW_CHECK(loaded.config, "the config of this test is fine");
  auto agents = std::make_shared<AgentMap>();
  (*agents)["a"] = {"billing", {"eu"}};
  return std::make_shared<MappedSource>(MappedSource::Names{"x", "X", "json", "USD"}, loaded.config->sources.at(0).map,
                                        agents);
}

void Check(const Source& source, const RawRequest& request) {
  const auto first = source.Normalize(request);
  CheckPromises(first, source.Normalize(request));
  if (const auto* normalized = std::get_if<Normalized>(&first)) {
    if (const auto* event = std::get_if<CallEvent>(&normalized->what)) {
      HSW_CHECK(!event->call_id.empty(), "an event without its call's id is refused");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto source = Make();
  const std::vector<std::pair<std::string, std::string>> headers = {{"X-Event", "call.ended"}, {"?", "id=%31&x"}};
  const RawRequest request{{reinterpret_cast<const char*>(data), size}, headers, WallTime{}};
  Check(*source, request);
  if (const auto bodies = source->Split(request)) {
    for (const std::string& body : *bodies) Check(*source, {body, headers, WallTime{}});
  }
  return 0;
}
