#pragma once
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/base/token_bucket.h"
#include "core/ingress/http_server.h"

/// Responses that all pages of the admin API share.
namespace hookswitch {

/// `body` as one line of JSON.
Answer JsonAnswer(int status, const json::value& body);
/// {"ok":false,"error":…,"detail":…}
Answer Refused(int status, std::string_view error, std::string_view detail);
/// 400 for a wrong parameter or body, which `error` names; kNotFound: its value is a name that does not exist.
Answer BadRequest(const Error& error);
/// 409: another request of this kind is running.
Answer Busy(std::string_view detail);
/// The journal failed: 404 for kNotFound, 500 for a damaged row (kInvalid), 503 with Retry-After for kUnavailable and
/// kFull. `shown`: further members of the response.
Answer Failed(const Error& error, json::object shown = {});

json::value OrNull(std::string_view text);  ///< null for ""
json::value OrNull(const std::optional<WallTime>& time);
/// {"max","per","burst"}, `per` in seconds; null for no limit.
json::value OrNull(const Rate& rate);

}  // namespace hookswitch
