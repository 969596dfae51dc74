#pragma once
#include <chrono>
#include <functional>
#include <memory>

#include "core/base/result.h"

namespace hookswitch::plugins {

/// How long a function of a plugin that should take no time may take before it is given up.
inline constexpr std::chrono::milliseconds kControlLimit = std::chrono::seconds(5);

/// The calls into one library that the ABI promises to make one at a time ([control]), each on a thread of its own, so
/// that one that never returns costs that thread and nothing else. Safe from any thread.
class ControlCalls {
 public:
  using Call = std::function<void()>;

  ControlCalls();
  /// Runs `call` when its turn comes, and waits for its end. One that takes longer than `limit` is given up: others
  /// take their turn although it has not returned, and what it holds stays with it, so it owns all that it uses.
  /// `call` throws nothing. `patience`: how long to wait, if that is less than `limit`.
  /// Errors: kInvalid (it has not returned), kUnavailable (no thread could be started).
  Status Run(Call call, std::chrono::milliseconds limit, std::chrono::milliseconds patience);
  Status Run(Call call, std::chrono::milliseconds limit = kControlLimit) { return Run(std::move(call), limit, limit); }

  /// Runs `call` without waiting for anything; not at all if no thread can be started.
  static void Beside(Call call);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hookswitch::plugins
