#pragma once
#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/sync.h"

namespace hookswitch {

/// Runs request handlers in the order of Post, on threads that start on demand. [thread: any]
class RequestPool {
 public:
  /// `name`: of the threads; `threads`: how many at most.
  RequestPool(std::string name, int threads) : name_(std::move(name)), most_(threads) {}
  /// Stop.
  ~RequestPool();

  void Post(std::function<void()> job);
  /// Drops jobs that have not begun, waits for running ones, joins the threads. Jobs posted later are dropped.
  void Stop();

 private:
  void Run();

  const std::string name_;
  const int most_;
  Mutex mu_;
  CondVar posted_;
  std::deque<std::function<void()>> jobs_ GUARDED_BY(mu_);
  std::vector<std::thread> threads_ GUARDED_BY(mu_);
  int idle_ GUARDED_BY(mu_) = 0;
  bool stopping_ GUARDED_BY(mu_) = false;
};

}  // namespace hookswitch
