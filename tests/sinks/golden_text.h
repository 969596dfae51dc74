// What the files of tests/golden say of sinks, read and written.
#pragma once
#include <string>
#include <string_view>

#include "core/base/check.h"
#include "core/base/json.h"
#include "core/base/time_text.h"
#include "core/event/message.h"
#include "core/event/outcome.h"

namespace hookswitch::golden {

/// A string, or {"repeat": "text", "times": n}, or a list of such to be joined.
inline std::string TextOf(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(std::string_view(*text));
  std::string out;
  if (const auto* list = value.if_array()) {
    for (const auto& part : *list) out += TextOf(part);
  } else if (const auto* object = value.if_object()) {
    const std::string unit(std::string_view(object->at("repeat").as_string()));
    for (std::int64_t i = 0; i < object->at("times").as_int64(); ++i) out += unit;
  }
  return out;
}

inline std::string Member(const json::object& object, std::string_view key, std::string_view otherwise = {}) {
  const auto* value = object.if_contains(key);
  return value && !value->is_null() ? TextOf(*value) : std::string(otherwise);
}

inline Severity SeverityOf(std::string_view name) {
  if (name == "success") return Severity::kSuccess;
  if (name == "warning") return Severity::kWarning;
  if (name == "error") return Severity::kError;
  return Severity::kInfo;
}

inline Message MessageOf(const json::object& object) {
  Message message;
  message.title = Member(object, "title");
  message.severity = SeverityOf(Member(object, "severity"));
  message.text = Member(object, "text");
  message.transcript = Member(object, "transcript");
  if (const auto* fields = object.if_contains("fields")) {
    for (const auto& field : fields->as_array()) {
      message.fields.push_back({TextOf(field.as_array()[0]), TextOf(field.as_array()[1])});
    }
  }
  if (const auto* links = object.if_contains("links")) {
    for (const auto& link : links->as_array())
      message.links.push_back({TextOf(link.as_array()[0]), TextOf(link.as_array()[1])});
  }
  if (const auto at = Member(object, "at"); !at.empty()) message.at = ParseTime(at);
  return message;
}

inline std::string_view ToString(Outcome::Kind kind) {
  switch (kind) {
    case Outcome::Kind::kDelivered: return "delivered";
    case Outcome::Kind::kRetry: return "retry";
    case Outcome::Kind::kRejected: return "rejected";
    case Outcome::Kind::kMisconfigured: return "misconfigured";
    case Outcome::Kind::kNext: return "next";
  }
  Unreachable();
}

inline json::object ToObject(const Outcome& outcome) {
  json::object object{{"kind", ToString(outcome.kind)}};
  auto put = [&](const char* key, const std::string& text) {
    if (!text.empty()) object[key] = text;
  };
  put("code", outcome.code);
  put("reason", outcome.reason);
  put("action", outcome.action);
  put("remote_id", outcome.remote_id);
  put("state", outcome.state);
  put("memory", outcome.memory);
  if (outcome.retry_after) object["retry_after_ms"] = outcome.retry_after->count();
  if (outcome.may_have_been_delivered) object["may_have_been_delivered"] = true;
  return object;
}

}  // namespace hookswitch::golden
