#pragma once
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

namespace hookswitch {

/// A reference for holders that may outlive what it refers to, such as a thread that is stuck in a plugin at shutdown.
/// [thread: any]
template <class T>
class ClosableRef {
 public:
  explicit ClosableRef(T& target) : target_(&target) {}

  /// Returns `use(target)`; empty after Close.
  template <class Use>
  auto With(Use use) -> std::optional<decltype(use(std::declval<T&>()))> {
    const std::shared_lock lock(mu_);
    if (!target_) return std::nullopt;
    return use(*target_);
  }
  /// Blocks until no With is running; afterwards the target is not used.
  void Close() {
    const std::unique_lock lock(mu_);
    target_ = nullptr;
  }

 private:
  std::shared_mutex mu_;
  T* target_;  // guarded by mu_
};

}  // namespace hookswitch
