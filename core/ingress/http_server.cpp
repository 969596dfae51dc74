#include "core/ingress/http_server.h"

#include <Poco/Net/NetException.h>
#include <Poco/Net/ServerSocket.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/base/check.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/ingress/poller.h"

namespace hookswitch {
namespace {

using Poco::Net::ServerSocket;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr int kBacklog = 4096;
constexpr mode_t kSocketMode = 0660;  // the router's user and group
constexpr std::string_view kUnix = "unix:";

std::string Advice(int code) {
  switch (code) {
    case EADDRINUSE: return "; another process listens there: stop it or choose another port";
    case EACCES: return "; ports below 1024 need CAP_NET_BIND_SERVICE: grant it or choose a higher port";
    case EADDRNOTAVAIL: return "; this machine has no such address: use one of its own, 0.0.0.0 or [::]";
    default: return "";
  }
}

/// True for the socket file of a router that has ended: nothing listens on it.
bool IsLeftOver(const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return false;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  const bool refused =
      ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 && errno == ECONNREFUSED;
  ::close(fd);
  return refused;
}

ServerSocket OpenUnix(const std::string& path) {
  if (IsLeftOver(path)) ::unlink(path.c_str());
  const Poco::Net::SocketAddress address(Poco::Net::SocketAddress::UNIX_LOCAL, path);
  ServerSocket listener;
  listener.bind(address, false);
  ::chmod(path.c_str(), kSocketMode);
  return listener;
}

ServerSocket OpenTcp(const std::string& host, std::uint16_t port) {
  const Poco::Net::SocketAddress address(host, port);
  ServerSocket listener;
  // Never SO_REUSEPORT: a second router on the same port must be an error, not a split of the events.
  if (address.family() == Poco::Net::AddressFamily::IPv6) {
    listener.bind6(address, true, false, false);
  } else {
    listener.bind(address, true, false);
  }
  return listener;
}

class PocoHttpServer final : public HttpServer {
 public:
  PocoHttpServer(const HttpServerOptions& options, HeadHandler head, RequestHandler handler, Metrics& metrics)
      : name_(options.name), poller_(std::make_shared<Poller>(options, std::move(head), std::move(handler), metrics)) {}

  ~PocoHttpServer() override { Drain(milliseconds(0)); }

  void Serve() { poller_->Start(); }

  Status Listen(const config::Listen& listen) override {
    std::string host = listen.host;
    const bool is_unix = host.starts_with(kUnix);
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const bool v6_text = !is_unix && host.find(':') != host.npos;
    const std::string where = is_unix ? host : (v6_text ? "[" + host + "]" : host) + ":" + std::to_string(listen.port);
    try {
      ServerSocket listener = is_unix ? OpenUnix(host.substr(kUnix.size())) : OpenTcp(host, listen.port);
      listener.listen(kBacklog);
      // A client may be gone between poll and accept; a blocking accept would then block the poller.
      listener.setBlocking(false);
      ::fcntl(static_cast<int>(listener.impl()->sockfd()), F_SETFD, FD_CLOEXEC);
      MutexLock lock(mu_);
      if (is_unix) socket_files_.push_back(host.substr(kUnix.size()));
      if (!address_.empty()) address_ += ", ";
      address_ += is_unix ? host : listener.address().toString();
      poller_->AddListener(listener);
      return Ok();
    } catch (const Poco::Exception& e) {
      const std::string why = e.code() > 0 ? std::strerror(e.code()) : e.displayText();
      return Error{ErrorCode::kUnavailable,
                   "cannot listen on " + where + " for " + name_ + ": " + why + (is_unix ? "" : Advice(e.code()))};
    } catch (const std::exception& e) {
      return Error{ErrorCode::kUnavailable, "cannot start the " + name_ + " server on " + where + ": " + e.what()};
    }
  }

  std::string Address() const override {
    MutexLock lock(mu_);
    return address_;
  }
  bool Full() const override { return poller_->Full(); }
  std::uint64_t Passes() override { return poller_->Passes(); }

  void Drain(milliseconds timeout) override {
    if (std::exchange(drained_, true)) return;
    poller_->BeginDrain();
    poller_->WaitUntilEmpty(Steady::now() + timeout);
    poller_->Stop();
    MutexLock lock(mu_);
    for (const auto& file : socket_files_) ::unlink(file.c_str());
  }

 private:
  const std::string name_;
  const std::shared_ptr<Poller> poller_;
  bool drained_ = false;
  mutable Mutex mu_;
  std::string address_ GUARDED_BY(mu_);
  std::vector<std::string> socket_files_ GUARDED_BY(mu_);
};

}  // namespace

std::string_view ServedRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

Responder::~Responder() {
  if (exchange_) exchange_->Complete(InternalError());
}

void Responder::Complete(const Answer& answer) {
  HSW_CHECK(exchange_, "a request is answered once");
  std::exchange(exchange_, nullptr)->Complete(answer);
}

std::unique_ptr<BodyStream> Responder::Stream(const Answer& answer, std::size_t max_unsent) {
  HSW_CHECK(exchange_, "a request is answered once");
  return std::exchange(exchange_, nullptr)->Stream(answer, max_unsent);
}

Answer InternalError() {
  Answer answer = ErrorAnswer(500, "internal", "a fault of the server; its log says more");
  answer.close = true;
  return answer;
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
  try {
    auto server = std::make_unique<PocoHttpServer>(options, std::move(head), std::move(handler), metrics);
    HSW_TRY(server->Listen(options.listen));
    server->Serve();
    return std::unique_ptr<HttpServer>(std::move(server));
  } catch (const std::exception& e) {
    return Error{ErrorCode::kUnavailable, "cannot start the " + options.name + " server: " + e.what()};
  }
}

}  // namespace hookswitch
