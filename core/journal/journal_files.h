#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hookswitch {

/// Exclusive lock on a journal, also within this process: `<path>.lock` beside the real file, links resolved. Does not
/// stop other programs such as the sqlite3 shell.
class JournalLock {
 public:
  JournalLock() = default;
  ~JournalLock();
  JournalLock(JournalLock&& other) noexcept;
  JournalLock& operator=(JournalLock&& other) noexcept;

  /// Errors: kUnavailable, naming the pid that holds it or another cause. Does not follow links, and does not modify a
  /// file that is not one of our lock files.
  static Result<JournalLock> Take(const std::string& journal_path);
  /// Whether the lock is held, or that cannot be determined.
  static bool IsTaken(const std::string& journal_path);

 private:
  explicit JournalLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// `path` with links resolved, as far as it exists. SQLite's side files are beside the real file.
std::string RealPath(const std::string& path);
/// The folder that contains `path`.
std::string FolderOf(const std::string& path);
/// Creates the folder of `path` (0700) and its parents if missing, durably.
[[nodiscard]] Status MakeFolderFor(const std::string& path);
/// Creates `path` as an empty file (0600) if missing, durably. SQLite gives its side files the same mode.
[[nodiscard]] Status MakeFile(const std::string& path);

/// Syncs the folder of `path`, which makes its entries durable.
[[nodiscard]] Status SyncFolderOf(const std::string& path);

/// Size in bytes of the file in `path`; 0 if it does not exist.
std::uint64_t FileSize(const std::string& path);

/// A file or folder that users other than root and our own can modify.
struct Exposed {
  std::string path;
  std::string reason;  ///< who, and what to do
};
/// Checks the journal's files and the folders above them. Skips what cannot be inspected.
std::vector<Exposed> FindExposed(const std::string& path);

/// Name of the network file system that holds `path` ("NFS"); "" for a local one.
std::string_view NetworkFileSystemOf(const std::string& path);
/// The same for an `f_type` of statfs(2).
std::string_view NetworkFileSystemName(std::uint64_t type);

}  // namespace hookswitch
