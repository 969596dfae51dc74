#include "core/sources/bolna_source.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/bolna_extraction.h"
#include "core/sources/bolna_transcript.h"
#include "core/sources/payload.h"

namespace hookswitch {
namespace {

using payload::Find;
using payload::FindObject;
using payload::Text;

constexpr std::size_t kMaxIdBytes = 256, kMaxWordBytes = 256, kMaxSummaryBytes = 64 << 10;
// Three years: no call is longer, and what is computed from a duration cannot overflow.
constexpr double kLongestCallSeconds = 1e8;

// Every top-level key of an execution that the docs or real payloads show. Others were added by a pre-call webhook, or
// are news.
constexpr auto kKnownKeys = std::to_array<std::string_view>({"agent_context_details",
                                                             "agent_extraction",
                                                             "agent_id",
                                                             "agent_number",
                                                             "answered_by_voice_mail",
                                                             "arq_job_id",
                                                             "batch_id",
                                                             "batch_run_details",
                                                             "campaign_id",
                                                             "context_details",
                                                             "conversation_duration",
                                                             "conversation_time",
                                                             "cost_breakdown",
                                                             "created_at",
                                                             "custom_extractions",
                                                             "deleted",
                                                             "error_message",
                                                             "execution_id",
                                                             "extracted_data",
                                                             "extraction_webhook_status",
                                                             "id",
                                                             "initiated_at",
                                                             "latency_data",
                                                             "lid_data",
                                                             "provider",
                                                             "recording_url",
                                                             "rescheduled_at",
                                                             "retry_config",
                                                             "retry_count",
                                                             "retry_history",
                                                             "scheduled_at",
                                                             "smart_status",
                                                             "status",
                                                             "summary",
                                                             "telephony_data",
                                                             "tool_call_logs",
                                                             "total_cost",
                                                             "transcript",
                                                             "transfer_call_data",
                                                             "updated_at",
                                                             "usage_breakdown",
                                                             "user_number",
                                                             "workflow_retries"});
static_assert(std::ranges::is_sorted(kKnownKeys));

// What Bolna's engine itself adds to the recipient's data (bolna-ai/bolna).
constexpr auto kInjectedRecipientKeys = std::to_array<std::string_view>(
    {"current_date", "current_day", "current_hour", "current_minute", "current_time", "timezone"});

std::string_view View(json::string_view text) {
  return {text.data(), text.size()};
}

Refusal Missing(std::string field) {
  return {422, "missing_field", std::move(field)};
}
Refusal WrongType(std::string detail) {
  return {422, "wrong_type", std::move(detail)};
}

// An id is only good if it is exact: two calls must never look like one.
std::variant<std::string, Refusal> ReadId(const json::value& value, std::string_view field) {
  const auto wrong = [&](std::string_view what) { return WrongType(std::string(field) + ": " + std::string(what)); };
  if (value.is_bool() || value.is_array() || value.is_object()) return wrong("must be a string or a whole number");
  if (value.is_double() && !payload::Integer(&value)) return wrong("not a whole number that can be read exactly");
  std::string id = Text(&value, kMaxIdBytes + 1);
  if (id.size() > kMaxIdBytes) return wrong("longer than " + std::to_string(kMaxIdBytes) + " bytes");
  return id;
}

CallStatus ReadStatus(std::string_view raw) {
  std::string word = ToLower(raw);
  std::replace_if(
      word.begin(), word.end(), [](char c) { return c == '_' || c == ' '; }, '-');
  if (word == "cancelled") return CallStatus::kCanceled;
  // A batch row before dialling (Bolna's errors page).
  if (word == "prepared") return CallStatus::kScheduled;
  return ParseStatus(word).value_or(CallStatus::kUnknown);
}

// A positive value is preferred, because before the line drops some fields are 0 and some are set.
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
  // A call that never got as far as the telephony data, which would tell the direction, is one that Bolna was to place.
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
  const std::string_view scheme = std::string_view(url).substr(0, url.find("://"));
  const bool web =
      scheme.size() < url.size() && (EqualsIgnoreCase(scheme, "https") || EqualsIgnoreCase(scheme, "http"));
  return web && url.size() <= payload::kMaxValueBytes ? url : "";
}

void PutTime(payload::TextMap& meta, std::string_view key, const json::value* value) {
  const auto time = payload::Time(value);
  payload::Put(meta, key, time ? ToRfc3339(*time) : Text(value));
}

payload::TextMap ReadMeta(const json::object& execution, const json::object* telephony) {
  payload::TextMap meta;
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
      if (std::ranges::find(kInjectedRecipientKeys, View(member.key())) != kInjectedRecipientKeys.end()) continue;
      payload::PutFlat(meta, "recipient_data." + std::string(View(member.key())), member.value());
    }
  }
  return meta;
}

std::vector<const json::key_value_pair*> UnknownMembers(const json::object& execution) {
  std::vector<const json::key_value_pair*> unknown;
  for (const auto& member : execution) {
    if (!std::ranges::binary_search(kKnownKeys, View(member.key()))) unknown.push_back(&member);
  }
  std::ranges::sort(unknown, {}, [](const auto* member) { return View(member->key()); });
  return unknown;
}

std::string Hex(const Digest& digest) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const std::uint8_t byte : digest) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

// A pre-call webhook repeats "in-progress" with keys of its own, so they are part of what happened.
std::string DedupKey(const CallEvent& event, const json::object& execution,
                     std::span<const json::key_value_pair* const> unknown) {
  std::string key = "bolna:" + event.call_id + ':';
  if (event.status == CallStatus::kUnknown) {
    key += ToLower(event.raw_status);
  } else {
    key += ToString(event.status);
  }
  key += ':';
  key += std::to_string(payload::Integer(Find(&execution, "retry_count")).value_or(0));
  if (event.status != CallStatus::kInProgress || unknown.empty()) return key;
  std::string text;
  for (const auto* member : unknown) {
    AppendJsonString(text, View(member->key()));
    text += ToText(member->value());
  }
  return key + ':' + Hex(DigestOf(text));
}

// One POST per workflow execution; it has no agent and no call of its own.
bool IsWorkflow(const json::object& body) {
  return !Find(&body, "id") && !Find(&body, "agent_id") && Text(Find(&body, "event")).starts_with("execution.");
}

// The body of a batch webhook is not documented; what GET /batches answers has these and never an agent or a
// transcript.
bool IsBatch(const json::object& body) {
  if (!Find(&body, "batch_id") || Find(&body, "agent_id") || body.contains("transcript")) return false;
  return (!Find(&body, "id") && !Find(&body, "execution_id")) || body.contains("execution_status") ||
         body.contains("total_contacts") || body.contains("valid_contacts");
}

Normalized Aside(std::string why, std::string key, std::string_view body) {
  key += ':';
  key += Hex(DigestOf(body));
  return {NotACall{std::move(why)}, std::move(key)};
}

// Nobody has seen a wrapped execution, but receivers in the wild allow for it.
const json::object& Unwrap(const json::object& body) {
  if (Find(&body, "id") || Find(&body, "execution_id") || Find(&body, "agent_id")) return body;
  for (const std::string_view key : {"execution", "data"}) {
    if (const auto* inner = FindObject(&body, key)) return *inner;
  }
  return body;
}

}  // namespace

BolnaSource::BolnaSource(const config::Source& config, std::shared_ptr<const AgentMap> agents)
    : name_(config.name),
      title_(config.title.empty() ? "Bolna" : config.title),
      currency_(config.currency),
      agents_(std::move(agents)) {}

std::variant<Normalized, Refusal> BolnaSource::Normalize(const RawRequest& request) const {
  payload::Document document;
  const auto parsed = document.Parse(request.body);
  if (!parsed) return Refusal{400, "invalid_json", parsed.error().message};
  const auto* body = (*parsed)->if_object();
  if (!body) return Refusal{422, "not_an_object", "the body must be one JSON object"};

  if (IsWorkflow(*body)) {
    const std::string id = Text(Find(body, "execution_id"), kMaxIdBytes);
    if (id.empty()) return Aside("bolna workflow webhook", "bolna-workflow", request.body);
    return Normalized{NotACall{"bolna workflow webhook"}, "bolna-workflow:" + id};
  }
  if (IsBatch(*body)) {
    std::string key = "bolna-batch:" + Text(Find(body, "batch_id"), kMaxIdBytes) + ':';
    key += ToLower(Text(Find(body, "status"), kMaxWordBytes));
    return Aside("bolna batch webhook", std::move(key), request.body);
  }
  const json::object& execution = Unwrap(*body);

  CallEvent event;
  event.source = name_;
  event.source_title = title_;
  event.received_at = request.received_at;

  for (const std::string_view field : {"id", "execution_id"}) {
    const auto* value = Find(&execution, field);
    if (!value || !event.call_id.empty()) continue;
    auto id = ReadId(*value, field);
    if (auto* refusal = std::get_if<Refusal>(&id)) return std::move(*refusal);
    event.call_id = std::move(*std::get_if<std::string>(&id));
  }
  if (event.call_id.empty()) return Missing("id");
  if (const auto* value = Find(&execution, "agent_id")) {
    auto id = ReadId(*value, "agent_id");
    if (auto* refusal = std::get_if<Refusal>(&id)) return std::move(*refusal);
    event.agent_id = std::move(*std::get_if<std::string>(&id));
  }
  const auto* status = Find(&execution, "status");
  if (status && !status->is_string()) return WrongType("status: must be a string");
  event.raw_status = Text(status, kMaxWordBytes);
  if (event.raw_status.empty()) return Missing("status");
  event.status = ReadStatus(event.raw_status);

  if (agents_) {
    if (const auto agent = agents_->find(event.agent_id); agent != agents_->end()) {
      event.agent_name = agent->second.name;
      event.agent_tags = agent->second.tags;
    }
  }

  const auto* telephony = FindObject(&execution, "telephony_data");
  event.direction = ReadDirection(execution, telephony);
  ReadNumbers(event, execution, telephony);
  event.started_at = payload::Time(Find(&execution, "initiated_at"));
  if (!event.started_at) event.started_at = payload::Time(Find(&execution, "created_at"));
  // Bolna has no field for the end; the last change of a call that is over comes closest.
  if ((EndedStatuses() | UnsuccessfulStatuses()) & Bit(event.status)) {
    event.ended_at = payload::Time(Find(&execution, "updated_at"));
  }
  event.duration = ReadDuration(execution, telephony);
  event.transcript = bolna::ReadTranscript(Find(&execution, "transcript"));
  event.summary = Text(Find(&execution, "summary"), kMaxSummaryBytes);
  event.cost = ReadCost(execution, currency_);
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
  event.data = bolna::ReadExtractions(execution, document);
  event.meta = ReadMeta(execution, telephony);
  const auto unknown = UnknownMembers(execution);
  for (const auto* member : unknown) payload::PutFlat(event.meta, View(member->key()), member->value());

  std::string key = DedupKey(event, execution, unknown);
  return Normalized{std::move(event), std::move(key)};
}

}  // namespace hookswitch
