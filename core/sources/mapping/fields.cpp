#include "core/sources/mapping/fields.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/base/text.h"
#include "core/sources/identity.h"
#include "core/sources/mapping/rules.h"
#include "core/sources/mapping/values.h"

namespace hookswitch::mapping {
namespace {

using config::ValuePath;
using config::ValueRule;
using config::ValueRules;
using payload::Text;

// What a conversion makes of a value, if that is something.
template <class T>
bool Set(std::optional<T>& field, std::optional<T> value) {
  if (!value) return false;
  field = std::move(value);
  return true;
}
bool Set(std::string& field, std::string&& value) {
  if (payload::SaysNothing(value)) return false;
  field = std::move(value);
  return true;
}

// A text of people's words: what `[*]` finds are its lines.
void ReadProse(Reading& reading, const ValueRules& rules, std::string_view field, std::string& prose,
               std::size_t max_bytes = payload::kMaxValueBytes,
               std::string (*text_of)(const json::value*, std::size_t) = Text) {
  for (const ValueRule& rule : rules) {
    if (!AllMatch(reading, rule.when)) continue;
    if (rule.constant) prose = *rule.constant;
    for (const ValuePath& path : rule.paths) {
      reading.Visit(path, [&](const json::value& value) {
        std::string line = text_of(Translated(reading, rule.values, value), max_bytes);
        if (payload::SaysNothing(line)) return false;
        if (prose.empty()) {
          prose = std::move(line);
        } else {
          prose.append(1, '\n').append(line);
        }
        return prose.size() >= max_bytes;
      });
      if (prose.empty()) continue;
      reading.Gave(field, path);
      break;
    }
    if (prose.empty()) continue;
    if (prose.size() > max_bytes) prose = payload::Clean(prose, max_bytes);
    return;
  }
}

std::optional<WallTime> ReadTime(Reading& reading, const ValueRules& rules, std::string_view field);

std::optional<double> ReadSeconds(Reading& reading, const ValueRules& rules, std::string_view field) {
  std::optional<double> seconds;
  TakeTranslated(reading, rules, field, [&](const ValueRule& rule, const json::value& value) {
    if (!value.is_null()) return Set(seconds, SecondsOf(value, rule.unit));
    const auto from = ReadTime(reading, rule.from, ""), to = ReadTime(reading, rule.to, "");
    if (!from || !to || *to < *from) return false;
    const double between = static_cast<double>((*to - *from).count()) / 1e3;
    return between <= payload::kLongestCallSeconds && Set(seconds, std::optional(between));
  });
  return seconds;
}

std::optional<WallTime> ReadTime(Reading& reading, const ValueRules& rules, std::string_view field) {
  std::optional<WallTime> time;
  TakeTranslated(reading, rules, field, [&](const ValueRule& rule, const json::value& value) {
    auto found = value.is_null() ? std::nullopt : TimeOf(value, rule.unit, rule.zone);
    if (found && !rule.plus.empty()) {
      const auto seconds = ReadSeconds(reading, rule.plus, "");
      if (!seconds) return false;
      *found += std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1e3 + 0.5));
    }
    return Set(time, found);
  });
  return time;
}

// ISO 4217.
std::string CurrencyOf(Reading& reading, const ValueRule& rule, const std::string& otherwise) {
  for (const ValuePath& path : rule.currencies) {
    const json::value* value = reading.First(path);
    std::string code = Text(value, payload::kMaxWordBytes);
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (code.size() != 3 || !std::ranges::all_of(code, is_letter)) continue;
    std::ranges::transform(code, code.begin(), [](char c) { return static_cast<char>(c & ~0x20); });
    return code;
  }
  return rule.currency.empty() ? otherwise : rule.currency;
}

std::optional<bool> ReadFlag(Reading& reading, const ValueRules& rules, std::string_view field) {
  std::optional<bool> flag;
  TakeTranslated(reading, rules, field,
                 [&](const ValueRule&, const json::value& value) { return Set(flag, payload::Flag(&value)); });
  return flag;
}

}  // namespace

std::string ReadWord(Reading& reading, const ValueRules& rules, std::string_view field, std::size_t max_bytes) {
  std::string word;
  TakeTranslated(reading, rules, field,
                 [&](const ValueRule&, const json::value& value) { return Set(word, Text(&value, max_bytes)); });
  return word;
}

void ReadStatus(Reading& reading, const ValueRules& rules, CallEvent& event) {
  std::string other_word;  // one that no table has
  const bool is_known = TakeFirst(reading, rules, "status", [&](const ValueRule& rule, const json::value& value) {
    std::string word = Text(&value, kMaxStatusBytes);
    if (payload::SaysNothing(word)) return false;
    const json::value* status = Translated(reading, rule.values, value);
    if (!status) {
      other_word = std::move(word);
      return false;
    }
    event.status = StatusOfWord(Text(status, kMaxStatusBytes));
    event.raw_status = std::move(word);
    return true;
  });
  if (!is_known) event.raw_status = std::move(other_word);
  reading.GaveToo("raw_status", "status");
}

void ReadFields(Reading& reading, const config::Mapping& mapping, const std::string& currency, CallEvent& event) {
  TakeTranslated(reading, mapping.direction, "direction", [&](const ValueRule&, const json::value& value) {
    std::string buffer;
    return Set(event.direction, DirectionOf(WordOf(value, buffer)));
  });
  event.from = ReadWord(reading, mapping.from, "from");
  event.to = ReadWord(reading, mapping.to, "to");
  event.started_at = ReadTime(reading, mapping.started_at, "started_at");
  event.ended_at = ReadTime(reading, mapping.ended_at, "ended_at");
  event.duration = ReadSeconds(reading, mapping.duration, "duration");
  ReadProse(reading, mapping.summary, "summary", event.summary, payload::kMaxSummaryBytes);
  TakeTranslated(reading, mapping.cost, "cost.amount", [&](const ValueRule& rule, const json::value& value) {
    const auto amount = AmountOf(value, rule.divide);
    if (amount) event.cost = Money{*amount, CurrencyOf(reading, rule, currency)};
    return amount.has_value();
  });
  TakeTranslated(reading, mapping.recording_url, "recording_url", [&](const ValueRule&, const json::value& value) {
    return Set(event.recording_url, payload::Url(&value));
  });
  event.hangup_by = ReadWord(reading, mapping.hangup_by, "hangup.by");
  ReadProse(reading, mapping.hangup_reason, "hangup.reason", event.hangup_reason);
  TakeTranslated(reading, mapping.hangup_code, "hangup.code", [&](const ValueRule&, const json::value& value) {
    return Set(event.hangup_code, payload::Integer(&value));
  });
  event.voicemail = ReadFlag(reading, mapping.voicemail, "voicemail");
  ReadProse(reading, mapping.error, "error", event.error, payload::kMaxValueBytes, payload::AnyText);
  TakeTranslated(reading, mapping.sentiment, "sentiment", [&](const ValueRule&, const json::value& value) {
    std::string word = ToLower(Text(&value, payload::kMaxWordBytes));
    return word != "unknown" && Set(event.sentiment, std::move(word));
  });
  event.success = ReadFlag(reading, mapping.success, "success");
}

}  // namespace hookswitch::mapping
