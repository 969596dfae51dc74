#pragma once
#include <array>
#include <cstdint>
#include <memory>

#include "core/base/ids.h"

namespace hookswitch {

/// Map from the dedup digest of each stored event to its EventSeq; exact, about 35 bytes per event.
///
/// Open addressing in 256 parts that grow independently, so that no growth takes longer than a commit. Not thread-safe.
class DedupSet {
 public:
  /// The event stored under `digest`, or 0.
  EventSeq Find(const Digest& digest) const;
  /// Adds `digest`, which must not be in the set.
  void Insert(const Digest& digest, EventSeq event);
  /// Removes `digest` if it maps to `event`; after retention the same digest may map to a later event.
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
