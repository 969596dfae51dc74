#include "core/journal/dedup_set.h"

#include <cstring>

namespace hookswitch {

// Any eight bytes of a SHA-256 digest are a good hash. The first byte selects the part.
std::uint64_t DedupSet::HashOf(const Digest& digest) {
  std::uint64_t hash;
  std::memcpy(&hash, digest.data() + 8, sizeof hash);
  return hash;
}

EventSeq DedupSet::Find(const Digest& digest) const {
  const Part& part = parts_[digest[0]];
  if (part.capacity == 0) return 0;
  const std::uint32_t mask = part.capacity - 1;
  for (std::uint32_t i = HashOf(digest) & mask;; i = (i + 1) & mask) {
    const Slot& slot = part.slots[i];
    if (slot.event == 0) return 0;
    if (slot.digest == digest) return slot.event;
  }
}

void DedupSet::Place(Part& part, const Digest& digest, EventSeq event) {
  const std::uint32_t mask = part.capacity - 1;
  std::uint32_t i = HashOf(digest) & mask;
  while (part.slots[i].event != 0) i = (i + 1) & mask;
  part.slots[i] = {digest, event};
}

void DedupSet::Grow(Part& part) {
  Part grown;
  grown.capacity = part.capacity == 0 ? 16 : part.capacity * 2;
  grown.used = part.used;
  grown.slots = std::make_unique<Slot[]>(grown.capacity);
  for (std::uint32_t i = 0; i < part.capacity; ++i) {
    if (part.slots[i].event != 0) Place(grown, part.slots[i].digest, part.slots[i].event);
  }
  part = std::move(grown);
}

void DedupSet::Insert(const Digest& digest, EventSeq event) {
  Part& part = parts_[digest[0]];
  if ((part.used + 1) * 8ULL > part.capacity * 7ULL) Grow(part);
  Place(part, digest, event);
  ++part.used;
  ++size_;
}

void DedupSet::Erase(const Digest& digest, EventSeq event) {
  Part& part = parts_[digest[0]];
  if (part.capacity == 0) return;
  const std::uint32_t mask = part.capacity - 1;
  std::uint32_t hole = HashOf(digest) & mask;
  for (;; hole = (hole + 1) & mask) {
    if (part.slots[hole].event == 0) return;
    if (part.slots[hole].digest == digest) break;
  }
  if (part.slots[hole].event != event) return;
  --part.used;
  --size_;
  // Closes the gap: entries that could not be reached past the hole move into it.
  for (std::uint32_t i = (hole + 1) & mask; part.slots[i].event != 0; i = (i + 1) & mask) {
    const std::uint32_t home = HashOf(part.slots[i].digest) & mask;
    if (((i - home) & mask) >= ((i - hole) & mask)) {
      part.slots[hole] = part.slots[i];
      hole = i;
    }
  }
  part.slots[hole].event = 0;
}

}  // namespace hookswitch
