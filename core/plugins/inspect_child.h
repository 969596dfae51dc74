#pragma once

namespace hookswitch::plugins {

// Descriptors of the inspection child: 0 the request, 1 its response, 2 messages, 3 the library.
inline constexpr int kLibraryInChild = 3;
inline constexpr int kFirstUnusedInChild = 4;

}  // namespace hookswitch::plugins
