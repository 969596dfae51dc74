#include "core/admin/withheld.h"

#include <algorithm>
#include <string>

#include "core/admin/answers.h"
#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

// Of the normalized event. `meta` holds whatever else came, the recipient's own data among it; the recording is what
// was said, too.
constexpr std::string_view kContent[] = {"from", "to", "transcript", "summary", "recording_url", "data", "meta"};

// Lists are passed through: "revisions.raw" is in each of "revisions".
constexpr std::string_view kBodies[] = {"raw",
                                        "raw_base64",
                                        "revisions.raw",
                                        "revisions.raw_base64",
                                        "attempts.request",
                                        "attempts.response",
                                        "deliveries.attempts.request",
                                        "deliveries.attempts.response",
                                        "message",
                                        "messages"};

// Where an answer has a normalized event, and an explanation by rules.
constexpr std::string_view kEventParts[] = {"normalized", "event"};
constexpr std::string_view kRuleParts[] = {"rules", "routing.rules", "routing_now.rules"};

/// Makes null what is at `path` of `value` and `is_withheld`. True if anything was.
template <class IsWithheld>
bool Withhold(json::value& value, std::string_view path, const IsWithheld& is_withheld) {
  if (auto* list = value.if_array()) {
    bool any = false;
    for (json::value& item : *list) any = Withhold(item, path, is_withheld) || any;
    return any;
  }
  auto* object = value.if_object();
  if (!object) return false;
  const auto dot = path.find('.');
  json::value* member = object->if_contains(path.substr(0, dot));
  if (!member || member->is_null()) return false;
  if (dot != std::string_view::npos) return Withhold(*member, path.substr(dot + 1), is_withheld);
  if (!is_withheld(*object, *member)) return false;
  *member = nullptr;
  return true;
}

bool Always(const json::object&, const json::value& value) {
  const auto* object = value.if_object();
  return !object || !object->empty();
}

/// A field of "fields" that is of the content.
bool IsOfContent(const json::object& field, const json::value&) {
  const json::value* name = field.if_contains("field");
  if (!name || !name->is_string()) return false;
  const std::string_view whole = name->get_string();
  return std::ranges::find(kContent, whole.substr(0, whole.find('.'))) != std::end(kContent);
}

/// A reason that quotes an extracted value: `data.General.Outcome is "confirmed"`. Other content is never quoted.
bool QuotesData(const json::object&, const json::value& reason) {
  if (!reason.is_string()) return false;
  const std::string_view text = reason.get_string();
  const auto data = text.find("data.");
  return data != std::string_view::npos && text.find(" is \"", data) != std::string_view::npos;
}

Answer Forbidden(std::string_view detail) {
  return Refused(403, "forbidden", detail);
}

}  // namespace

std::string_view ToString(config::Bodies bodies) {
  switch (bodies) {
    case config::Bodies::kFull: return "full";
    case config::Bodies::kMasked: return "masked";
    case config::Bodies::kOff: return "off";
  }
  Unreachable();
}

Result<bool> ParseMask(std::string_view query) {
  bool mask = false;
  std::string name;
  while (const auto parameter = TakeParameter(query)) {
    if (!PercentDecodeStrict(parameter->name, true, name) || name != "mask") {
      return Error{ErrorCode::kInvalid, '"' + ToUtf8(name) + "\" is not known here; " + DidYouMean(name, {"mask"})};
    }
    const std::string_view value = parameter->value.value_or("");
    if (value != "true" && value != "false") return Error{ErrorCode::kInvalid, "mask: is neither true nor false"};
    mask = value == "true";
  }
  return mask;
}

void AddMasked(json::object& answer, bool withhold) {
  json::array names;
  if (withhold) {
    json::value whole(std::move(answer));
    const auto apply = [&](const std::string& path, const auto& is_withheld) {
      if (Withhold(whole, path, is_withheld)) names.emplace_back(path);
    };
    for (const std::string_view path : kBodies) apply(std::string(path), Always);
    for (const std::string_view event : kEventParts) {
      for (const std::string_view field : kContent) apply(std::string(event) + '.' + std::string(field), Always);
    }
    apply("fields.value", IsOfContent);
    for (const std::string_view rules : kRuleParts) {
      apply(std::string(rules) + ".why", QuotesData);
      apply(std::string(rules) + ".conditions.text", QuotesData);
    }
    answer = std::move(whole.get_object());
  }
  answer["masked"] = std::move(names);
}

bool MaySeeContent(config::Bodies bodies, bool may_unmask) {
  switch (bodies) {
    case config::Bodies::kFull: return true;
    case config::Bodies::kMasked: return may_unmask;
    case config::Bodies::kOff: return false;
  }
  Unreachable();
}

void WithholdSearch(json::object& action) {
  json::value whole(std::move(action));
  for (const std::string_view path : {"detail.search", "detail.q"}) (void)Withhold(whole, path, Always);
  action = std::move(whole.get_object());
}

std::optional<Answer> RefuseTextSearch(config::Bodies bodies, bool may_unmask) {
  if (MaySeeContent(bodies, may_unmask)) return {};
  if (bodies == config::Bodies::kMasked) {
    return Forbidden(
        "with inspector.bodies: masked only a token that may change searches in the texts of calls, for who searches "
        "them learns what they say");
  }
  return Forbidden(
      "texts of calls are not searched with inspector.bodies: off, for who searches them learns what they say");
}

std::optional<Answer> RefuseUnmask(config::Bodies bodies) {
  if (bodies != config::Bodies::kOff) return {};
  return Forbidden("nothing is shown that is withheld with inspector.bodies: off");
}

}  // namespace hookswitch
