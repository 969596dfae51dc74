#pragma once
#include <string_view>

#include "core/base/json.h"

namespace hookswitch::config {

/// Makes `schema`, that of the config (ConfigSchema), say what the `config` of the sinks of `plugin` may be, in words
/// that every editor knows.
///
/// `config_schema` is any JSON that a plugin gave. Its definitions move to the root as "plugin.PLUGIN.NAME", for a
/// reference starts there; one that leads nowhere, which allows everything, is left out. {env: } and {file: } may stand
/// for a secret, which a plugin describes as the text that it gets, and statuses are those of rules.
void AddPluginSchema(json::object& schema, std::string_view plugin, json::value config_schema);

}  // namespace hookswitch::config
