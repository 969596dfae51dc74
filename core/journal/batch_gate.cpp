#include "core/journal/batch_gate.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

namespace hookswitch {

// std::atomic::wait of libstdc++ 12 spins through sched_yield first, which costs more than the sleep under load.
void BatchGate::Wait(std::uint32_t batch) {
  auto& word = words_[batch & 1].last_open;
  for (;;) {
    const std::uint32_t seen = word.load(std::memory_order_acquire);
    if (static_cast<std::int32_t>(seen - batch) >= 0) return;
    syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, nullptr, nullptr, 0);
  }
}

void BatchGate::Open(std::uint32_t batch, bool anyone_waits) {
  auto& word = words_[batch & 1].last_open;
  word.store(batch, std::memory_order_release);
  if (anyone_waits) syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
}

}  // namespace hookswitch
