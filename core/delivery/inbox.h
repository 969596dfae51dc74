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
#include "core/http/http_client.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// What other threads tell the dispatcher. Held by shared_ptr, because an answer or a thread that was given up may come
/// after the dispatcher has gone; it is dropped then. Safe from any thread.
class Inbox {
 public:
  struct Accepted {
    std::shared_ptr<const CallEvent> event;
    std::vector<PendingDelivery> deliveries;
    EventSeq revises = 0;                 ///< a stored event that is `event` from now on; 0: none
    std::vector<DeliverySeq> unwanted{};  ///< with revises: what waits of it and is canceled
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
    Tell([&]() REQUIRES(mu_) {
      if (!closed_) batch_.accepted.push_back(std::move(accepted));
    });
  }
  void Report(Progress progress) EXCLUDES(mu_) {
    Tell([&]() REQUIRES(mu_) {
      if (!closed_) batch_.progress.push_back(std::move(progress));
    });
  }
  void Record(Recorded recorded) EXCLUDES(mu_) {
    Tell([&]() REQUIRES(mu_) {
      if (!closed_) batch_.recorded.push_back(recorded);
    });
  }
  /// Something else has changed: look again.
  void Kick() EXCLUDES(mu_) {
    Tell([&]() REQUIRES(mu_) { kicked_ = true; });
  }
  void Close() EXCLUDES(mu_) {
    Tell([&]() REQUIRES(mu_) { closed_ = true; });
  }

  /// Waits for news, at most `patience`, and moves it to `batch` (empty before). False when closed.
  bool Take(Batch& batch, std::chrono::nanoseconds patience) EXCLUDES(mu_) {
    // Whoever is about to bring news does so first: more in one batch, and nobody has to wake this thread.
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

  /// Before the first Take: forgets accepted deliveries up to `last`, which were read from the journal.
  void DropAccepted(DeliverySeq last) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    for (Accepted& accepted : batch_.accepted) {
      std::erase_if(accepted.deliveries, [&](const PendingDelivery& delivery) { return delivery.seq <= last; });
    }
  }

 private:
  template <class Change>
  void Tell(Change change) EXCLUDES(mu_) {
    bool wake = false;
    {
      MutexLock lock(mu_);
      change();
      wake = std::exchange(sleeping_, false);
    }
    // After the lock is free, or the woken thread would only wait for it.
    if (wake) news_.NotifyOne();
  }

  Mutex mu_;
  CondVar news_;
  Batch batch_ GUARDED_BY(mu_);
  bool kicked_ GUARDED_BY(mu_) = false;
  bool sleeping_ GUARDED_BY(mu_) = false;
  bool closed_ GUARDED_BY(mu_) = false;
};

}  // namespace hookswitch
