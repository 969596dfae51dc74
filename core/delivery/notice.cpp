#include "core/delivery/notice.h"

#include <utility>

#include "core/base/json.h"

namespace hookswitch {
namespace {

Message Notice(const std::string& sink, std::uint64_t pending, std::string what, Severity severity, std::string text) {
  Message notice;
  notice.title = "hookswitch: sink \"" + sink + "\" " + what;
  notice.severity = severity;
  notice.fields = {{"Sink", sink}, {"Waiting", std::to_string(pending)}};
  notice.text = std::move(text);
  return notice;
}

std::string Text(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value && value->is_string() ? std::string(value->get_string()) : std::string();
}

}  // namespace

Message BrokenNotice(const std::string& sink, const std::string& reason, std::uint64_t pending) {
  return Notice(sink, pending, "is broken", Severity::kError,
                reason + "\nNothing is lost: what waits for it goes out as soon as it works again.");
}

Message FailingNotice(const std::string& sink, const std::string& reason, std::uint64_t pending) {
  return Notice(sink, pending, "keeps failing", Severity::kWarning,
                reason + "\nNothing is lost: what waits for it goes out as soon as it works again.");
}

Message WorksAgainNotice(const std::string& sink, std::uint64_t pending) {
  return Notice(sink, pending, "works again", Severity::kSuccess, "");
}

Message DeadNotice(const std::string& sink, std::uint64_t count, const std::map<std::string, std::uint64_t>& reasons,
                   std::uint64_t pending) {
  std::string text;
  for (const auto& [reason, times] : reasons) text += std::to_string(times) + "x " + reason + "\n";
  const std::string what = count == 1 ? "has a dead letter" : "has " + std::to_string(count) + " dead letters";
  text += "Fix the cause, then send them again: hookswitch deliveries replay --sink " + sink + " --state dead";
  return Notice(sink, pending, what, Severity::kError, std::move(text));
}

Message PlacesNotice(const std::string& sink, const std::map<std::string, std::uint64_t>& places,
                     std::uint64_t pending) {
  std::string text;
  for (const auto& [place, times] : places) text += place + "\n";
  text += "Deliveries to it wait, and are dead after some tries; deliveries to other places are not affected.";
  return Notice(sink, pending, places.size() == 1 ? "is refused at one place" : "is refused at some places",
                Severity::kError, std::move(text));
}

Message ReloadFailedNotice(const std::string& problems) {
  Message notice;
  notice.title = "hookswitch: the config was not reloaded";
  notice.severity = Severity::kError;
  notice.text = problems + "\nThe previous config stays in use.";
  return notice;
}

Message ReloadWorksNotice() {
  Message notice;
  notice.title = "hookswitch: the config was reloaded";
  notice.severity = Severity::kSuccess;
  return notice;
}

CallEvent NoticeEvent(std::string id, WallTime received_at) {
  CallEvent event;
  event.source = event.source_title = kOwnSource;
  event.id = std::move(id);
  event.received_at = received_at;
  return event;
}

void AddStory(Message& message, const std::string& story) {
  if (!story.empty()) message.text = story + (message.text.empty() ? "" : "\n\n") + message.text;
}

std::string NoticeBody(const Message& notice) {
  json::array fields;
  for (const auto& field : notice.fields) fields.push_back(json::object{{"name", field.name}, {"value", field.value}});
  return ToText(json::object{{"title", notice.title},
                             {"severity", static_cast<int>(notice.severity)},
                             {"text", notice.text},
                             {"fields", std::move(fields)}});
}

std::optional<Message> ReadNotice(std::string_view body) {
  boost::system::error_code error;
  const json::value parsed = json::parse(json::string_view(body.data(), body.size()), error);
  if (error || !parsed.is_object()) return {};
  const json::object& object = parsed.get_object();
  Message notice;
  notice.title = Text(object, "title");
  notice.text = Text(object, "text");
  if (notice.title.empty()) return {};
  if (const json::value* severity = object.if_contains("severity");
      severity && severity->is_int64() && severity->get_int64() >= 0 &&
      severity->get_int64() <= static_cast<int>(Severity::kError)) {
    notice.severity = static_cast<Severity>(severity->get_int64());
  }
  if (const json::value* fields = object.if_contains("fields"); fields && fields->is_array()) {
    for (const json::value& field : fields->get_array()) {
      if (field.is_object()) {
        notice.fields.push_back({Text(field.get_object(), "name"), Text(field.get_object(), "value")});
      }
    }
  }
  return notice;
}

}  // namespace hookswitch
