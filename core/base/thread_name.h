#pragma once
#include <pthread.h>

namespace hookswitch {

/// Names the calling thread for `top -H`, debuggers and profilers. At most 15 characters (pthread_setname_np(3)).
inline void NameThread(const char* name) {
  pthread_setname_np(pthread_self(), name);
}

}  // namespace hookswitch
