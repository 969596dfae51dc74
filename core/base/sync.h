#pragma once
#include <condition_variable>
#include <mutex>

// Lock annotations, checked by clang's -Wthread-safety; empty for g++.
#if defined(__clang__)
#define HSW_TSA(x) __attribute__((x))
#else
#define HSW_TSA(x)
#endif
#define GUARDED_BY(m) HSW_TSA(guarded_by(m))
#define REQUIRES(...) HSW_TSA(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) HSW_TSA(locks_excluded(__VA_ARGS__))

namespace hookswitch {

/// std::mutex with clang thread-safety annotations. Use with MutexLock and CondVar.
class HSW_TSA(capability("mutex")) Mutex {
 public:
  void lock() HSW_TSA(acquire_capability()) { mu_.lock(); }
  void unlock() HSW_TSA(release_capability()) { mu_.unlock(); }
  bool try_lock() HSW_TSA(try_acquire_capability(true)) { return mu_.try_lock(); }

 private:
  friend class CondVar;
  std::mutex mu_;
};

/// Holds `mu` for its scope.
class HSW_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mu) HSW_TSA(acquire_capability(mu)) : mu_(mu) { mu_.lock(); }
  ~MutexLock() HSW_TSA(release_capability()) { mu_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mu_;
};

/// Condition variable for Mutex. The caller holds `mu`; Wait releases it while it sleeps. May wake spuriously.
class CondVar {
 public:
  void Wait(Mutex& mu) REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait(lock);
    lock.release();
  }
  /// Returns when notified or at `deadline`, whichever comes first; may wake spuriously.
  template <class TimePoint>
  void WaitUntil(Mutex& mu, TimePoint deadline) REQUIRES(mu) {
    std::unique_lock<std::mutex> lock(mu.mu_, std::adopt_lock);
    cv_.wait_until(lock, deadline);
    lock.release();
  }
  void NotifyOne() { cv_.notify_one(); }
  void NotifyAll() { cv_.notify_all(); }

 private:
  std::condition_variable cv_;
};

}  // namespace hookswitch
