#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch::config {

/// The variables of a file in the format of systemd's EnvironmentFile= (systemd.exec(5)).
struct EnvFile {
  struct Fault {
    int line = 0;
    std::string message;  ///< never quotes a value
    std::string hint;
  };
  std::map<std::string, std::string, std::less<>> variables;  ///< if a name is set twice, the last value
  std::vector<Fault> faults;  ///< lines that systemd ignores, and quotes that are never closed
  bool is_text = true;        ///< false: not UTF-8, or has a NUL: systemd ignores such a file
};

/// Parses NAME=value lines; empty ones and those that begin with # or ; are ignored. Drops white space around names and
/// values. A value may be quoted: '…' literally, "…" with the escapes \" \\ \` \$; both may span lines. Without quotes
/// \ keeps the next character, and at the end of a line continues it on the next. Never fails.
EnvFile ParseEnvFile(std::string_view text);

}  // namespace hookswitch::config
