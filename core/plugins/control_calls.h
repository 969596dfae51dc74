#pragma once
#include <chrono>
#include <functional>
#include <memory>

#include "core/base/result.h"

namespace hookswitch::plugins {

/// Time limit for plugin functions that should return at once.
inline constexpr std::chrono::milliseconds kControlLimit = std::chrono::seconds(5);

/// Serializes the calls into one library that the ABI makes one at a time ([control]). Each runs on its own thread, so
/// that a call that never returns costs only that thread. [thread: any]
class ControlCalls {
 public:
  using Call = std::function<void()>;

  ControlCalls();
  /// Waits for `call`'s turn, runs it, and blocks until it returns, at most `patience` (not over `limit`). After
  /// `limit` other calls go on even if it has not returned. `call` must not throw, and must own everything it uses,
  /// because it may outlive the caller. Errors: kInvalid (it has not returned in time), kUnavailable (no thread could
  /// be started).
  Status Run(Call call, std::chrono::milliseconds limit, std::chrono::milliseconds patience);
  Status Run(Call call, std::chrono::milliseconds limit = kControlLimit) { return Run(std::move(call), limit, limit); }

  /// Runs `call` on a detached thread; logs and drops it if no thread can be started.
  static void Beside(Call call);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hookswitch::plugins
