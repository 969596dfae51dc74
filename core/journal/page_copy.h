#pragma once
#include <cstddef>
#include <functional>

#include "core/base/result.h"
#include "core/journal/sqlite.h"

namespace hookswitch {

struct PageCopyTuning {
  std::size_t step_bytes = 1 << 20;  ///< read at once
  std::size_t step_pages = 64;       ///< copied again at once
  /// Tests: called after each step.
  std::function<void()> after_step{};
};

/// Writes the database open as `source`, as it is when this ends, to the file open as `target`, while others write to
/// it.
///
/// A read transaction that lasts as long as the copying would make the write-ahead log grow for as long. So the file is
/// copied as it lies there, perhaps torn; meanwhile a LogFollower tells which pages change, and those are copied again:
/// from the file or, where they are not there yet, from the log. For the last few of them others cannot write, some
/// milliseconds. Damaged pages are copied as they are. Errors: kUnavailable.
Status CopyPages(Database& source, int target, const PageCopyTuning& tuning = {});

}  // namespace hookswitch
