#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/base/clock.h"

namespace hookswitch {

/// Thread pool for calls into plugins, which may never return.
///
/// Jobs of one strand (not 0) run one at a time in the order posted, so a strand that hangs holds one thread.
/// TakeOverdue abandons threads whose job exceeds its limit: the thread is replaced, its strand goes on, and it exits
/// if the job ever returns. Threads start on demand; a failed start is retried by the next Post or TakeOverdue. While
/// all threads are busy with slow jobs, more start, so that slow strands do not block the others.
class Workers {
 public:
  using JobId = std::uint64_t;
  using Job = std::function<void()>;

  /// Starts a thread, or throws std::system_error.
  using Spawn = std::function<std::thread(Job)>;

  /// `clock` must outlive it.
  Workers(const Clock& clock, std::size_t threads);
  /// `threads` normally, up to `most` while all are busy with slow jobs.
  Workers(const Clock& clock, std::size_t threads, std::size_t most);
  Workers(const Clock& clock, std::size_t threads, std::size_t most, Spawn spawn);
  /// Drops queued jobs, waits up to the patience for running ones, then detaches their threads.
  ~Workers();

  struct State;
  /// Posts jobs, also when the Workers may be gone: then they are dropped. [thread: any]
  class Queue {
   public:
    explicit Queue(std::shared_ptr<State> state) : state_(std::move(state)) {}
    void Post(JobId id, std::uint64_t strand, std::chrono::milliseconds limit, Job job) const;

   private:
    std::shared_ptr<State> state_;
  };
  Queue queue() const { return Queue(state_); }

  // [thread: any]
  void Post(JobId id, std::uint64_t strand, std::chrono::milliseconds limit, Job job) {
    queue().Post(id, strand, limit, std::move(job));
  }
  /// Abandons jobs that have run longer than their limit, and returns their ids.
  std::vector<JobId> TakeOverdue();
  /// Abandoned threads that have not exited.
  std::size_t stuck() const;
  /// Jobs that are queued or running, without abandoned ones.
  std::size_t busy() const;

  /// How long the destructor waits; 2 s by default.
  void SetPatience(std::chrono::milliseconds patience);

 private:
  std::shared_ptr<State> state_;
};

}  // namespace hookswitch
