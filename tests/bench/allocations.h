#pragma once
#include <cstddef>

namespace hookswitch::test {

/// How often the program has called operator new so far, plugins included, but for over-aligned types. Linking
/// allocations.cpp makes it count.
std::size_t Allocations();

}  // namespace hookswitch::test
