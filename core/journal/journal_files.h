#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hookswitch {

/// Keeps other processes (and a second opening in this one) out of a journal while it lives, through `<path>.lock`
/// beside the file itself, wherever a link to it lies. Readers that only look, such as the sqlite3 shell, are not kept
/// out.
class JournalLock {
 public:
  JournalLock() = default;
  ~JournalLock();
  JournalLock(JournalLock&& other) noexcept;
  JournalLock& operator=(JournalLock&& other) noexcept;

  /// Errors: kUnavailable with the pid that holds it, or with what else is in the way. A link is not followed, and what
  /// is no lock file of ours is left as it is.
  static Result<JournalLock> Take(const std::string& journal_path);
  /// Whether somebody has it, or may have.
  static bool IsTaken(const std::string& journal_path);

 private:
  explicit JournalLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// `path` without links, as far as it is there. SQLite's side files lie beside the file itself.
std::string RealPath(const std::string& path);
/// The folder that `path` is in.
std::string FolderOf(const std::string& path);
/// Makes the folder of `path` (0700) and all above it, if missing, so that they survive a power cut.
[[nodiscard]] Status MakeFolderFor(const std::string& path);
/// Makes `path` as an empty file (0600) that survives a power cut, if missing. SQLite gives its side files the same
/// mode.
[[nodiscard]] Status MakeFile(const std::string& path);

/// Makes the names in the folder of `path` durable.
[[nodiscard]] Status SyncFolderOf(const std::string& path);

/// Bytes of the file in `path`; 0 if it is not there.
std::uint64_t FileSize(const std::string& path);

/// What users other than root and this process's may change.
struct Exposed {
  std::string path;
  std::string reason;  ///< who, and what to do
};
/// Among the files of the journal in `path` and the folders that lead there. Nothing for what cannot be looked at.
std::vector<Exposed> FindExposed(const std::string& path);

/// The name of the network file system that `path` lies on: "NFS"; "" for any other.
std::string_view NetworkFileSystemOf(const std::string& path);
/// The same for what statfs(2) gives as `f_type`.
std::string_view NetworkFileSystemName(std::uint64_t type);

}  // namespace hookswitch
