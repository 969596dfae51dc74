#include "core/delivery/crash_marks.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

namespace hookswitch {
namespace {

constexpr std::size_t kMarks = 1024;
constexpr std::size_t kBytes = kMarks * sizeof(std::atomic<DeliverySeq>);
static_assert(std::atomic<DeliverySeq>::is_always_lock_free && sizeof(std::atomic<DeliverySeq>) == sizeof(DeliverySeq));

}  // namespace

Result<std::unique_ptr<CrashMarks>> CrashMarks::Open(const std::string& path) {
  const auto cannot = [&](int error) {
    return Error{ErrorCode::kUnavailable, "cannot use " + path + ": " + std::strerror(error)};
  };
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return cannot(errno);
  // With its blocks on disk: a store to a page that has none ends the process when the disk is full.
  const int allocated = posix_fallocate(fd, 0, kBytes);
  void* mapped = allocated == 0 ? mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) : MAP_FAILED;
  const int error = allocated != 0 ? allocated : errno;
  close(fd);
  if (mapped == MAP_FAILED) return cannot(error);
  return std::unique_ptr<CrashMarks>(new CrashMarks(static_cast<std::atomic<DeliverySeq>*>(mapped)));
}

CrashMarks::~CrashMarks() {
  munmap(marks_, kBytes);
}

std::vector<DeliverySeq> CrashMarks::TakeLeft() {
  std::vector<DeliverySeq> left;
  for (std::size_t i = 0; i < kMarks; ++i) {
    if (const DeliverySeq delivery = marks_[i].exchange(0); delivery > 0) left.push_back(delivery);
  }
  std::sort(left.begin(), left.end());
  left.erase(std::unique(left.begin(), left.end()), left.end());
  return left;
}

void CrashMarks::Clear() {
  for (std::size_t i = 0; i < kMarks; ++i) marks_[i].store(0);
}

CrashMarks::Inside::Inside(CrashMarks* marks, DeliverySeq delivery) {
  if (!marks) return;
  const std::size_t first = std::hash<std::thread::id>()(std::this_thread::get_id());
  for (std::size_t i = 0; i < kMarks; ++i) {
    std::atomic<DeliverySeq>& mark = marks->marks_[(first + i) % kMarks];
    DeliverySeq free = 0;
    if (!mark.compare_exchange_strong(free, delivery)) continue;
    mark_ = &mark;
    return;
  }
}

CrashMarks::Inside::~Inside() {
  if (mark_) mark_->store(0);
}

}  // namespace hookswitch
