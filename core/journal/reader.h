#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/journal.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// The reading side of the SQLite journal: a connection of its own, so that reading never waits for a commit. Safe from
/// any thread, one call at a time. After an error other than damage the connection is opened anew by the next call.
class Reader {
 public:
  Reader(std::string path, std::uint16_t salt);

  /// Damaged rows are stepped over.
  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, DeliverySeq last, std::size_t limit);
  /// Damage ends the list: a pause that is forgotten costs one more refusal, and is not worth a start that fails.
  Result<std::vector<LaneDue>> LoadLanes();
  Result<StoredEvent> Load(EventSeq event);
  Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key);
  /// Gives up the file; everything fails as kUnavailable from now on.
  void Close();

 private:
  Status Connect() REQUIRES(mu_);

  const std::string path_;
  const std::uint16_t salt_;
  Mutex mu_;
  bool closed_ GUARDED_BY(mu_) = false;
  std::optional<Database> db_ GUARDED_BY(mu_);
  Statement pending_ GUARDED_BY(mu_);
  Statement lanes_ GUARDED_BY(mu_);
  Statement event_ GUARDED_BY(mu_);
  Statement memory_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
