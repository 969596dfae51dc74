#include "core/journal/backup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "core/journal/journal_files.h"
#include "core/journal/page_copy.h"
#include "core/journal/sqlite.h"

namespace hookswitch {
namespace {

Error Failed(const std::string& path, const char* doing) {
  return {ErrorCode::kUnavailable, std::string("cannot ") + doing + " " + path + ": " + std::strerror(errno)};
}
Error Exists(const std::string& target) {
  return {ErrorCode::kInvalid, target + " exists already; a backup replaces nothing"};
}

/// A new file without a name until it is complete (O_TMPFILE), so that a killed backup leaves nothing behind; where the
/// file system cannot do that, a temporary name beside the target.
class Draft {
 public:
  explicit Draft(const std::string& target) : target_(target) {}
  ~Draft() {
    if (fd_ >= 0) close(fd_);
    if (!name_.empty()) unlink(name_.c_str());
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  int fd() const { return fd_; }

  Status Make() {
    fd_ = open(FolderOf(target_).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd_ >= 0 && access(Handle().c_str(), F_OK) == 0) return Ok();
    if (fd_ >= 0) close(fd_);
    name_ = target_ + ".XXXXXX";
    fd_ = mkostemp(name_.data(), O_CLOEXEC);
    if (fd_ >= 0) return Ok();
    name_.clear();
    return Failed(target_, "create");
  }

  Status Keep() {
    if (fsync(fd_) != 0) return Failed(target_, "sync");
    if (!(name_.empty() ? Link() : Rename())) return errno == EEXIST ? Exists(target_) : Failed(target_, "create");
    name_.clear();
    return SyncFolderOf(target_);
  }

 private:
  std::string Handle() const { return "/proc/self/fd/" + std::to_string(fd_); }
  bool Link() const { return linkat(AT_FDCWD, Handle().c_str(), AT_FDCWD, target_.c_str(), AT_SYMLINK_FOLLOW) == 0; }
  bool Rename() const {
    if (renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0) return true;
    // Some file systems do not support RENAME_NOREPLACE; the target's existence was checked at the start.
    return errno == EINVAL && rename(name_.c_str(), target_.c_str()) == 0;
  }

  const std::string target_;
  std::string name_;  ///< the temporary name; "" if none or already renamed
  int fd_ = -1;
};

}  // namespace

Status BackupJournal(const std::string& path, const std::string& target) {
  struct stat info {};
  if (lstat(target.c_str(), &info) == 0) return Exists(target);
  if (stat(path.c_str(), &info) != 0) return Failed(path, "read");
  auto source = Database::Open(path, Database::Mode::kRead);
  if (!source) return Error{source.error().code, "journal " + path + ": " + source.error().message};
  const auto ours = source->QueryInt("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta', 'event', 'delivery')");
  if (!ours) return Error{ours.error().code, "journal " + path + ": " + ours.error().message};
  if (*ours != 3) return Error{ErrorCode::kInvalid, path + " is not a journal of hookswitch"};
  Draft draft(target);
  HSW_TRY(draft.Make());
  if (Status copied = CopyPages(*source, draft.fd()); !copied) {
    return Error{copied.error().code, "cannot copy " + path + " to " + target + ": " + copied.error().message};
  }
  return draft.Keep();
}

}  // namespace hookswitch
