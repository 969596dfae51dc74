#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

namespace hookswitch::bench {

/// The other side of sinks at the least cost: one epoll thread, keep-alive, one receive and one send per request. Reads
/// no more of HTTP than our own clients write: whole heads, "Content-Length", no pipelining.
class FastSink {
 public:
  enum class Manner {
    kAnswer,  ///< 200 "ok" at once
    kHang,    ///< takes the request, never answers
    kRefuse,  ///< nobody listens on the port
  };
  /// Hears of each whole request, head included, on the sink's thread. Only of those that are answered.
  using Arrived =
      std::function<void(std::size_t sink, std::string_view request, std::chrono::steady_clock::time_point at)>;

  /// One port for each of `manners`.
  FastSink(const std::vector<Manner>& manners, Arrived arrived);
  ~FastSink();
  FastSink(const FastSink&) = delete;
  FastSink& operator=(const FastSink&) = delete;

  std::uint16_t Port(std::size_t sink) const;

 private:
  struct Connection;
  struct Listener;
  void Run();
  void Accept(std::size_t sink);
  /// False when the connection has ended.
  bool Read(Connection& connection);

  const Arrived arrived_;
  int epoll_ = -1, stop_ = -1;
  std::vector<Listener> listeners_;
  std::vector<std::unique_ptr<Connection>> connections_;
  std::thread thread_;
};

}  // namespace hookswitch::bench
