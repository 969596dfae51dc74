#pragma once
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace hookswitch::bench {

/// Readers of a router's stream that take whatever comes, all on one thread.
class StreamReaders {
 public:
  /// Opens `count` streams of the admin listener at 127.0.0.1:port. One that cannot be opened ends the program.
  StreamReaders(std::uint16_t port, int count);
  ~StreamReaders();
  StreamReaders(const StreamReaders&) = delete;
  StreamReaders& operator=(const StreamReaders&) = delete;

  std::uint64_t Bytes() const { return bytes_; }
  /// How many streams the router has ended.
  int Ended() const { return ended_; }

 private:
  std::vector<int> sockets_;
  std::atomic<std::uint64_t> bytes_{0};
  std::atomic<int> ended_{0};
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

}  // namespace hookswitch::bench
