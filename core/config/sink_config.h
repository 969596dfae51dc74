#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/config/environment.h"
#include "core/config/node.h"
#include "core/config/problem.h"

namespace hookswitch::config {

/// Converts a plugin's `config:` to the JSON object that is passed to the plugin: defaults filled in, types as the
/// schema says, status groups expanded (WithStatuses), {env:}/{file:} secrets resolved. Adds every secret value to
/// `secrets`, for masking, and problems (a missing variable, an unreadable file) to `problems`. `value` must be free of
/// errors that CheckAgainstSchema finds (see WithoutFaults), except missing required keys.
///
/// With Environment::secrets_optional the first of the schema's "examples" stands in for a missing secret; without
/// examples the secret is left out and `lacks_secrets` set: such a config must not be passed to the plugin.
std::string ResolvePluginConfig(const Node& value, std::string_view schema, const Environment& environment,
                                Problems& problems, std::vector<std::string>& secrets, bool* lacks_secrets = nullptr);

/// Expands status groups in a plugin's config, where `schema` says that statuses are named: in a list each status once;
/// as keys of a map each with the group's value, unless it has its own or an earlier group's. Places are those of the
/// group.
Node WithStatuses(const Node& value, std::string_view schema);

}  // namespace hookswitch::config
