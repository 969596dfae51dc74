#include "core/journal/journal_files.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <optional>
#include <thread>
#include <utility>

namespace hookswitch {
namespace {

constexpr int kLockTries = 20;

Error CannotUse(const std::string& path, const char* doing) {
  return {ErrorCode::kUnavailable, std::string("cannot ") + doing + " " + path + ": " + std::strerror(errno)};
}

/// Content of one of our lock files: a pid and a line break, or nothing. nullopt if it is another file.
std::optional<std::string> PidIn(int fd) {
  char text[32] = {};
  const ssize_t length = pread(fd, text, sizeof text - 1, 0);
  if (length < 0) return {};
  std::string_view pid(text, static_cast<std::size_t>(length));
  if (pid.ends_with('\n')) pid.remove_suffix(1);
  const bool is_one = pid.size() <= 20 && std::ranges::all_of(pid, [](char c) { return c >= '0' && c <= '9'; });
  return is_one ? std::optional(std::string(pid)) : std::nullopt;
}

/// Who besides its owner may write it, by its mode; "" for nobody.
std::string WritersByMode(const struct stat& info) {
  if ((info.st_mode & S_IWOTH) != 0) return "every user";
  // Group root counts as root; OpenShift assigns its folders to it.
  if ((info.st_mode & S_IWGRP) != 0 && info.st_gid != 0) return "group " + std::to_string(info.st_gid);
  return "";
}
std::string OtherWriters(const struct stat& info) {
  std::string who = WritersByMode(info);
  if (who.empty() && info.st_uid != 0 && info.st_uid != geteuid()) who = "user " + std::to_string(info.st_uid);
  return who;
}

}  // namespace

std::string RealPath(const std::string& path) {
  std::error_code failed;
  const auto real = std::filesystem::weakly_canonical(path, failed);
  return failed ? path : real.string();
}

std::string FolderOf(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

JournalLock::~JournalLock() {
  if (fd_ >= 0) close(fd_);
}

JournalLock::JournalLock(JournalLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

JournalLock& JournalLock::operator=(JournalLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

Result<JournalLock> JournalLock::Take(const std::string& journal_path) {
  const std::string path = RealPath(journal_path) + ".lock";
  // O_NONBLOCK: opening a FIFO must not block.
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (fd < 0 && errno == ELOOP) {
    return Error{ErrorCode::kUnavailable, path + " is a symbolic link, which is not followed: remove it"};
  }
  if (fd < 0) return CannotUse(path, "open");
  JournalLock lock(fd);
  struct stat info {};
  if (fstat(fd, &info) != 0) return CannotUse(path, "open");
  if (!S_ISREG(info.st_mode)) {
    return Error{ErrorCode::kUnavailable, path + " is not a regular file: move it away"};
  }
  const auto pid = PidIn(fd);
  bool taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
  // IsTaken holds the lock for an instant too.
  for (int i = 0; !taken && errno == EWOULDBLOCK && i < kLockTries; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
  }
  if (!taken) {
    if (errno != EWOULDBLOCK) return CannotUse(path, "lock");
    const std::string holder = pid && !pid->empty() ? " (pid " + *pid + ")" : "";
    return Error{ErrorCode::kUnavailable, "journal " + journal_path + " is in use by another hookswitch" + holder +
                                              ": stop that one, or give this one a journal.path of its own"};
  }
  // The pid only serves the message above, so ignore errors.
  const std::string ours = std::to_string(getpid()) + "\n";
  const bool may_write = pid && info.st_nlink == 1;
  if (may_write && ftruncate(fd, 0) == 0) (void)!pwrite(fd, ours.data(), ours.size(), 0);
  return lock;
}

bool JournalLock::IsTaken(const std::string& journal_path) {
  const int fd = open((RealPath(journal_path) + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0) return errno != ENOENT;
  const bool taken = flock(fd, LOCK_SH | LOCK_NB) != 0;
  close(fd);
  return taken;
}

Status MakeFolderFor(const std::string& path) {
  const std::string folder = FolderOf(path);
  std::error_code ignored;
  if (std::filesystem::exists(folder, ignored)) return Ok();
  HSW_TRY(MakeFolderFor(folder));
  if (mkdir(folder.c_str(), 0700) != 0) {
    if (errno == EEXIST) return Ok();
    return CannotUse(folder, "make folder");
  }
  return SyncFolderOf(folder);
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
  const int error = errno;
  close(folder_fd);
  errno = error;
  // Some file systems cannot sync a folder; ignore that.
  if (synced != 0 && errno != EINVAL && errno != ENOTSUP) return CannotUse(folder, "sync");
  return Ok();
}

std::uint64_t FileSize(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

std::vector<Exposed> FindExposed(const std::string& path) {
  std::vector<Exposed> found;
  const auto check = [&](const std::string& what, std::string (*writers)(const struct stat& info)) {
    struct stat info {};
    if (stat(what.c_str(), &info) != 0) return;
    const std::string who = writers(info);
    if (who.empty()) return;
    char mode[8];
    std::snprintf(mode, sizeof mode, "%04o", info.st_mode & 07777U);
    found.push_back(
        {what, who + " may write it (mode " + mode + "): give it to the user that hookswitch runs as, and chmod go-w"});
  };
  const std::string file = RealPath(path);
  std::filesystem::path folder = std::filesystem::path(file).parent_path();
  check(folder, OtherWriters);
  // A user who may write a parent folder can replace ours, unless the parent is sticky. The parent's owner is not
  // checked: in containers it is usually a foreign one.
  while (folder.has_relative_path()) {
    folder = folder.parent_path();
    check(folder,
          [](const struct stat& info) { return (info.st_mode & S_ISVTX) != 0 ? std::string() : WritersByMode(info); });
  }
  for (const char* part : {"", "-wal", "-shm", ".lock", ".search"}) check(file + part, OtherWriters);
  return found;
}

std::string_view NetworkFileSystemOf(const std::string& path) {
  struct statfs info {};
  if (statfs(path.c_str(), &info) != 0) return "";
  return NetworkFileSystemName(static_cast<std::uint32_t>(info.f_type));
}

std::string_view NetworkFileSystemName(std::uint64_t type) {
  // From statfs(2), linux/magic.h and the file systems' sources.
  switch (type) {
    case 0x6969: return "NFS";
    case 0x517b: return "SMB";
    case 0xff534d42:
    case 0xfe534d42: return "CIFS";
    case 0x01021997: return "9p";
    case 0x00c36400: return "Ceph";
    case 0x5346414f:
    case 0x6b414653: return "AFS";
    case 0x73757245: return "Coda";
    case 0x0bd00bd0: return "Lustre";
    case 0x47504653: return "GPFS";
    case 0x19830326: return "BeeGFS";
    case 0x7461636f: return "OCFS2";
    case 0x01161970: return "GFS2";
    case 0x20030528: return "OrangeFS";
    case 0xaad7aaea: return "PanFS";
    case 0x65735546: return "FUSE";  // sshfs, GlusterFS, s3fs …; a few are local
    case 0x786f4256: return "vboxsf";
    case 0xbacbacbc: return "vmhgfs";
    default: return "";
  }
}

}  // namespace hookswitch
