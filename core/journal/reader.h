#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/journal.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// Read side of the SQLite journal on its own connection, so that reads never wait for a commit. One read at a time;
/// after an error other than damage the next one connects again. Errors: those of Journal's functions.
class Reader {
 public:
  Reader(std::string path, std::uint16_t salt);

  /// As Journal::LoadPending, up to delivery `last`. Skips damaged rows. [thread: any]
  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, DeliverySeq last, std::size_t limit);
  /// Damage ends the list silently: a lost pause costs one more refused request, which is better than a failed start.
  /// [thread: any]
  Result<std::vector<LaneDue>> LoadLanes();
  /// [thread: any]
  Result<StoredEvent> Load(EventSeq event);
  /// [thread: any]
  Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key);
  /// Closes the file; later calls fail as kUnavailable. [thread: any]
  void Close();

 private:
  /// Does nothing while connected.
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
