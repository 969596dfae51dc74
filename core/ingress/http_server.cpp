#include "core/ingress/http_server.h"

#include <Poco/ErrorHandler.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/ServerSocketImpl.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/ThreadPool.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <deque>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/ingress/http_connection.h"

namespace hookswitch {
namespace {

using Poco::Net::StreamSocket;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr int kBacklog = 1024;
constexpr int kOverloadRetrySeconds = 1;

/// Poco reports here whatever its threads catch; its default handler is silent.
class LoggingErrorHandler final : public Poco::ErrorHandler {
 public:
  void exception(const Poco::Exception& e) override {
    log::Debug("http_server_error", {{"reason", e.displayText()}});
    // The acceptor tries again at once; without a pause it would burn a core until a descriptor is free.
    if (e.code() == EMFILE || e.code() == ENFILE) Poco::Thread::sleep(10);
  }
  void exception(const std::exception& e) override { log::Error("http_server_error", {{"reason", e.what()}}); }
  void exception() override { log::Error("http_server_error", {{"reason", "an exception of unknown type"}}); }
};

void InstallErrorHandler() {
  static auto* handler = [] {
    auto* made = new LoggingErrorHandler;
    Poco::ErrorHandler::set(made);
    return made;
  }();
  (void)handler;
}

// A child process (plugin inspection) must not keep a connection open that this one closes.
void CloseOnExec(const Poco::Net::Socket& socket) {
  ::fcntl(static_cast<int>(socket.impl()->sockfd()), F_SETFD, FD_CLOEXEC);
}

/// The listening socket, with a poll that can be ended: Poco's acceptor otherwise sees a stop only after its 250 ms.
class ListenerImpl final : public Poco::Net::ServerSocketImpl {
 public:
  ListenerImpl() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  bool poll(const Poco::Timespan& timeout, int mode) override {
    if ((mode & SELECT_READ) == 0) return ServerSocketImpl::poll(timeout, mode);
    pollfd fds[2] = {{static_cast<int>(sockfd()), POLLIN, 0}, {wake_, POLLIN, 0}};
    return ::poll(fds, 2, static_cast<int>(timeout.totalMilliseconds())) > 0 && fds[0].revents != 0;
  }
  void Wake() { [[maybe_unused]] const int failed = ::eventfd_write(wake_, 1); }

 protected:
  ~ListenerImpl() override {
    if (wake_ >= 0) ::close(wake_);
  }

 private:
  const int wake_;
};

class Listener final : public Poco::Net::ServerSocket {
 public:
  Listener() : ServerSocket(new ListenerImpl, true) {}
  void Wake() { static_cast<ListenerImpl*>(impl())->Wake(); }
};

/// Counts connections on their way in and answers 503 to those over the limit. Runs on the acceptor's thread.
class Gatekeeper final : public Poco::Net::TCPServerConnectionFilter {
 public:
  Gatekeeper(ConnectionTable& table, Counter refused) : table_(table), refused_(refused) {}

  bool accept(const StreamSocket& socket) override {
    CloseOnExec(socket);
    Sweep();
    const bool draining = table_.Draining();
    if (!draining && table_.Open() < table_.options().max_connections) {
      table_.Accepted();
      if (table_.Crowded()) table_.CutOneIdle();
      return true;
    }
    refused_.Add();
    TurnAway(socket, draining);
    return false;
  }

 private:
  struct Leaving {
    StreamSocket socket;
    Steady::time_point until;
  };

  void TurnAway(const StreamSocket& socket, bool draining) {
    const std::string body = draining ? ErrorAnswer(503, "draining", "the server is going down").body
                                      : ErrorAnswer(503, "unavailable", "too many connections").body;
    const std::string answer =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\nRetry-After: " + std::to_string(kOverloadRetrySeconds) +
        "\r\nConnection: close\r\n\r\n" + body;
    const int fd = static_cast<int>(socket.impl()->sockfd());
    // A new socket's buffer takes these bytes whole.
    [[maybe_unused]] const ssize_t sent = ::send(fd, answer.data(), answer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::shutdown(fd, SHUT_WR);
    // Closed only once its request has been read or some time has gone by: a close over unread bytes is a reset, which
    // can overtake the answer.
    if (leaving_.size() == kMaxLeaving) leaving_.pop_front();
    leaving_.push_back({socket, Steady::now() + milliseconds(1000)});
  }

  // Closes those who have closed, or had their time. Runs with each new connection, which is when it matters.
  void Sweep() {
    const auto now = Steady::now();
    std::erase_if(leaving_, [&](const Leaving& leaving) {
      char scrap[16384];
      const int fd = static_cast<int>(leaving.socket.impl()->sockfd());
      ssize_t n = 0;
      for (int i = 0; i < 8; ++i) {
        n = ::recv(fd, scrap, sizeof scrap, MSG_DONTWAIT);
        if (n <= 0) break;
      }
      const bool waiting = n > 0 || (n < 0 && errno == EAGAIN);
      return !waiting || now >= leaving.until;
    });
  }

  static constexpr std::size_t kMaxLeaving = 64;
  ConnectionTable& table_;
  const Counter refused_;
  std::deque<Leaving> leaving_;
};

class ConnectionFactory final : public Poco::Net::TCPServerConnectionFactory {
 public:
  explicit ConnectionFactory(ConnectionTable& table) : table_(table) {}
  Poco::Net::TCPServerConnection* createConnection(const StreamSocket& socket) override {
    return new HttpConnection(socket, table_);
  }

 private:
  ConnectionTable& table_;
};

Poco::Net::TCPServerParams::Ptr Params(const HttpServerOptions& options) {
  Poco::Net::TCPServerParams::Ptr params = new Poco::Net::TCPServerParams;
  params->setMaxThreads(options.threads);
  // The Gatekeeper is the only one who refuses: what Poco's queue cannot take is closed without a word.
  params->setMaxQueued(options.max_connections + 1);
  // A thread that looks for its stop just before it is told waits this long; the default is 10 s.
  params->setThreadIdleTime(250 * Poco::Timespan::MILLISECONDS);
  return params;
}

class PocoHttpServer final : public HttpServer {
 public:
  PocoHttpServer(const HttpServerOptions& options, HeadHandler head, RequestHandler handler, Metrics& metrics,
                 const Listener& listener)
      : table_(options, std::move(head), std::move(handler),
               metrics.MakeGauge("hookswitch_http_connections", "Open connections.", {{"server", options.name}})),
        listener_(listener),
        address_(listener.address().toString()),
        // A thread that ends one connection is not yet back in the pool when the next one wants it: hence the spare
        // ones.
        pool_("http-" + options.name, 2, options.threads + 16, 60),
        server_(
            std::make_unique<Poco::Net::TCPServer>(new ConnectionFactory(table_), pool_, listener_, Params(options))) {
    server_->setConnectionFilter(new Gatekeeper(
        table_, metrics.MakeCounter("hookswitch_http_connections_refused_total",
                                    "Connections answered 503 unread: too many were open, or the server was draining.",
                                    {{"server", options.name}})));
    server_->start();
  }

  ~PocoHttpServer() override {
    Drain(milliseconds(0));
    pool_.joinAll();
  }

  std::string Address() const override { return address_; }
  bool Full() const override { return table_.Open() >= table_.options().max_connections; }

  void Drain(milliseconds timeout) override {
    if (!server_) return;
    const auto deadline = Steady::now() + timeout;
    table_.BeginDrain();
    table_.WaitUntilEmpty(deadline);
    listener_.Wake();
    server_->stop();
    table_.ForgetQueued();
    table_.CutAll();
    // Their sockets are cut, so only a handler that is still busy can hold a thread now.
    if (table_.WaitUntilEmpty(Steady::now() + milliseconds(250))) pool_.joinAll();
    server_.reset();
    listener_.close();
  }

 private:
  ConnectionTable table_;
  Listener listener_;
  const std::string address_;
  Poco::ThreadPool pool_;
  std::unique_ptr<Poco::Net::TCPServer> server_;
};

std::string Advice(int code) {
  switch (code) {
    case EADDRINUSE: return "; another process listens there: stop it or choose another port";
    case EACCES: return "; ports below 1024 need CAP_NET_BIND_SERVICE: grant it or choose a higher port";
    case EADDRNOTAVAIL: return "; this machine has no such address: use one of its own, 0.0.0.0 or [::]";
    default: return "";
  }
}

}  // namespace

std::string_view ServedRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

Answer ErrorAnswer(int status, std::string_view error, std::string_view detail) {
  Answer answer;
  answer.status = status;
  answer.body = R"({"ok":false,"error":)";
  AppendJsonString(answer.body, error);
  answer.body += R"(,"detail":)";
  AppendJsonString(answer.body, detail);
  answer.body += '}';
  return answer;
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(const HttpServerOptions& options, HeadHandler head,
                                                      RequestHandler handler, Metrics& metrics) {
  InstallErrorHandler();
  std::string host = options.listen.host;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  const bool v6_text = host.find(':') != host.npos;
  const std::string where = (v6_text ? "[" + host + "]" : host) + ":" + std::to_string(options.listen.port);
  try {
    const Poco::Net::SocketAddress address(host, options.listen.port);
    Listener listener;
    // Never SO_REUSEPORT: a second router on the same port must be an error, not a split of the events.
    if (address.family() == Poco::Net::AddressFamily::IPv6) {
      listener.bind6(address, true, false, false);
    } else {
      listener.bind(address, true, false);
    }
    listener.listen(kBacklog);
    // A client may be gone between poll and accept; a blocking accept would then hold the acceptor.
    listener.setBlocking(false);
    CloseOnExec(listener);
    return std::unique_ptr<HttpServer>(
        std::make_unique<PocoHttpServer>(options, std::move(head), std::move(handler), metrics, listener));
  } catch (const Poco::Exception& e) {
    const std::string why = e.code() > 0 ? std::strerror(e.code()) : e.displayText();
    return Error{ErrorCode::kUnavailable,
                 "cannot listen on " + where + " for " + options.name + ": " + why + Advice(e.code())};
  } catch (const std::exception& e) {
    return Error{ErrorCode::kUnavailable, "cannot start the " + options.name + " server on " + where + ": " + e.what()};
  }
}

}  // namespace hookswitch
