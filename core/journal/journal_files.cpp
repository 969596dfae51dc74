#include "core/journal/journal_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace hookswitch {
namespace {

Error CannotUse(const std::string& path, const char* doing) {
  return {ErrorCode::kUnavailable, std::string("cannot ") + doing + " " + path + ": " + std::strerror(errno)};
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

JournalLock::~JournalLock() {
  if (fd_ >= 0) close(fd_);
}

JournalLock::JournalLock(JournalLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

JournalLock& JournalLock::operator=(JournalLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<JournalLock> JournalLock::Take(const std::string& journal_path) {
  const std::string path = journal_path + ".lock";
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return CannotUse(path, "open");
  JournalLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return CannotUse(path, "lock");
    char pid[32] = {};
    const ssize_t length = pread(fd, pid, sizeof pid - 1, 0);
    std::string holder(pid, length > 0 ? static_cast<std::size_t>(length) : 0);
    while (!holder.empty() && holder.back() == '\n') holder.pop_back();
    return Error{ErrorCode::kUnavailable, "journal " + journal_path + " is in use by another hookswitch (pid " +
                                              holder + "): stop that one, or give this one a journal.path of its own"};
  }
  // Only for the message above, so failing is no reason to stop.
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(fd, 0) == 0) (void)!pwrite(fd, pid.data(), pid.size(), 0);
  return lock;
}

Status MakeFolderFor(const std::string& path) {
  const std::string folder = FolderOf(path);
  std::error_code ignored;
  if (std::filesystem::exists(folder, ignored)) return Ok();
  HSW_TRY(MakeFolderFor(folder));
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return CannotUse(folder, "make folder");
  return Ok();
}

Status MakeFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    if (errno == EEXIST) return Ok();
    return CannotUse(path, "create");
  }
  close(fd);
  return SyncFolderOf(path);
}

Status SyncFolderOf(const std::string& path) {
  const std::string folder = FolderOf(path);
  const int folder_fd = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder_fd < 0) return CannotUse(folder, "open");
  const int synced = fsync(folder_fd);
  close(folder_fd);
  if (synced != 0) return CannotUse(folder, "sync");
  return Ok();
}

}  // namespace hookswitch
