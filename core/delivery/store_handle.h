#pragma once
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Access to a journal or its history for holders that may outlive it: a thread stuck in a plugin may ask for an
/// event's body long after shutdown. [thread: any]
template <class Store>
class StoreHandle {
 public:
  explicit StoreHandle(Store& store) : store_(&store) {}

  /// Returns `use(store)`; empty after Close.
  template <class Use>
  auto With(Use use) -> std::optional<decltype(use(std::declval<Store&>()))> {
    const std::shared_lock lock(mu_);
    if (!store_) return std::nullopt;
    return use(*store_);
  }
  /// Blocks until no With is running; afterwards the store is not used.
  void Close() {
    const std::unique_lock lock(mu_);
    store_ = nullptr;
  }

 private:
  std::shared_mutex mu_;
  Store* store_;  // guarded by mu_
};

using JournalHandle = StoreHandle<Journal>;
using HistoryHandle = StoreHandle<History>;

}  // namespace hookswitch
