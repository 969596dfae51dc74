#pragma once
#include <atomic>
#include <cstdint>

namespace hookswitch {

/// Lets all callers of one batch go on with a single system call.
///
/// Batches are numbered 1, 2, 3, … and open in that order; nobody waits for batch n+2 before n is open, so two words
/// are enough and a caller is never woken for a batch that is not its own. Safe from any thread.
class BatchGate {
 public:
  /// Blocks until `batch` is open.
  void Wait(std::uint32_t batch);
  /// To be called for every batch, also one nobody waits for.
  void Open(std::uint32_t batch, bool anyone_waits);

 private:
  struct alignas(64) Word {
    std::atomic<std::uint32_t> last_open;
  };
  Word words_[2] = {{0}, {static_cast<std::uint32_t>(-1)}};
};

}  // namespace hookswitch
