#pragma once
#include <boost/container/flat_map.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/json.h"

namespace hookswitch {

/// Status of a call: Bolna's fifteen; other platforms map onto them. kUnknown is any other word.
enum class CallStatus : std::uint8_t {
  kScheduled,
  kQueued,
  kRescheduled,
  kInitiated,
  kRinging,
  kInProgress,
  kCallDisconnected,
  kCompleted,
  kBalanceLow,
  kBusy,
  kNoAnswer,
  kCanceled,
  kFailed,
  kStopped,
  kError,
  kUnknown,
};
inline constexpr std::size_t kCallStatusCount = static_cast<std::size_t>(CallStatus::kUnknown) + 1;

/// A set of statuses, one bit each.
using StatusSet = std::uint32_t;
constexpr StatusSet Bit(CallStatus status) {
  return StatusSet{1} << static_cast<unsigned>(status);
}

std::string_view ToString(CallStatus status);                  ///< "no-answer"
std::optional<CallStatus> ParseStatus(std::string_view name);  ///< exact names only, "unknown" included
/// "ended", "terminal", "unsuccessful", "any" (every status, kUnknown too).
std::optional<StatusSet> ParseStatusGroup(std::string_view name);
StatusSet EndedStatuses();
StatusSet TerminalStatuses();
StatusSet UnsuccessfulStatuses();
/// All names ParseStatus and ParseStatusGroup know, for suggestions.
std::span<const std::string> StatusNames();

/// How much of the call's story an event tells.
enum class Stage : std::uint8_t {
  kLive,   ///< the call goes on
  kEnded,  ///< it is over; the platform may say more about it
  kFinal,  ///< nothing more is expected
};
inline constexpr std::size_t kStageCount = static_cast<std::size_t>(Stage::kFinal) + 1;
/// A set of stages, one bit each.
using StageSet = std::uint8_t;
constexpr StageSet Bit(Stage stage) {
  return static_cast<StageSet>(1U << static_cast<unsigned>(stage));
}
std::string_view ToString(Stage stage);                  ///< "live", "ended", "final"
std::optional<Stage> ParseStage(std::string_view name);  ///< exact names only
/// That of a platform whose statuses tell: Bolna's call-disconnected is kEnded, the terminal ones are kFinal.
Stage StageOf(CallStatus status);

enum class Direction : std::uint8_t { kInbound, kOutbound, kWeb };
std::string_view ToString(Direction direction);

enum class Role : std::uint8_t { kAgent, kUser, kSystem, kTool };
std::string_view ToString(Role role);

struct Turn {
  Role role = Role::kAgent;
  std::string text;
  friend bool operator==(const Turn&, const Turn&) = default;
};

/// About ten entries, at most 256, built once and read often: one allocation instead of one for each.
using TextMap = boost::container::flat_map<std::string, std::string, std::less<>>;

/// An extracted value: its text, and what it was in the platform's JSON.
struct DataValue {
  enum class Kind : std::uint8_t { kText, kNumber, kBoolean };
  std::string text;  ///< as written: "confirmed", "85", "true"
  Kind kind = Kind::kText;

  DataValue() = default;
  // Implicit, because most values are texts.
  DataValue(std::string value, Kind its_kind = Kind::kText) : text(std::move(value)), kind(its_kind) {}
  DataValue(const char* value) : text(value) {}
  friend bool operator==(const DataValue&, const DataValue&) = default;
};
using DataMap = boost::container::flat_map<std::string, DataValue, std::less<>>;
/// The number that the whole text is, whatever the kind; empty for another text, and for what no double holds.
std::optional<double> NumberOf(const DataValue& value);
/// The value with the type that it had: 85, not "85".
json::value ToValue(const DataValue& value);

struct Money {
  double amount = 0;     ///< in whole units of `currency` (dollars, not cents)
  std::string currency;  ///< ISO 4217
};

/// The source of hookswitch's own notices (of broken sinks); no source in a config has this name.
inline constexpr std::string_view kOwnSource = "hookswitch";

/// One step of one call, the same for every platform: what rules match, templates show and sinks send.
///
/// Absent is empty/nullopt, never "" from the platform or a made-up 0. All text is well-formed UTF-8. Immutable once a
/// source has made it; share it between threads as shared_ptr<const CallEvent>.
struct CallEvent {
  std::string id;            ///< ours; empty until the journal has accepted it
  std::string source;        ///< the source's name in the config
  std::string source_title;  ///< for people: "Bolna"
  std::string call_id;       ///< the platform's id of the call
  WallTime received_at{};

  std::string agent_id;
  std::string agent_name;               ///< from the config's `agents`, or the platform
  std::vector<std::string> agent_tags;  ///< from the config's `agents`

  CallStatus status = CallStatus::kUnknown;
  std::string raw_status;  ///< the platform's own word
  Stage stage = Stage::kLive;
  std::optional<Direction> direction;
  std::string from, to;
  std::optional<WallTime> started_at, ended_at;
  std::optional<double> duration;  ///< seconds
  std::vector<Turn> transcript;
  std::string summary;
  std::optional<Money> cost;
  std::string recording_url;
  std::string hangup_by, hangup_reason;
  std::optional<std::int64_t> hangup_code;
  std::optional<bool> voicemail;
  std::string error;
  std::string sentiment;        ///< in lower case
  std::optional<bool> success;  ///< whether the call reached its goal, as the platform judges it
  DataMap data;                 ///< extracted values, dotted keys
  TextMap meta;                 ///< whatever else is worth matching or showing

  /// The call's end, else its start, else the arrival of the event.
  WallTime OwnTime() const { return ended_at ? *ended_at : started_at ? *started_at : received_at; }
  /// The agent's name, else its id, else "".
  const std::string& AgentLabel() const { return agent_name.empty() ? agent_id : agent_name; }
};

/// A checksum of what the platform says about the call: without `id`, `received_at`, the source and what the config
/// adds to the agent, and without `ended_at` if that is only when the platform wrote. Never 0. The same in every
/// version, because it is stored.
std::uint64_t ContentSum(const CallEvent& event, bool with_ended_at = true);

/// The normalized event (config/README.md).
json::object ToObject(const CallEvent& event);
/// ToObject as one line.
std::string ToJson(const CallEvent& event);

}  // namespace hookswitch
