#include "core/app/delivery_start.h"

#include <chrono>
#include <utility>

#include "core/base/log.h"
#include "core/base/thread_name.h"

namespace hookswitch {

void DeliveryStart::LeaseTaken() {
  {
    MutexLock lock(mu_);
    taken_ = true;
  }
  changed_.NotifyAll();
}

Status DeliveryStart::Begin(Dispatcher& dispatcher, bool owns, std::function<void(const Error&)> on_failed) {
  bool is_taken = owns;
  {
    MutexLock lock(mu_);
    is_taken = is_taken || taken_;
  }
  if (is_taken) {
    HSW_TRY(dispatcher.Start());
    delivers_.store(true, std::memory_order_release);
    return Ok();
  }
  thread_ = std::thread([this, &dispatcher, on_failed = std::move(on_failed)] {
    NameThread("take-over");
    {
      MutexLock lock(mu_);
      while (!taken_ && !stopping_) changed_.Wait(mu_);
      if (stopping_) return;
    }
    const auto begin = std::chrono::steady_clock::now();
    if (const Status started = dispatcher.Start(); !started) {
      if (on_failed) on_failed(started.error());
      return;
    }
    delivers_.store(true, std::memory_order_release);
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begin);
    std::size_t pending = 0;
    for (const LaneStatus& lane : *dispatcher.RecentLanes()) pending += lane.pending;
    log::Info("deliveries_taken_over", {{"pending", pending}, {"load_ms", took.count()}});
  });
  return Ok();
}

void DeliveryStart::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

}  // namespace hookswitch
