#pragma once
#include <cstddef>
#include <functional>

#include "core/base/result.h"
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

}  // namespace hookswitch
