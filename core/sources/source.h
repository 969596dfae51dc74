#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/config/config.h"
#include "core/event/call_event.h"

namespace hookswitch {

/// A request as a source sees it; borrowed until Normalize returns.
struct RawRequest {
  std::string_view body;
  /// Only the headers that Source::KeptHeaders names, as sent.
  std::span<const std::pair<std::string, std::string>> headers;
  WallTime received_at{};
};

/// Why a request is not an event. `error` is a stable code for programs, `detail` names the field or the place.
struct Refusal {
  int http_status = 422;
  std::string error;   ///< "invalid_json", "missing_field", "wrong_type"
  std::string detail;  ///< for the sender's developer; holds no value of the payload
};

/// A request that was understood, but is no step of a call (say, a batch summary): recorded and answered, never routed.
struct NotACall {
  std::string why;  ///< "bolna batch webhook"
};

struct Normalized {
  std::variant<CallEvent, NotACall> what;
  /// Equal keys (within one source) mean the same event, sent again.
  std::string dedup_key;
  /// Of a call: a checksum of its content; the same event with another one is a revision. 0: unknown, so a repetition
  /// is only a duplicate.
  std::uint64_t content = 0;
  std::string note{};  ///< what had to be repaired to read the body; "" for nothing
};

/// One configured source: turns raw requests of one platform into events.
///
/// A pure function of the request and the config: no I/O, no clock, so a stored request can be read again later with
/// the same result. Never throws, whatever the bytes. [thread: any]
class Source {
 public:
  virtual ~Source() = default;
  virtual std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const = 0;
  /// Lower-case names of the headers that Normalize reads; stored beside the body.
  virtual std::span<const std::string_view> KeptHeaders() const = 0;
};

/// Creates the source that `config.type` names. `agents`, which is shared, has names and tags by agent id. Returns
/// nullptr for an unknown type (the config loader has reported that already).
using AgentMap = std::map<std::string, config::Agent, std::less<>>;
std::shared_ptr<const Source> MakeSource(const config::Source& config, std::shared_ptr<const AgentMap> agents);

/// The types MakeSource knows, for the config loader's suggestions and config/README.md: "bolna".
std::span<const std::string_view> SourceTypes();

}  // namespace hookswitch
