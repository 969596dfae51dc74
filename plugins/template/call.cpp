// __name__: a call sink. It delivers itself, blocking, on a thread of its own; here by one datagram.
// plugins/README.md of hookswitch explains each part.
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <hookswitch/sink.hpp>
#include <string>

namespace {

class Sink {
 public:
  // One instance for each sink of the config that names this plugin. What it throws refuses the config.
  Sink(const hsw::Config& config, hsw::Host) : host_(config.String("host")), port_(config.String("port")) {}

  // Return before call.TimeoutMs() has passed, and soon when call.Canceled(). What is thrown is a retry.
  hsw::Outcome Deliver(const hsw::Call&, const hsw::Delivery& delivery) const {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) {
      return hsw::Outcome::Retry("dns_failed", "the name of the host was not found");
    }
    const int fd = ::socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const std::string_view line = hsw::CutBytes(delivery.Message().Title(), 1000);
    const auto sent = fd < 0 ? -1 : ::sendto(fd, line.data(), line.size(), 0, found->ai_addr, found->ai_addrlen);
    const int error = errno;
    ::freeaddrinfo(found);
    if (fd >= 0) ::close(fd);
    if (sent < 0) return hsw::Outcome::Retry("send_failed", std::string("nothing was sent: ") + std::strerror(error));
    return hsw::Outcome::Delivered();
  }

 private:
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
