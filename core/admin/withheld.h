#pragma once
#include <optional>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"
#include "core/config/config.h"
#include "core/ingress/http_server.h"

/// What `inspector.bodies` and `?mask=true` withhold: the content of calls. The only place that knows which parts of an
/// answer have it.
namespace hookswitch {

/// "full", "masked", "off"
std::string_view ToString(config::Bodies bodies);

/// The query of a page that takes `mask` alone: whether the caller asks for less than `bodies` shows. Error: kInvalid.
Result<bool> ParseMask(std::string_view query);

/// Finishes an answer about an event, a delivery or an explanation of one: with `withhold` makes null what was said,
/// who was called and what was sent; adds "masked":[the names of what it made null].
///
/// Names are paths in the answer without list indexes: "normalized.transcript", "deliveries.attempts.request".
void AddMasked(json::object& answer, bool withhold);

/// Whether a caller may see what calls say: with `masked` who can unmask, with `off` nobody.
bool MaySeeContent(config::Bodies bodies, bool may_unmask);
/// Makes null what an operator's action (actions.h) was told to search for.
void WithholdSearch(json::object& action);
/// 403 to who may not see what calls say: who searches in it learns it by guessing.
std::optional<Answer> RefuseTextSearch(config::Bodies bodies, bool may_unmask);
/// 403 with `off`.
std::optional<Answer> RefuseUnmask(config::Bodies bodies);

}  // namespace hookswitch
