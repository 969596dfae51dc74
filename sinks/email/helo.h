#pragma once
#include <string>

namespace email {

/// This machine's name for a mail server (RFC 5321, 4.1.1.1): its full name from the host name or /etc/hosts; else an
/// address literal, "[192.0.2.7]". Does not use DNS.
std::string DefaultHelo();

}  // namespace email
