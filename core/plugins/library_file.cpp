#include "core/plugins/library_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "core/base/encoding.h"
#include "core/base/sha256.h"
#include "core/plugins/trusted_path.h"

namespace hookswitch::plugins {
namespace {

namespace fs = std::filesystem;

// MFD_NOEXEC_SEAL, since Linux 6.3. A memory file needs no execute bits to be mapped as code, and sysctl
// vm.memfd_noexec=2 forbids them.
constexpr unsigned kNoExecSeal = 8;

Descriptor MemoryFile(const std::string& name) {
  int fd = ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING | kNoExecSeal);
  if (fd < 0 && errno == EINVAL) fd = ::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return Descriptor(fd);
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

bool Copy(int from, int to) {
  std::array<char, 64 * 1024> chunk;
  for (;;) {
    const ssize_t n = ::read(from, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return n == 0;
    if (!WriteAll(to, {chunk.data(), static_cast<std::size_t>(n)})) return false;
  }
}

/// "" if the image cannot be read.
std::string HashOf(int image) {
  struct stat info {};
  if (::fstat(image, &info) != 0) return "";
  const auto size = static_cast<std::size_t>(info.st_size);
  void* bytes = size > 0 ? ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, image, 0) : nullptr;
  if (bytes == MAP_FAILED) return "";
  const std::string hex = Hex(Sha256Of({static_cast<const char*>(bytes), size}));
  if (bytes) ::munmap(bytes, size);
  return hex;
}

}  // namespace

Result<std::string> LibraryFile::PathForEver() const {
  const int kept = ::fcntl(image.get(), F_DUPFD_CLOEXEC, 0);
  if (kept >= 0) return "/proc/self/fd/" + std::to_string(kept);
  return Error{ErrorCode::kUnavailable, "plugin file " + path.string() + " cannot be loaded: " + std::strerror(errno)};
}

Result<LibraryFile> ReadLibrary(const fs::path& file) {
  const auto failed = [&](const char* what) {
    return Error{ErrorCode::kUnavailable, "plugin file " + file.string() + " " + what + ": " + std::strerror(errno)};
  };
  auto trusted = TrustedFile(file);
  if (!trusted) return std::move(trusted).error();
  // O_NOFOLLOW and O_NONBLOCK guard against mistakes; TrustedFile has ruled out other users.
  const Descriptor opened(::open(trusted->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (opened.get() < 0 || ::fstat(opened.get(), &info) != 0 || !S_ISREG(info.st_mode)) return failed("cannot be read");
  LibraryFile library{file, {}, MemoryFile(file.filename().string())};
  if (library.image.get() < 0) return failed("cannot be copied into memory");
  if (!Copy(opened.get(), library.image.get())) return failed("cannot be read");
  constexpr int kSealed = F_SEAL_WRITE | F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL;
  if (::fcntl(library.image.get(), F_ADD_SEALS, kSealed) != 0) return failed("cannot be sealed in memory");
  library.hash = HashOf(library.image.get());
  if (library.hash.empty()) return failed("cannot be mapped");
  return library;
}

}  // namespace hookswitch::plugins
