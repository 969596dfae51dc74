#pragma once
#include <string>

#include "core/cli/commands.h"
#include "core/cli/printing.h"

namespace hookswitch::cli {

/// A picture of the sinks: what waits, and what the last hour was, as columns and as bars of the last 30 minutes.
/// `sinks`: of GET /api/v1/sinks.
std::string SinkPicture(const View& view, const json::array& sinks);

/// `text` as one screen of `height` lines, drawn over the one before: nothing flickers, no line of that stays.
std::string Screen(const std::string& text, std::size_t height);

/// `sinks --watch`: a picture each `options.every`, `options.count` times. Returns the exit code.
int WatchSinks(const Options& options);

}  // namespace hookswitch::cli
