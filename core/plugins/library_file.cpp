#include "core/plugins/library_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/base/sha256.h"

namespace hookswitch::plugins {
namespace {

namespace fs = std::filesystem;

std::string Hash(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t byte : Sha256Of(bytes)) {
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

Status CheckOwner(const fs::path& path, const char* what) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) {
    return Error{ErrorCode::kNotFound, std::string(what) + " " + path.string() + ": " + std::strerror(errno)};
  }
  if (info.st_uid != 0 && info.st_uid != ::geteuid()) {
    return Error{ErrorCode::kInvalid,
                 std::string(what) + " " + path.string() + " belongs to another user (uid " +
                     std::to_string(info.st_uid) +
                     "), who could replace the plugin: chown it to root or to the user hookswitch runs as"};
  }
  if ((info.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return Error{ErrorCode::kInvalid, std::string(what) + " " + path.string() +
                                          " may be written by others, who could replace the plugin: run chmod go-w " +
                                          path.string()};
  }
  return Ok();
}

std::optional<std::string> ReadAll(const fs::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string bytes;
  std::array<char, 64 * 1024> chunk;
  ssize_t n = 0;
  while ((n = ::read(fd, chunk.data(), chunk.size())) > 0 || (n < 0 && errno == EINTR)) {
    if (n > 0) bytes.append(chunk.data(), static_cast<std::size_t>(n));
  }
  const int error = errno;
  ::close(fd);
  errno = error;
  if (n < 0) return {};
  return bytes;
}

bool WriteAll(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

Status CheckTrust(const fs::path& file) {
  std::error_code error;
  const fs::path real = fs::canonical(file, error);
  if (error) return Error{ErrorCode::kNotFound, "plugin file " + file.string() + ": " + error.message()};
  if (!fs::is_regular_file(real, error)) {
    return Error{ErrorCode::kInvalid, "plugin file " + real.string() + " is not a regular file"};
  }
  const fs::path named_in = file.has_parent_path() ? file.parent_path() : fs::path(".");
  HSW_TRY(CheckOwner(named_in, "plugin folder"));
  HSW_TRY(CheckOwner(real.parent_path(), "plugin folder"));
  return CheckOwner(real, "plugin file");
}

Result<LibraryFile> ReadLibrary(const fs::path& file) {
  HSW_TRY(CheckTrust(file));
  auto bytes = ReadAll(file);
  if (!bytes)
    return Error{ErrorCode::kUnavailable, "plugin file " + file.string() + " cannot be read: " + std::strerror(errno)};
  LibraryFile library{file, std::move(*bytes), {}};
  library.hash = Hash(library.bytes);
  return library;
}

Result<fs::path> PrivateCopy(const LibraryFile& file, const fs::path& folder) {
  auto failed = [&](const std::string& what) {
    return Error{ErrorCode::kUnavailable, "plugin file " + file.path.string() + ": its private copy in " +
                                              folder.string() + " cannot be made: " + what};
  };
  std::error_code error;
  fs::create_directories(folder.parent_path(), error);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed(std::strerror(errno));
  HSW_TRY(CheckOwner(folder, "private plugin folder"));

  const fs::path copy = folder / (file.hash + ".so");
  if (const auto there = ReadAll(copy); there && *there == file.bytes) return copy;

  std::string temporary = (folder / ("." + file.hash + ".XXXXXX")).string();
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return failed(std::strerror(errno));
  const bool written = WriteAll(fd, file.bytes) && ::fchmod(fd, 0500) == 0;
  const int why = errno;
  ::close(fd);
  if (!written || ::rename(temporary.c_str(), copy.c_str()) != 0) {
    const std::string reason = std::strerror(written ? errno : why);
    ::unlink(temporary.c_str());
    return failed(reason);
  }
  return copy;
}

}  // namespace hookswitch::plugins
