#pragma once
#include <Poco/Net/PollSet.h>
#include <Poco/Net/ServerSocket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <queue>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/ingress/connection.h"
#include "core/ingress/http_server.h"
#include "core/ingress/request_pool.h"

namespace hookswitch {

/// The thread that accepts and reads the connections of one server, and what they share. Held by shared_ptr, because a
/// Responder may outlive the server.
class Poller final : public std::enable_shared_from_this<Poller> {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;

  Poller(const HttpServerOptions& options, HeadHandler head, RequestHandler handler, Metrics& metrics);
  ~Poller();

  // [thread: control]
  void Start();
  void AddListener(const Poco::Net::ServerSocket& listener);
  /// Closes idle connections and starts no new request.
  void BeginDrain();
  /// Blocks until no connection is open; false if some are at `deadline`.
  bool WaitUntilEmpty(TimePoint deadline);
  /// Cuts every connection, closes the listeners and joins the threads; running handlers finish first.
  void Stop();

  // [thread: any]
  int Open() const { return open_.load(std::memory_order_relaxed); }
  bool Full() const { return Open() >= options_.max_connections; }
  bool Draining() const { return draining_.load(std::memory_order_relaxed); }
  std::uint64_t Passes();
  /// Makes the poller call OnPosted of `connection`; ignored after Stop.
  void Post(std::shared_ptr<Connection> connection);

  const HttpServerOptions& options() const { return options_; }
  const HeadHandler& head() const { return head_; }
  const RequestHandler& handler() const { return handler_; }
  RequestPool& pool() { return pool_; }
  RequestPool& urgent_pool() { return urgent_pool_; }

  /// Charges `bytes` to max_bodies, or releases them if negative. False if the total is over it; the charge stands.
  bool TakeBodyBytes(std::ptrdiff_t bytes);
  void CountNoRoom() const { no_room_.Add(); }

  // For connections. [thread: poller]
  void Watch(Connection& connection, int modes);
  void Look(Connection& connection, TimePoint at);  ///< calls OnTimer by `at`, or sooner
  void MarkIncomplete(Connection& connection);
  void MarkLarge(Connection& connection);
  void MarkComplete(Connection& connection);
  /// Closes connections whose requests have stalled until the bodies fit max_bodies; false if they still do not.
  bool MakeRoomForBody(const Connection& wanting);
  void Forget(Connection& connection);
  char* scratch() { return scratch_.data(); }
  std::size_t scratch_size() const { return scratch_.size(); }

 private:
  struct Timer {
    TimePoint at;
    std::weak_ptr<Connection> connection;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  void Run();
  void Turn();
  void Wake() REQUIRES(mu_);
  void TakeCommands();
  void Accept(const Poco::Net::ServerSocket& listener);
  void Admit(int fd, Connection::Peer peer);
  bool MakeRoom();
  void FireTimers();
  void ReleaseMemory();

  const HttpServerOptions options_;
  const HeadHandler head_;
  const RequestHandler handler_;
  const int max_per_address_;
  const Gauge open_gauge_;
  const Counter refused_, no_room_;
  RequestPool pool_, urgent_pool_;

  std::atomic<int> open_{0};
  std::atomic<bool> draining_{false};
  std::atomic<std::uint64_t> passes_{0};
  std::atomic<std::uint64_t> body_bytes_{0};
  std::atomic<bool> had_large_bodies_{false};

  // [thread: poller]
  Poco::Net::PollSet polled_;
  Poco::Net::StreamSocket wake_receiver_;
  std::vector<Poco::Net::ServerSocket> listeners_;
  TimePoint accept_again_ = TimePoint::max();  ///< when to accept again after running out of descriptors
  TimePoint release_again_{};                  ///< earliest next release of free memory
  int releases_left_ = 0;
  std::unordered_map<Poco::Net::SocketImpl*, std::shared_ptr<Connection>> connections_;
  std::unordered_map<std::string, int> by_address_;
  std::list<Connection*> incomplete_, large_;  ///< oldest first
  std::size_t leaving_ = 0;                    ///< connections that were turned away, not yet closed
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::vector<char> scratch_;

  int wake_sender_ = -1;
  Mutex mu_;
  CondVar changed_;
  bool asleep_ GUARDED_BY(mu_) = false;
  bool stopping_ GUARDED_BY(mu_) = false;
  bool drain_began_ GUARDED_BY(mu_) = false;
  std::vector<std::shared_ptr<Connection>> posted_ GUARDED_BY(mu_);
  std::vector<Poco::Net::ServerSocket> new_listeners_ GUARDED_BY(mu_);
  std::thread thread_;
};

}  // namespace hookswitch
