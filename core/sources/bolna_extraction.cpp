#include "core/sources/bolna_extraction.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "core/base/text.h"

namespace hookswitch::bolna {
namespace {

using payload::AnyData;
using payload::AnyText;
using payload::Find;

// Keys that Bolna writes beside an extracted value. Any other key there is a value of its own.
bool IsOfVerdict(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"objective",        "subjective",          "confidence",
                                               "confidence_label", "reasoning_objective", "reasoning_subjective",
                                               "validation"};
  return std::ranges::find(kKeys, key) != std::end(kKeys);
}

// `in_text`: `value` is inside a string, which is what has the path.
void Flatten(payload::MapFiller& data, std::string& key, const json::value& value, const std::string& path,
             bool in_text) {
  const auto below = [&](std::string_view name) { return in_text ? path : data.Below(path, name); };
  const auto* object = value.if_object();
  if (!object) return data.Put(key, AnyData(&value), path);
  const bool has_verdict = object->contains("objective") || object->contains("subjective");
  if (has_verdict) {
    const std::string objective = AnyText(Find(object, "objective"));
    const std::string_view name = payload::SaysNothing(objective) ? "subjective" : "objective";
    data.Put(key, AnyData(Find(object, name)), below(name));
  }
  const std::size_t length = key.size();
  for (const auto& member : *object) {
    if (data.full()) return;
    const std::string_view name(member.key().data(), member.key().size());
    if (has_verdict && IsOfVerdict(name)) continue;
    if (!key.empty()) key += '.';
    key += name;
    Flatten(data, key, member.value(), below(name), in_text);
    key.resize(length);
  }
}

// `name` is the key of a value that is not an object.
void Add(payload::MapFiller& data, std::string_view name, const payload::Section& execution,
         payload::Document& document) {
  const json::value* value = execution.Find(name);
  if (!value) return;
  bool in_text = false;
  if (const auto* text = value->if_string()) {
    const std::string_view inner = Trim({text->data(), text->size()});
    if (inner.starts_with('{')) {
      if (const auto parsed = document.Parse(inner)) {
        value = *parsed;
        in_text = true;
      }
    }
  }
  std::string key(value->is_object() ? "" : name);
  Flatten(data, key, *value, execution.PathOf(name), in_text);
}

}  // namespace

DataMap ReadExtractions(const payload::Section& execution, payload::Document& document) {
  DataMap data;
  payload::MapFiller filler(data, "data", execution.paths());
  for (const std::string_view name : {"extracted_data", "agent_extraction", "custom_extractions"}) {
    Add(filler, name, execution, document);
  }
  return data;
}

}  // namespace hookswitch::bolna
