#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core/base/sync.h"
#include "tests/e2e/ledger.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {

/// A call platform: several senders, each of which posts a call's first status until it is answered 200, then its last
/// one, and now and then posts again what was answered. What comes of it goes into the ledger.
class Platform {
 public:
  Platform(Ledger& ledger, int senders, double calls_per_second, std::uint64_t seed);
  ~Platform();

  /// The router listens here from now on; 0: nowhere.
  void Aim(std::uint16_t port) { Aim(port == 0 ? std::vector<std::uint16_t>() : std::vector{port}); }
  /// So do several, which take turns.
  void Aim(std::vector<std::uint16_t> ports);
  /// Begins no new calls and waits until everything begun is answered; false if `timeout` passes first.
  [[nodiscard]] bool Finish(std::chrono::milliseconds timeout);
  /// Posts one more call, with a transcript of so many bytes, once. If that is refused a sender posts it again,
  /// smaller: a router that could not store it may find it stored all the same.
  RawAnswer PostBig(std::size_t bytes);

 private:
  struct Sender {
    std::optional<RawClient> client;
    std::uint16_t port = 0;
  };
  void Work(std::uint64_t seed);
  std::optional<LedgerEvent> TakeOwed();
  /// False if it is given up because the platform ends.
  bool PostUntilAnswered(Sender& sender, LedgerEvent event);
  RawAnswer PostOnce(Sender& sender, LedgerEvent event, const std::string& body);
  /// 0: nowhere before the end.
  std::uint16_t WaitForPort();
  void Pause(std::chrono::steady_clock::time_point until, const bool& unless);

  Ledger& ledger_;
  const std::chrono::microseconds between_calls_;  ///< of one sender
  std::atomic<std::size_t> next_call_ = 0;
  Mutex mu_;
  CondVar changed_;
  std::vector<std::uint16_t> ports_ GUARDED_BY(mu_);
  std::size_t turn_ GUARDED_BY(mu_) = 0;
  bool finishing_ = false;  // written under mu_
  bool giving_up_ = false;  // written under mu_
  int working_ GUARDED_BY(mu_) = 0;
  std::vector<LedgerEvent> owed_ GUARDED_BY(mu_);
  std::vector<std::thread> senders_;
};

}  // namespace hookswitch::e2e
