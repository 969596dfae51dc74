#include "core/delivery/wait_shares.h"

#include <algorithm>
#include <utility>

namespace hookswitch {

WaitShares::WaitShares(MonoTime from, MonoTime until) {
  if (from < until) pieces_[count_++] = {from, until};
}

void WaitShares::Claim(WaitKind kind, MonoTime from, MonoTime until) {
  if (count_ == 0 || from >= pieces_[count_ - 1].until || until <= pieces_[0].from) return;
  const auto index = static_cast<std::size_t>(kind);
  const auto before = pieces_;
  const std::size_t count = std::exchange(count_, 0);
  const auto keep = [this](MonoTime begin, MonoTime end) {
    if (begin < end && count_ < kMostPieces) pieces_[count_++] = {begin, end};
  };
  for (std::size_t i = 0; i < count; ++i) {
    const Span& piece = before[i];
    const MonoTime begin = std::max(piece.from, from), end = std::min(piece.until, until);
    if (begin >= end) {
      keep(piece.from, piece.until);
      continue;
    }
    begins_[index] = times_[index].count() == 0 ? begin : std::min(begins_[index], begin);
    times_[index] += end - begin;
    keep(piece.from, begin);
    keep(end, piece.until);
  }
}

Waits WaitShares::Result() const {
  std::array<std::size_t, kWaitKinds> found{};
  std::size_t count = 0;
  for (std::size_t kind = 0; kind < kWaitKinds; ++kind) {
    if (times_[kind] >= std::chrono::milliseconds(1)) found[count++] = kind;
  }
  const auto end = found.begin() + static_cast<std::ptrdiff_t>(count);
  std::sort(found.begin(), end, [this](std::size_t a, std::size_t b) { return begins_[a] < begins_[b]; });
  Waits waits;
  waits.reserve(count);
  for (auto kind = found.begin(); kind != end; ++kind) {
    waits.push_back(
        {static_cast<WaitKind>(*kind), std::chrono::duration_cast<std::chrono::milliseconds>(times_[*kind])});
  }
  return waits;
}

}  // namespace hookswitch
