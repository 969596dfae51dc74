#pragma once
#include <memory>
#include <string_view>

#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/event/call_event.h"
#include "core/event/message.h"

namespace hookswitch {

/// Composes messages from events with the config's templates. Immutable; no I/O. [thread: any]
class Composer {
 public:
  /// Compiles the templates. On syntax errors or unknown variables returns nullptr and adds `problems` with
  /// suggestions.
  static std::shared_ptr<const Composer> Compile(const config::Config& config, config::Problems& problems);
  ~Composer();

  /// The message for `event`. An empty `template_name`, or one removed by a reload, selects the default message.
  Message Compose(const CallEvent& event, std::string_view template_name) const;

 private:
  struct Impl;
  explicit Composer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace hookswitch
