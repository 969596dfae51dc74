#pragma once
#include <sys/socket.h>

#include <functional>
#include <optional>
#include <string>

#include "tests/http/raw_server.h"

namespace hookswitch::test {

/// A broker of MQTT 5 that answers each CONNECT, and each PUBLISH to a topic, with the reason that a test wants;
/// nullopt: it closes.
class ScriptedBroker {
 public:
  using PubAck = std::function<std::optional<int>(const std::string& topic)>;  ///< on the threads of all connections
  ScriptedBroker(std::optional<int> connack, PubAck puback)
      : connack_(connack),
        puback_(std::move(puback)),
        server_([this](RawConnection& connection) { Serve(connection); }) {}
  std::string Address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  int connections() const { return server_.connections(); }

 private:
  /// One packet: its first byte and its body; empty if the client has gone.
  static std::string Packet(int fd) {
    const auto byte = [fd] {
      unsigned char one = 0;
      return ::recv(fd, &one, 1, MSG_WAITALL) == 1 ? static_cast<int>(one) : -1;
    };
    const int type = byte();
    std::size_t size = 0;
    int one = type < 0 ? -1 : byte();
    for (int shift = 0; one >= 0; shift += 7, one = byte()) {
      size += static_cast<std::size_t>(one & 127) << shift;
      if ((one & 128) == 0) break;
    }
    if (one < 0) return "";
    std::string body(size, '\0');
    if (size > 0 && ::recv(fd, body.data(), size, MSG_WAITALL) != static_cast<ssize_t>(size)) return "";
    return static_cast<char>(type) + body;
  }
  void Serve(RawConnection& connection) {
    for (auto packet = Packet(connection.fd()); !packet.empty(); packet = Packet(connection.fd())) {
      const int type = static_cast<unsigned char>(packet[0]) >> 4;
      if (type == 1) {
        if (!connack_) return;
        connection.Write(std::string{0x20, 3, 0, static_cast<char>(*connack_), 0});
      } else if (type == 3) {
        const auto topic = static_cast<std::size_t>(static_cast<unsigned char>(packet[1]) << 8 |
                                                    static_cast<unsigned char>(packet[2]));
        const auto reason = puback_(packet.substr(3, topic));
        if (!reason) return;
        connection.Write(std::string{0x40, 3, packet[3 + topic], packet[4 + topic], static_cast<char>(*reason)});
      }
    }
  }
  const std::optional<int> connack_;
  const PubAck puback_;
  RawServer server_;
};

}  // namespace hookswitch::test
