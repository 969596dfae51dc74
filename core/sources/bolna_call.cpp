#include "core/sources/bolna_call.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <optional>

#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/bolna_extraction.h"
#include "core/sources/bolna_transcript.h"

namespace hookswitch::bolna {
namespace {

using payload::Section;
using payload::Text;

// By length first: most comparisons end there.
constexpr bool Before(std::string_view a, std::string_view b) {
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

// Every top-level key of an execution that the docs or real payloads show.
constexpr std::string_view kKnownKeys[] = {"id",
                                           "status",
                                           "deleted",
                                           "summary",
                                           "agent_id",
                                           "batch_id",
                                           "lid_data",
                                           "provider",
                                           "arq_job_id",
                                           "created_at",
                                           "total_cost",
                                           "transcript",
                                           "updated_at",
                                           "campaign_id",
                                           "retry_count",
                                           "user_number",
                                           "agent_number",
                                           "execution_id",
                                           "initiated_at",
                                           "latency_data",
                                           "retry_config",
                                           "scheduled_at",
                                           "smart_status",
                                           "error_message",
                                           "recording_url",
                                           "retry_history",
                                           "cost_breakdown",
                                           "extracted_data",
                                           "rescheduled_at",
                                           "telephony_data",
                                           "tool_call_logs",
                                           "context_details",
                                           "usage_breakdown",
                                           "agent_extraction",
                                           "workflow_retries",
                                           "batch_run_details",
                                           "conversation_time",
                                           "custom_extractions",
                                           "transfer_call_data",
                                           "agent_context_details",
                                           "conversation_duration",
                                           "answered_by_voice_mail",
                                           "extraction_webhook_status"};
static_assert(std::ranges::is_sorted(kKnownKeys, Before));

// Keys that Bolna's engine itself adds to the recipient's data (bolna-ai/bolna).
constexpr std::string_view kInjectedRecipientKeys[] = {"current_date",   "current_day",  "current_hour",
                                                       "current_minute", "current_time", "timezone"};

std::string_view View(json::string_view text) {
  return {text.data(), text.size()};
}

std::string Word(const json::value* value) {
  return Text(value, payload::kMaxWordBytes);
}
std::string Line(const json::value* value) {
  return Text(value);
}

// Prefers a positive value: before the line drops, some fields are 0 and some are set.
std::optional<double> ReadDuration(const Section& execution, const Section& telephony) {
  struct Place {
    const Section& section;
    std::string_view key;
  };
  std::optional<double> found;
  for (const Place& place : {Place{execution, "conversation_duration"}, Place{execution, "conversation_time"},
                             Place{telephony, "duration"}}) {
    const auto seconds = payload::Number(place.section.Find(place.key));
    if (!seconds || *seconds < 0 || *seconds > payload::kLongestCallSeconds) continue;
    if (!found || *seconds > 0) place.section.Gave("duration", place.key);
    if (*seconds > 0) return seconds;
    found = 0;
  }
  return found;
}

std::optional<Money> ReadCost(const Section& execution, const std::string& currency) {
  const auto amount = [](const json::value* value) -> std::optional<double> {
    const auto cents = payload::Number(value);
    if (!cents || *cents < 0 || *cents > payload::kLargestAmount) return {};
    // Rounded to a millionth of a cent, so that 1.1 cents are 0.011 dollars and not 0.011000000000000001.
    return std::round(*cents * 1e6) / 1e8;
  };
  const auto read = execution.Take("cost.amount", "total_cost", amount);
  if (!read) return {};
  return Money{*read, currency};
}

std::optional<Direction> ReadDirection(const Section& execution, const Section& telephony) {
  const auto by_type = [](const json::value* value) -> std::optional<Direction> {
    const std::string type = ToLower(Word(value));
    if (type == "inbound") return Direction::kInbound;
    if (type == "outbound") return Direction::kOutbound;
    return {};
  };
  const auto by_provider = [](const json::value* value) -> std::optional<Direction> {
    const std::string provider = ToLower(Word(value));
    if (provider == "web-call" || provider == "websocket") return Direction::kWeb;
    return {};
  };
  if (const auto direction = telephony.Take("direction", "call_type", by_type)) return direction;
  const bool names_provider = !Word(execution.Find("provider")).empty();
  return (names_provider ? execution : telephony).Take("direction", "provider", by_provider);
}

void ReadNumbers(CallEvent& event, const Section& execution, const Section& telephony) {
  event.from = telephony.Take("from", "from_number", Word);
  event.to = telephony.Take("to", "to_number", Word);
  if (event.direction == Direction::kWeb) return;
  // A call without telephony data, which has the direction, is one that Bolna was to place.
  const bool inbound = event.direction == Direction::kInbound;
  std::string& human = inbound ? event.from : event.to;
  std::string& ours = inbound ? event.to : event.from;
  const std::string_view human_field = inbound ? "from" : "to", our_field = inbound ? "to" : "from";
  if (human.empty()) human = execution.Take(human_field, "user_number", Word);
  if (human.empty()) human = execution.Sub("context_details").Take(human_field, "recipient_phone_number", Word);
  if (ours.empty()) ours = execution.Take(our_field, "agent_number", Word);
}

std::string TimeText(const json::value* value) {
  const auto time = payload::Time(value);
  return time ? ToRfc3339(*time) : Text(value);
}

TextMap ReadMeta(const Section& execution, const Section& telephony) {
  TextMap map;
  payload::MapFiller meta(map, "meta", execution.paths());
  const auto put = [&](const Section& section, std::string_view key, std::string (*read)(const json::value*) = Line) {
    meta.Put(key, read(section.Find(key)), section.PathOf(key));
  };
  for (const std::string_view key : {"batch_id", "campaign_id", "provider", "retry_count"}) put(execution, key);
  for (const std::string_view key : {"scheduled_at", "rescheduled_at"}) put(execution, key, TimeText);
  for (const std::string_view key :
       {"provider", "provider_call_id", "ring_duration", "post_dial_delay", "to_number_carrier"}) {
    put(telephony, key);
  }
  put(execution.Sub("retry_config"), "max_retries");
  for (const std::string_view key : {"transfer_call_data", "batch_run_details"}) {
    if (const auto* object = execution.Find(key)) meta.PutFlat(std::string(key), *object, execution.PathOf(key));
  }
  const Section recipient = execution.Sub("context_details").Sub("recipient_data");
  if (recipient.object()) {
    for (const auto& member : *recipient.object()) {
      const std::string_view key = View(member.key());
      if (std::ranges::find(kInjectedRecipientKeys, key) != std::end(kInjectedRecipientKeys)) continue;
      meta.PutFlat("recipient_data." + std::string(key), member.value(), recipient.PathOf(key));
    }
  }
  for (const auto* member : UnknownMembers(*execution.object())) {
    meta.PutFlat(std::string(View(member->key())), member->value(), execution.PathOf(View(member->key())));
  }
  return map;
}

}  // namespace

std::vector<const json::key_value_pair*> UnknownMembers(const json::object& execution) {
  std::vector<const json::key_value_pair*> unknown;
  for (const auto& member : execution) {
    if (!std::ranges::binary_search(kKnownKeys, View(member.key()), Before)) unknown.push_back(&member);
  }
  std::ranges::sort(unknown, {}, [](const auto* member) { return View(member->key()); });
  return unknown;
}

void ReadCall(CallEvent& event, const Section& execution, const std::string& currency, payload::Document& document) {
  const Section telephony = execution.Sub("telephony_data");
  event.direction = ReadDirection(execution, telephony);
  ReadNumbers(event, execution, telephony);
  event.started_at = execution.Take("started_at", "initiated_at", payload::Time);
  if (!event.started_at) event.started_at = execution.Take("started_at", "created_at", payload::Time);
  // Bolna has no field for the end; the last update of an ended call comes closest.
  if ((EndedStatuses() | UnsuccessfulStatuses()) & Bit(event.status)) {
    event.ended_at = execution.Take("ended_at", "updated_at", payload::Time);
  }
  event.duration = ReadDuration(execution, telephony);
  event.transcript = execution.Take("transcript", "transcript", ReadTranscript);
  event.summary =
      execution.Take("summary", "summary", [](const auto* value) { return Text(value, payload::kMaxSummaryBytes); });
  event.cost = ReadCost(execution, currency);
  event.recording_url = telephony.Take("recording_url", "recording_url", payload::Url);
  if (event.recording_url.empty()) event.recording_url = execution.Take("recording_url", "recording_url", payload::Url);
  event.hangup_by = telephony.Take("hangup.by", "hangup_by", Word);
  event.hangup_reason = telephony.Take("hangup.reason", "hangup_reason", Line);
  event.hangup_code = telephony.Take("hangup.code", "hangup_provider_code", payload::Integer);
  if (!event.hangup_code) event.hangup_code = telephony.Take("hangup.code", "hangup_code", payload::Integer);
  event.voicemail = execution.Take("voicemail", "answered_by_voice_mail", payload::Flag);
  event.error = execution.Take("error", "error_message", [](const auto* value) { return payload::AnyText(value); });
  constexpr StatusSet kErrorStatuses =
      Bit(CallStatus::kBalanceLow) | Bit(CallStatus::kFailed) | Bit(CallStatus::kError);
  if (event.error.empty() && !event.hangup_reason.empty() && (kErrorStatuses & Bit(event.status))) {
    event.error = event.hangup_reason;
    telephony.Gave("error", "hangup_reason");
  }
  event.data = ReadExtractions(execution, document);
  event.meta = ReadMeta(execution, telephony);
}

}  // namespace hookswitch::bolna
