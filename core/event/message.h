#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"

namespace hookswitch {

enum class Severity : std::uint8_t { kInfo, kSuccess, kWarning, kError };

/// The message that every sink sends: plain UTF-8 text without markup, neither cut nor escaped. Each sink cuts and
/// escapes it for its own medium.
struct Message {
  struct Field {
    std::string name, value;
  };
  struct Link {
    std::string label, url;
  };
  std::string title;  ///< "Bolna call ended: completed"; never empty
  Severity severity = Severity::kInfo;
  std::vector<Field> fields;  ///< "Call ID", "Agent ID", "Duration", "Status"; a missing value is "-"
  std::string text;           ///< free text (why a call failed, a summary); "" for none
  std::string transcript;     ///< "Agent: …\nUser: …", to be shown verbatim; "" for none
  std::vector<Link> links;
  std::optional<WallTime> at;  ///< when it happened, to be shown in the reader's zone
};

}  // namespace hookswitch
