#include "core/admin/answers.h"

#include "core/base/time_text.h"

namespace hookswitch {
namespace {
constexpr int kUnavailableRetrySeconds = 5;
}

Answer JsonAnswer(int status, const json::value& body) {
  Answer answer;
  answer.status = status;
  answer.body = ToText(body) + '\n';
  return answer;
}

Answer Refused(int status, std::string_view error, std::string_view detail) {
  return JsonAnswer(status, json::object{{"ok", false}, {"error", error}, {"detail", detail}});
}

Answer BadRequest(const Error& error) {
  return Refused(400, error.code == ErrorCode::kNotFound ? "unknown_name" : "invalid_parameter", error.message);
}

Answer Busy(std::string_view detail) {
  return Refused(409, "busy", detail);
}

Answer Failed(const Error& error, json::object shown) {
  const auto failed = [&](int status, std::string_view word) {
    shown["ok"] = false;
    shown["error"] = word;
    shown["detail"] = error.message;
    return JsonAnswer(status, shown);
  };
  switch (error.code) {
    case ErrorCode::kNotFound: return failed(404, "not_found");
    case ErrorCode::kUnavailable:
    case ErrorCode::kFull: {
      Answer answer = failed(503, "unavailable");
      answer.retry_after_seconds = kUnavailableRetrySeconds;
      return answer;
    }
    case ErrorCode::kInvalid: return failed(500, "damaged");
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupported:
    case ErrorCode::kInternal: break;
  }
  return failed(500, "internal");
}

json::value OrNull(std::string_view text) {
  if (text.empty()) return nullptr;
  return json::string(text);
}

json::value OrNull(const std::optional<WallTime>& time) {
  if (!time) return nullptr;
  return json::string(ToRfc3339(*time));
}

json::value OrNull(const Rate& rate) {
  if (rate.max == 0) return nullptr;
  const double per = std::chrono::duration<double>(rate.per).count();
  return json::object{{"max", rate.max}, {"per", per}, {"burst", rate.burst}};
}

}  // namespace hookswitch
