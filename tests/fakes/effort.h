#pragma once

namespace hookswitch::test {

/// Of a sweep over many random or numbered cases, one in so many is run: each; or some, where sanitizers make them many
/// times slower and the same cases run without.
#ifdef HSW_SANITIZED
inline constexpr int kOneIn = 8;
#else
inline constexpr int kOneIn = 1;
#endif

}  // namespace hookswitch::test
