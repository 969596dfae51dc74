#pragma once
#include <optional>
#include <string>

#include "core/admin/guard.h"
#include "core/admin/router.h"
#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/ingress/http_server.h"
#include "core/journal/journal.h"

/// The record of what operators did.
namespace hookswitch {

/// The action that `request`, which asks for a change, was; empty for a dry run and for one that was rejected (4xx).
/// One that failed (5xx) is an action: it may have changed something first.
std::optional<OperatorAction> ActionOf(const ServedRequest& request, const Caller& caller, const Answer& answer,
                                       WallTime now);
/// A reload that was asked for otherwise than by a request.
OperatorAction ReloadAction(const ReloadReport& report, const std::string& by, WallTime now);

/// {"at","who","peer","action","target","detail","http_status","result"}
json::object ToObject(const OperatorAction& action);

}  // namespace hookswitch
