#include "body_template.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "hookswitch/json.hpp"

namespace webhook {
namespace {

namespace json = boost::json;

constexpr std::array<std::string_view, 28> kNames = {
    "id",         "source",     "call_id",  "received_at", "agent",         "status",
    "raw_status", "direction",  "from",     "to",          "started_at",    "ended_at",
    "duration",   "transcript", "summary",  "cost",        "recording_url", "hangup",
    "voicemail",  "error",      "stage",    "sentiment",   "success",       "data",
    "meta",       "message",    "delivery", "rule"};
constexpr std::array<std::string_view, 4> kOfTheMessage = {"title", "severity", "text", "transcript"};

std::string_view Trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// Calls `plain` for text between placeholders and `name` for each name. False if a {{ has no }}.
template <class Plain, class Name>
bool Scan(std::string_view text, Plain plain, Name name) {
  for (;;) {
    const auto open = text.find("{{");
    plain(text.substr(0, open));
    if (open == std::string_view::npos) return true;
    const auto end = text.find("}}", open + 2);
    if (end == std::string_view::npos) return false;
    name(Trimmed(text.substr(open + 2, end - open - 2)));
    text.remove_prefix(end + 2);
  }
}

std::string ProblemWith(std::string_view name) {
  const auto first = name.substr(0, name.find('.'));
  const bool known = std::find(kNames.begin(), kNames.end(), first) != kNames.end();
  if (!known)
    return "does not know {{" + std::string(name) +
           "}}: names are those of the normalized event, and message, delivery, rule";
  if (first != "message") return "";
  const auto part = name.size() > first.size() ? name.substr(first.size() + 1) : std::string_view();
  if (std::find(kOfTheMessage.begin(), kOfTheMessage.end(), part) != kOfTheMessage.end()) return "";
  return "does not know {{" + std::string(name) + "}}: of a message there are title, severity, text and transcript";
}

void CheckValue(const json::value& value, const std::string& pointer,
                const std::function<void(const std::string&, const std::string&)>& report) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) CheckValue(member, pointer + "/" + Escaped(key), report);
  } else if (const auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) CheckValue((*list)[i], pointer + "/" + std::to_string(i), report);
  } else if (const auto* text = value.if_string()) {
    std::string problem;
    const bool whole = Scan(
        *text, [](std::string_view) {},
        [&](std::string_view name) {
          if (problem.empty()) problem = ProblemWith(name);
        });
    if (!whole) problem = "has a {{ without }}";
    if (!problem.empty()) report(pointer, problem);
  }
}

std::string_view Word(std::uint32_t severity) {
  switch (severity) {
    case HSW_SUCCESS: return "success";
    case HSW_WARNING: return "warning";
    case HSW_ERROR: return "error";
    default: return "info";
  }
}

/// Boost.JSON would write 73.5 as 7.35E1.
void Write(const json::value& value, hsw::JsonWriter& out) {
  if (const auto* object = value.if_object()) {
    out.BeginObject();
    for (const auto& [key, member] : *object) {
      out.Key(key);
      Write(member, out);
    }
    out.EndObject();
  } else if (const auto* list = value.if_array()) {
    out.BeginArray();
    for (const auto& member : *list) Write(member, out);
    out.EndArray();
  } else if (const auto* text = value.if_string()) {
    out.String(*text);
  } else if (const auto* number = value.if_double()) {
    std::array<char, 32> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number).ptr;
    out.Raw({digits.data(), static_cast<std::size_t>(end - digits.data())});
  } else {
    out.Raw(json::serialize(value));
  }
}

std::string TextOf(const json::value& value) {
  hsw::JsonWriter out;
  Write(value, out);
  return std::move(out).Text();
}

/// The value of a dotted name; keys of `data` may contain dots. nullptr if none.
const json::value* Find(const json::value& in, std::string_view name) {
  const auto* object = in.if_object();
  if (!object) return nullptr;
  if (const auto* whole = object->if_contains(name)) return whole;
  const auto dot = name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const auto* next = object->if_contains(name.substr(0, dot));
  return next ? Find(*next, name.substr(dot + 1)) : nullptr;
}

json::value Filled(const json::value& pattern, const json::value& values) {
  if (const auto* object = pattern.if_object()) {
    json::object out;
    for (const auto& [key, member] : *object) out[key] = Filled(member, values);
    return out;
  }
  if (const auto* list = pattern.if_array()) {
    json::array out;
    for (const auto& member : *list) out.push_back(Filled(member, values));
    return out;
  }
  const auto* text = pattern.if_string();
  if (!text) return pattern;
  std::string out;
  std::size_t names = 0;
  const json::value* last = nullptr;
  Scan(
      *text, [&](std::string_view plain) { out += plain; },
      [&](std::string_view name) {
        ++names;
        last = Find(values, name);
        if (!last || last->is_null()) return;
        if (const auto* said = last->if_string()) {
          out += std::string_view(*said);
        } else {
          out += TextOf(*last);
        }
      });
  const bool alone = names == 1 && text->starts_with("{{") && text->find("}}") == text->size() - 2;
  if (!alone) return json::string(out);
  return last ? *last : json::value();
}

}  // namespace

std::string Escaped(std::string_view key) {
  std::string out;
  for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

void BodyTemplate::Check(const std::function<void(const std::string&, const std::string&)>& report) const {
  CheckValue(pattern_, "", report);
}

std::string BodyTemplate::Fill(const hsw::Delivery& delivery) const {
  const auto event = delivery.EventJson();
  json::value values = json::parse(json::string_view(event.data(), event.size()));
  const auto message = delivery.Message();
  const auto text = [](std::string_view from) { return json::string(from.data(), from.size()); };
  auto& object = values.as_object();
  object["message"] = {{"title", text(message.Title())},
                       {"severity", text(Word(message.Severity()))},
                       {"text", text(message.Text())},
                       {"transcript", text(message.Transcript())}};
  object["delivery"] = text(delivery.Id());
  object["rule"] = text(delivery.Rule());
  return TextOf(Filled(pattern_, values));
}

}  // namespace webhook
