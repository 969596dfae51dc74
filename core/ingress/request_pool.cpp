#include "core/ingress/request_pool.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/base/log.h"
#include "core/base/thread_name.h"

namespace hookswitch {

RequestPool::~RequestPool() {
  Stop();
}

void RequestPool::Post(std::function<void()> job) {
  MutexLock lock(mu_);
  if (stopping_) return;
  jobs_.push_back(std::move(job));
  if (idle_ > 0 && jobs_.size() <= static_cast<std::size_t>(idle_)) return posted_.NotifyOne();
  if (threads_.size() < static_cast<std::size_t>(std::max(most_, 1))) {
    try {
      threads_.emplace_back([this] { Run(); });
    } catch (const std::system_error& e) {
      // Running threads take the job; without any, the next Post tries again.
      log::Error("thread_not_started", {{"reason", e.what()}});
    }
  }
  posted_.NotifyOne();
}

void RequestPool::Run() {
  NameThread(name_.c_str());
  MutexLock lock(mu_);
  for (;;) {
    while (jobs_.empty() && !stopping_) {
      ++idle_;
      posted_.Wait(mu_);
      --idle_;
    }
    if (stopping_) return;
    std::function<void()> job = std::move(jobs_.front());
    jobs_.pop_front();
    mu_.unlock();
    job();
    job = nullptr;
    mu_.lock();
  }
}

void RequestPool::Stop() {
  std::deque<std::function<void()>> dropped;
  std::vector<std::thread> threads;
  {
    MutexLock lock(mu_);
    stopping_ = true;
    dropped.swap(jobs_);
    threads.swap(threads_);
    posted_.NotifyAll();
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace hookswitch
