#pragma once
#include <Poco/Net/TCPServerConnection.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>

#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/ingress/http_server.h"
#include "core/ingress/request_reader.h"

namespace hookswitch {

class HttpConnection;

/// What the connections of one server share. Outlives them. Safe from any thread.
class ConnectionTable {
 public:
  ConnectionTable(const HttpServerOptions& options, HeadHandler head, RequestHandler handler, Gauge open);

  const HttpServerOptions& options() const { return options_; }
  const HeadHandler& head() const { return head_; }
  const RequestHandler& handler() const { return handler_; }

  /// Accepted connections that are not closed yet, those that wait for a thread included.
  int Open() const { return open_.load(); }
  /// More are open than threads: who has nothing to do makes room.
  bool Crowded() const { return Open() > options_.threads; }
  void Accepted();

  bool Draining() const { return draining_.load(); }
  /// Marks the server as draining and cuts every connection that is not serving a request.
  void BeginDrain();
  /// False if connections are still open at `deadline`.
  bool WaitUntilEmpty(std::chrono::steady_clock::time_point deadline);
  /// Connections that Poco's queue dropped will never be closed by a thread.
  void ForgetQueued();
  /// Ends every connection, whatever it does. A handler that runs is not stopped.
  void CutAll();
  /// Cuts one connection that is idle between two requests, if there is one.
  void CutOneIdle();

 private:
  friend class HttpConnection;
  void Add(HttpConnection& connection);
  void Remove(HttpConnection& connection);

  const HttpServerOptions options_;
  const HeadHandler head_;
  const RequestHandler handler_;
  const Gauge open_gauge_;
  std::atomic<int> open_{0};
  std::atomic<bool> draining_{false};
  Mutex mu_;
  CondVar changed_;
  std::set<HttpConnection*> running_ GUARDED_BY(mu_);
};

/// Serves the requests of one connection, one after the other, on the thread that calls run(). An answer that comes
/// later is sent by whoever gives it, while this thread waits for the next request already: it need not be woken for
/// the answer.
class HttpConnection final : public Poco::Net::TCPServerConnection, private LaterAnswer {
 public:
  HttpConnection(const Poco::Net::StreamSocket& socket, ConnectionTable& table);
  void run() override;

 private:
  friend class ConnectionTable;
  using TimePoint = std::chrono::steady_clock::time_point;
  /// Buffers that a thread uses again for all its connections.
  struct Workspace;
  static Workspace& TheWorkspace();

  enum class Phase { kFresh, kIdle, kServing };
  enum class Received { kData, kEnd, kTimeout, kGone };

  void Serve();
  bool ServeOne(Workspace& work, int served);
  bool WaitForRequest(Workspace& work, bool fresh);
  Received Receive(Workspace& work, TimePoint deadline);
  /// Reads until `done(reader.state())`; the end of input is told to the reader.
  template <class Done>
  Received ReadUntil(Workspace& work, TimePoint deadline, Done done);
  ServedRequest View(const Workspace& work) const;
  Answer CallHandler(const Workspace& work);
  void Give(const Answer& answer) override;
  bool Owes();
  /// Waits until an answer that comes later has been given. False if the connection must end after it.
  bool AwaitAnswer();
  bool Refuse(Workspace& work, int status, std::string_view error, std::string_view detail);
  /// Writes the answer to work.out. False if the connection must end after it.
  bool Compose(Workspace& work, const Answer& answer, bool keep_alive) const;
  /// False if the connection must end after this answer.
  bool Send(Workspace& work, const Answer& answer, bool keep_alive);
  bool SendAll(std::string_view bytes);
  void Stream(Workspace& work, const Answer& answer);
  /// Reads what the sender still sends for a moment: closing over unread bytes makes the kernel send a reset, which can
  /// overtake and destroy the answer.
  void Linger(Workspace& work);
  void CutIdle(bool fresh_too);  // callers hold table_.mu_
  void Cut();                    // callers hold table_.mu_

  ConnectionTable& table_;
  const int fd_;
  std::string peer_;
  std::atomic<Phase> phase_{Phase::kFresh};
  std::atomic<bool> cut_{false};
  bool linger_ = false;
  Workspace* work_ = nullptr;  ///< of the thread; while an answer is owed `reader` and `out` are for whoever gives it
  bool may_go_on_ = false;     ///< after the request that is served
  bool reads_on_ = false;      ///< and its thread waits for the next one before this one is answered
  Mutex mu_;
  CondVar given_;
  bool owed_ GUARDED_BY(mu_) = false;  ///< an answer that comes later
  bool ends_ GUARDED_BY(mu_) = false;  ///< with the answer that was given last
  TimePoint given_at_{};
  std::size_t unsent_ = 0;  ///< bytes at the end of `out` that the socket did not take at once
};

}  // namespace hookswitch
