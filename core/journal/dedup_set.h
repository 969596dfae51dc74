#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "core/base/ids.h"

namespace hookswitch {

/// The dedup digests of all stored events and where each is, exact, at about 35 bytes an event.
///
/// Open addressing in 256 parts that grow one by one, so that growing never takes longer than a commit. For one thread.
class DedupSet {
 public:
  /// The event stored under `digest`, or 0.
  EventSeq Find(const Digest& digest) const;
  /// Adds a digest that is not there yet.
  void Insert(const Digest& digest, EventSeq event);
  /// Takes out `digest` if it stands for `event`; a digest that came again after retention stands for the later one.
  void Erase(const Digest& digest, EventSeq event);
  std::size_t size() const { return size_; }

 private:
  struct Slot {
    Digest digest;
    EventSeq event;  ///< 0: empty
  };
  struct Part {
    std::unique_ptr<Slot[]> slots;
    std::uint32_t capacity = 0;  ///< a power of two, or 0
    std::uint32_t used = 0;
  };
  static std::uint64_t HashOf(const Digest& digest);
  static void Place(Part& part, const Digest& digest, EventSeq event);
  static void Grow(Part& part);

  std::array<Part, 256> parts_;
  std::size_t size_ = 0;
};

}  // namespace hookswitch
