// Any bytes: the Bolna source neither throws nor crashes, and what it makes keeps the promises of CallEvent.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/sources/source.h"

using namespace hookswitch;

namespace {

std::shared_ptr<const Source> MakeBolna() {
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  auto agents = std::make_shared<AgentMap>();
  (*agents)["a"] = {"billing", {"eu"}};
  return MakeSource(config, agents);
}

void CheckText(std::string_view text) {
  HSW_CHECK(IsUtf8(text), "all text of an event is well-formed");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    HSW_CHECK(byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7F), "control characters are dropped");
  }
}

void CheckEvent(const CallEvent& event) {
  HSW_CHECK(!event.call_id.empty() && !event.raw_status.empty(), "an event without id or status is refused");
  for (const auto* text : {&event.call_id, &event.agent_id, &event.raw_status, &event.from, &event.to, &event.summary,
                           &event.recording_url, &event.hangup_by, &event.hangup_reason, &event.error}) {
    CheckText(*text);
  }
  for (const auto& turn : event.transcript) {
    CheckText(turn.text);
    HSW_CHECK(!turn.text.empty(), "turns without words are left out");
  }
  for (const auto* map : {&event.data, &event.meta}) {
    HSW_CHECK(map->size() <= 256, "maps are bounded");
    for (const auto& [key, value] : *map) {
      CheckText(key);
      CheckText(value);
      HSW_CHECK(key.size() <= 256 && value.size() <= 4096 && !value.empty(), "entries are bounded and say something");
    }
  }
  HSW_CHECK(!event.duration || (std::isfinite(*event.duration) && *event.duration >= 0), "a duration is a time");
  HSW_CHECK(!event.cost || std::isfinite(event.cost->amount), "a cost is an amount");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto source = MakeBolna();
  const RawRequest request{{reinterpret_cast<const char*>(data), size}, {}, WallTime{}};
  const auto first = source->Normalize(request);
  const auto second = source->Normalize(request);
  HSW_CHECK(first.index() == second.index(), "normalizing is pure");
  if (const auto* refusal = std::get_if<Refusal>(&first)) {
    HSW_CHECK(refusal->http_status == 400 || refusal->http_status == 422, "a refusal blames the sender");
    CheckText(refusal->detail);
    return 0;
  }
  const auto& normalized = std::get<Normalized>(first);
  HSW_CHECK(normalized.dedup_key == std::get<Normalized>(second).dedup_key, "normalizing is pure");
  HSW_CHECK(!normalized.dedup_key.empty(), "everything understood has a key");
  if (const auto* event = std::get_if<CallEvent>(&normalized.what)) {
    CheckEvent(*event);
    HSW_CHECK(ToJson(*event) == ToJson(std::get<CallEvent>(std::get<Normalized>(second).what)), "normalizing is pure");
  }
  return 0;
}
