#include "core/config/mapping_reader.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "core/base/text.h"
#include "core/config/map_reader.h"
#include "core/config/mapping_rules.h"

namespace hookswitch::config {
namespace {

using Field = MappingRules::Field;
using Scope = MappingRules::Scope;

class MappingReader {
 public:
  MappingReader(const Node& map, std::string at, Problems& problems)
      : map_(map), at_(std::move(at)), problems_(problems), rules_(problems) {}

  Mapping Read() {
    Mapping mapping;
    mapping.where = map_.where;
    if (const Node* each = map_.Find("each")) mapping.each = rules_.Path(*each, Scope::kBody);
    if (const Node* events = map_.Find("events")) ReadEvents(*events, mapping);
    const Node none;
    const Node& agent = map_.Find("agent") ? *map_.Find("agent") : none;
    const Node& hangup = map_.Find("hangup") ? *map_.Find("hangup") : none;
    mapping.call_id = Rules("call_id", Field::kText);
    mapping.agent_id = rules_.Rules(agent.Find("id"), Field::kText, at_ + ".agent.id");
    mapping.agent_name = rules_.Rules(agent.Find("name"), Field::kText, at_ + ".agent.name");
    mapping.status = Rules("status", Field::kWord);
    mapping.stage = Rules("stage", Field::kWord);
    mapping.direction = Rules("direction", Field::kWord);
    mapping.from = Rules("from", Field::kText);
    mapping.to = Rules("to", Field::kText);
    mapping.started_at = Rules("started_at", Field::kTime);
    mapping.ended_at = Rules("ended_at", Field::kTime);
    mapping.duration = Rules("duration", Field::kDuration);
    mapping.summary = Rules("summary", Field::kText);
    mapping.cost = Rules("cost", Field::kCost);
    mapping.recording_url = Rules("recording_url", Field::kText);
    mapping.hangup_by = rules_.Rules(hangup.Find("by"), Field::kText, at_ + ".hangup.by");
    mapping.hangup_reason = rules_.Rules(hangup.Find("reason"), Field::kText, at_ + ".hangup.reason");
    mapping.hangup_code = rules_.Rules(hangup.Find("code"), Field::kText, at_ + ".hangup.code");
    mapping.voicemail = Rules("voicemail", Field::kWord);
    mapping.error = Rules("error", Field::kText);
    mapping.sentiment = Rules("sentiment", Field::kText);
    mapping.success = Rules("success", Field::kWord);
    for (const Node* turns : EachOf(map_.Find("transcript"))) ReadTurns(*turns, mapping.transcript);
    for (const Node* entries : EachOf(map_.Find("data"))) ReadEntries(*entries, at_ + ".data", mapping.data);
    for (const Node* entries : EachOf(map_.Find("meta"))) ReadEntries(*entries, at_ + ".meta", mapping.meta);
    mapping.dedup = rules_.Paths(map_.Find("dedup"), Scope::kRequest);
    ReadVolatile(mapping.volatile_fields);
    if (const Node* carry = map_.Find("carry")) mapping.carry = carry->scalar == "true";
    if (const Node* sample = map_.Find("sample"); sample && sample->kind == Node::Kind::kScalar) {
      mapping.sample = sample->scalar;
      mapping.sample_where = sample->where;
    }
    return mapping;
  }

 private:
  ValueRules Rules(const std::string& key, Field field) const {
    return rules_.Rules(map_.Find(key), field, at_ + '.' + key);
  }

  void ReadEvents(const Node& events, Mapping& mapping) {
    const std::string at = at_ + ".events";
    mapping.event_type = rules_.Rules(events.Find("path"), Field::kText, at + ".path");
    for (const Node::Entry& entry : events.map) {
      if (entry.key == "live") ReadEventList(entry, EventRule::What::kLive, at, mapping.events);
      if (entry.key == "ended") ReadEventList(entry, EventRule::What::kEnded, at, mapping.events);
      if (entry.key == "final") ReadEventList(entry, EventRule::What::kFinal, at, mapping.events);
      if (entry.key == "skip") ReadEventList(entry, EventRule::What::kSkip, at, mapping.events);
    }
    const Node* otherwise = events.Find("otherwise");
    if (!otherwise) return;
    mapping.skip_other_events = otherwise->scalar == "skip";
    const auto all = std::ranges::find_if(
        mapping.events, [](const auto& rule) { return rule.matches.empty() && Covers(rule.glob, "*"); });
    if (all != mapping.events.end()) {
      problems_.Warning(otherwise->where, Width(*otherwise), at + ": otherwise is never used",
                        "\"*\" in line " + std::to_string(all->where.line) + " matches any event");
    }
  }

  void ReadEventList(const Node::Entry& list, EventRule::What what, const std::string& events_at,
                     std::vector<EventRule>& events) {
    const std::string at = events_at + '.' + list.key;
    for (const Node* item : EachOf(&list.value)) {
      EventRule rule{item->where, what, "", {}};
      if (item->kind == Node::Kind::kMap) {
        rule.matches = rules_.Matches(item, Scope::kRequest);
        if (rule.matches.empty()) continue;
      } else if (item->kind == Node::Kind::kScalar && !item->scalar.empty()) {
        rule.glob = item->scalar;
        CheckHasType(*item, at);
      } else {
        continue;
      }
      const auto above = std::ranges::find_if(events, [&](const EventRule& known) {
        // A rule of values at paths may be narrower than its type.
        return known.matches.empty() && Covers(known.glob, rule.matches.empty() ? rule.glob : "*");
      });
      if (above != events.end()) {
        problems_.Warning(item->where, Width(*item), at + ": this is never used",
                          "\"" + above->glob + "\" in line " + std::to_string(above->where.line) + " matches it first");
      }
      events.push_back(std::move(rule));
    }
  }

  // Once: one path is enough for all of them.
  void CheckHasType(const Node& glob, const std::string& at) {
    const Node* events = map_.Find("events");
    if (said_no_type_ || events->Find("path") || HasFaultyKey(*events, problems_)) return;
    said_no_type_ = true;
    problems_.Error(glob.where, Width(glob), at + ": a type is compared with what is at events.path, which is missing",
                    "add path, or write a map such as {event: " + glob.scalar + "}");
  }

  void ReadTurns(const Node& node, std::vector<TurnsRule>& transcript) const {
    const std::string at = at_ + ".transcript";
    TurnsRule rule;
    rule.where = node.where;
    if (node.kind == Node::Kind::kMap) {
      rule.paths = rules_.Paths(node.Find("path"), Scope::kRequest);
      rule.role = rules_.Paths(node.Find("role"), Scope::kBody);
      rule.text = rules_.Paths(node.Find("text"), Scope::kBody);
      rule.roles = rules_.Table(node.Find("roles"), nullptr, at + ".roles");
      rule.only = rules_.Matches(node.Find("only"), Scope::kBody);
      rule.when = rules_.Matches(node.Find("when"), Scope::kRequest);
    } else if (auto path = rules_.Path(node, Scope::kRequest)) {
      rule.paths.push_back(std::move(*path));
    }
    if (!rule.paths.empty()) transcript.push_back(std::move(rule));
  }

  void ReadEntries(const Node& node, const std::string& at, std::vector<EntriesRule>& entries) const {
    EntriesRule rule;
    rule.where = node.where;
    const bool is_map = node.kind == Node::Kind::kMap;
    const Node* text = is_map ? node.Find("path") : &node;
    auto path = text ? rules_.Path(*text, Scope::kRequest) : std::nullopt;
    if (is_map) ReadEntriesMap(node, at, rule);
    if (!path) return;
    rule.path = std::move(*path);
    entries.push_back(std::move(rule));
  }

  void ReadEntriesMap(const Node& map, const std::string& at, EntriesRule& rule) const {
    const Node* key = map.Find("key");
    const Node* value = map.Find("value");
    if (key) rule.key = rules_.Path(*key, Scope::kBody);
    if (value) rule.value = rules_.Path(*value, Scope::kBody);
    if (key && !value && !HasFaultyKey(map, problems_)) {
      rules_.ErrorAt(map, "key", at + " needs \"value\" beside \"key\": where an item has its value");
    }
    const auto text = [&](std::string_view name) {
      const Node* node = map.Find(name);
      return node ? node->scalar : std::string();
    };
    rule.name = text("name");
    rule.prefix = text("prefix");
    if (!rule.prefix.empty() && !rule.prefix.ends_with('.')) rule.prefix += '.';
    if (map.Find("name") && map.Find("prefix")) rules_.ErrorAt(map, "prefix", at + " has a name or a prefix, not both");
    for (const Node* glob : EachOf(map.Find("skip"))) {
      if (glob->kind == Node::Kind::kScalar) rule.skip.push_back(glob->scalar);
    }
    rule.when = rules_.Matches(map.Find("when"), Scope::kRequest);
  }

  void ReadVolatile(std::vector<std::string>& fields) const {
    static const std::vector<std::string> kFields = {
        "agent",      "agent.id",      "status",      "raw_status", "stage",   "direction", "from",          "to",
        "started_at", "ended_at",      "duration",    "transcript", "summary", "cost",      "recording_url", "hangup",
        "hangup.by",  "hangup.reason", "hangup.code", "voicemail",  "error",   "sentiment", "success",       "data",
        "meta"};
    for (const Node* field : EachOf(map_.Find("volatile"))) {
      if (field->kind != Node::Kind::kScalar || problems_.HasErrorAt(field->where)) continue;
      const std::string& name = field->scalar;
      const bool known = std::ranges::find(kFields, name) != kFields.end() ||
                         ((name.starts_with("data.") || name.starts_with("meta.")) && name.size() > 5);
      if (known) {
        fields.push_back(name);
      } else {
        const std::string near = Nearest(name, kFields);
        problems_.Error(field->where, Width(*field),
                        at_ + ".volatile[]: expected a field such as ended_at or meta.queue, found \"" + name + '"',
                        near.empty() ? "" : "did you mean \"" + near + "\"?");
      }
    }
  }

  const Node& map_;
  const std::string at_;
  Problems& problems_;
  const MappingRules rules_;
  bool said_no_type_ = false;
};

}  // namespace

Mapping ReadMapping(const Node& map, const std::string& at, Problems& problems) {
  return MappingReader(map, at, problems).Read();
}

std::array<const ValueRules*, 22> AllRules(const Mapping& mapping) {
  // A new field does not compile here until somebody decides.
  const auto& [where, each, event_type, events, skip_other_events, call_id, agent_id, agent_name, status, stage,
               direction, from, to, started_at, ended_at, duration, summary, cost, recording_url, hangup_by,
               hangup_reason, hangup_code, voicemail, error, sentiment, success, transcript, data, meta, dedup,
               volatile_fields, carry, sample, sample_where] = mapping;
  return {&event_type,    &call_id,   &agent_id,      &agent_name,  &status,    &stage,   &direction,
          &from,          &to,        &started_at,    &ended_at,    &duration,  &summary, &cost,
          &recording_url, &hangup_by, &hangup_reason, &hangup_code, &voicemail, &error,   &sentiment,
          &success};
}

}  // namespace hookswitch::config
