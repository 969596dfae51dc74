#include "core/cli/case_file.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "core/base/json.h"
#include "core/base/time_text.h"
#include "core/config/node.h"
#include "core/config/scalars.h"
#include "core/config/schema_check.h"
#include "core/config/schema_lookup.h"
#include "core/config/yaml_parser.h"

namespace hookswitch::cli {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongest = std::chrono::hours(24 * 3660);
constexpr std::string_view kCasesSchema = R"({
  "type": "array", "minItems": 1, "x-expected": "a list of cases",
  "items": {
    "type": "object", "additionalProperties": false, "required": ["expect"],
    "x-expected": "a case such as {event: call.json, expect: [ops]}",
    "properties": {
      "name": {"type": "string", "minLength": 1},
      "source": {"type": "string", "minLength": 1},
      "event": {"$ref": "#/definitions/event"},
      "at": {"type": "string", "minLength": 1, "x-expected": "a time such as \"2026-03-04T10:00:00Z\""},
      "series": {
        "type": "array", "minItems": 1, "x-expected": "a list of events such as {at: 30s, event: call.json}",
        "items": {
          "type": "object", "additionalProperties": false, "required": ["at", "event"],
          "x-expected": "an event such as {at: 30s, event: call.json}",
          "properties": {
            "at": {"$ref": "#/definitions/duration"},
            "event": {"$ref": "#/definitions/event"},
            "set": {"type": "object", "x-expected": "values by JSON pointer, such as {/id: \"call-{n}\"}"},
            "times": {"type": "integer", "minimum": 1, "maximum": 1000},
            "every": {"$ref": "#/definitions/duration"}
          }
        }
      },
      "expect": {
        "type": "array", "x-expected": "a list of sinks, [] for none",
        "items": {
          "x-expected": "a sink's name, or {sink, rule, contains, at}",
          "anyOf": [
            {"type": "string", "minLength": 1},
            {
              "type": "object", "additionalProperties": false, "required": ["sink"],
              "properties": {
                "sink": {"type": "string", "minLength": 1},
                "rule": {"type": "string", "minLength": 1},
                "contains": {"type": "string", "minLength": 1},
                "at": {"$ref": "#/definitions/duration"}
              }
            }
          ]
        }
      }
    }
  },
  "definitions": {
    "event": {"x-expected": "a file with a payload, or the payload", "anyOf": [{"type": "string", "minLength": 1}, {"type": "object"}]},
    "duration": {"type": "string", "minLength": 1, "x-expected": "a duration such as 90s or 1m30s"}
  }
})";

/// A payload that is written in YAML.
json::value JsonOf(const config::Node& node) {
  using Kind = config::Node::Kind;
  switch (node.kind) {
    case Kind::kNull: return nullptr;
    case Kind::kScalar: return config::ScalarValue(node, {});
    case Kind::kList: {
      json::array list;
      for (const auto& item : node.list) list.push_back(JsonOf(item));
      return list;
    }
    case Kind::kMap: {
      json::object map;
      for (const auto& entry : node.map) map[entry.key] = JsonOf(entry.value);
      return map;
    }
  }
  return nullptr;
}

/// `value` with every "{n}" in its texts replaced by `n`.
json::value Numbered(json::value value, std::int64_t n) {
  if (auto* text = value.if_string()) {
    std::string numbered(*text);
    const std::string number = std::to_string(n);
    for (std::size_t at = 0; (at = numbered.find("{n}", at)) != std::string::npos; at += number.size()) {
      numbered.replace(at, 3, number);
    }
    return json::value(numbered);
  }
  if (auto* list = value.if_array()) {
    for (auto& item : *list) item = Numbered(std::move(item), n);
  } else if (auto* map = value.if_object()) {
    for (auto& entry : *map) entry.value() = Numbered(std::move(entry.value()), n);
  }
  return value;
}

/// Replaces what the JSON pointer names in `root`; objects that are not there are made. False: `pointer` is none, or
/// leads into a text, a number or past a list's end.
bool SetAt(json::value& root, std::string_view pointer, json::value value) {
  if (!pointer.starts_with('/')) return false;
  json::value* place = &root;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    std::string part(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(part.size());
    for (const auto& [escaped, meant] : {std::pair("~1", "/"), std::pair("~0", "~")}) {
      for (std::size_t at = 0; (at = part.find(escaped, at)) != std::string::npos; ++at) part.replace(at, 2, meant);
    }
    if (place->is_null()) place->emplace_object();
    if (auto* map = place->if_object()) {
      place = &(*map)[part];
    } else if (auto* list = place->if_array()) {
      const auto index = config::ParseInteger(part);
      if (!index || *index < 0 || static_cast<std::size_t>(*index) >= list->size()) return false;
      place = &(*list)[static_cast<std::size_t>(*index)];
    } else {
      return false;
    }
  }
  *place = std::move(value);
  return true;
}

std::optional<std::string> FileText(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {};
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string ScalarAt(const config::Node& map, std::string_view key) {
  const config::Node* value = map.Find(key);
  return value ? value->scalar : std::string();
}

/// The cases of one file.
class CaseReader {
 public:
  CaseReader(std::filesystem::path folder, config::Problems& problems)
      : folder_(std::move(folder)), problems_(problems) {}

  RoutingCase Read(const config::Node& node, std::size_t number) {
    RoutingCase made;
    made.where = node.where;
    made.name = ScalarAt(node, "name");
    if (made.name.empty()) made.name = "case " + std::to_string(number);
    made.source = ScalarAt(node, "source");
    const config::Node* event = node.Find("event");
    const config::Node* series = node.Find("series");
    if ((event == nullptr) == (series == nullptr)) {
      problems_.Error(node.where, 1, "a case has an event, or a series of them");
    } else if (event) {
      made.body = PayloadOf(*event);
    } else {
      for (const auto& item : series->list) AddSteps(item, made.series);
      std::ranges::stable_sort(made.series, {}, &RoutingCase::Step::at);
    }
    if (const config::Node* at = node.Find("at")) {
      made.at = ParseTime(at->scalar);
      if (!made.at) Error(*at, "at: expected a time such as \"2026-03-04T10:00:00Z\"");
    }
    for (const auto& one : node.Find("expect")->list) made.expect.push_back(ExpectedOf(one, series != nullptr));
    return made;
  }

 private:
  void Error(const config::Node& node, std::string message) {
    problems_.Error(node.where, config::Width(node), std::move(message));
  }

  std::string PayloadOf(const config::Node& event) {
    if (event.kind == config::Node::Kind::kMap) return ToText(JsonOf(event));
    auto text = FileText(folder_ / event.scalar);
    if (!text) Error(event, "cannot read " + (folder_ / event.scalar).string());
    return std::move(text).value_or("");
  }

  milliseconds DurationAt(const config::Node& map, std::string_view key) {
    const config::Node* node = map.Find(key);
    const auto duration = node ? ParseDuration(node->scalar) : milliseconds(0);
    if (!duration) Error(*node, std::string(key) + ": expected a duration such as 90s or 1m30s, at most ten years");
    return duration.value_or(milliseconds(0));
  }

  RoutingCase::Expected ExpectedOf(const config::Node& node, bool of_series) {
    RoutingCase::Expected expected{.sink = node.scalar, .where = node.where};
    if (node.kind == config::Node::Kind::kScalar) return expected;
    expected.sink = ScalarAt(node, "sink");
    expected.rule = ScalarAt(node, "rule");
    expected.contains = ScalarAt(node, "contains");
    if (const config::Node* at = node.Find("at")) {
      if (!of_series) Error(*at, "at: only what a series expects has a time");
      expected.at = DurationAt(node, "at");
    }
    return expected;
  }

  void AddSteps(const config::Node& item, std::vector<RoutingCase::Step>& steps) {
    const config::Node& event = *item.Find("event");
    const std::string payload = PayloadOf(event);
    if (problems_.HasErrorAt(event.where)) return;
    const std::string name = event.kind == config::Node::Kind::kMap ? "event" : event.scalar;
    const milliseconds at = DurationAt(item, "at"), every = DurationAt(item, "every");
    const config::Node* times = item.Find("times");
    const auto count = times ? config::ParseInteger(times->scalar).value_or(1) : 1;
    if (count > 1 && !item.Find("every"))
      Error(*times, "times: say with \"every\" how long it is from one to the next");
    if (at + (count - 1) * every > kLongest) return Error(item, "the series is longer than ten years");
    const config::Node* set = item.Find("set");
    std::optional<json::value> read;
    if (set) {
      json::error_code failed;
      read = json::parse(payload, failed);
      if (failed || !(read->is_object() || read->is_array())) {
        return Error(*set, "set: the event is no JSON, so nothing can be set in it");
      }
    }
    for (std::int64_t n = 1; n <= count; ++n) {
      std::string body = payload;
      if (set) {
        json::value changed = *read;
        for (const auto& entry : set->map) {
          if (SetAt(changed, entry.key, Numbered(JsonOf(entry.value), n))) continue;
          return problems_.Error(entry.key_where, config::KeyWidth(entry),
                                 "set: \"" + entry.key + "\" is no place in the event", "a JSON pointer such as /id");
        }
        body = ToText(changed);
      }
      steps.push_back({at + (n - 1) * every, name, std::move(body), item.where});
    }
  }

  const std::filesystem::path folder_;
  config::Problems& problems_;
};

}  // namespace

std::vector<RoutingCase> ReadCases(const std::string& path, config::Problems& problems) {
  const auto text = FileText(path);
  const auto file = config::MakeSourceFile(path, text.value_or(""));
  if (!text) {
    problems.Error({file, 0, 0}, 1, "cannot be read");
    return {};
  }
  const auto node = config::ParseYaml(file, problems);
  if (!node) return {};
  config::Problems faults;
  config::CheckAgainstSchema(*node, kCasesSchema, "cases", node->where, faults);
  for (const auto& fault : faults.All()) problems.Add(fault);
  if (faults.HasErrors()) return {};
  std::vector<RoutingCase> cases;
  CaseReader reader(std::filesystem::path(path).parent_path(), problems);
  for (const auto& item : node->list) cases.push_back(reader.Read(item, cases.size() + 1));
  return cases;
}

}  // namespace hookswitch::cli
