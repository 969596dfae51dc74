#pragma once
#include <cmath>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/sources/source.h"

/// What every source promises of what it makes of any bytes.
namespace hookswitch {

inline void CheckText(std::string_view text) {
  HSW_CHECK(IsUtf8(text), "all text of an event is well-formed");
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    HSW_CHECK(byte == '\n' || byte == '\t' || (byte >= 0x20 && byte != 0x7F), "control characters are dropped");
  }
}

inline void CheckEntry(const std::string& key, const std::string& value) {
  CheckText(key);
  CheckText(value);
  HSW_CHECK(key.size() <= 256 && value.size() <= 4096 && !value.empty(), "entries are bounded and say something");
}

inline void CheckEvent(const CallEvent& event) {
  for (const auto* text : {&event.call_id, &event.agent_id, &event.raw_status, &event.from, &event.to, &event.summary,
                           &event.recording_url, &event.hangup_by, &event.hangup_reason, &event.error,
                           &event.agent_name, &event.sentiment}) {
    CheckText(*text);
  }
  for (const auto& turn : event.transcript) {
    CheckText(turn.text);
    HSW_CHECK(!turn.text.empty(), "turns without words are left out");
  }
  HSW_CHECK(event.data.size() <= 256 && event.meta.size() <= 256, "maps are bounded");
  for (const auto& [key, value] : event.data) CheckEntry(key, value.text);
  for (const auto& [key, value] : event.meta) CheckEntry(key, value);
  HSW_CHECK(!event.duration || (std::isfinite(*event.duration) && *event.duration >= 0), "a duration is a time");
  HSW_CHECK(!event.cost || std::isfinite(event.cost->amount), "a cost is an amount");
}

/// `second`: the same request read again.
inline void CheckPromises(const std::variant<Normalized, Refusal>& first,
                          const std::variant<Normalized, Refusal>& second) {
  HSW_CHECK(first.index() == second.index(), "normalizing is pure");
  if (const auto* refusal = std::get_if<Refusal>(&first)) {
    HSW_CHECK(refusal->http_status == 400 || refusal->http_status == 422, "a refusal blames the sender");
    CheckText(refusal->detail);
    return;
  }
  const auto& normalized = std::get<Normalized>(first);
  HSW_CHECK(normalized.dedup_key == std::get<Normalized>(second).dedup_key, "normalizing is pure");
  HSW_CHECK(!normalized.dedup_key.empty(), "everything understood has a key");
  if (const auto* event = std::get_if<CallEvent>(&normalized.what)) {
    CheckEvent(*event);
    HSW_CHECK(ToJson(*event) == ToJson(std::get<CallEvent>(std::get<Normalized>(second).what)), "normalizing is pure");
  }
}

}  // namespace hookswitch
