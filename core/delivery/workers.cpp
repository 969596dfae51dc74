#include "core/delivery/workers.h"

#include <algorithm>
#include <deque>
#include <system_error>
#include <unordered_map>
#include <utility>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/thread_name.h"

namespace hookswitch {
namespace {
// Much longer than a fast job takes, much shorter than people notice.
constexpr std::chrono::milliseconds kSlow{50};
}  // namespace

/// Shared with the threads, because an abandoned one may outlive the Workers.
struct Workers::State {
  State(const Clock& the_clock, std::size_t threads, std::size_t most, Spawn the_spawn)
      : clock(&the_clock), usual_threads(threads), most_threads(most), spawn(std::move(the_spawn)) {}

  struct Item {
    JobId id = 0;
    std::uint64_t strand = 0;
    std::chrono::milliseconds limit{};
    Job job;
  };
  struct Worker {
    std::thread thread;
    bool busy = false;
    bool given_up = false;
    bool ended = false;
    JobId job = 0;
    std::uint64_t strand = 0;
    MonoTime began{};
    MonoTime deadline{};
  };
  using WorkerPtr = std::shared_ptr<Worker>;

  void Run(const WorkerPtr& self) EXCLUDES(mu);
  std::size_t MaxThreads() const REQUIRES(mu);
  void SpawnAsNeeded(const std::shared_ptr<State>& me) REQUIRES(mu);
  void Release(std::uint64_t strand) REQUIRES(mu);
  bool ClaimIdle() REQUIRES(mu);

  Mutex mu;
  CondVar work, ended;
  const Clock* clock GUARDED_BY(mu);
  const std::size_t usual_threads, most_threads;
  const Spawn spawn;
  bool spawn_failed GUARDED_BY(mu) = false;
  bool stopping GUARDED_BY(mu) = false;
  std::chrono::milliseconds patience GUARDED_BY(mu) = std::chrono::seconds(2);
  std::deque<Item> ready GUARDED_BY(mu);
  struct Strand {
    bool busy = false;  ///< one of its jobs is ready or running
    std::deque<Item> behind;
  };
  /// Idle strands are kept until TakeOverdue: their next job usually comes soon.
  std::unordered_map<std::uint64_t, Strand> strands GUARDED_BY(mu);
  std::vector<WorkerPtr> workers GUARDED_BY(mu);
  std::size_t idle GUARDED_BY(mu) = 0;
  std::size_t woken GUARDED_BY(mu) = 0;     ///< idle threads that were notified and have not run yet
  std::size_t looking GUARDED_BY(mu) = 0;   ///< threads about to check for a job
  std::size_t starting GUARDED_BY(mu) = 0;  ///< threads that are not running yet
  std::size_t stuck GUARDED_BY(mu) = 0;
  std::size_t jobs GUARDED_BY(mu) = 0;
};

void Workers::State::Run(const WorkerPtr& self) {
  NameThread("sink-calls");
  MutexLock lock(mu);
  --starting;
  bool gave_way = false;
  while (!self->given_up) {
    if (stopping) break;
    if (ready.empty()) {
      if (!std::exchange(gave_way, true)) {
        // Yield once before sleeping: a producer that is about to post need not wake this thread.
        ++looking;
        mu.unlock();
        std::this_thread::yield();
        mu.lock();
        --looking;
        continue;
      }
      ++idle;
      work.Wait(mu);
      --idle;
      if (woken > 0) --woken;
      continue;
    }
    gave_way = false;
    Item item = std::move(ready.front());
    ready.pop_front();
    if (ClaimIdle()) work.NotifyOne();
    self->busy = true;
    self->job = item.id;
    self->strand = item.strand;
    self->began = clock->Mono();
    self->deadline = self->began + item.limit;
    mu.unlock();
    item.job();
    item.job = nullptr;
    mu.lock();
    self->busy = false;
    if (self->given_up) break;
    --jobs;
    Release(item.strand);
  }
  self->ended = true;
  if (self->given_up) --stuck;
  ended.NotifyAll();
}

void Workers::State::Release(std::uint64_t strand) {
  if (strand == 0) return;
  const auto found = strands.find(strand);
  if (found == strands.end()) return;
  std::deque<Item>& behind = found->second.behind;
  found->second.busy = !behind.empty();
  if (behind.empty()) return;
  ready.push_back(std::move(behind.front()));
  behind.pop_front();
}

/// Whether to notify an idle thread: threads that are about to check may be enough for the ready jobs.
bool Workers::State::ClaimIdle() {
  if (idle <= woken || ready.size() <= looking + woken) return false;
  ++woken;
  return true;
}

std::size_t Workers::State::MaxThreads() const {
  const MonoTime now = clock->Mono();
  const bool all_slow = std::all_of(workers.begin(), workers.end(),
                                    [&](const auto& worker) { return worker->busy && now - worker->began >= kSlow; });
  return all_slow ? most_threads : usual_threads;
}

void Workers::State::SpawnAsNeeded(const std::shared_ptr<State>& me) {
  if (stopping || idle + starting + looking >= ready.size()) return;
  const std::size_t max_threads = workers.size() < usual_threads ? usual_threads : MaxThreads();
  while (idle + starting + looking < ready.size() && workers.size() < max_threads) {
    auto worker = std::make_shared<Worker>();
    try {
      worker->thread = spawn([me, worker] { me->Run(worker); });
    } catch (const std::system_error& error) {
      if (!std::exchange(spawn_failed, true)) log::Error("thread_not_started", {{"reason", error.what()}});
      return;
    }
    workers.push_back(std::move(worker));
    ++starting;
    spawn_failed = false;
  }
}

Workers::Workers(const Clock& clock, std::size_t threads) : Workers(clock, threads, threads) {}

Workers::Workers(const Clock& clock, std::size_t threads, std::size_t most)
    : Workers(clock, threads, most, [](Job job) { return std::thread(std::move(job)); }) {}

Workers::Workers(const Clock& clock, std::size_t threads, std::size_t most, Spawn spawn)
    : state_(std::make_shared<State>(clock, std::max<std::size_t>(threads, 1), std::max<std::size_t>(most, 1),
                                     std::move(spawn))) {}

Workers::~Workers() {
  std::vector<State::WorkerPtr> workers;
  std::deque<State::Item> dropped;
  std::unordered_map<std::uint64_t, State::Strand> dropped_strands;
  {
    State& state = *state_;
    MutexLock lock(state.mu);
    state.stopping = true;
    dropped.swap(state.ready);
    dropped_strands.swap(state.strands);
    state.work.NotifyAll();
    const auto give_up_at = std::chrono::steady_clock::now() + state.patience;
    const auto all_ended = [&]() REQUIRES(state.mu) {
      return std::all_of(state.workers.begin(), state.workers.end(), [](const auto& worker) { return worker->ended; });
    };
    while (!all_ended() && std::chrono::steady_clock::now() < give_up_at) state.ended.WaitUntil(state.mu, give_up_at);
    for (auto& worker : state.workers) {
      if (!worker->ended) worker->given_up = true, ++state.stuck;
    }
    workers.swap(state.workers);
  }
  for (auto& worker : workers) {
    if (worker->given_up) {
      worker->thread.detach();
    } else {
      worker->thread.join();
    }
  }
}

void Workers::Queue::Post(JobId id, std::uint64_t strand, std::chrono::milliseconds limit, Job job) const {
  State& state = *state_;
  {
    MutexLock lock(state.mu);
    if (state.stopping) return;
    ++state.jobs;
    State::Item item{id, strand, limit, std::move(job)};
    if (strand != 0) {
      State::Strand& mine = state.strands[strand];
      if (std::exchange(mine.busy, true)) return mine.behind.push_back(std::move(item));
    }
    state.ready.push_back(std::move(item));
    state.SpawnAsNeeded(state_);
    if (!state.ClaimIdle()) return;
  }
  // Notify after unlocking, or the woken thread would block on the mutex.
  state.work.NotifyOne();
}

std::vector<Workers::JobId> Workers::TakeOverdue() {
  std::vector<JobId> overdue;
  State& state = *state_;
  MutexLock lock(state.mu);
  const MonoTime now = state.clock->Mono();
  for (std::size_t i = 0; i < state.workers.size();) {
    State::Worker& worker = *state.workers[i];
    if (!worker.busy || worker.deadline >= now) {
      ++i;
      continue;
    }
    overdue.push_back(worker.job);
    worker.given_up = true;
    worker.thread.detach();
    ++state.stuck;
    --state.jobs;
    state.Release(worker.strand);
    state.workers.erase(state.workers.begin() + static_cast<std::ptrdiff_t>(i));
  }
  std::erase_if(state.strands, [](const auto& strand) { return !strand.second.busy; });
  state.SpawnAsNeeded(state_);
  while (state.ClaimIdle()) state.work.NotifyOne();
  return overdue;
}

std::size_t Workers::stuck() const {
  MutexLock lock(state_->mu);
  return state_->stuck;
}

std::size_t Workers::busy() const {
  MutexLock lock(state_->mu);
  return state_->jobs;
}

void Workers::SetPatience(std::chrono::milliseconds patience) {
  MutexLock lock(state_->mu);
  state_->patience = patience;
}

}  // namespace hookswitch
