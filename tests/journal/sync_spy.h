#pragma once
#include <string>
#include <vector>

namespace hookswitch {

/// Sees every fsync of a folder in this process while it lives. One at a time.
class SyncSpy {
 public:
  SyncSpy();
  ~SyncSpy();
  SyncSpy(const SyncSpy&) = delete;
  SyncSpy& operator=(const SyncSpy&) = delete;

  /// How often `folder` was synced.
  int Count(const std::string& folder) const;
};

}  // namespace hookswitch
