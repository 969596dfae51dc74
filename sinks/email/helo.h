#pragma once
#include <string>

namespace email {

/// How this machine names itself to a mail server (RFC 5321, 4.1.1.1): its full name, as its host name or /etc/hosts
/// has it; without one, an address as a literal, "[192.0.2.7]". Asks no name server.
std::string DefaultHelo();

}  // namespace email
