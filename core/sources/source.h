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
#include "core/sources/field_paths.h"

namespace hookswitch {

/// The name of the query among a request's headers; no header can have it.
inline constexpr std::string_view kQueryName = "?";

/// A request as a source sees it; borrowed until Normalize returns.
struct RawRequest {
  std::string_view body;
  /// What of the request beside its body the source reads, as KeptOf (stored_request.h) picks it: headers as sent, and
  /// query parameters under the name kQueryName. The body of a GET is its query.
  std::span<const std::pair<std::string, std::string>> headers;
  WallTime received_at{};
  FieldPaths* paths{};  ///< takes notes of where in the payload the fields of a call are; nullptr: none are wanted
};

/// Why a request is not an event. `error` is a stable code for programs, `detail` names the field or the place.
struct Refusal {
  int http_status = 422;
  std::string error;   ///< "invalid_json", "missing_field", "wrong_type"
  std::string detail;  ///< for the sender's developer; holds no value of the payload
  /// Where in the body, from 1, if `error` has a place ("invalid_json"); else 0. Columns count characters.
  std::size_t line{}, column{};
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
  /// Names of the query parameters that Normalize reads; stored beside the body.
  virtual std::span<const std::string_view> KeptParameters() const { return {}; }
  /// True if a body may be a form, so that its Content-Type is stored beside it.
  virtual bool ReadsForms() const { return false; }
  /// True if a final event lacks what earlier events of its call have said, and takes it from them (carry.h).
  virtual bool CarriesOver() const { return false; }
  /// For a source that takes several events in one request: the bodies of the events, in order, none for an empty list.
  /// nullopt: the request is one event (or is refused), and Normalize reads the body as it is.
  ///
  /// Each body goes to Normalize with the request's own `headers` and `received_at`, and is stored as the event's body;
  /// Normalize does not split again. A body may be refused while its neighbours are events. At most kMaxEvents; a
  /// longer list gives nullopt, and Normalize refuses it.
  virtual std::optional<std::vector<std::string>> Split(const RawRequest& /*request*/) const { return {}; }
  static constexpr std::size_t kMaxEvents = 1000;
};

/// Creates the source that `config.type` names. `agents`, which is shared, has names and tags by agent id. Returns
/// nullptr for an unknown type (the config loader has reported that already).
using AgentMap = std::map<std::string, config::Agent, std::less<>>;
std::shared_ptr<const Source> MakeSource(const config::Source& config, std::shared_ptr<const AgentMap> agents);

/// The types MakeSource knows, for the config loader's suggestions and config/README.md: "bolna", "json".
std::span<const std::string_view> SourceTypes();

}  // namespace hookswitch
