// __name__: a call sink. It delivers itself, blocking, on a thread of its own; here by one datagram.
// share/doc/hookswitch/plugins/README.md, where hookswitch is installed, explains each part.
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <hookswitch/sink.hpp>
#include <memory>
#include <string>

namespace {

class Sink {
 public:
  // One instance for each sink of the config that names this plugin. What it throws refuses the config. No I/O here:
  // `hookswitch check` and every reload make an instance only to see whether it can be made.
  Sink(const hsw::Config& config, hsw::Host) : host_(config.String("host")), port_(config.String("port")) {}

  // What is thrown is a retry. This runs inside the router, on a thread of the router's:
  // - Return before call.TimeoutMs() has passed, so wait for nothing without a limit, and look at call.Canceled()
  //   meanwhile: when it is true, nobody waits for the outcome any more. What has not returned 2 s after TimeoutMs()
  //   is abandoned with its thread, and the delivery is tried again on a new instance.
  // - One call at a time for each instance. With .concurrent_calls = true there are more, and members need a lock.
  // - SIGHUP, SIGINT and SIGTERM are blocked and SIGPIPE is ignored, here and in threads that you start. Leave them so,
  //   and install no signal handlers. The destructor has to join your threads.
  // - Open descriptors with SOCK_CLOEXEC or O_CLOEXEC, as here. A child process gets all others, the blocked signals
  //   and the ignored SIGPIPE: start it with posix_spawn and POSIX_SPAWN_SETSIGMASK, POSIX_SPAWN_SETSIGDEF, never by
  //   fork() alone, and wait for it here.
  // - Under systemd only /var/lib/hookswitch and /tmp may be written; "Call sinks" in the page has the rest.
  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery& delivery) const {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(call.TimeoutMs());
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_DGRAM;
    if (::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &list) != 0) {
      return hsw::Outcome::Retry("dns_failed", "the name of the host was not found");
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> found(list, ::freeaddrinfo);
    const Descriptor fd{::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    pollfd writable{fd.number, POLLOUT, 0};
    while (fd.number >= 0 && ::poll(&writable, 1, 100) == 0) {
      if (call.Canceled() || std::chrono::steady_clock::now() >= until) {
        return hsw::Outcome::Retry("timeout", "nothing could be sent in time");
      }
    }
    const std::string_view line = hsw::CutBytes(delivery.Message().Title(), 1000);
    if (::sendto(fd.number, line.data(), line.size(), 0, found->ai_addr, found->ai_addrlen) < 0) {
      return hsw::Outcome::Retry("send_failed", std::string("nothing was sent: ") + std::strerror(errno));
    }
    return hsw::Outcome::Delivered();
  }

 private:
  struct Descriptor {
    ~Descriptor() {
      if (number >= 0) ::close(number);
    }
    int number;
  };
  std::string host_, port_;
};

}  // namespace

HSW_CALL_SINK(Sink, "__name__", "0.1.0", "Says in one line what it does", R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["host", "port"],
  "properties": {
    "host": {"type": "string", "minLength": 1, "description": "Who listens."},
    "port": {"type": "integer", "minimum": 1, "maximum": 65535, "description": "On which UDP port."}
  }
})",
              .concurrency = 1)
