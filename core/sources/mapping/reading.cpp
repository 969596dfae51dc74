#include "core/sources/mapping/reading.h"

#include <algorithm>

#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/text.h"

namespace hookswitch::mapping {
namespace {

using config::ValuePath;

// CloudEvents in binary mode: '"a b"' and 'a%20b' (github.com/cloudevents/spec, http-protocol-binding.md 3.1.3.2).
std::string CloudEventsText(std::string_view value) {
  std::string text;
  if (!value.starts_with('"') || !value.ends_with('"') || value.size() < 2) return PercentDecoded(value);
  for (std::size_t i = 1; i + 1 < value.size(); ++i) {
    if (value[i] == '\\' && i + 2 < value.size()) ++i;
    text += value[i];
  }
  return PercentDecoded(text);
}

// Each is looked for among the others, and parsing what is no JSON after all costs more than parsing what is.
constexpr std::size_t kMostOpened = 64;

}  // namespace

Reading::Reading(const RawRequest& raw, const json::value& body, bool is_form, payload::Document& document)
    : raw_(raw), body_(body), is_form_(is_form), document_(document) {}

bool Reading::IsSomething(const json::value& value) {
  if (const auto* text = value.if_string()) return !payload::SaysNothing(Trim({text->data(), text->size()}));
  return !value.is_null();
}

const json::value* Reading::First(const ValuePath& path, const json::value& base) {
  const json::value* found = nullptr;
  Visit(path, base, [&](const json::value& value) {
    found = &value;
    return true;
  });
  return found;
}

const json::value& Reading::Opened(const json::value& value) {
  const auto* text = value.if_string();
  if (!text) return value;
  const std::string_view inner = Trim({text->data(), text->size()});
  if (!inner.starts_with('{') && !inner.starts_with('[')) return value;
  const auto known = std::ranges::find(opened_, &value, [](const auto& pair) { return pair.first; });
  if (known != opened_.end()) return *known->second;
  if (opened_.size() >= kMostOpened) {
    document_.NoteMended("only the first " + std::to_string(kMostOpened) + " texts that are JSON were read as such");
    return value;
  }
  const auto parsed = document_.Parse(inner);
  opened_.emplace_back(&value, parsed ? *parsed : &value);
  return *opened_.back().second;
}

const json::value* Reading::NewText(std::string_view text) {
  if (IsUtf8(text)) return document_.Keep(json::value(json::string_view(text), document_.storage()));
  return document_.Keep(json::value(json::string_view(ToUtf8(text)), document_.storage()));
}

const json::value* Reading::Named(const ValuePath& path) {
  const auto something = [](const json::value* value) { return IsSomething(*value) ? value : nullptr; };
  switch (path.root) {
    case ValuePath::Root::kBody: return nullptr;
    case ValuePath::Root::kForm: {
      const auto* form = is_form_ ? body_.if_object() : nullptr;
      const json::value* field = form ? form->if_contains(path.name) : nullptr;
      if (field && field->is_array()) field = &field->get_array().front();
      return field ? something(field) : nullptr;
    }
    case ValuePath::Root::kHeader:
      for (const auto& [name, value] : raw_.headers) {
        if (!EqualsIgnoreCase(name, path.name)) continue;
        return something(path.name.starts_with("ce-") ? NewText(CloudEventsText(value)) : NewText(value));
      }
      return nullptr;
    case ValuePath::Root::kQuery:
      for (const auto& [name, value] : raw_.headers) {
        if (name != kQueryName) continue;
        std::string_view query = value;
        while (const auto parameter = TakeParameter(query)) {
          if (FormDecoded(parameter->name) == path.name) {
            return something(NewText(FormDecoded(parameter->value.value_or(""))));
          }
        }
      }
      return nullptr;
  }
  Unreachable();
}

}  // namespace hookswitch::mapping
