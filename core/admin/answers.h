#pragma once
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/base/result.h"
#include "core/ingress/http_server.h"

/// What all pages of the admin API answer with.
namespace hookswitch {

/// `body` as one line of JSON.
Answer JsonAnswer(int status, const json::value& body);
/// {"ok":false,"error":…,"detail":…}
Answer Refused(int status, std::string_view error, std::string_view detail);
/// 405 unless the request has `method`; HEAD is as good as GET.
std::optional<Answer> WrongMethod(const ServedRequest& request, std::string_view method);
/// 400: a parameter or a body that is wrong, which `error` names; with kNotFound its value is a name that nothing has.
Answer BadRequest(const Error& error);
/// 409: something of the kind runs already.
Answer Busy(std::string_view detail);
/// What went wrong while the journal was asked: 404, 500 for a damaged row, 503 with Retry-After. `shown`: what else is
/// to be said.
Answer Failed(const Error& error, json::object shown = {});

json::value OrNull(std::string_view text);  ///< null for ""
json::value OrNull(const std::optional<WallTime>& time);

}  // namespace hookswitch
