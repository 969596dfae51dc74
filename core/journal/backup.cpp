#include "core/journal/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "core/journal/journal_files.h"
#include "core/journal/sqlite.h"

namespace hookswitch {
namespace {

Error Failed(const std::string& path, const char* doing) {
  return {ErrorCode::kUnavailable, std::string("cannot ") + doing + " " + path + ": " + std::strerror(errno)};
}

/// Is removed again unless it was given its name.
class Draft {
 public:
  explicit Draft(const std::string& target) : target_(target), path_(target + ".tmp") {}
  ~Draft() {
    if (!kept_) unlink(path_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  const std::string& path() const { return path_; }

  Status Make() const {
    // What is there is left from a backup that was killed.
    if (unlink(path_.c_str()) != 0 && errno != ENOENT) return Failed(path_, "replace");
    const int fd = open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return Failed(path_, "create");
    close(fd);
    return Ok();
  }
  Status Keep() {
    const int fd = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0) return Failed(path_, "open");
    const int synced = fsync(fd);
    close(fd);
    if (synced != 0) return Failed(path_, "sync");
    // Some file systems cannot promise not to replace; the target was looked for at the beginning.
    int moved = renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE);
    if (moved != 0 && errno == EINVAL) moved = rename(path_.c_str(), target_.c_str());
    if (moved != 0) return Failed(target_, "create");
    kept_ = true;
    return SyncFolderOf(target_);
  }

 private:
  const std::string target_, path_;
  bool kept_ = false;
};

}  // namespace

Status BackupJournal(const std::string& path, const std::string& target) {
  struct stat info {};
  if (lstat(target.c_str(), &info) == 0) {
    return Error{ErrorCode::kInvalid, target + " exists already; a backup replaces nothing"};
  }
  if (stat(path.c_str(), &info) != 0) return Failed(path, "read");
  auto source = Database::Open(path, Database::Mode::kRead);
  if (!source) return Error{source.error().code, "journal " + path + ": " + source.error().message};
  const auto ours = source->Ask("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'event', 'delivery')");
  if (!ours) return Error{ours.error().code, "journal " + path + ": " + ours.error().message};
  if (*ours != 3) return Error{ErrorCode::kInvalid, path + " is not a journal of hookswitch"};
  Draft draft(target);
  HSW_TRY(draft.Make());
  {
    auto copy = Database::Open(draft.path(), Database::Mode::kWrite);
    if (!copy) return Error{copy.error().code, draft.path() + ": " + copy.error().message};
    // It is synced as a whole at the end, and is nothing before.
    HSW_TRY(copy->Exec("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF"));
    if (Status copied = source->CopyTo(*copy); !copied) {
      return Error{ErrorCode::kUnavailable,
                   "cannot copy " + path + " to " + draft.path() + ": " + copied.error().message};
    }
  }
  return draft.Keep();
}

}  // namespace hookswitch
