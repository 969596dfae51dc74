#pragma once
#include <sys/resource.h>

namespace hookswitch {

/// Gives the calling thread the least share of a busy processor (nice 19, setpriority(2)). Not SCHED_IDLE, whose share
/// is a fifth of that: who waits for a lock that the thread holds waits for its share. Cannot be undone. False if that
/// is not allowed.
inline bool YieldToOthers() {
  // On Linux a nice value is that of a thread, and 0 the calling one.
  return setpriority(PRIO_PROCESS, 0, 19) == 0;
}

}  // namespace hookswitch
