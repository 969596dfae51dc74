#pragma once
#include <string_view>

#include "core/base/json.h"

namespace hookswitch::config {

/// Adds to `schema`, that of the config (ConfigSchema), the config schema of the sinks of `plugin`, in keywords that
/// every editor knows.
///
/// `config_schema` is any JSON from a plugin. Its definitions move to the root as "plugin.PLUGIN.NAME", because
/// references start there; a reference that leads nowhere, which allows everything, is removed. A secret may also be
/// {env: } or {file: }, and statuses are those of rules.
void AddPluginSchema(json::object& schema, std::string_view plugin, json::value config_schema);

}  // namespace hookswitch::config
