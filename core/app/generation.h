#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "core/config/config.h"
#include "core/config/loader.h"
#include "core/delivery/delivery_plan.h"
#include "core/ingress/acceptor.h"
#include "core/message/composer.h"
#include "core/plugins/plugin_host.h"
#include "core/routing/route_table.h"

namespace hookswitch {

/// A sink of a generation, and its identity, by which the next generation keeps the instance.
struct BuiltSink {
  std::shared_ptr<Sink> sink;  ///< nullptr: unavailable
  std::string unavailable_reason;
  Digest identity{};  ///< of the plugin file, the resolved config and what else the instance was made from
};

/// Everything built from one reading of the config. Immutable once built; unchanged parts are shared with the previous
/// generation.
struct Generation {
  std::uint64_t number = 1;
  config::Config config;
  std::shared_ptr<const RouteTable> routes;
  std::shared_ptr<const Composer> composer;
  std::map<std::string, std::shared_ptr<const Source>, std::less<>> sources;
  std::map<std::string, BuiltSink, std::less<>> sinks;
  std::map<std::string, std::string, std::less<>> plugin_schemas;  ///< of the sinks' plugins that can be inspected
  std::shared_ptr<const KeptConfig> kept;                          ///< what reads and routes, for the journal

  std::shared_ptr<const IngressSnapshot> MakeIngressSnapshot() const;
  std::shared_ptr<const DeliveryPlan> MakeDeliveryPlan() const;
};

struct BuildResult {
  std::shared_ptr<const Generation> generation;  ///< nullptr if there are errors
  config::Problems problems;
  bool unreadable = false;  ///< the main file could not be read
};

struct BuildOptions {
  config::Environment environment;
  /// A plugin that cannot be loaded makes its sinks unavailable instead of being an error: one bad plugin must not make
  /// a start fail. Without this, only sinks that were unavailable before with the same plugin and config are tolerated,
  /// with a warning.
  bool tolerate_bad_plugins = false;
  WallTime now{};  ///< when the generation comes into use
};

/// Builds a generation from `loaded`, read with `options.environment`, without touching anything that runs. Shares the
/// unchanged parts of `previous`, which may be nullptr. One call at a time, because it loads plugins.
BuildResult BuildGeneration(const BuildOptions& options, config::Loaded loaded, PluginHost& plugins,
                            const Generation* previous);

}  // namespace hookswitch
