#pragma once
#include <atomic>
#include <functional>
#include <thread>

#include "core/base/result.h"
#include "core/base/sync.h"
#include "core/delivery/dispatcher.h"

namespace hookswitch {

/// Starts the dispatcher when what is pending is this process's to deliver: at once, or on a thread of its own when the
/// journal's lease has come, as another router has ended.
class DeliveryStart {
 public:
  ~DeliveryStart() { Stop(); }

  /// [thread: any] The lease has come; also before Begin.
  void LeaseTaken();
  /// [thread: control] Starts `dispatcher` now if `owns` or the lease has come; else when it comes. `on_failed`: called
  /// if that start fails, on the thread of its own. Errors: those of Dispatcher::Start. `dispatcher` must outlive the
  /// call of Stop.
  Status Begin(Dispatcher& dispatcher, bool owns, std::function<void(const Error&)> on_failed);
  /// [thread: control] Does not start it any more; waits for a start under way.
  void Stop();
  /// Whether deliveries are started here. [thread: any]
  bool delivers() const { return delivers_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> delivers_{false};
  Mutex mu_;
  CondVar changed_;
  bool taken_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  std::thread thread_;
};

}  // namespace hookswitch
