#pragma once
#include <cstdint>
#include <optional>
#include <span>

#include "core/base/result.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Deliveries of one event that were stored together, with numbers one after the other: those that it was accepted
/// with, or those of a replay.
struct DeliveryRun {
  DeliverySeq first = 0;
  std::int64_t count = 0;
};

/// Reads the deliveries of one event, each with the fallbacks that followed it.
///
/// `read` takes a number and returns a Result<std::optional<DeliverySeq>>: empty if there is no such row, else the
/// row's fallback, or 0 if it has none, is unreadable or is not the event's. Errors: those of `read`, at once.
template <class Read>
Status WalkRuns(std::span<const DeliveryRun> runs, Read read) {
  for (const DeliveryRun& run : runs) {
    for (DeliverySeq place = run.first; place - run.first < run.count; ++place) {
      bool is_there = false;
      for (DeliverySeq seq = place; seq != 0;) {
        const Result<std::optional<DeliverySeq>> fallback = read(seq);
        if (!fallback) return fallback.error();
        if (!*fallback) break;
        is_there = true;
        // A fallback is always stored later; anything else is damage, or was copied from PostgreSQL: then it is a run.
        seq = **fallback > seq ? **fallback : 0;
      }
      // Rows of a run are removed together, so a row after a gap is damage.
      if (!is_there) break;
    }
  }
  return Ok();
}

}  // namespace hookswitch
