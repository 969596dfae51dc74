#include "core/plugins/control_calls.h"

#include <system_error>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/thread_name.h"
#include "core/base/time_text.h"

namespace hookswitch::plugins {

/// Shared with the threads, because an abandoned one may outlive the ControlCalls.
struct ControlCalls::State {
  using Time = std::chrono::steady_clock::time_point;

  /// Blocks until it is this call's turn.
  void Take(std::chrono::milliseconds limit) REQUIRES(mu) {
    while (busy && std::chrono::steady_clock::now() < until) changed.WaitUntil(mu, until);
    busy = true;
    ++turn;
    until = std::chrono::steady_clock::now() + limit;
  }
  void Return(std::uint64_t of) REQUIRES(mu) {
    if (of == turn) busy = false;
    changed.NotifyAll();
  }

  Mutex mu;
  CondVar changed;
  bool busy GUARDED_BY(mu) = false;       ///< the newest call has not returned
  std::uint64_t turn GUARDED_BY(mu) = 0;  ///< number of the newest call
  Time until GUARDED_BY(mu){};            ///< when the newest call's limit ends
};

ControlCalls::ControlCalls() : state_(std::make_shared<State>()) {}

Status ControlCalls::Run(Call call, std::chrono::milliseconds limit, std::chrono::milliseconds patience) {
  const auto returned = std::make_shared<bool>(false);  // guarded by the state's mutex
  std::thread thread;
  {
    State& state = *state_;
    MutexLock lock(state.mu);
    state.Take(limit);
    try {
      thread = std::thread([kept = state_, turn = state.turn, returned, call = std::move(call)]() mutable {
        NameThread("plugin-control");
        call();
        call = nullptr;
        MutexLock done(kept->mu);
        *returned = true;
        kept->Return(turn);
      });
    } catch (const std::system_error& error) {
      state.Return(state.turn);
      return Error{ErrorCode::kUnavailable, std::string("no thread could be started: ") + error.what()};
    }
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!*returned && std::chrono::steady_clock::now() < until) state.changed.WaitUntil(state.mu, until);
    if (!*returned) {
      thread.detach();
      return Error{ErrorCode::kInvalid, "it has not returned after " + FormatDuration(patience)};
    }
  }
  thread.join();
  return Ok();
}

void ControlCalls::Beside(Call call) {
  try {
    std::thread(std::move(call)).detach();
  } catch (const std::system_error& error) {
    log::Error("thread_not_started", {{"reason", error.what()}});
  }
}

}  // namespace hookswitch::plugins
