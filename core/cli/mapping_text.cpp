#include "core/cli/mapping_text.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "core/base/text.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {
namespace {

// Ours: no payload has them.
bool IsOurs(std::string_view field) {
  return field == "id" || field == "source" || field == "received_at" || field == "agent.tags";
}

std::vector<std::string> AbsentFields(const CallEvent& event) {
  std::vector<std::string> absent;
  for (const auto& [key, value] : hookswitch::ToObject(event)) {
    const std::string name(key);
    if (value.is_null() && !IsOurs(name)) absent.push_back(name);
    const auto* object = value.if_object();
    if (object && object->empty()) absent.push_back(name);
    for (const auto& [inner, leaf] : object ? *object : json::object()) {
      if (leaf.is_null()) absent.push_back(name + '.' + std::string(inner));
    }
  }
  return absent;
}

std::string ShownValue(const json::value& value) {
  constexpr std::size_t kWidest = 60;
  const auto* list = value.if_array();
  if (list) return std::to_string(list->size()) + (list->size() == 1 ? " turn" : " turns");
  const std::string text = OneLine(value.is_string() ? std::string(value.get_string()) : ToText(value));
  return CodePoints(text) <= kWidest ? text : std::string(CutCodePoints(text, kWidest - 1)) + "\xE2\x80\xA6";
}

}  // namespace

json::object ExplainMapping(const Explained& explained) {
  json::array absent;
  for (const auto& name : AbsentFields(*explained.event)) absent.emplace_back(name);
  return {{"fields", FieldsOf(*explained.event, explained.paths)}, {"absent", std::move(absent)}};
}

std::string MappingText(const Explained& explained) {
  struct Line {
    std::string field, path, value;
  };
  std::vector<Line> lines;
  for (const auto& item : FieldsOf(*explained.event, explained.paths)) {
    const auto& one = item.get_object();
    const std::string field(one.at("field").as_string());
    if (IsOurs(field)) continue;
    const auto* path = one.at("path").if_string();
    lines.push_back({OneLine(field), path ? OneLine(std::string(*path)) : "(no path)", ShownValue(one.at("value"))});
  }
  std::size_t field_width = 0, path_width = 0;
  for (const Line& line : lines) {
    field_width = std::max(field_width, CodePoints(line.field));
    path_width = std::max(path_width, CodePoints(line.path));
  }
  const auto padded = [](const std::string& text, std::size_t width) {
    return text + std::string(width - CodePoints(text) + 2, ' ');
  };
  std::string text;
  for (const Line& line : lines) {
    text += "  " + padded(line.field, field_width) + padded(line.path, path_width) + line.value + '\n';
  }
  const auto absent = AbsentFields(*explained.event);
  if (!absent.empty()) text += "  nothing gave: " + Joined(absent) + '\n';
  return text;
}

}  // namespace hookswitch::cli
