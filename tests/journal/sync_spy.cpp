#include "tests/journal/sync_spy.h"

#include <dlfcn.h>
#include <sys/stat.h>

#include <map>
#include <mutex>
#include <utility>

namespace {

std::mutex mu;
bool looks = false;
std::map<std::pair<dev_t, ino_t>, int> synced;

}  // namespace

// Takes the place of the C library's for the whole test program.
extern "C" int fsync(int fd) {
  static const auto real = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  {
    std::lock_guard lock(mu);
    struct stat info {};
    if (looks && fstat(fd, &info) == 0 && S_ISDIR(info.st_mode)) ++synced[{info.st_dev, info.st_ino}];
  }
  return real(fd);
}

namespace hookswitch {

SyncSpy::SyncSpy() {
  std::lock_guard lock(mu);
  synced.clear();
  looks = true;
}

SyncSpy::~SyncSpy() {
  std::lock_guard lock(mu);
  looks = false;
}

int SyncSpy::Count(const std::string& folder) const {
  struct stat info {};
  std::lock_guard lock(mu);
  return stat(folder.c_str(), &info) == 0 ? synced[{info.st_dev, info.st_ino}] : 0;
}

}  // namespace hookswitch
