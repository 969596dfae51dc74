#include "core/sources/mapping/mapped_source.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>

#include "core/base/encoding.h"
#include "core/base/ids.h"
#include "core/base/text.h"
#include "core/sources/form.h"
#include "core/sources/identity.h"
#include "core/sources/mapping/content.h"
#include "core/sources/mapping/entries.h"
#include "core/sources/mapping/fields.h"
#include "core/sources/mapping/reading.h"
#include "core/sources/mapping/rules.h"
#include "core/sources/mapping/transcript.h"

namespace hookswitch {
namespace {

using config::EventRule;
using config::Mapping;
using config::ValuePath;
using mapping::Reading;

/// The body of a request, parsed. Values live in `document`.
struct Body {
  const json::value* value = nullptr;  ///< nullptr: refused
  bool is_form = false;
  Refusal refusal{};
};

Body ReadBody(const RawRequest& request, payload::Document& document) {
  std::string_view type;
  for (const auto& [name, value] : request.headers) {
    if (EqualsIgnoreCase(name, "content-type")) type = value;
  }
  Body body;
  body.is_form = FormKindOf(request.body, type) != FormKind::kNone;
  const auto read = body.is_form ? ReadForm(request.body, type, document) : document.Parse(request.body);
  if (read) {
    body.value = *read;
  } else {
    const auto [line, column] = document.failed_at();
    body.refusal = {400, "invalid_json", read.error().message, line, column};
  }
  return body;
}

/// The list that `each` names; nullptr if it is not there, or is no list.
const json::array* ListOf(Reading& reading, const Mapping& mapping) {
  if (!mapping.each) return nullptr;
  const json::value* list = reading.First(*mapping.each);
  return list ? reading.Opened(*list).if_array() : nullptr;
}

/// The parts, which are foreign, so that no two lists of them look the same.
std::string KeyOf(std::string key, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    key += ':';
    for (const char c : part) {
      if (c == ':' || c == '\\') key += '\\';
      key += c;
    }
  }
  return key;
}

/// Of the body, and of what else is read of the request.
std::string ContentKey(const std::string& type, const RawRequest& request) {
  std::string text(request.body);
  for (const auto& [name, value] : request.headers) {
    if (!EqualsIgnoreCase(name, "content-type")) text.append(1, '\n').append(name).append(1, ':').append(value);
  }
  return KeyOf(type, {Hex(DigestOf(text))});
}

/// "" for nothing, and for a number that cannot be read exactly: another may look the same.
std::string DedupPart(const json::value* value) {
  if (!value || (value->is_double() && std::fabs(value->get_double()) > payload::kLargestExactWhole)) return {};
  std::string part = payload::AnyText(value, std::string::npos);
  return part.size() > kMaxIdBytes ? Hex(DigestOf(part)) : part;
}

/// Vapi's events have nothing but a "message" either: that is an object, and the mapping names what it says.
bool IsTest(const json::object& body, bool is_named) {
  const bool has_object = std::ranges::any_of(body, [](const auto& member) { return member.value().is_object(); });
  return payload::IsTestOfAHook(body) && !(is_named && has_object);
}

/// One event, while it is read.
class EventReader {
 public:
  EventReader(Reading& reading, const Mapping& mapping) : reading_(reading), mapping_(mapping) {
    event_type_ = ReadWord(reading_, mapping_.event_type, "event");
    const auto rule = std::ranges::find_if(mapping_.events, [&](const EventRule& one) {
      if (!one.matches.empty()) return AllMatch(reading_, one.matches);
      return !event_type_.empty() && GlobMatchIgnoreCase(one.glob, event_type_);
    });
    if (rule != mapping_.events.end()) rule_ = &*rule;
  }

  const std::string& event_type() const { return event_type_; }
  /// True if the mapping says what this event is.
  bool named() const { return rule_ != nullptr; }
  bool skipped() const { return rule_ ? rule_->what == EventRule::What::kSkip : mapping_.skip_other_events; }

  /// What is wrong with the call's id; "" if it was read, or is not mapped.
  std::string ReadCallId(CallEvent& event) {
    if (mapping_.call_id.empty()) return {};
    std::string why;
    const bool found =
        TakeTranslated(reading_, mapping_.call_id, "call_id", [&](const auto&, const json::value& value) {
          auto id = ReadId(value);
          if (const auto* no_id = std::get_if<NoId>(&id)) {
            why = no_id->why;
            return false;
          }
          event.call_id = std::move(*std::get_if<std::string>(&id));
          return !payload::SaysNothing(event.call_id);
        });
    if (found) return {};
    std::string paths;
    for (const auto& rule : mapping_.call_id) {
      for (const ValuePath& path : rule.paths) paths.append(paths.empty() ? "" : ", ").append(ToText(path));
    }
    return why.empty() ? paths : paths + ": " + why;
  }

  void Fill(CallEvent& event, const std::string& currency, const AgentMap* agents) {
    TakeTranslated(reading_, mapping_.agent_id, "agent.id", [&](const auto&, const json::value& value) {
      auto id = ReadId(value);
      if (auto* text = std::get_if<std::string>(&id)) event.agent_id = std::move(*text);
      return !event.agent_id.empty();
    });
    event.agent_name = ReadWord(reading_, mapping_.agent_name, "agent.name");
    if (agents) {
      if (const auto agent = agents->find(event.agent_id); agent != agents->end()) {
        if (!agent->second.name.empty()) event.agent_name = agent->second.name;
        event.agent_tags = agent->second.tags;
      }
    }
    ReadStatus(reading_, mapping_.status, event);
    event.stage = StageFor(event);
    ReadFields(reading_, mapping_, currency, event);
    event.transcript = mapping::ReadTranscript(reading_, mapping_.transcript);
    payload::MapFiller data(event.data, "data", reading_.notes()), meta(event.meta, "meta", reading_.notes());
    ReadEntries(reading_, mapping_.data, data);
    ReadEntries(reading_, mapping_.meta, meta);
  }

  std::string DedupKey(const CallEvent& event, const std::string& type, const RawRequest& request) {
    std::string key = type;
    bool any = false;
    for (const ValuePath& path : mapping_.dedup) {
      const std::string part = DedupPart(reading_.First(path));
      any |= !part.empty();
      key = KeyOf(std::move(key), {part});
    }
    if (any) return key;
    if (event.call_id.empty()) return ContentKey(type, request);
    const std::string raw = ToLower(event.raw_status);
    const bool is_known = event.status != CallStatus::kUnknown;
    return KeyOf(type, {event.call_id, event_type_, is_known ? ToString(event.status) : std::string_view(raw)});
  }

 private:
  Stage StageFor(const CallEvent& event) {
    std::optional<Stage> stage;
    TakeTranslated(reading_, mapping_.stage, "stage", [&](const auto&, const json::value& value) {
      std::string buffer;
      stage = ParseStage(mapping::WordOf(value, buffer));
      return stage.has_value();
    });
    if (stage) return *stage;
    if (!rule_) {
      reading_.GaveToo("stage", "status");
      return StageOf(event.status);
    }
    if (rule_->matches.empty()) reading_.GaveToo("stage", "event");
    switch (rule_->what) {
      case EventRule::What::kLive: return Stage::kLive;
      case EventRule::What::kEnded: return Stage::kEnded;
      case EventRule::What::kFinal: return Stage::kFinal;
      case EventRule::What::kSkip: break;
    }
    HSW_CHECK(false, "what is skipped is not read");
    return Stage::kLive;
  }

  Reading& reading_;
  const Mapping& mapping_;
  std::string event_type_;
  const EventRule* rule_ = nullptr;  ///< that the request meets
};

}  // namespace

MappedSource::MappedSource(Names names, std::shared_ptr<const Mapping> mapping, std::shared_ptr<const AgentMap> agents)
    : names_(std::move(names)),
      mapping_(std::move(mapping)),
      agents_(std::move(agents)),
      parts_(mapping::PartsOf(*mapping_)),
      kept_headers_(parts_.headers.begin(), parts_.headers.end()),
      kept_parameters_(parts_.parameters.begin(), parts_.parameters.end()) {}

std::variant<Normalized, Refusal> MappedSource::Normalize(const RawRequest& request) const {
  payload::Document document;
  const Body body = ReadBody(request, document);
  if (!body.value) return body.refusal;
  Reading reading(request, *body.value, body.is_form, document);
  if (const auto* list = ListOf(reading, *mapping_); list && list->size() > kMaxEvents) {
    return Refusal{413, "too_large", "more than " + std::to_string(kMaxEvents) + " events in one request"};
  }
  const auto* object = body.value->if_object();
  if (!object) return Refusal{422, "not_an_object", "the body must be one JSON object"};

  const auto aside = [&](std::string why, std::string_view kind) {
    return Normalized{NotACall{std::move(why)}, KeyOf(names_.type, {kind, Hex(DigestOf(request.body))})};
  };
  EventReader reader(reading, *mapping_);
  const std::string& event_type = reader.event_type();
  if (reader.skipped()) {
    return aside(names_.type + ": " + (event_type.empty() ? "an event that is skipped" : event_type), "skipped");
  }
  CallEvent event;
  event.source = names_.name;
  event.source_title = names_.title;
  event.received_at = request.received_at;
  std::string missing = reader.ReadCallId(event);
  if (event.call_id.empty() && IsTest(*object, reader.named())) return aside("a test of the hook", "test");
  if (!missing.empty()) return Refusal{422, "missing_field", std::move(missing)};
  reader.Fill(event, names_.currency, agents_.get());
  std::string key = reader.DedupKey(event, names_.type, request);
  const std::uint64_t content = mapping::ContentSumWithout(event, mapping_->volatile_fields);
  return Normalized{std::move(event), std::move(key), content, document.mended()};
}

std::optional<std::vector<std::string>> MappedSource::Split(const RawRequest& request) const {
  if (!mapping_->each) return {};
  payload::Document document;
  const Body body = ReadBody(request, document);
  if (!body.value) return {};
  Reading reading(request, *body.value, body.is_form, document);
  const auto* list = ListOf(reading, *mapping_);
  if (!list || list->size() > kMaxEvents) return {};
  std::vector<std::string> bodies;
  for (const auto& item : *list) bodies.push_back(ToText(item));
  return bodies;
}

}  // namespace hookswitch
