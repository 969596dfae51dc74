#pragma once
#include <cstdio>
#include <cstdlib>

/// Aborts if an invariant is broken. `why` states why it must hold. Never use it for input.
#define HSW_CHECK(condition, why)                                                                      \
  do {                                                                                                 \
    if (!(condition)) [[unlikely]] {                                                                   \
      std::fprintf(stderr, "%s:%d: broken invariant: %s (%s)\n", __FILE__, __LINE__, #condition, why); \
      std::abort();                                                                                    \
    }                                                                                                  \
  } while (false)

namespace hookswitch {
/// Put after a switch that covers every value of an enum; aborts if reached.
[[noreturn]] inline void Unreachable() {
  std::fputs("broken invariant: a switch over an enum met a value outside it\n", stderr);
  std::abort();
}
}  // namespace hookswitch
