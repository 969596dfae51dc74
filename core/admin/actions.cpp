#include "core/admin/actions.h"

#include "core/admin/admin_api.h"
#include "core/admin/answers.h"
#include "core/base/text.h"
#include "core/base/time_text.h"

namespace hookswitch {
namespace {

constexpr std::string_view kTop = "/api/v1/";
constexpr std::size_t kMostDetail = 4096;  // bytes
constexpr std::size_t kMostItems = 20;

// Members of answers that say what came of a change. None holds what callers said.
constexpr std::string_view kTelling[] = {"ok",      "error",        "detail",     "id",          "matched",
                                         "changed", "by_sink",      "no_rule",    "until",       "works",
                                         "because", "generation",   "outcome",    "http_status", "code",
                                         "reason",  "need_restart", "deliveries", "orphaned",    "not_a_call"};

json::value Parsed(std::string_view text) {
  if (text.empty()) return nullptr;
  boost::system::error_code error;
  json::value value = json::parse(json::string_view(text.data(), text.size()), error);
  return error ? json::value(nullptr) : value;
}

/// A list that is long, or of events and deliveries as a whole, is left out.
bool IsShort(const json::value& value) {
  const json::array* list = value.if_array();
  if (!list) return true;
  if (list->size() > kMostItems) return false;
  return list->empty() || !list->front().is_object() || !list->front().get_object().contains("attempts");
}

std::string ResultOf(const json::value& answer) {
  const json::object* object = answer.if_object();
  if (!object) return {};
  json::object result;
  for (const std::string_view key : kTelling) {
    const json::value* value = object->if_contains(key);
    if (value && !value->is_null() && IsShort(*value)) result.emplace(key, *value);
  }
  return ToText(result);
}

}  // namespace

std::optional<OperatorAction> ActionOf(const ServedRequest& request, const Caller& caller, const Answer& answer,
                                       WallTime now) {
  if (answer.status >= 400 && answer.status < 500) return {};
  const json::value told = Parsed(answer.body);
  if (const json::object* object = told.if_object()) {
    const json::value* dry_run = object->if_contains("dry_run");
    if (dry_run && *dry_run == true) return {};
  }
  std::string_view path = request.path;
  if (path.starts_with(kTop)) path.remove_prefix(kTop.size());
  const auto slash = path.rfind('/');
  OperatorAction action{.at = now, .who = caller.who, .peer = std::string(request.peer), .action = {}, .target = {}};
  action.action = ToUtf8(slash == std::string_view::npos ? path : path.substr(slash + 1));
  action.target = slash == std::string_view::npos ? "config" : ToUtf8(path.substr(0, slash));
  action.detail = request.body.size() <= kMostDetail ? std::string(request.body)
                                                     : R"({"bytes":)" + std::to_string(request.body.size()) + '}';
  action.http_status = answer.status;
  action.result = ResultOf(told);
  return action;
}

OperatorAction ReloadAction(const ReloadReport& report, const std::string& by, WallTime now) {
  return {.at = now,
          .who = by,
          .peer = "",
          .action = "reload",
          .target = "config",
          .result = ResultOf(Parsed(ToJson(report)))};
}

json::object ToObject(const OperatorAction& action) {
  return {{"at", ToRfc3339(action.at)},
          {"who", OrNull(action.who)},
          {"peer", OrNull(action.peer)},
          {"action", action.action},
          {"target", action.target},
          {"detail", Parsed(action.detail)},
          {"http_status", action.http_status == 0 ? json::value(nullptr) : json::value(action.http_status)},
          {"result", Parsed(action.result)}};
}

}  // namespace hookswitch
