#pragma once
#include <string>

#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/config/config.h"

namespace hookswitch::config {

/// What decides how a config reads requests and routes events: types, titles, currencies and mappings of sources,
/// agents, rules, schedules and `unmatched`. Kept beside the events, so that they can be read and routed by it when the
/// config has long been changed.
struct KeptText {
  /// Equal for configs that differ in comments, includes, places, the order of names, the way values are written, or in
  /// what neither reads nor routes.
  Digest hash{};
  /// A config in YAML, so that later versions read it as they read old configs; defaults and groups of statuses are
  /// written out, because they may mean something else then. Of sinks and templates it has the names only; of `auth`,
  /// `path` and secrets nothing. The last line says where the rules stand, and is not part of the hash. "" if it would
  /// be larger than a config file may be (kMaxFileBytes).
  std::string text;
};

/// `config` must be free of errors.
KeptText MakeKeptText(const Config& config);

/// The config of a kept text: sources, agents, schedules, rules (`where` has no column and a file without text) and
/// `unmatched`. Errors: kInvalid (it is damaged, or this version cannot read it; says why).
Result<Config> ReadKeptText(const KeptText& kept);

}  // namespace hookswitch::config
