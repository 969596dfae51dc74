#pragma once
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "core/journal/history.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// The way to a journal or its history, which end before everybody who holds this: a thread that is stuck in a plugin
/// may ask for an event's body long after. Safe from any thread.
template <class Store>
class StoreHandle {
 public:
  explicit StoreHandle(Store& store) : store_(&store) {}

  /// What `use` makes of the store; empty if that is gone.
  template <class Use>
  auto With(Use use) -> std::optional<decltype(use(std::declval<Store&>()))> {
    const std::shared_lock lock(mu_);
    if (!store_) return std::nullopt;
    return use(*store_);
  }
  /// The store is not used any more when this returns. Waits for those who do.
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
