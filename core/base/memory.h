#pragma once
#include <cstddef>

namespace hookswitch {

/// Bytes currently allocated by the program.
std::size_t AllocatedBytes();
/// Returns the allocator's free memory to the system. Takes milliseconds; call after a peak.
void ReleaseFreeMemory();

}  // namespace hookswitch
