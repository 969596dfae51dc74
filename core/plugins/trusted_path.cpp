#include "core/plugins/trusted_path.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <deque>
#include <memory>
#include <set>
#include <string>

namespace hookswitch::plugins {
namespace {

namespace fs = std::filesystem;

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Red Hat puts system accounts (sync, shutdown, halt, operator) into group 0; ids below 100 belong to the distribution.
constexpr uid_t kFirstAccount = 100;

bool IsTrusted(uid_t user) {
  return user == 0 || user == ::geteuid();
}

/// Whether the group contains only root and us, by this machine's files: a directory service may be slow or down.
bool OnlyTrustedIn(gid_t group) {
  std::set<std::string> trusted;
  std::array<char, 64 * 1024> buffer;
  if (const File users{::fopen("/etc/passwd", "re"), ::fclose}; users.get()) {
    passwd entry{}, *found = nullptr;
    int error = 0;
    while ((error = ::fgetpwent_r(users.get(), &entry, buffer.data(), buffer.size(), &found)) == 0) {
      if (IsTrusted(entry.pw_uid)) {
        trusted.insert(entry.pw_name);
      } else if (entry.pw_gid == group && entry.pw_uid >= kFirstAccount) {
        return false;
      }
    }
    if (error != ENOENT) return false;  // a line that is too long, say
  }
  if (const File groups{::fopen("/etc/group", "re"), ::fclose}; groups.get()) {
    struct group entry {
    }, *found = nullptr;
    int error = 0;
    while ((error = ::fgetgrent_r(groups.get(), &entry, buffer.data(), buffer.size(), &found)) == 0) {
      if (entry.gr_gid != group) continue;
      for (char** member = entry.gr_mem; *member; ++member) {
        if (!trusted.contains(*member)) return false;
      }
      return true;
    }
    if (error != ENOENT) return false;
  }
  return group == 0;
}

Error Refused(const char* what, const fs::path& path, const std::string& why) {
  return Error{ErrorCode::kInvalid, std::string(what) + " " + path.string() + " " + why};
}

Status CheckWriters(const struct stat& info, const fs::path& path, const char* what) {
  if (!IsTrusted(info.st_uid)) {
    return Refused(what, path,
                   "belongs to another user (uid " + std::to_string(info.st_uid) +
                       "), who could replace the plugin: chown it to root or to the user hookswitch runs as");
  }
  const bool sticky = S_ISDIR(info.st_mode) && (info.st_mode & S_ISVTX) != 0;
  const bool by_others = (info.st_mode & S_IWOTH) != 0;
  const bool by_group = (info.st_mode & S_IWGRP) != 0 && !OnlyTrustedIn(info.st_gid);
  if (!sticky && (by_others || by_group)) {
    return Refused(what, path,
                   "may be written by others, who could replace the plugin: run chmod go-w " + path.string());
  }
  return Ok();
}

}  // namespace

Result<fs::path> TrustedFile(const fs::path& file) {
  constexpr int kMostLinks = 40;  // the kernel's limit
  const auto missing = [&](int error) {
    return Error{ErrorCode::kNotFound, "plugin file " + file.string() + ": " + std::strerror(error)};
  };
  std::error_code error;
  const fs::path whole = fs::absolute(file, error);
  if (error) return missing(error.value());
  std::deque<fs::path> rest(whole.begin(), whole.end());
  fs::path at;
  int links = 0;
  while (!rest.empty()) {
    const fs::path name = std::move(rest.front());
    rest.pop_front();
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      at = at.parent_path();
      continue;
    }
    const fs::path next = at / name;  // an absolute `name` replaces `at`
    struct stat info {};
    if (::lstat(next.c_str(), &info) != 0) return missing(errno);
    if (S_ISLNK(info.st_mode)) {
      if (!IsTrusted(info.st_uid)) {
        return Refused("symbolic link", next, "belongs to another user (uid " + std::to_string(info.st_uid) + ")");
      }
      if (++links > kMostLinks) return missing(ELOOP);
      const fs::path target = fs::read_symlink(next, error);
      if (error) return missing(error.value());
      rest.insert(rest.begin(), target.begin(), target.end());
      continue;
    }
    const bool is_folder = S_ISDIR(info.st_mode);
    if (!is_folder && !rest.empty()) return missing(ENOTDIR);
    if (!is_folder && !S_ISREG(info.st_mode)) return Refused("plugin file", next, "is not a regular file");
    HSW_TRY(CheckWriters(info, next, is_folder ? "plugin folder" : "plugin file"));
    at = next;
    if (!is_folder) return at;
  }
  return Refused("plugin file", file, "is not a regular file");
}

}  // namespace hookswitch::plugins
