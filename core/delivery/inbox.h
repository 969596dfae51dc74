#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "core/base/ids.h"
#include "core/base/sync.h"
#include "core/event/call_event.h"
#include "core/event/outcome.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Reports from other threads to the scheduler. Held by shared_ptr, because a late response or an abandoned thread may
/// outlive the dispatcher; reports after Close are dropped.
class Inbox {
 public:
  struct Accepted {
    std::shared_ptr<const CallEvent> event;
    std::vector<PendingDelivery> deliveries;
    EventSeq revises = 0;                 ///< the stored event that `event` replaces; 0: none
    std::vector<DeliverySeq> unwanted{};  ///< waiting deliveries that were canceled
    std::uint64_t ended_call = 0;         ///< the call that `event` is the final event of; 0: none
  };
  struct Progress {
    DeliverySeq delivery = 0;
    std::uint64_t attempt = 0;
    std::variant<HttpRequest, Outcome> what;  ///< a request to be admitted, or the end
  };
  struct Recorded {
    DeliverySeq delivery = 0, fallback = 0;
    bool stored = true;
  };
  struct Batch {
    std::vector<Accepted> accepted;
    std::vector<Progress> progress;
    std::vector<Recorded> recorded;
  };

  // [thread: any]
  /// Ignored until Open. Whatever was committed before Open is read by LoadBacklog, which runs after it.
  void Accept(Accepted accepted) EXCLUDES(mu_) {
    Post([&]() REQUIRES(mu_) {
      if (open_ && !closed_) batch_.accepted.push_back(std::move(accepted));
    });
  }
  void Open() EXCLUDES(mu_) {
    Post([&]() REQUIRES(mu_) { open_ = true; });
  }
  void Report(Progress progress) EXCLUDES(mu_) {
    Post([&]() REQUIRES(mu_) {
      if (!closed_) batch_.progress.push_back(std::move(progress));
    });
  }
  void Record(Recorded recorded) EXCLUDES(mu_) {
    Post([&]() REQUIRES(mu_) {
      if (!closed_) batch_.recorded.push_back(recorded);
    });
  }
  /// Wakes the scheduler for another pass.
  void Kick() EXCLUDES(mu_) {
    Post([&]() REQUIRES(mu_) { kicked_ = true; });
  }
  void Close() EXCLUDES(mu_) {
    Post([&]() REQUIRES(mu_) { closed_ = true; });
  }

  /// Waits for reports, at most `patience`, and swaps them into `batch`, which must be empty. False when closed.
  /// [thread: scheduler]
  bool Take(Batch& batch, std::chrono::nanoseconds patience) EXCLUDES(mu_) {
    // Yield once before sleeping: producers about to enqueue need not wake this thread, and batches get larger.
    if (patience.count() > 0) std::this_thread::yield();
    MutexLock lock(mu_);
    std::optional<std::chrono::steady_clock::time_point> until;
    while (!closed_ && !kicked_ && batch_.accepted.empty() && batch_.progress.empty() && batch_.recorded.empty()) {
      const auto now = std::chrono::steady_clock::now();
      if (!until) until = now + patience;
      if (now >= *until) break;
      sleeping_ = true;
      news_.WaitUntil(mu_, *until);
      sleeping_ = false;
    }
    kicked_ = false;
    std::swap(batch, batch_);
    return !closed_;
  }

 private:
  template <class Change>
  void Post(Change change) EXCLUDES(mu_) {
    bool wake = false;
    {
      MutexLock lock(mu_);
      change();
      wake = std::exchange(sleeping_, false);
    }
    // Notify after unlocking, or the woken thread would block on the mutex.
    if (wake) news_.NotifyOne();
  }

  Mutex mu_;
  CondVar news_;
  Batch batch_ GUARDED_BY(mu_);
  bool kicked_ GUARDED_BY(mu_) = false;
  bool sleeping_ GUARDED_BY(mu_) = false;
  bool open_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace hookswitch
