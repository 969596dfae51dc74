#pragma once
#include <cstdint>
#include <string>

namespace hookswitch {

/// A disk that fails. While one exists every file that SQLite opens is on it; writes, syncs and truncations are its
/// steps, counted from 1. One at a time; files must be closed before it ends.
class FaultVfs {
 public:
  enum class Fault {
    kNone,
    kFailOnce,  ///< the step fails, as a full disk or one with an I/O error; the next goes well
    kFail,      ///< and so do all that follow, until Repair
    kReadOnly,  ///< and so do all that follow, until Repair, and no log's index can be opened
    kPowerCut,  ///< nothing reaches the disk any more
  };

  FaultVfs(Fault fault, std::int64_t at_step, std::uint32_t seed);
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  std::int64_t Steps() const;
  /// Whether the fault has come.
  bool Struck() const;
  /// The next step fails so.
  void Break(Fault fault);
  /// Ends kFail and kReadOnly.
  void Repair();
  /// After a power cut, with all files closed: puts onto the real disk what a machine would find. All that was synced,
  /// and of what was not each write whole, torn or not at all, by chance.
  void LeaveWhatIsOnDisk();
};

}  // namespace hookswitch
