#pragma once
#include <sys/socket.h>

#include <array>
#include <cstdlib>
#include <functional>
#include <string>

#include "tests/http/raw_server.h"

namespace hookswitch::test {

/// A mail server that says what a test wants.
class ScriptedMailServer {
 public:
  /// Of the mail that is being handed over.
  struct Said {
    std::size_t size = 0;  ///< as MAIL announced it; 0: it did not
    std::string mail;      ///< what has come of it
  };
  /// What is said to a command: a line, "" for nothing at all. The greeting is asked for as "CONNECT", the mail as ".".
  /// Runs on the threads of all connections.
  using Script = std::function<std::string(const std::string& verb)>;
  using MailScript = std::function<std::string(const std::string& verb, const Said& said)>;

  explicit ScriptedMailServer(MailScript script)
      : script_(std::move(script)), server_([this](RawConnection& connection) { Serve(connection); }) {}
  explicit ScriptedMailServer(Script script)
      : ScriptedMailServer(
            MailScript([script = std::move(script)](const auto& verb, const auto&) { return script(verb); })) {}

  std::string Address() const { return "127.0.0.1:" + std::to_string(server_.port()); }
  int connections() const { return server_.connections(); }
  /// As most servers answer.
  static std::string Usual(const std::string& verb) {
    if (verb == "CONNECT") return "220 hello";
    if (verb == "DATA") return "354 go on";
    return verb == "QUIT" ? "221 bye" : "250 2.0.0 fine";
  }

 private:
  void Serve(RawConnection& connection) {
    Said said;
    std::string reply;
    const auto say = [&](const std::string& verb) {
      reply = script_(verb, said);
      if (reply.empty()) connection.AwaitClose();
      return !reply.empty() && connection.Write(reply + "\r\n");
    };
    if (!say("CONNECT")) return;
    std::string text;
    bool body = false;
    for (std::array<char, 4096> some{};;) {
      const auto got = ::recv(connection.fd(), some.data(), some.size(), 0);
      if (got <= 0) return;
      text.append(some.data(), static_cast<std::size_t>(got));
      for (auto end = text.find("\r\n"); end != std::string::npos; end = text.find("\r\n")) {
        const std::string line = text.substr(0, end);
        text.erase(0, end + 2);
        if (body && line != ".") {
          said.mail += line + "\n";
          continue;
        }
        const std::string verb = line.substr(0, line.find_first_of(" :"));
        if (verb == "MAIL") {
          const auto size = line.find("SIZE=");
          said = {.size = size == std::string::npos ? 0 : std::strtoul(line.c_str() + size + 5, nullptr, 10),
                  .mail = {}};
        }
        if (!say(verb)) return;
        body = verb == "DATA" && reply.starts_with("354");
      }
    }
  }

  const MailScript script_;
  RawServer server_;
};

}  // namespace hookswitch::test
