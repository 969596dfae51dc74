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

using payload::Find;
using payload::FindObject;
using payload::Text;

constexpr std::size_t kMaxWordBytes = 256, kMaxSummaryBytes = 64 << 10;
// Three years: no call is longer, and what is computed from a duration cannot overflow.
constexpr double kLongestCallSeconds = 1e8;

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

// Prefers a positive value: before the line drops, some fields are 0 and some are set.
std::optional<double> ReadDuration(const json::object& execution, const json::object* telephony) {
  std::optional<double> found;
  for (const auto* value : {Find(&execution, "conversation_duration"), Find(&execution, "conversation_time"),
                            Find(telephony, "duration")}) {
    const auto seconds = payload::Number(value);
    if (!seconds || *seconds < 0 || *seconds > kLongestCallSeconds) continue;
    if (*seconds > 0) return seconds;
    found = 0;
  }
  return found;
}

std::optional<Money> ReadCost(const json::object& execution, const std::string& currency) {
  const auto cents = payload::Number(Find(&execution, "total_cost"));
  if (!cents || *cents < 0 || *cents > 1e12) return {};
  // Rounded to a millionth of a cent, so that 1.1 cents are 0.011 dollars and not 0.011000000000000001.
  return Money{std::round(*cents * 1e6) / 1e8, currency};
}

std::optional<Direction> ReadDirection(const json::object& execution, const json::object* telephony) {
  const std::string type = ToLower(Text(Find(telephony, "call_type"), kMaxWordBytes));
  if (type == "inbound") return Direction::kInbound;
  if (type == "outbound") return Direction::kOutbound;
  std::string provider = ToLower(Text(Find(&execution, "provider"), kMaxWordBytes));
  if (provider.empty()) provider = ToLower(Text(Find(telephony, "provider"), kMaxWordBytes));
  if (provider == "web-call" || provider == "websocket") return Direction::kWeb;
  return {};
}

void ReadNumbers(CallEvent& event, const json::object& execution, const json::object* telephony) {
  event.from = Text(Find(telephony, "from_number"), kMaxWordBytes);
  event.to = Text(Find(telephony, "to_number"), kMaxWordBytes);
  if (event.direction == Direction::kWeb) return;
  // A call without telephony data, which has the direction, is one that Bolna was to place.
  const bool inbound = event.direction == Direction::kInbound;
  std::string& human = inbound ? event.from : event.to;
  std::string& ours = inbound ? event.to : event.from;
  if (human.empty()) human = Text(Find(&execution, "user_number"), kMaxWordBytes);
  if (human.empty()) {
    human = Text(Find(FindObject(&execution, "context_details"), "recipient_phone_number"), kMaxWordBytes);
  }
  if (ours.empty()) ours = Text(Find(&execution, "agent_number"), kMaxWordBytes);
}

std::string ReadUrl(const json::value* value) {
  std::string url = Text(value, payload::kMaxValueBytes + 1);
  return HasWebScheme(url) && url.size() <= payload::kMaxValueBytes ? url : "";
}

void PutTime(TextMap& meta, std::string_view key, const json::value* value) {
  const auto time = payload::Time(value);
  payload::Put(meta, key, time ? ToRfc3339(*time) : Text(value));
}

TextMap ReadMeta(const json::object& execution, const json::object* telephony) {
  TextMap meta;
  for (const std::string_view key : {"batch_id", "campaign_id", "provider", "retry_count"}) {
    payload::Put(meta, key, Text(Find(&execution, key)));
  }
  for (const std::string_view key : {"scheduled_at", "rescheduled_at"}) PutTime(meta, key, Find(&execution, key));
  for (const std::string_view key :
       {"provider", "provider_call_id", "ring_duration", "post_dial_delay", "to_number_carrier"}) {
    payload::Put(meta, key, Text(Find(telephony, key)));
  }
  payload::Put(meta, "max_retries", Text(Find(FindObject(&execution, "retry_config"), "max_retries")));
  for (const std::string_view key : {"transfer_call_data", "batch_run_details"}) {
    if (const auto* object = Find(&execution, key)) payload::PutFlat(meta, key, *object);
  }
  if (const auto* recipient = FindObject(FindObject(&execution, "context_details"), "recipient_data")) {
    for (const auto& member : *recipient) {
      if (std::ranges::find(kInjectedRecipientKeys, View(member.key())) != std::end(kInjectedRecipientKeys)) continue;
      payload::PutFlat(meta, "recipient_data." + std::string(View(member.key())), member.value());
    }
  }
  return meta;
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

void ReadCall(CallEvent& event, const json::object& execution, const std::string& currency,
              payload::Document& document) {
  const auto* telephony = FindObject(&execution, "telephony_data");
  event.direction = ReadDirection(execution, telephony);
  ReadNumbers(event, execution, telephony);
  event.started_at = payload::Time(Find(&execution, "initiated_at"));
  if (!event.started_at) event.started_at = payload::Time(Find(&execution, "created_at"));
  // Bolna has no field for the end; the last update of an ended call comes closest.
  if ((EndedStatuses() | UnsuccessfulStatuses()) & Bit(event.status)) {
    event.ended_at = payload::Time(Find(&execution, "updated_at"));
  }
  event.duration = ReadDuration(execution, telephony);
  event.transcript = ReadTranscript(Find(&execution, "transcript"));
  event.summary = Text(Find(&execution, "summary"), kMaxSummaryBytes);
  event.cost = ReadCost(execution, currency);
  event.recording_url = ReadUrl(Find(telephony, "recording_url"));
  if (event.recording_url.empty()) event.recording_url = ReadUrl(Find(&execution, "recording_url"));
  event.hangup_by = Text(Find(telephony, "hangup_by"), kMaxWordBytes);
  event.hangup_reason = Text(Find(telephony, "hangup_reason"));
  event.hangup_code = payload::Integer(Find(telephony, "hangup_provider_code"));
  if (!event.hangup_code) event.hangup_code = payload::Integer(Find(telephony, "hangup_code"));
  event.voicemail = payload::Flag(Find(&execution, "answered_by_voice_mail"));
  event.error = payload::AnyText(Find(&execution, "error_message"));
  constexpr StatusSet kErrorStatuses =
      Bit(CallStatus::kBalanceLow) | Bit(CallStatus::kFailed) | Bit(CallStatus::kError);
  if (event.error.empty() && (kErrorStatuses & Bit(event.status))) event.error = event.hangup_reason;
  event.data = ReadExtractions(execution, document);
  event.meta = ReadMeta(execution, telephony);
  for (const auto* member : UnknownMembers(execution)) {
    payload::PutFlat(event.meta, View(member->key()), member->value());
  }
}

}  // namespace hookswitch::bolna
