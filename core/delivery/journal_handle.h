#pragma once
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <utility>

#include "core/journal/journal.h"

namespace hookswitch {

/// The way to a journal that ends before everybody who holds this: a thread that is stuck in a plugin may ask for an
/// event's body long after. Safe from any thread.
class JournalHandle {
 public:
  explicit JournalHandle(Journal& journal) : journal_(&journal) {}

  /// What `use` makes of the journal; empty if that is gone.
  template <class Use>
  auto With(Use use) -> std::optional<decltype(use(std::declval<Journal&>()))> {
    const std::shared_lock lock(mu_);
    if (!journal_) return std::nullopt;
    return use(*journal_);
  }
  /// The journal is not used any more when this returns. Waits for those who do.
  void Close() {
    const std::unique_lock lock(mu_);
    journal_ = nullptr;
  }

 private:
  std::shared_mutex mu_;
  Journal* journal_;  // guarded by mu_
};

}  // namespace hookswitch
