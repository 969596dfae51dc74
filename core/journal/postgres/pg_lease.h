#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "core/base/clock.h"
#include "core/base/sync.h"
#include "core/journal/postgres/pg_connection.h"

namespace hookswitch::pg {

/// What only the router that has the lease gets past.
struct Fence {
  std::int64_t router = 0, epoch = 0;

  /// Sends what makes the transaction under way fail (kLostState) unless the lease is still ours, and keeps others from
  /// taking it, and us from renewing it, before the transaction ends.
  void Send(Connection& connection) const;
  /// SQLSTATE of it: division by zero.
  static constexpr const char* kLostState = "22012";
};

/// That this router, and no other, works off what is pending: a row with an epoch, which the router renews every third
/// of its length. The database's clock says when it is over, so clocks may differ. Another router that takes it over
/// raises the epoch; every transaction of the writer and of retention asks for its own (`Fence`), so one that was
/// replaced can write nothing.
class Lease {
 public:
  struct Terms {
    std::int64_t router = 0;  ///< number of the router
    /// The same at the next start of the same router on the same machine, where a lock says that the process before has
    /// ended: then its lease is taken at once. 0: unknown.
    std::int64_t instance = 0;
    std::chrono::milliseconds length{};
    /// Called once, on a thread of the lease, when another router has taken it over.
    std::function<void(const std::string& by)> on_lost{};
  };

  /// Takes the lease and begins to renew it on a connection and a thread of its own. If another router has it, waits
  /// until it is over, at most a second longer than `length`. Errors: kUnavailable, which names the other router.
  /// [thread: control]
  static Result<std::unique_ptr<Lease>> Take(const Place& place, Terms terms, const Clock& clock);
  /// Gives it up, so that the next one need not wait.
  ~Lease();
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Whether it is still ours, by our own clock, which began to count before the database did. [thread: any]
  bool IsValid() const { return clock_.Mono() < valid_until_.load(std::memory_order_acquire); }

  /// Constant. [thread: any]
  Fence fence() const { return {terms_.router, epoch_}; }

 private:
  Lease(Place place, Terms terms, const Clock& clock)
      : place_(std::move(place)), terms_(std::move(terms)), clock_(clock) {}
  /// Whether it was taken; `holder`: who has it.
  Result<bool> TryTake(std::string& holder);
  /// Whether it is still ours.
  Result<bool> Renew();
  void Run();

  const Place place_;
  const Terms terms_;
  const Clock& clock_;
  std::int64_t epoch_ = 0;
  std::unique_ptr<Connection> connection_;
  std::atomic<MonoTime> valid_until_{};
  Mutex mu_;
  CondVar wake_;
  bool ending_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hookswitch::pg
