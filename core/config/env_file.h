#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hookswitch::config {

/// What a file of variables holds, in the form that systemd reads with EnvironmentFile= (systemd.exec(5)).
struct EnvFile {
  struct Fault {
    int line = 0;
    std::string message;  ///< never quotes a value
    std::string hint;
  };
  std::map<std::string, std::string, std::less<>> variables;  ///< of a name that is set twice the last value
  std::vector<Fault> faults;  ///< lines that systemd passes over, and quotes that are never closed
  bool is_text = true;        ///< false: not UTF-8, or a NUL: systemd takes nothing of such a file
};

/// NAME=value lines; empty ones and those that begin with # or ; count for nothing. White space around names and values
/// goes, a value may stand in '…' (as it is) or "…" (\" \\ \` \$ are escapes), both over several lines, else \ keeps
/// the next character; a line that ends in \ goes on in the next one. Never fails.
EnvFile ParseEnvFile(std::string_view text);

}  // namespace hookswitch::config
