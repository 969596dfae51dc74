#pragma once
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "core/config/problem.h"
#include "core/config/value_path.h"

/// How a platform's requests are read: for each field of the event, where in a request its value is. `map` of a source,
/// or a built-in platform's page; core/sources/README.md has the language.
namespace hookswitch::config {

/// A glob in any case ("turn.*"), or absence.
struct ValueGlob {
  Mark where;
  std::string glob;
  bool absent = false;
};

/// True of a request if the value at `path` matches one of `any`.
struct ValueMatch {
  ValuePath path;
  std::vector<ValueGlob> any;
};
/// All must be true.
using ValueMatches = std::vector<ValueMatch>;

/// Words of a platform and what they mean, tried from top to bottom.
struct ValueTable {
  struct Entry {
    Mark where;
    std::string glob;      ///< in any case
    std::string value;     ///< in the field's own spelling: a status is one of hookswitch's
    bool nothing = false;  ///< written null: the rule gives nothing
  };
  std::vector<Entry> entries;
  std::optional<std::string> otherwise;
};

enum class Unit {
  kNone,
  kSeconds,
  kMilliseconds,
  kMicroseconds,
  kNanoseconds,
  kMinutes,
  kRfc2822  ///< of times: "Tue, 03 Mar 2026 09:02:03 +0000"
};

/// Where one field comes from; a field has a list of them, of which the first that gives something counts.
struct ValueRule {
  Mark where;
  std::vector<ValuePath> paths;         ///< the first that has something; empty: `constant`, or `from` and `to`
  std::optional<std::string> constant;  ///< written `value`
  ValueMatches when;                    ///< of the request, else the rule gives nothing
  ValueTable values;
  Unit unit = Unit::kNone;
  std::string zone;                   ///< of times without one: "+05:30"; "" is UTC
  std::vector<ValueRule> from, to;    ///< of a duration: times
  std::vector<ValueRule> plus;        ///< of a time: a duration that is added
  std::string currency;               ///< of a cost; "": the source's own
  std::vector<ValuePath> currencies;  ///< of a cost, written `currency_path`
  double divide = 1;                  ///< of a cost
};
using ValueRules = std::vector<ValueRule>;

/// Where the turns of a transcript are: a list, or a text of lines.
struct TurnsRule {
  Mark where;
  std::vector<ValuePath> paths;
  std::vector<ValuePath> role, text;  ///< within an item; empty: the usual names
  ValueTable roles;                   ///< to agent, user, system or tool; nothing: left out
  ValueMatches when;                  ///< of the request
  ValueMatches only;                  ///< of an item
};

/// Fills `data` or `meta`.
struct EntriesRule {
  Mark where;
  ValuePath path;
  std::optional<ValuePath> key, value;  ///< within each item of a list, or each member of an object
  std::string name;                     ///< the key instead of the path's last name
  std::string prefix;                   ///< before the keys; ends with a dot
  std::vector<std::string> skip;        ///< globs of keys that are left out
  ValueMatches when;
};

/// One entry of events.live, ended, final or skip.
struct EventRule {
  enum class What { kLive, kEnded, kFinal, kSkip };
  Mark where;
  What what = What::kLive;
  std::string glob;      ///< of the event's type, in any case; "" if there are `matches`
  ValueMatches matches;  ///< of the request
};

struct Mapping {
  Mark where;
  std::optional<ValuePath> each;  ///< a list: an event per item, whose paths start at the item
  ValueRules event_type;          ///< events.path
  std::vector<EventRule> events;  ///< tried in this order, which is that of the file
  bool skip_other_events = false;
  ValueRules call_id, agent_id, agent_name, status, stage, direction, from, to, started_at, ended_at, duration, summary,
      cost, recording_url, hangup_by, hangup_reason, hangup_code, voicemail, error, sentiment, success;
  std::vector<TurnsRule> transcript;
  std::vector<EntriesRule> data, meta;
  std::vector<ValuePath> dedup;              ///< empty: call id, event type, status
  std::vector<std::string> volatile_fields;  ///< no part of the content: "ended_at", "meta.queue", "meta"
  bool carry = false;                        ///< a final event takes what it lacks from earlier ones of its call
  std::string sample;                        ///< a file's path as seen from the working directory; "" for none
  Mark sample_where;
};

/// The rules of all fields that have one, and of the event's type.
std::array<const ValueRules*, 22> AllRules(const Mapping& mapping);

}  // namespace hookswitch::config
