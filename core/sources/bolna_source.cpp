#include "core/sources/bolna_source.h"

#include <algorithm>
#include <optional>

#include "core/base/encoding.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/sources/bolna_call.h"
#include "core/sources/identity.h"
#include "core/sources/payload.h"

namespace hookswitch {
namespace {

using payload::Find;
using payload::Section;
using payload::Text;

std::string_view View(json::string_view text) {
  return {text.data(), text.size()};
}

Refusal Missing(std::string field) {
  return {422, "missing_field", std::move(field)};
}
Refusal WrongType(std::string detail) {
  return {422, "wrong_type", std::move(detail)};
}
Refusal WrongType(std::string_view field, const NoId& no_id) {
  return WrongType(std::string(field) + ": " + no_id.why);
}

CallStatus ReadStatus(std::string_view raw) {
  // A batch row before dialling (Bolna's errors page).
  if (EqualsIgnoreCase(raw, "prepared")) return CallStatus::kScheduled;
  return StatusOfWord(raw);
}

// Reads the identity of an event: call, agent, status. `outer` is the body: the execution itself, or an object that
// wraps it and may hold the status.
std::optional<Refusal> ReadIdentity(CallEvent& event, const Section& execution, const Section& outer) {
  for (const std::string_view field : {"id", "execution_id"}) {
    const auto* value = execution.Find(field);
    if (!value || !event.call_id.empty()) continue;
    auto id = ReadId(*value);
    if (const auto* no_id = std::get_if<NoId>(&id)) return WrongType(field, *no_id);
    event.call_id = std::move(*std::get_if<std::string>(&id));
    execution.Gave("call_id", field);
  }
  if (event.call_id.empty()) return Missing("id");
  if (const auto* value = execution.Find("agent_id")) {
    auto id = ReadId(*value);
    if (const auto* no_id = std::get_if<NoId>(&id)) return WrongType("agent_id", *no_id);
    event.agent_id = std::move(*std::get_if<std::string>(&id));
    execution.Gave("agent.id", "agent_id");
  }
  const Section& with_status = execution.Find("status") ? execution : outer;
  const auto* status = with_status.Find("status");
  if (status && !status->is_string()) return WrongType("status: must be a string");
  event.raw_status = Text(status, kMaxStatusBytes);
  if (event.raw_status.empty()) return Missing("status");
  event.status = ReadStatus(event.raw_status);
  event.stage = StageOf(event.status);
  for (const std::string_view field : {"status", "raw_status", "stage"}) with_status.Gave(field, "status");
  return {};
}

// A pre-call webhook repeats "in-progress" with members of its own, so these are part of the key.
std::string DedupKey(const CallEvent& event, const json::object& execution) {
  std::string key = "bolna:" + event.call_id + ':';
  if (event.status == CallStatus::kUnknown) {
    key += ToLower(event.raw_status);
  } else {
    key += ToString(event.status);
  }
  key += ':';
  key += std::to_string(payload::Integer(Find(&execution, "retry_count")).value_or(0));
  if (event.status != CallStatus::kInProgress) return key;
  const auto unknown = bolna::UnknownMembers(execution);
  if (unknown.empty()) return key;
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

// The body of a batch webhook is not documented; the response to GET /batches has these, but no agent and no
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

bool NamesACall(const json::object& object) {
  return Find(&object, "id") || Find(&object, "execution_id") || Find(&object, "agent_id");
}

// No wrapped execution has been seen, but existing receivers allow for it.
Section Unwrap(const Section& body) {
  if (NamesACall(*body.object())) return body;
  for (const std::string_view key : {"execution", "data"}) {
    Section inner = body.Sub(key);
    if (inner.object() && NamesACall(*inner.object())) return inner;
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
  if (!parsed) {
    const auto [line, column] = document.failed_at();
    return Refusal{400, "invalid_json", parsed.error().message, line, column};
  }
  const auto* body = (*parsed)->if_object();
  if (!body) return Refusal{422, "not_an_object", "the body must be one JSON object"};
  const Section outer(body, request.paths);
  const Section call = Unwrap(outer);
  const json::object& execution = *call.object();

  if (IsWorkflow(execution)) {
    const std::string id = Text(Find(&execution, "execution_id"), kMaxIdBytes);
    if (id.empty()) return Aside("bolna workflow webhook", "bolna-workflow", request.body);
    return Normalized{NotACall{"bolna workflow webhook"}, "bolna-workflow:" + id};
  }
  if (IsBatch(execution)) {
    std::string key = "bolna-batch:" + Text(Find(&execution, "batch_id"), kMaxIdBytes) + ':';
    key += ToLower(Text(Find(&execution, "status"), kMaxStatusBytes));
    return Aside("bolna batch webhook", std::move(key), request.body);
  }

  if (payload::IsTestOfAHook(*body)) return Aside("a test of the hook", "bolna-test", request.body);

  CallEvent event;
  event.source = name_;
  event.source_title = title_;
  event.received_at = request.received_at;
  if (auto refusal = ReadIdentity(event, call, outer)) return std::move(*refusal);
  if (agents_) {
    if (const auto agent = agents_->find(event.agent_id); agent != agents_->end()) {
      event.agent_name = agent->second.name;
      event.agent_tags = agent->second.tags;
    }
  }
  bolna::ReadCall(event, call, currency_, document);
  std::string key = DedupKey(event, execution);
  // `ended_at` is when the platform last wrote, which may change with each repetition.
  const std::uint64_t content = ContentSum(event, /*with_ended_at=*/false);
  return Normalized{std::move(event), std::move(key), content, document.mended()};
}

}  // namespace hookswitch
