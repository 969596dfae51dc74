#pragma once
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

/// The value of hsw_config.tools for plugins. Static. [thread: any]
const hsw_tools* HostTools();

}  // namespace hookswitch::plugins
