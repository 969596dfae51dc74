#include "core/admin/explain.h"

#include "core/admin/answers.h"
#include "core/sources/stored_request.h"

namespace hookswitch {

std::variant<Explained, Refusal> ExplainPayload(const Source& source, const RawRequest& request,
                                                const RouteTable& routes, JudgedBy judged_by) {
  Explained explained;
  auto read = NormalizeStored(source, {request.body, request.headers, request.received_at, &explained.paths});
  if (auto* refusal = std::get_if<Refusal>(&read)) return std::move(*refusal);
  auto& what = std::get<Normalized>(read).what;
  if (auto* other = std::get_if<NotACall>(&what)) return Refusal{422, "not_a_call", std::move(other->why)};
  explained.event = std::make_shared<const CallEvent>(std::move(std::get<CallEvent>(what)));
  std::optional<WallTime> judged_at;
  if (judged_by == JudgedBy::kArrival) judged_at = explained.event->received_at;
  explained.explanation = routes.Explain(*explained.event, judged_at);
  return explained;
}

json::object ToObject(const Explained& explained) {
  json::object shown{{"event", ToObject(*explained.event)}};
  AddExplanation(shown, explained.explanation);
  return shown;
}

json::array FieldsOf(const CallEvent& event, const FieldPaths& paths) {
  json::array fields;
  const auto add = [&](const std::string& field, const json::value& value) {
    const auto* list = value.if_array();
    if (value.is_null() || (list && list->empty())) return;
    fields.push_back(json::object{{"field", field}, {"value", value}, {"path", OrNull(paths.Of(field))}});
  };
  for (const auto& [key, value] : ToObject(event)) {
    const std::string name(key);
    const auto* object = value.if_object();
    if (!object) add(name, value);
    for (const auto& [inner, leaf] : object ? *object : json::object()) add(name + '.' + std::string(inner), leaf);
  }
  return fields;
}

}  // namespace hookswitch
