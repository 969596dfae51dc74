#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

struct PageCopyTuning {
  std::size_t step_bytes = 1 << 20;  ///< bytes per read
  std::size_t step_pages = 64;       ///< pages copied again per step
  /// Tests: called after each step.
  std::function<void()> after_step{};
};

/// Copies the database open as `source` to the file open as `target` while others write to it. The copy has the state
/// at the end of the call.
///
/// A read transaction for the whole copy would let the write-ahead log grow for as long. So the file is copied as it
/// is, perhaps torn, while a LogFollower records which pages change; those are copied again from the file or the log.
/// For the last few, other writers are blocked for some milliseconds. Damaged pages are copied unchanged. Errors:
/// kUnavailable.
Status CopyPages(Database& source, int target, const PageCopyTuning& tuning = {});

/// Reports which pages of a database other connections change, by reading page numbers from its write-ahead log as it
/// grows. Uses its own thread and connection, and no transaction, which would keep the log from restarting. A round is
/// the time between two restarts; when it ends, all its pages are in the database file. Page numbers start at 1.
class LogFollower {
 public:
  /// Follows changes from the beginning of the current round. `path` is an existing database. Errors: kUnavailable,
  /// kInvalid (damaged as a whole). [thread: any]
  static Result<std::unique_ptr<LogFollower>> Start(const std::string& path);
  ~LogFollower();

  struct Changes {
    /// Changes were missed: any page may have changed.
    bool lost = false;
    /// Pages changed in finished rounds; their content is in the database file.
    std::vector<std::uint32_t> in_file;
    /// Pages of the log's frames from number `first_frame` (starting at 1); only if `in_file` is empty.
    std::uint32_t first_frame = 0;
    std::vector<std::uint32_t> in_log;
  };
  /// Changes not taken yet, at most `most` pages. Errors: kUnavailable. [thread: any]
  Result<Changes> Take(std::size_t most);
  /// Offset in the log of a frame's page content. [thread: any]
  static std::uint64_t ContentOf(std::uint64_t frame, std::uint64_t page_size) {
    return kLogHeader + (frame - 1) * (kFrameHeader + page_size) + kFrameHeader;
  }

 private:
  LogFollower(Database db, std::uint64_t page_size) : db_(std::move(db)), frame_bytes_(page_size + kFrameHeader) {}
  static constexpr std::uint64_t kLogHeader = 32, kFrameHeader = 24;

  void Run();
  /// Adds what was written since the last call.
  Status Poll() REQUIRES(mu_);
  /// Reads this round's frames up to number `until`.
  Status ReadFrames(std::uint32_t until) REQUIRES(mu_);
  /// Reads the rest of the finished round that `round` followed. Sets lost_ if it cannot be determined.
  Status ReadRest(std::uint64_t round) REQUIRES(mu_);
  struct Frame {
    std::uint64_t round = 0;
    std::uint32_t page = 0;
  };
  Result<Frame> ReadFrame(std::uint64_t number) REQUIRES(mu_);

  Mutex mu_;
  CondVar changed_;
  Database db_ GUARDED_BY(mu_);
  const std::uint64_t frame_bytes_;
  bool stop_ GUARDED_BY(mu_) = false;
  bool lost_ GUARDED_BY(mu_) = false;
  std::uint64_t round_ GUARDED_BY(mu_) = 0;
  std::vector<std::uint32_t> frames_ GUARDED_BY(mu_);  ///< pages of this round's frames
  std::size_t taken_ GUARDED_BY(mu_) = 0;              ///< frames already taken
  std::set<std::uint32_t> in_file_ GUARDED_BY(mu_);    ///< not taken yet
  std::thread thread_;
};

}  // namespace hookswitch
