#include "core/journal/page_copy.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "core/journal/log_follower.h"
#include "core/journal/sqlite.h"

namespace hookswitch {
namespace {

// Attempts, if the follower misses changes.
constexpr int kTries = 3;
// Catch-up steps while others may write.
constexpr int kSteps = 10'000;
constexpr std::chrono::seconds kLockPatience{10};

class PageCopy {
 public:
  PageCopy(Database& source, int target, std::size_t page_size, const PageCopyTuning& tuning)
      : source_(source), target_(target), page_size_(page_size), tuning_(tuning) {}

  /// For a database without a write-ahead log: nobody can write while it is read.
  Status RunAlone() {
    HSW_TRY(source_.Exec("BEGIN; SELECT count(*) FROM sqlite_schema"));
    HSW_TRY(CopyFile());
    HSW_TRY(CutToSize(0));
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
      HSW_TRY(CutToSize(log->pages));
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
    for (int i = 0; locked || i < kSteps; ++i) {
      const auto changes = follower.Take(tuning_.step_pages);
      if (!changes) return changes.error();
      if (changes->lost) return false;
      for (const std::uint32_t number : changes->moved) {
        HSW_TRY(Copy(Database::Part::kFile, PlaceOf(number), PlaceOf(number), page));
      }
      std::uint64_t frame = changes->first_frame;
      for (const std::uint32_t number : changes->logged) {
        // The next round may overwrite the frame meanwhile; then the follower reports the page again.
        HSW_TRY(Copy(Database::Part::kLog, LogFollower::ContentOf(frame++, page_size_), PlaceOf(number), page));
      }
      const bool is_near = changes->moved.empty() && changes->logged.size() < tuning_.step_pages;
      if (is_near && (!locked || changes->logged.empty())) return true;
      AfterStep();
    }
    return true;
  }

  /// Blocks all writers. Others commit often, so this takes some tries.
  Status Lock() {
    HSW_TRY(source_.Exec("PRAGMA query_only = 0"));
    const auto until = std::chrono::steady_clock::now() + kLockPatience;
    for (;;) {
      const Status locked = source_.Exec("BEGIN IMMEDIATE");
      if (locked || std::chrono::steady_clock::now() >= until) return locked;
    }
  }

  /// `pages`: size of the database; 0 if the log was never used, and the file's size is right.
  Status CutToSize(std::uint32_t pages) {
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
  std::uint64_t PlaceOf(std::uint32_t number) const { return std::uint64_t{number - 1} * page_size_; }
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
  const auto page_size = source.Ask("PRAGMA page_size");
  if (!page_size) return page_size.error();
  const auto mode = source.AskText("PRAGMA journal_mode");
  if (!mode) return mode.error();
  PageCopy copy(source, target, static_cast<std::size_t>(*page_size), tuning);
  if (*mode != "wal") return copy.RunAlone();
  for (int i = 0; i < kTries; ++i) {
    const auto done = copy.RunBesideWriters();
    if (!done) return done.error();
    if (*done) return Ok();
  }
  return Error{ErrorCode::kUnavailable, "too much was written meanwhile: try again when less is"};
}

}  // namespace hookswitch
