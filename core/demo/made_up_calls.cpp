#include "core/demo/made_up_calls.h"

#include <string_view>
#include <utility>

#include "core/base/encoding.h"
#include "core/base/ids.h"
#include "core/base/time_text.h"
#include "core/demo/demo_files.h"

namespace hookswitch::demo {
namespace {

/// A UUID that is the same in each run.
std::string MakeId(std::string_view of) {
  const Digest digest = DigestOf(of);
  std::string hex = Hex(digest);
  hex[12] = '4';  // RFC 9562: version 4, variant 10
  hex[16] = 'a';
  for (const std::size_t at : {20, 16, 12, 8}) hex.insert(at, "-");
  return hex;
}

/// As Bolna writes a time: without a zone.
std::string TimeOf(WallTime time) {
  std::string text = ToRfc3339(time);
  text.pop_back();
  return text;
}

std::string TranscriptOf(const json::array& turns) {
  std::string text;
  for (const json::value& turn : turns) text.append(turn.as_string()).append("\n");
  return text;
}

json::object Extracted(const json::object& values) {
  json::object general;
  for (const auto& [name, value] : values) {
    const std::string text = value.is_string() ? std::string(value.get_string()) : ToText(value);
    general[name] = {{"subjective", text},         {"objective", value},        {"confidence", 0.94},
                     {"confidence_label", "High"}, {"reasoning_objective", ""}, {"reasoning_subjective", ""},
                     {"validation", nullptr}};
  }
  return {{"General", std::move(general)}};
}

/// What is known once somebody has hung up, or the call has failed.
void AddEnd(json::object& execution, const json::object& call) {
  json::object& telephony = execution["telephony_data"].as_object();
  const json::array& hangup = call.at("hangup").as_array();
  telephony["hangup_by"] = hangup.at(0);
  telephony["hangup_reason"] = hangup.at(1);
  telephony["hangup_provider_code"] = hangup.at(2);
  if (const json::value* error = call.if_contains("error")) execution["error_message"] = *error;
  if (const json::value* duration = call.if_contains("duration")) {
    execution["answered_by_voice_mail"] = call.contains("voicemail");
    execution["conversation_duration"] = *duration;
    execution["transcript"] = TranscriptOf(call.at("transcript").as_array());
    telephony["duration"] = std::to_string(static_cast<int>(duration->to_number<double>()) + 1);
  }
}

/// What Bolna works out afterwards.
void AddAnalysis(json::object& execution, const json::object& call) {
  execution["total_cost"] = call.at("cost");
  execution["summary"] = call.at("summary");
  execution["extracted_data"] = Extracted(call.at("extracted").as_object());
  execution["telephony_data"].as_object()["recording_url"] =
      "https://recordings.example/call/" + std::string(execution.at("id").as_string());
}

MadeUpRequest RefusedRequest(std::size_t kind, MadeUpRequest request) {
  request.pause = std::chrono::seconds(1);
  switch (kind % 4) {
    case 0:
      request.what = "wrong secret";
      request.has_secret = false;
      break;
    case 1:
      request.what = "cut body";
      request.body.resize(request.body.size() / 2);
      break;
    case 2:
      request.what = "wrong path";
      request.path = "/webhook/bolna";
      break;
    case 3:
      request.what = "no status";
      request.body = R"({"execution_id":"of nothing","agent_id":"nobody"})";
      break;
  }
  return request;
}

}  // namespace

MadeUpCalls::MadeUpCalls() {
  json::object all = json::parse(CallsText()).as_object();
  steps_ = std::move(all.at("steps").as_object());
  execution_ = std::move(all.at("execution").as_object());
  agents_ = std::move(all.at("agents").as_object());
  calls_ = std::move(all.at("calls").as_array());
}

std::vector<MadeUpRequest> MadeUpCalls::Steps(std::size_t number, WallTime now) const {
  const json::object& call = calls_[number % size()].as_object();
  const json::object& agent = agents_.at(call.at("agent").as_string()).as_object();
  const std::string id = MakeId("call " + std::to_string(number));

  json::object execution = execution_;
  execution["id"] = execution["execution_id"] = id;
  execution["agent_id"] = agent.at("id");
  execution["created_at"] = execution["scheduled_at"] = TimeOf(now);
  execution["user_number"] = call.at("to");
  execution["agent_number"] = agent.at("number");
  execution["context_details"] = {{"recipient_data", call.at("recipient")}, {"recipient_phone_number", call.at("to")}};
  json::object& telephony = execution["telephony_data"].as_object();
  telephony["to_number"] = call.at("to");
  telephony["from_number"] = agent.at("number");
  telephony["provider_call_id"] = MakeId("of the provider " + std::to_string(number));

  std::vector<MadeUpRequest> requests;
  std::chrono::seconds since{};
  for (const auto& [status, pause] : steps_.at(call.at("ends").as_string()).as_object()) {
    MadeUpRequest request;
    request.agent = std::string(call.at("agent").as_string());
    request.what = status;
    request.pause = std::chrono::seconds(pause.as_int64());
    if (!requests.empty()) since += request.pause;
    execution["status"] = status;
    execution["updated_at"] = TimeOf(now + since);
    const bool is_last = status == call.at("ends").as_string();
    if (is_last || status == "call-disconnected") AddEnd(execution, call);
    if (is_last && call.contains("summary")) AddAnalysis(execution, call);
    request.body = ToText(execution);
    requests.push_back(std::move(request));
  }
  return requests;
}

std::vector<MadeUpRequest> MadeUpCalls::Requests(std::size_t number, WallTime now) const {
  std::vector<MadeUpRequest> requests = Steps(number, now);
  const MadeUpRequest last = requests.back();
  if (number % 4 == 1) {
    requests.push_back(last);
    requests.back().pause = std::chrono::seconds(1);
    requests.back().what += ", again";
  }
  if (number % 3 == 2) requests.push_back(RefusedRequest(number / 3, last));
  return requests;
}

}  // namespace hookswitch::demo
