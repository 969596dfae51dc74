#pragma once
#include <string>

#include "core/base/result.h"

namespace hookswitch {

/// Keeps other processes (and a second opening in this one) out of a journal while it lives, through `<path>.lock`.
/// Readers that only look, such as the sqlite3 shell, are not kept out.
class JournalLock {
 public:
  JournalLock() = default;
  ~JournalLock();
  JournalLock(JournalLock&& other) noexcept;
  JournalLock& operator=(JournalLock&& other) noexcept;

  /// Errors: kUnavailable with the pid that holds it.
  static Result<JournalLock> Take(const std::string& journal_path);

 private:
  explicit JournalLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Makes the folder of `path` (0700) and all above it, if missing.
[[nodiscard]] Status MakeFolderFor(const std::string& path);
/// Makes `path` as an empty file (0600) that survives a power cut, if missing. SQLite gives its side files the same
/// mode.
[[nodiscard]] Status MakeFile(const std::string& path);

/// Makes the names in the folder of `path` durable.
Status SyncFolderOf(const std::string& path);

}  // namespace hookswitch
