#include "core/sources/bolna_extraction.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>

#include "core/base/text.h"

namespace hookswitch::bolna {
namespace {

using payload::AnyText;
using payload::Find;

// Keys that Bolna writes beside an extracted value. Any other key there is a value of its own.
bool IsOfVerdict(std::string_view key) {
  static constexpr std::string_view kKeys[] = {"objective",        "subjective",          "confidence",
                                               "confidence_label", "reasoning_objective", "reasoning_subjective",
                                               "validation"};
  return std::ranges::find(kKeys, key) != std::end(kKeys);
}

void Flatten(TextMap& data, std::string& key, const json::value& value) {
  const auto* object = value.if_object();
  if (!object) return payload::Put(data, key, AnyText(&value));
  const bool has_verdict = object->contains("objective") || object->contains("subjective");
  if (has_verdict) {
    std::string text = AnyText(Find(object, "objective"));
    if (payload::SaysNothing(text)) text = AnyText(Find(object, "subjective"));
    payload::Put(data, key, std::move(text));
  }
  const std::size_t length = key.size();
  for (const auto& member : *object) {
    if (data.size() >= payload::kMaxEntries) return;
    if (has_verdict && IsOfVerdict(member.key())) continue;
    if (!key.empty()) key += '.';
    key += std::string_view(member.key().data(), member.key().size());
    Flatten(data, key, member.value());
    key.resize(length);
  }
}

// `name` is the key of a value that is not an object.
void Add(TextMap& data, std::string_view name, const json::value* value, payload::Document& document) {
  if (!value) return;
  if (const auto* text = value->if_string()) {
    const std::string_view inner = Trim({text->data(), text->size()});
    if (inner.starts_with('{')) {
      if (const auto parsed = document.Parse(inner)) value = *parsed;
    }
  }
  std::string key(value->is_object() ? "" : name);
  Flatten(data, key, *value);
}

}  // namespace

TextMap ReadExtractions(const json::object& execution, payload::Document& document) {
  TextMap data;
  for (const std::string_view name : {"extracted_data", "agent_extraction", "custom_extractions"}) {
    Add(data, name, Find(&execution, name), document);
  }
  return data;
}

}  // namespace hookswitch::bolna
