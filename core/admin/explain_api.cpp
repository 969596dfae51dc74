#include "core/admin/explain_api.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/admin/answers.h"
#include "core/admin/event_reading.h"
#include "core/admin/known_names.h"
#include "core/admin/preview.h"
#include "core/admin/query.h"
#include "core/admin/room.h"
#include "core/admin/withheld.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/delivery/notice.h"

namespace hookswitch {

/// The body of POST /api/v1/explain.
struct ExplainRequest {
  std::optional<std::string> body, event;  ///< one of them
  std::string source;                      ///< with `body`; "": the only one
  Headers headers;                         ///< with `body`
  std::optional<WallTime> at;
  JudgedBy judged_by = JudgedBy::kOwnTime;
  bool messages = false;
};

namespace {

constexpr int kMostAtOnce = 3;

Error WrongMember(std::string_view name, std::string_view what) {
  return {ErrorCode::kInvalid, std::string(name) + ": " + std::string(what)};
}

Status SetHeaders(Headers& headers, const json::value& value) {
  const auto* object = value.if_object();
  if (!object) return WrongMember("headers", "is not an object of texts");
  for (const auto& [name, text] : *object) {
    if (!text.is_string()) return WrongMember("headers", "is not an object of texts");
    headers.emplace_back(name, text.get_string());
  }
  return Ok();
}

Status SetMember(ExplainRequest& request, std::string_view name, const json::value& value) {
  static const std::vector<std::string> kKeys = {"source", "body", "event", "headers", "at", "now", "messages"};
  if (std::ranges::find(kKeys, name) == kKeys.end()) {
    return Error{ErrorCode::kInvalid, '"' + ToUtf8(name) + "\" is not known here; " + DidYouMean(name, kKeys)};
  }
  if (name == "headers") return SetHeaders(request.headers, value);
  if (name == "now" || name == "messages") {
    if (!value.is_bool()) return WrongMember(name, "is neither true nor false");
    if (name == "messages") request.messages = value.get_bool();
    if (name == "now" && value.get_bool()) request.judged_by = JudgedBy::kArrival;
    return Ok();
  }
  if (!value.is_string()) return WrongMember(name, "is not a text");
  std::string text(value.get_string());
  if (name == "source")
    request.source = std::move(text);
  else if (name == "body")
    request.body = std::move(text);
  else if (name == "event")
    request.event = std::move(text);
  else if (name == "at" && !(request.at = ParseTime(text))) {
    return WrongMember(name, '"' + text + "\" is not a time such as 2026-03-04T09:02:03Z");
  }
  return Ok();
}

Result<ExplainRequest> ParseExplainRequest(std::string_view body) {
  const auto object = ParseObject(body);
  if (!object) return object.error();
  ExplainRequest request;
  for (const auto& [key, value] : *object) HSW_TRY(SetMember(request, {key.data(), key.size()}, value));
  if (request.body.has_value() == request.event.has_value()) {
    return Error{ErrorCode::kInvalid, "send either body, a payload as the platform posts it, or event, an event's id"};
  }
  if (request.event && !(request.source.empty() && request.headers.empty())) {
    return Error{ErrorCode::kInvalid, "source and headers go with body: an event has its own"};
  }
  return request;
}

Answer NotAnEvent(const Refusal& refusal) {
  const auto place = [](std::size_t number) { return number == 0 ? json::value(nullptr) : json::value(number); };
  return JsonAnswer(422, json::object{{"ok", false},
                                      {"error", refusal.error},
                                      {"detail", refusal.detail},
                                      {"line", place(refusal.line)},
                                      {"column", place(refusal.column)}});
}

void AddPlugin(json::object& message, const DeliveryPlan& plan) {
  const auto lane = plan.lanes.find(std::string_view(message.at("sink").as_string()));
  message["plugin"] = lane == plan.lanes.end() ? json::value(nullptr) : OrNull(lane->second.config.plugin);
}

}  // namespace

std::variant<ExplainApi::Payload, Answer> ExplainApi::Pasted(const ExplainRequest& request,
                                                             const ActivePlan& plan) const {
  std::vector<std::string> known;
  for (const auto& [name, source] : plan.plan->sources) known.push_back(name);
  if (request.source.empty() && known.size() != 1) {
    return BadRequest(WrongMember("source", known.empty() ? "the config has none" : "is needed: " + Joined(known)));
  }
  const std::string& name = request.source.empty() ? known.front() : request.source;
  if (std::string unknown = WhatIsUnknown("source", name, known); !unknown.empty()) {
    return BadRequest(Error{ErrorCode::kNotFound, std::move(unknown)});
  }
  Payload payload;
  payload.source = plan.plan->sources.find(name)->second;
  payload.body = *request.body;
  payload.headers = KeptOf(*payload.source, request.headers, {});
  payload.received_at = clock_.Wall();
  return payload;
}

std::variant<ExplainApi::Payload, Answer> ExplainApi::Stored(const ExplainRequest& request, const ActivePlan& plan) {
  const auto event = FindEvent(history_, *request.event);
  if (!event) return Failed(event.error());
  auto stored = journal_.Load(event->seq);
  if (!stored) return Failed(stored.error());
  const auto source = plan.plan->sources.find(stored->source);
  if (source == plan.plan->sources.end()) {
    return NotAnEvent({422, "not_a_call", ReadEvent(*stored, plan.plan->sources, nullptr).why_not});
  }
  return Payload{source->second, std::move(stored->id), std::move(stored->body), ParseHeaderLines(stored->headers),
                 stored->received_at};
}

Answer ExplainApi::Explain(const ServedRequest& http) {
  const auto mask = ParseMask(http.query);
  if (!mask) return BadRequest(mask.error());
  const auto request = ParseExplainRequest(http.body);
  if (!request) return BadRequest(request.error());
  const Room room(running_, kMostAtOnce);
  if (!room) return Busy("others ask for explanations at this moment: try again");
  const ActivePlan plan = router_.Plan();
  auto found = request->event ? Stored(*request, plan) : Pasted(*request, plan);
  if (auto* answer = std::get_if<Answer>(&found)) return std::move(*answer);
  const auto& payload = std::get<Payload>(found);
  const RawRequest raw{payload.body, payload.headers, request->at.value_or(payload.received_at)};
  auto result = ExplainPayload(*payload.source, raw, *plan.routes, request->judged_by);
  if (const auto* refusal = std::get_if<Refusal>(&result)) return NotAnEvent(*refusal);
  auto& explained = std::get<Explained>(result);
  auto event = std::make_shared<CallEvent>(*explained.event);
  event->id = payload.id;
  explained.event = std::move(event);

  json::object shown = ToObject(explained);
  shown["fields"] = FieldsOf(*explained.event, explained.paths);
  shown["messages"] = nullptr;
  if (request->messages) {
    json::array messages =
        PreviewAll(*plan.plan, explained.event, payload.body, explained.explanation.routes, clock_.Wall());
    for (auto& message : messages) AddPlugin(message.as_object(), *plan.plan);
    shown["messages"] = std::move(messages);
  }
  // Who sends a payload knows what it says.
  const bool masks = *mask || router_.CurrentConfig()->bodies != config::Bodies::kFull;
  AddMasked(shown, request->event && masks);
  return JsonAnswer(200, shown);
}

Result<json::object> ExplainApi::Render(const DeliverySummary& delivery, const ActivePlan& plan) {
  auto stored = journal_.Load(delivery.event);
  if (!stored) return std::move(stored).error();
  auto memory = delivery.call_key == 0 ? std::string() : journal_.LoadMemory(delivery.sink, delivery.call_key);
  if (!memory) return std::move(memory).error();
  ShownDelivery shown{.event = nullptr, .id = DeliveryId(delivery.seq), .sink = delivery.sink, .rule = delivery.rule};
  if (auto notice = stored->source == kOwnSource ? ReadNotice(stored->body) : std::nullopt) {
    shown.event = std::make_shared<const CallEvent>(NoticeEvent(stored->id, stored->received_at));
    shown.message = std::move(*notice);
  } else {
    const EventReading reading = ReadEvent(*stored, plan.plan->sources, nullptr);
    if (!reading.call) {
      return json::object{{"sink", delivery.sink}, {"rule", delivery.rule}, {"not_sent", reading.why_not}};
    }
    shown.event = reading.call;
    shown.message = plan.plan->composer->Compose(*reading.call, delivery.template_name);
    shown.body = std::move(stored->body);
  }
  AddStory(shown.message, delivery.story);
  shown.memory = std::move(*memory);
  shown.attempt = delivery.attempts + 1;
  shown.now = clock_.Wall();
  return PreviewBy(*plan.plan, std::move(shown));
}

Result<json::object> ExplainApi::MessageOf(const DeliverySummary& delivery) {
  const ActivePlan plan = router_.Plan();
  auto message = Render(delivery, plan);
  if (message) AddPlugin(*message, *plan.plan);
  return message;
}

Answer ExplainApi::ShowMessage(const DeliverySummary& delivery, bool withhold) {
  const Room room(running_, kMostAtOnce);
  if (!room) return Busy("others ask for messages at this moment: try again");
  auto message = MessageOf(delivery);
  if (!message) return Failed(message.error());
  json::object shown{{"id", DeliveryId(delivery.seq)},
                     {"sink", delivery.sink},
                     {"rule", delivery.rule},
                     {"template", OrNull(delivery.template_name)},
                     {"as_of", ToRfc3339(clock_.Wall())},
                     {"message", std::move(*message)}};
  AddMasked(shown, withhold);
  return JsonAnswer(200, shown);
}

}  // namespace hookswitch
