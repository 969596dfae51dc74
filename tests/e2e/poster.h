#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/sync.h"

namespace hookswitch::e2e {

/// Posts calls over several keep-alive connections at once, as a platform does, and keeps which were accepted.
///
/// Numbers are taken in order: Go() posts the next ones. A connection that breaks ends its share; what was under way
/// then is neither accepted nor sent again.
class Poster {
 public:
  explicit Poster(int connections) : connections_(connections) {}
  ~Poster() { Join(); }

  /// Posts `count` more calls to 127.0.0.1:port; returns at once.
  void Go(std::uint16_t port, std::size_t count);
  /// Waits until every thread of Go is done.
  void Join();
  /// Stops after what is under way.
  void Stop() { stop_ = true; }

  /// Waits until that many calls in all were accepted, or every thread is done.
  void WaitForAccepted(std::size_t count);

  /// After Join: the numbers of calls answered 200, and how often each other answer came ("503", "reset").
  const std::set<std::size_t>& Accepted() const { return accepted_; }
  const std::map<std::string, std::size_t>& Others() const { return others_; }
  /// The next number; everything below was tried.
  std::size_t Next() const { return next_; }

  /// The body for a call number. Set before Go.
  std::function<std::string(std::size_t)> body;

 private:
  void Work(std::uint16_t port);

  const int connections_;
  std::atomic<std::size_t> next_ = 0;
  std::atomic<std::size_t> end_ = 0;
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
  Mutex mu_;
  CondVar changed_;
  int working_ GUARDED_BY(mu_) = 0;
  // Written under mu_ by the threads; read without it only after Join.
  std::set<std::size_t> accepted_;
  std::map<std::string, std::size_t> others_;
};

}  // namespace hookswitch::e2e
