#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

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
/// raises the epoch; every transaction of retention, and of the writer if it records attempts, asks for its own
/// (`Fence`), so one that was replaced can record nothing. Who does not have it asks for it again and again.
///
/// Also shows the others that this router is alive (router.seen), and hears whether it shall reload (router.reload).
class Lease {
 public:
  struct Terms {
    std::int64_t router = 0;  ///< number of the router
    /// The same at the next start of the same router on the same machine, where a lock says that the process before has
    /// ended: then its lease is taken at once. 0: unknown.
    std::int64_t instance = 0;
    std::chrono::milliseconds length{};
    // Called on a thread of the lease; at most once each, but for on_reload_asked.
    std::function<void()> on_taken{};  ///< within Open if that takes it
    std::function<void()> on_reload_asked{};
    /// Another router has taken it over, or its name. It is not asked for again. The writer calls it too, with "", when
    /// it has missed news.
    std::function<void(const std::string& by)> on_lost{};
  };

  /// Takes the lease unless another router has it, and goes on to renew it, or to ask for it, on a connection and a
  /// thread of its own. Errors: kUnavailable. [thread: control]
  static Result<std::unique_ptr<Lease>> Open(const Place& place, Terms terms, const Clock& clock);
  ~Lease() { GiveUp(); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  /// Ends its thread, and lets another router take it at once. [thread: control]
  void GiveUp();

  /// Whether it is ours, by our own clock, which began to count before the database did. [thread: any]
  bool IsValid() const { return clock_.Mono() < valid_until_.load(std::memory_order_acquire); }

  /// Whether it was ever ours. [thread: any]
  bool was_taken() const { return epoch_.load(std::memory_order_relaxed) != 0; }
  /// What others see of this router, soon. [thread: any]
  void Introduce(std::string version, std::string config, const std::vector<std::string>& sinks);
  /// Of the lease that was last ours; one that fails if it never was. [thread: any]
  Fence fence() const { return {terms_.router, epoch_.load(std::memory_order_relaxed)}; }

 private:
  enum class Reply { kOurs, kAnothers, kNameTaken };

  Lease(Place place, Terms terms, const Clock& clock)
      : place_(std::move(place)), terms_(std::move(terms)), clock_(clock) {}
  /// Renews it, or takes it if that is possible.
  Result<Reply> Ask();
  void SendRouter() EXCLUDES(mu_);
  std::string Holder();
  void Run();

  const Place place_;
  const Terms terms_;
  const Clock& clock_;
  std::atomic<std::int64_t> epoch_{0};  ///< 0: it was never ours
  std::unique_ptr<Connection> connection_;
  std::atomic<MonoTime> valid_until_{};
  Mutex mu_;
  CondVar wake_;
  bool ending_ GUARDED_BY(mu_) = false;
  bool has_card_ GUARDED_BY(mu_) = false;  ///< the following have changed
  std::string version_ GUARDED_BY(mu_), config_ GUARDED_BY(mu_), sinks_ GUARDED_BY(mu_);
  std::optional<std::int64_t> reload_{};  ///< router.reload when it was last asked for
  std::thread thread_;
};

}  // namespace hookswitch::pg
