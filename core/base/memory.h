#pragma once
#include <cstddef>

namespace hookswitch {

/// Bytes that the program has allocated and not freed.
std::size_t AllocatedBytes();
/// Gives memory that the allocator keeps for later back to the system. Takes milliseconds; for after a peak.
void ReleaseFreeMemory();

}  // namespace hookswitch
