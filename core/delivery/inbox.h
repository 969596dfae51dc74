#pragma once
#include <chrono>
#include <memory>
#include <variant>
#include <vector>

#include "core/base/ids.h"
#include "core/base/sync.h"
#include "core/event/call_event.h"
#include "core/event/outcome.h"
#include "core/http/http_client.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// What other threads tell the scheduler. Held by shared_ptr, because an answer or a thread that was given up may come
/// after the scheduler has gone; it is dropped then. Safe from any thread.
class Inbox {
 public:
  struct Accepted {
    std::shared_ptr<const CallEvent> event;
    std::vector<PendingDelivery> deliveries;
  };
  struct Progress {
    DeliverySeq delivery = 0;
    std::uint64_t attempt = 0;
    std::variant<HttpRequest, HttpResult, Outcome> what;
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

  void Accept(Accepted accepted) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (closed_) return;
    batch_.accepted.push_back(std::move(accepted));
    Signal();
  }
  void Report(Progress progress) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (closed_) return;
    batch_.progress.push_back(std::move(progress));
    Signal();
  }
  void Record(Recorded recorded) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    if (closed_) return;
    batch_.recorded.push_back(recorded);
    Signal();
  }
  /// Something else has changed: look again.
  void Kick() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    kicked_ = true;
    Signal();
  }
  void Close() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    closed_ = true;
    Signal();
  }

  /// Waits for news, at most `patience`, and moves it to `batch` (empty before). False when closed.
  bool Take(Batch& batch, std::chrono::nanoseconds patience) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!closed_ && !kicked_ && batch_.accepted.empty() && batch_.progress.empty() && batch_.recorded.empty()) {
      if (std::chrono::steady_clock::now() >= until) break;
      sleeping_ = true;
      news_.WaitUntil(mu_, until);
      sleeping_ = false;
    }
    kicked_ = false;
    std::swap(batch, batch_);
    return !closed_;
  }

  /// Before the first Take: forgets accepted deliveries up to `last`, which were read from the journal.
  void DropAccepted(DeliverySeq last) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    for (Accepted& accepted : batch_.accepted) {
      std::erase_if(accepted.deliveries, [&](const PendingDelivery& delivery) { return delivery.seq <= last; });
    }
  }

 private:
  void Signal() REQUIRES(mu_) {
    if (!sleeping_) return;
    sleeping_ = false;
    news_.NotifyOne();
  }

  Mutex mu_;
  CondVar news_;
  Batch batch_ GUARDED_BY(mu_);
  bool kicked_ GUARDED_BY(mu_) = false;
  bool sleeping_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace hookswitch
