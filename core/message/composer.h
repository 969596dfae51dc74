#pragma once
#include <memory>
#include <string_view>

#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/event/call_event.h"
#include "core/event/message.h"

namespace hookswitch {

/// Turns events into what sinks say, by the config's templates. Immutable; safe from any thread; pure.
class Composer {
 public:
  /// Compiles the templates; syntax errors and unknown variables go to `problems` (with a suggestion); nullptr then.
  static std::shared_ptr<const Composer> Compile(const config::Config& config, config::Problems& problems);
  ~Composer();

  /// The message for `event`. `template_name` "" (or one that a reload has removed) gives the default message.
  Message Compose(const CallEvent& event, std::string_view template_name) const;

 private:
  struct Impl;
  explicit Composer(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace hookswitch
