#include "core/journal/page_copy.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "core/base/thread_name.h"

namespace hookswitch {
namespace {

// A round is some thousand frames: far less than one passes between two polls.
constexpr std::chrono::milliseconds kPollEvery{5};
// If the follower misses changes, the copy starts again.
constexpr int kMaxTries = 3;
// While others may write; the rest is copied under the lock.
constexpr int kMaxSteps = 10'000;
constexpr std::chrono::seconds kLockTimeout{10};

std::uint32_t Number(const char* bytes) {
  std::uint32_t number = 0;
  for (int i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

class PageCopy {
 public:
  PageCopy(Database& source, int target, std::size_t page_size, const PageCopyTuning& tuning)
      : source_(source), target_(target), page_size_(page_size), tuning_(tuning) {}

  /// For a database without a write-ahead log: nobody can write while it is read.
  Status RunAlone() {
    HSW_TRY(source_.Exec("BEGIN; SELECT count(*) FROM sqlite_schema"));
    HSW_TRY(CopyFile());
    HSW_TRY(Truncate(0));
    return source_.Exec("ROLLBACK");
  }

  /// False: changes were missed.
  Result<bool> RunBesideWriters() {
    const auto follower = LogFollower::Start(source_.Path());
    if (!follower) return follower.error();
    HSW_TRY(CopyFile());
    const auto near = CatchUp(**follower, /*locked=*/false);
    if (!near || !*near) return near;
    HSW_TRY(Lock());
    auto done = CatchUp(**follower, /*locked=*/true);
    if (done && *done) {
      const auto log = source_.ReadLog();
      if (!log) return log.error();
      HSW_TRY(Truncate(log->pages));
    }
    HSW_TRY(source_.Exec("ROLLBACK"));
    return done;
  }

 private:
  Status CopyFile() {
    const auto size = source_.SizeOf(Database::Part::kFile);
    if (!size) return size.error();
    std::vector<char> bytes(tuning_.step_bytes);
    for (std::uint64_t at = 0; at < *size; at += bytes.size()) {
      bytes.resize(std::min<std::uint64_t>(bytes.size(), *size - at));
      HSW_TRY(Copy(Database::Part::kFile, at, at, bytes));
      AfterStep();
    }
    return Ok();
  }

  /// Copies changed pages again: all of them if `locked`, else until few are left.
  Result<bool> CatchUp(LogFollower& follower, bool locked) {
    std::vector<char> page(page_size_);
    for (int i = 0; locked || i < kMaxSteps; ++i) {
      const auto changes = follower.Take(tuning_.step_pages);
      if (!changes) return changes.error();
      if (changes->lost) return false;
      for (const std::uint32_t number : changes->in_file) {
        HSW_TRY(Copy(Database::Part::kFile, OffsetOf(number), OffsetOf(number), page));
      }
      std::uint64_t frame = changes->first_frame;
      for (const std::uint32_t number : changes->in_log) {
        // The next round may overwrite the frame meanwhile; then the follower reports the page again.
        HSW_TRY(Copy(Database::Part::kLog, LogFollower::ContentOf(frame++, page_size_), OffsetOf(number), page));
      }
      const bool is_near = changes->in_file.empty() && changes->in_log.size() < tuning_.step_pages;
      if (is_near && (!locked || changes->in_log.empty())) return true;
      AfterStep();
    }
    return true;
  }

  /// Blocks all writers. Others commit often, so this takes some tries.
  Status Lock() {
    HSW_TRY(source_.Exec("PRAGMA query_only = 0"));
    const auto until = std::chrono::steady_clock::now() + kLockTimeout;
    for (;;) {
      const Status locked = source_.Exec("BEGIN IMMEDIATE");
      if (locked || std::chrono::steady_clock::now() >= until) return locked;
    }
  }

  /// `pages`: size of the database; 0 if the log was never used, and the file's size is right.
  Status Truncate(std::uint32_t pages) {
    std::uint64_t bytes = std::uint64_t{pages} * page_size_;
    if (pages == 0) {
      const auto size = source_.SizeOf(Database::Part::kFile);
      if (!size) return size.error();
      bytes = *size;
    }
    if (ftruncate(target_, static_cast<off_t>(bytes)) != 0) return CannotWrite();
    return Ok();
  }

  Status Copy(Database::Part part, std::uint64_t from, std::uint64_t to, std::vector<char>& bytes) {
    HSW_TRY(source_.ReadBytes(part, from, bytes));
    for (std::size_t done = 0; done < bytes.size();) {
      const ssize_t written = pwrite(target_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(to + done));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return CannotWrite();
      done += static_cast<std::size_t>(written);
    }
    return Ok();
  }

  static Error CannotWrite() { return {ErrorCode::kUnavailable, std::string("cannot write: ") + std::strerror(errno)}; }
  std::uint64_t OffsetOf(std::uint32_t number) const { return std::uint64_t{number - 1} * page_size_; }
  void AfterStep() const {
    if (tuning_.after_step) tuning_.after_step();
  }

  Database& source_;
  const int target_;
  const std::size_t page_size_;
  const PageCopyTuning& tuning_;
};

}  // namespace

Status CopyPages(Database& source, int target, const PageCopyTuning& tuning) {
  const auto page_size = source.QueryInt("PRAGMA page_size");
  if (!page_size) return page_size.error();
  const auto mode = source.QueryText("PRAGMA journal_mode");
  if (!mode) return mode.error();
  PageCopy copy(source, target, static_cast<std::size_t>(*page_size), tuning);
  if (*mode != "wal") return copy.RunAlone();
  for (int i = 0; i < kMaxTries; ++i) {
    const auto done = copy.RunBesideWriters();
    if (!done) return done.error();
    if (*done) return Ok();
  }
  return Error{ErrorCode::kUnavailable, "too much was written meanwhile: try again when less is"};
}

Result<std::unique_ptr<LogFollower>> LogFollower::Start(const std::string& path) {
  auto opened = Database::Open(path, Database::Mode::kRead);
  if (!opened) return opened.error();
  // The connection must read once to know of the log.
  const auto page_size = opened->QueryInt("PRAGMA page_size");
  if (!page_size) return page_size.error();
  if (const auto read = opened->QueryInt("SELECT count(*) FROM sqlite_schema"); !read) return read.error();
  std::unique_ptr<LogFollower> follower(new LogFollower(std::move(*opened), static_cast<std::uint64_t>(*page_size)));
  {
    MutexLock lock(follower->mu_);
    const auto log = follower->db_.ReadLog();
    if (!log) return log.error();
    follower->round_ = log->round;
    HSW_TRY(follower->Poll());
  }
  follower->thread_ = std::thread([follower = follower.get()] { follower->Run(); });
  return follower;
}

LogFollower::~LogFollower() {
  {
    MutexLock lock(mu_);
    stop_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void LogFollower::Run() {
  NameThread("follow-log");
  MutexLock lock(mu_);
  while (!stop_) {
    // Take polls as well, and returns the error.
    (void)Poll();
    changed_.WaitUntil(mu_, std::chrono::steady_clock::now() + kPollEvery);
  }
}

Result<LogFollower::Changes> LogFollower::Take(std::size_t most) {
  MutexLock lock(mu_);
  HSW_TRY(Poll());
  Changes changes;
  changes.lost = lost_;
  while (!in_file_.empty() && changes.in_file.size() < most) {
    changes.in_file.push_back(*in_file_.begin());
    in_file_.erase(in_file_.begin());
  }
  if (!changes.in_file.empty()) return changes;
  const std::size_t end = std::min(frames_.size(), taken_ + most);
  changes.first_frame = static_cast<std::uint32_t>(taken_ + 1);
  for (; taken_ < end; ++taken_) changes.in_log.push_back(frames_[taken_]);
  return changes;
}

Status LogFollower::Poll() {
  while (!lost_) {
    const auto log = db_.ReadLog();
    if (!log) return log.error();
    if (log->round == round_) {
      HSW_TRY(ReadFrames(log->frames));
      if (frames_.size() >= log->frames) return Ok();
      continue;  // the round has ended meanwhile
    }
    HSW_TRY(ReadRest(log->round));
    in_file_.insert(frames_.begin(), frames_.end());
    frames_.clear();
    taken_ = 0;
    round_ = log->round;
  }
  return Ok();
}

Status LogFollower::ReadFrames(std::uint32_t until) {
  while (frames_.size() < until) {
    const auto frame = ReadFrame(frames_.size() + 1);
    if (!frame) return frame.error();
    if (frame->round != round_) return Ok();
    frames_.push_back(frame->page);
  }
  return Ok();
}

// The previous round's frames stay in the file until the new round overwrites them.
Status LogFollower::ReadRest(std::uint64_t round) {
  if (round_ == 0 && frames_.empty()) {
    // There was no log. A log that starts from nothing has checkpoint sequence number 0.
    std::array<char, kLogHeader> header{};
    HSW_TRY(db_.ReadBytes(Database::Part::kLog, 0, header));
    lost_ = Number(&header[12]) != 0 || RoundOf(&header[16]) != round;
    return Ok();
  }
  if (static_cast<std::uint32_t>(round >> 32) != static_cast<std::uint32_t>(round_ >> 32) + 1) {
    lost_ = true;
    return Ok();
  }
  for (;;) {
    const auto size = db_.SizeOf(Database::Part::kLog);
    if (!size) return size.error();
    const std::uint64_t end = kLogHeader + frames_.size() * frame_bytes_;
    if (*size < end + frame_bytes_) {
      // The round ends here, unless the file was truncated.
      lost_ = *size != end;
      return Ok();
    }
    const auto frame = ReadFrame(frames_.size() + 1);
    if (!frame) return frame.error();
    if (frame->round == round_) {
      frames_.push_back(frame->page);
      continue;
    }
    lost_ = frame->round == round;
    return Ok();
  }
}

Result<LogFollower::Frame> LogFollower::ReadFrame(std::uint64_t number) {
  std::array<char, kFrameHeader> header{};
  HSW_TRY(db_.ReadBytes(Database::Part::kLog, kLogHeader + (number - 1) * frame_bytes_, header));
  return Frame{RoundOf(&header[8]), Number(header.data())};
}

}  // namespace hookswitch
