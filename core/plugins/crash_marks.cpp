#include "core/plugins/crash_marks.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <thread>

#include "core/base/check.h"

namespace hookswitch {

struct Mark {
  std::atomic<std::uint32_t> state;  ///< a PluginCall, with the bit kCrashed; 0: free
  std::uint32_t unused;
  std::atomic<std::int64_t> whom;  ///< a DeliverySeq, or from kLoad on a subject; 0: not written yet
};

namespace {

constexpr std::uint32_t kCrashed = 0x100;
constexpr std::size_t kMarks = 1024;
constexpr std::size_t kSuspects = 64;
constexpr std::uint64_t kMagic = 0x3130'6b72'614d'7768;  // "hwMark01"

/// A subject whose call did not return in an earlier process.
struct Suspect {
  std::atomic<std::uint64_t> subject;
  std::atomic<std::uint32_t> ends;
  std::uint32_t unused;
};
// One crash counts as enough; a kill may be an accident, two in a row are not.
constexpr std::uint32_t kEnough = 2;

thread_local const CrashMarks::Inside* t_innermost = nullptr;

bool IsOfDelivery(PluginCall call) {
  switch (call) {
    case PluginCall::kPrepare:
    case PluginCall::kRender:
    case PluginCall::kInterpret:
    case PluginCall::kDeliver: return true;
    case PluginCall::kNone:
    case PluginCall::kLoad:
    case PluginCall::kCreate:
    case PluginCall::kDestroy:
    case PluginCall::kReopen:
    case PluginCall::kPreview: return false;
  }
  return false;  // the file holds an unknown value
}

/// A stack for the fatal signal handler: the thread's own may have overflowed.
class SignalStack {
 public:
  SignalStack() : bytes_(::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    stack_t before{};
    if (bytes_ == MAP_FAILED || ::sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) return;
    stack_t ours{};
    ours.ss_sp = bytes_;
    ours.ss_size = kBytes;
    used_ = ::sigaltstack(&ours, nullptr) == 0;
  }
  ~SignalStack() {
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    if (used_) ::sigaltstack(&none, nullptr);
    if (bytes_ != MAP_FAILED) ::munmap(bytes_, kBytes);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  static constexpr std::size_t kBytes = 64 * 1024;
  void* const bytes_;
  bool used_ = false;
};

}  // namespace

struct MarkFile {
  std::uint64_t magic;
  std::array<Suspect, kSuspects> suspects;
  std::array<Mark, kMarks> marks;

  Suspect* Find(std::uint64_t subject) {
    const auto found = std::find_if(suspects.begin(), suspects.end(), [&](auto& s) { return s.subject == subject; });
    return found == suspects.end() ? nullptr : &*found;
  }
  void Add(std::uint64_t subject, std::uint32_t ends) {
    auto* suspect = Find(subject);
    if (!suspect) suspect = Find(0);
    if (!suspect) suspect = &suspects[subject % kSuspects];
    if (suspect->subject.exchange(subject) != subject) suspect->ends = 0;
    suspect->ends += ends;
  }
};
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);
static_assert(sizeof(Mark) == 16 && sizeof(Suspect) == 16, "the file is read by the next version");

std::string_view ToString(PluginCall call) {
  switch (call) {
    case PluginCall::kNone: return "none";
    case PluginCall::kPrepare: return "prepare";
    case PluginCall::kRender: return "render";
    case PluginCall::kInterpret: return "interpret";
    case PluginCall::kDeliver: return "deliver";
    case PluginCall::kLoad: return "load";
    case PluginCall::kCreate: return "create";
    case PluginCall::kDestroy: return "destroy";
    case PluginCall::kReopen: return "reopen";
    case PluginCall::kPreview: return "preview";
  }
  Unreachable();
}

Result<std::unique_ptr<CrashMarks>> CrashMarks::Open(const std::string& path) {
  const auto cannot = [&](int error) {
    return Error{ErrorCode::kUnavailable, "cannot use " + path + ": " + std::strerror(error)};
  };
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return cannot(errno);
  const auto failed = [&](int error) {
    close(fd);
    return cannot(error);
  };
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) return failed(errno);
  // Allocates the blocks: on a full disk a store to an unallocated page would crash the process.
  if (const int error = posix_fallocate(fd, 0, sizeof(MarkFile))) return failed(error);
  void* mapped = mmap(nullptr, sizeof(MarkFile), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapped == MAP_FAILED) return failed(errno);
  auto* file = static_cast<MarkFile*>(mapped);
  if (file->magic != kMagic) {
    std::memset(mapped, 0, sizeof(MarkFile));
    file->magic = kMagic;
  }
  std::unique_ptr<CrashMarks> marks(new CrashMarks(path, file, fd));
  for (Mark& mark : file->marks) {
    const std::uint32_t state = mark.state;
    if (state == 0) continue;
    if (IsOfDelivery(static_cast<PluginCall>(state & 0xff))) {
      marks->left_.push_back(&mark);
      continue;
    }
    if (const std::int64_t subject = mark.whom.exchange(0); subject != 0) {
      file->Add(static_cast<std::uint64_t>(subject), (state & kCrashed) != 0 ? kEnough : 1);
    }
    mark.state = 0;
  }
  return marks;
}

CrashMarks::~CrashMarks() {
  munmap(file_, sizeof(MarkFile));
  close(fd_);
}

std::vector<CrashMarks::Left> CrashMarks::TakeLeft() {
  std::vector<Left> left;
  for (Mark* mark : std::exchange(left_, {})) {
    const DeliverySeq delivery = mark->whom.exchange(0);
    const std::uint32_t state = mark->state.exchange(0);
    if (delivery > 0) left.push_back({delivery, static_cast<PluginCall>(state & 0xff), (state & kCrashed) != 0});
  }
  const auto key = [](const Left& one) { return std::pair(one.delivery, !one.crashed); };
  std::sort(left.begin(), left.end(), [&](const Left& a, const Left& b) { return key(a) < key(b); });
  const auto same = [](const Left& a, const Left& b) { return a.delivery == b.delivery; };
  left.erase(std::unique(left.begin(), left.end(), same), left.end());
  return left;
}

bool CrashMarks::EndedIn(std::uint64_t subject) const {
  const auto* suspect = subject == 0 ? nullptr : file_->Find(subject);
  return suspect && suspect->ends >= kEnough;
}

void CrashMarks::Forgive(std::uint64_t subject) {
  auto* suspect = subject == 0 ? nullptr : file_->Find(subject);
  if (suspect) suspect->subject = 0;
}

void CrashMarks::Clear() {
  for (Mark& mark : file_->marks) {
    mark.whom = 0;
    mark.state = 0;
  }
}

void CrashMarks::Blame() {
  if (t_innermost) {
    if (t_innermost->mark_) t_innermost->mark_->state |= kCrashed;
    return;
  }
  for (Mark& mark : file_->marks) {
    const bool of_this_process = std::find(left_.begin(), left_.end(), &mark) == left_.end();
    if (mark.state != 0 && of_this_process) mark.state |= kCrashed;
  }
}

const CrashMarks::Inside* CrashMarks::Inside::OfThisThread() {
  return t_innermost;
}

CrashMarks::Inside::Inside(CrashMarks* marks, const Where& where) : where_(where), outer_(t_innermost) {
  thread_local const SignalStack stack;
  (void)stack;
  t_innermost = this;
  if (!marks) return;
  const auto whom = IsOfDelivery(where.call) ? where.delivery : static_cast<std::int64_t>(where.subject);
  const std::size_t first = std::hash<std::thread::id>()(std::this_thread::get_id());
  for (std::size_t i = 0; i < kMarks; ++i) {
    Mark& mark = marks->file_->marks[(first + i) % kMarks];
    std::uint32_t free = 0;
    if (!mark.state.compare_exchange_strong(free, static_cast<std::uint32_t>(where.call))) continue;
    mark.whom.store(whom, std::memory_order_release);
    mark_ = &mark;
    return;
  }
}

CrashMarks::Inside::~Inside() {
  t_innermost = outer_;
  if (!mark_) return;
  // Cleared before `state`, so that a newly claimed mark never shows an old value.
  mark_->whom.store(0, std::memory_order_release);
  mark_->state.store(0, std::memory_order_release);
}

}  // namespace hookswitch
