#pragma once

namespace hookswitch::plugins {

// What the inspecting child finds open: the request as its stdin, its answer and what it says, the library.
inline constexpr int kLibraryInChild = 3;
inline constexpr int kFirstUnusedInChild = 4;

}  // namespace hookswitch::plugins
