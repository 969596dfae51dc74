#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "core/base/clock.h"

namespace hookswitch {

/// A few threads for calls into plugins, which may never return.
///
/// Jobs of one strand (not 0) run one at a time in the order given, so a strand that hangs holds one thread. A thread
/// whose job runs past its limit is given up by TakeOverdue: it is replaced, its strand goes on, and it ends by itself
/// if the job ever returns. Threads start when there is work; one that cannot be started is tried again with the next
/// Post or TakeOverdue. When none has come free for a while and strands wait, more start, so that a few slow strands do
/// not hold all others. Safe from any thread.
class Workers {
 public:
  using JobId = std::uint64_t;
  using Job = std::function<void()>;

  /// Starts a thread or throws std::system_error.
  using Spawn = std::function<std::thread(Job)>;

  /// `clock` outlives it.
  Workers(const Clock& clock, std::size_t threads);
  /// `threads` usually, up to `most` while all are busy with slow jobs.
  Workers(const Clock& clock, std::size_t threads, std::size_t most);
  Workers(const Clock& clock, std::size_t threads, std::size_t most, Spawn spawn);
  /// Drops what has not begun and waits up to `patience` for what has; then leaves it behind.
  ~Workers();

  void Post(JobId id, std::uint64_t strand, std::chrono::milliseconds limit, Job job);
  /// Gives up the jobs that have run longer than their limit, and tells which they were.
  std::vector<JobId> TakeOverdue();
  /// Threads given up that have not come back.
  std::size_t stuck() const;
  /// Jobs given and not ended or given up.
  std::size_t busy() const;

  /// How long the destructor waits. Default 2 s.
  void SetPatience(std::chrono::milliseconds patience);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace hookswitch
