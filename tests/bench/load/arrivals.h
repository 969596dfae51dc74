#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <vector>

namespace hookswitch::bench {

/// When each call was sent and when it reached each sink. Sent on one thread, Arrived on another, the rest when both
/// are quiet, but for Count.
class Arrivals {
 public:
  using Mono = std::chrono::steady_clock;

  Arrivals(std::size_t sinks, std::size_t most_calls) : sent_(most_calls), sinks_(sinks) {
    for (Sink& sink : sinks_) sink.took_us.resize(most_calls, kNever);
  }

  void Sent(std::uint64_t number, Mono::time_point at) {
    if (number < sent_.size()) sent_[number].store(at.time_since_epoch().count(), std::memory_order_relaxed);
  }
  void Arrived(std::size_t sink, std::uint64_t number, Mono::time_point at) {
    Sink& of = sinks_[sink];
    if (number >= sent_.size() || of.took_us[number] != kNever) return;
    const Mono::duration took(at.time_since_epoch().count() - sent_[number].load(std::memory_order_relaxed));
    of.took_us[number] =
        static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    last_.store(at.time_since_epoch().count(), std::memory_order_relaxed);
    of.count.fetch_add(1, std::memory_order_release);
  }

  /// How many calls have reached `sink`; a second arrival of one counts for nothing.
  std::uint64_t Count(std::size_t sink) const { return sinks_[sink].count.load(std::memory_order_acquire); }
  Mono::time_point Last() const { return Mono::time_point(Mono::duration(last_.load(std::memory_order_relaxed))); }
  /// Adds the times, in microseconds, that the calls from `first` on took to reach `sink`.
  void AddTimes(std::size_t sink, std::uint64_t first, std::vector<std::uint32_t>& times) const {
    const std::vector<std::uint32_t>& took = sinks_[sink].took_us;
    for (std::size_t number = first; number < took.size(); ++number) {
      if (took[number] != kNever) times.push_back(took[number]);
    }
  }

 private:
  static constexpr std::uint32_t kNever = ~std::uint32_t{0};
  struct Sink {
    std::vector<std::uint32_t> took_us;
    std::atomic<std::uint64_t> count{0};
  };
  std::vector<std::atomic<Mono::rep>> sent_;
  std::vector<Sink> sinks_;
  std::atomic<Mono::rep> last_{0};
};

}  // namespace hookswitch::bench
