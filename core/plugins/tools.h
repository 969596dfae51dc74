#pragma once
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

/// What plugins are handed as hsw_config.tools. Lives for ever; safe from any thread.
const hsw_tools* HostTools();

}  // namespace hookswitch::plugins
