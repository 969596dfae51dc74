#pragma once
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/base/sync.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

/// Tells which pages of a database others change, by reading the numbers of the pages in its write-ahead log as that
/// grows: on a thread and a connection of its own, and without a transaction that would keep the log from starting
/// again from its beginning (a round ends then, and all its pages lie in the database file).
///
/// Page numbers count from 1. All functions are safe from any thread.
class LogFollower {
 public:
  /// From the beginning of the current round on. `path` is a database that exists.
  static Result<std::unique_ptr<LogFollower>> Start(const std::string& path);
  ~LogFollower();

  struct Changes {
    /// So much has happened since the last look that it is not known which pages changed.
    bool lost = false;
    /// Pages that changed in rounds that have ended; their content is in the database file.
    std::vector<std::uint32_t> moved;
    /// If none is left in `moved`: the pages of the frames in the log from number `first_frame` (counted from 1) on.
    std::uint32_t first_frame = 0;
    std::vector<std::uint32_t> logged;
  };
  /// What has changed up to now and was not taken yet, at most `most` pages of it.
  Result<Changes> Take(std::size_t most);
  /// Where the log has the page of a frame.
  static std::uint64_t ContentOf(std::uint64_t frame, std::uint64_t page_size) {
    return kLogHeader + (frame - 1) * (kFrameHeader + page_size) + kFrameHeader;
  }

 private:
  LogFollower(Database db, std::uint64_t page_size) : db_(std::move(db)), frame_bytes_(page_size + kFrameHeader) {}
  static constexpr std::uint64_t kLogHeader = 32, kFrameHeader = 24;

  void Run();
  Status Look() REQUIRES(mu_);
  Status ReadFrames(std::uint32_t until) REQUIRES(mu_);
  /// Of a round that `round` has followed: what was not read of it. Sets lost_ where that cannot be told.
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
  std::vector<std::uint32_t> frames_ GUARDED_BY(mu_);  ///< the pages of this round's
  std::size_t taken_ GUARDED_BY(mu_) = 0;              ///< of them
  std::set<std::uint32_t> moved_ GUARDED_BY(mu_);      ///< and not taken
  std::thread thread_;
};

}  // namespace hookswitch
