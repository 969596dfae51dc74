#include "tests/e2e/small_disk.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <vector>

#include "core/base/check.h"

namespace hookswitch::e2e {

SmallDisk::SmallDisk(std::size_t megabytes) {
  const std::string size = "size=" + std::to_string(megabytes) + "m";
  // In a mount namespace of our own: whatever becomes of this process, nothing stays mounted.
  mounted_ = unshare(CLONE_NEWNS) == 0 && mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
             mount("tmpfs", (dir_ / "").c_str(), "tmpfs", 0, size.c_str()) == 0;
}

SmallDisk::~SmallDisk() {
  if (mounted_) umount2((dir_ / "").c_str(), MNT_DETACH);
}

void SmallDisk::Fill() const {
  HSW_CHECK(mounted_, "only a disk of its own is filled");
  const int file = open((dir_ / "ballast").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  HSW_CHECK(file >= 0, "a full disk still has room for a name");
  const std::vector<char> chunk(1 << 20, 'b');
  for (std::size_t size = chunk.size(); size > 0;) {
    if (write(file, chunk.data(), size) <= 0) size /= 2;
  }
  close(file);
}

void SmallDisk::Free() const {
  unlink((dir_ / "ballast").c_str());
}

bool SmallDisk::MakeReadOnly() const {
  return mount("", (dir_ / "").c_str(), "", MS_REMOUNT | MS_RDONLY, "") == 0;
}

}  // namespace hookswitch::e2e
