#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/routing/predicate.h"

namespace hookswitch::routing {
namespace {

std::string Quoted(std::string_view text) {
  constexpr std::size_t kLongestShown = 60;
  const std::string_view shown = CutCodePoints(text, kLongestShown);
  std::string quoted = "\"";
  for (const char c : shown) quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return quoted + (shown.size() < text.size() ? "…\"" : "\"");
}

std::string JoinedBy(std::string_view separator, const std::vector<std::string>& parts) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

std::string Number(const char* format, double number) {
  char text[64];
  std::snprintf(text, sizeof text, format, number);
  return text;
}

// "12.0s", "27.25s": as precise as limits, which are in milliseconds.
std::string Seconds(double seconds) {
  std::string text = Number("%.3f", seconds);
  while (text.ends_with('0') && text[text.size() - 2] != '.') text.pop_back();
  return text + "s";
}

std::string Plain(double number) {
  return ToText(json::value(number));
}

std::string Bound(double seconds) {
  constexpr double kLongest = 3650.0 * 86400;
  if (!(seconds >= 0 && seconds <= kLongest)) return Seconds(seconds);
  return FormatDuration(std::chrono::milliseconds(std::llround(seconds * 1000)));
}

std::string Amount(double amount, const std::string& currency) {
  const bool cents = std::abs(amount * 100 - std::round(amount * 100)) < 1e-6;
  return Number(cents ? "%.2f" : "%.4f", amount) + " " + currency;
}

std::string Statuses(StatusSet set) {
  std::vector<std::string> names;
  for (const std::string& name : StatusNames()) {
    if (const auto group = ParseStatusGroup(name); group && *group == set)
      return name == "any" ? "any status" : "one of " + name;
    if (const auto status = ParseStatus(name); status && (set & Bit(*status))) names.push_back(name);
  }
  return names.empty() ? "no status at all" : AnyOf(names);
}

std::string Stages(StageSet set) {
  std::vector<std::string> names;
  for (const Stage stage : {Stage::kLive, Stage::kEnded, Stage::kFinal}) {
    if ((set & Bit(stage)) != 0) names.emplace_back(ToString(stage));
  }
  return names.empty() ? "no stage at all" : AnyOf(names);
}

std::string AgentText(const CallEvent& event) {
  if (event.agent_name.empty() || event.agent_id.empty() || event.agent_name == event.agent_id)
    return Quoted(event.AgentLabel());
  return Quoted(event.agent_name) + " (id " + Quoted(event.agent_id) + ")";
}

std::string DirectionText(const std::vector<Direction>& directions) {
  std::vector<std::string> names;
  for (const Direction direction : directions) names.emplace_back(ToString(direction));
  return AnyOf(names);
}

// Suggestions for a path: paths of this event with the same last name or a similar spelling; else what paths there are.
std::string PathsNear(const std::string& path, const DataMap& data) {
  constexpr std::size_t kMostShown = 6;
  const auto last = [](std::string_view text) { return text.substr(text.rfind('.') + 1); };
  std::vector<std::string> all, near;
  for (const auto& [key, value] : data) {
    all.push_back(key);
    if (EqualsIgnoreCase(last(key), last(path))) near.push_back(key);
  }
  if (const std::string one = Nearest(path, all); near.empty() && !one.empty()) near.push_back(one);
  const auto& shown = near.empty() ? all : near;
  std::string text;
  for (std::size_t i = 0; i < std::min(shown.size(), kMostShown); ++i) {
    text += (i == 0 ? (near.empty() ? "; there is data." : "; near it is data.") : ", data.") + shown[i];
  }
  if (shown.size() > kMostShown) text += " and " + std::to_string(shown.size() - kMostShown) + " more";
  return text;
}

}  // namespace

std::string Predicate::Why(Subject& subject) const {
  return Matches(subject) ? WhyTrue(subject) : WhyFalse(subject, ", wanted ");
}

std::vector<std::pair<std::string, bool>> Predicate::Parts(Subject& subject) const {
  if (kind_ != Kind::kAll) return {{Why(subject), Matches(subject)}};
  std::vector<std::pair<std::string, bool>> parts;
  for (const Predicate& child : children_) parts.emplace_back(child.Why(subject), child.Matches(subject));
  return parts;
}

std::string Predicate::WhyTrue(Subject& subject) const {
  const CallEvent& event = subject.event();
  switch (kind_) {
    case Kind::kAll: {
      std::vector<std::string> parts;
      for (const Predicate& child : children_) parts.push_back(child.WhyTrue(subject));
      return parts.empty() ? "it asks for nothing" : JoinedBy("; ", parts);
    }
    case Kind::kAny:
      for (const Predicate& child : children_) {
        if (child.Matches(subject)) return child.WhyTrue(subject);
      }
      return {};
    case Kind::kNot:
      for (const Predicate& child : children_) {
        if (!child.Matches(subject)) return child.WhyFalse(subject, ", not ");
      }
      return {};
    case Kind::kSource: return "source is " + Quoted(event.source);
    case Kind::kAgent: return "agent is " + AgentText(event);
    case Kind::kTags: return "tags are " + JoinedBy(", ", event.agent_tags);
    case Kind::kFrom: return "from matches";
    case Kind::kTo: return "to matches";
    case Kind::kHangupBy: return "hangup_by is " + Quoted(event.hangup_by);
    case Kind::kHangupReason: return "hangup_reason is " + Quoted(event.hangup_reason);
    case Kind::kTranscript: return "transcript matches";
    case Kind::kSummary: return "summary matches";
    case Kind::kData: return "data." + path_ + " is " + Quoted(event.data.find(path_)->second.text);
    case Kind::kSentiment: return "sentiment is " + Quoted(event.sentiment);
    case Kind::kDataRange: {
      std::string text = "data." + path_ + " " + event.data.find(path_)->second.text + " is at ";
      if (least_) text += "least " + Plain(*least_);
      return text + (least_ && most_ ? " and at " : "") + (most_ ? "most " + Plain(*most_) : "");
    }
    case Kind::kStatus: return "status is " + Quoted(ToString(event.status));
    case Kind::kStage:
      return "stage is " + Quoted(ToString(event.stage)) +
             ((stages_ & Bit(event.stage)) != 0 ? "" : ", held by settle until it is " + Stages(stages_));
    case Kind::kDirection: return "direction is " + Quoted(ToString(*event.direction));
    case Kind::kMinDuration: return "duration " + Seconds(*event.duration) + " is at least " + Bound(number_);
    case Kind::kMaxDuration: return "duration " + Seconds(*event.duration) + " is at most " + Bound(number_);
    case Kind::kMinCost:
      return "cost " + Amount(event.cost->amount, event.cost->currency) + " is at least " + Amount(number_, currency_);
    case Kind::kMaxCost:
      return "cost " + Amount(event.cost->amount, event.cost->currency) + " is at most " + Amount(number_, currency_);
    case Kind::kVoicemail: return flag_ ? "voicemail is yes" : "voicemail is no";
    case Kind::kSuccess: return flag_ ? "success is yes" : "success is no";
    case Kind::kDuring:
      for (const Schedule* schedule : schedules_) {
        const int minute = subject.MinuteOfWeek(*schedule);
        if (schedule->week.OpenAt(minute)) {
          return MinuteOfWeekText(minute) + " (" + subject.ZoneName(*schedule) + ") is within " + schedule->name;
        }
      }
      return {};
    case Kind::kHas: return "has " + JoinedBy(", ", fields_);
  }
  return {};
}

std::string Predicate::WhyFalse(Subject& subject, std::string_view differs) const {
  const CallEvent& event = subject.event();
  const auto wanted = [&] { return std::string(differs) + texts_.description(); };
  const auto quoted = [&](std::string_view name, const std::string& value) {
    if (value.empty()) return std::string(name) + " is absent";
    return std::string(name) + " is " + Quoted(value) + wanted();
  };
  const auto unquoted = [](std::string_view name, bool absent) {
    return std::string(name) + (absent ? " is absent" : " does not match");
  };
  switch (kind_) {
    case Kind::kAll:
      for (const Predicate& child : children_) {
        if (!child.Matches(subject)) return child.WhyFalse(subject, differs);
      }
      return {};
    case Kind::kAny: {
      std::vector<std::string> parts;
      for (const Predicate& child : children_) parts.push_back(child.WhyFalse(subject, differs));
      return parts.empty() ? "any: lists nothing" : JoinedBy("; and ", parts);
    }
    case Kind::kNot: {
      std::vector<std::string> parts;
      for (const Predicate& child : children_) parts.push_back(child.WhyTrue(subject));
      return parts.empty() ? "not: lists nothing" : JoinedBy("; ", parts) + ", which `not` rules out";
    }
    case Kind::kSource: return quoted("source", event.source);
    case Kind::kAgent:
      return event.AgentLabel().empty() ? "agent is absent" : "agent is " + AgentText(event) + wanted();
    case Kind::kTags:
      if (event.agent_tags.empty()) return "tags are absent";
      return "tags are " + JoinedBy(", ", event.agent_tags) + wanted();
    case Kind::kFrom: return unquoted("from", event.from.empty());
    case Kind::kTo: return unquoted("to", event.to.empty());
    case Kind::kHangupBy: return quoted("hangup_by", event.hangup_by);
    case Kind::kHangupReason: return quoted("hangup_reason", event.hangup_reason);
    case Kind::kTranscript: return unquoted("transcript", event.transcript.empty());
    case Kind::kSummary: return unquoted("summary", event.summary.empty());
    case Kind::kSentiment: return quoted("sentiment", event.sentiment);
    case Kind::kDataRange: {
      const auto it = event.data.find(path_);
      if (it == event.data.end()) return "data." + path_ + " is absent" + PathsNear(path_, event.data);
      const auto number = NumberOf(it->second);
      if (!number) return "data." + path_ + " is " + Quoted(it->second.text) + ", which is not a number";
      const bool under = least_ && *number < *least_;
      return "data." + path_ + " " + it->second.text + (under ? " is under " : " is over ") +
             Plain(under ? *least_ : *most_);
    }
    case Kind::kData: {
      const auto it = event.data.find(path_);
      if (it == event.data.end()) return "data." + path_ + " is absent" + PathsNear(path_, event.data);
      return "data." + path_ + " is " + Quoted(it->second.text) + wanted();
    }
    case Kind::kStatus:
      return "status is " + Quoted(ToString(event.status)) + std::string(differs) + Statuses(statuses_);
    case Kind::kStage: return "stage is " + Quoted(ToString(event.stage)) + std::string(differs) + Stages(stages_);
    case Kind::kDirection:
      if (!event.direction) return "direction is absent";
      return "direction is " + Quoted(ToString(*event.direction)) + std::string(differs) + DirectionText(directions_);
    case Kind::kMinDuration:
      if (!event.duration) return "duration is absent";
      return "duration " + Seconds(*event.duration) + " is under " + Bound(number_);
    case Kind::kMaxDuration:
      if (!event.duration) return "duration is absent";
      return "duration " + Seconds(*event.duration) + " is over " + Bound(number_);
    case Kind::kMinCost:
    case Kind::kMaxCost:
      if (!event.cost) return "cost is absent";
      if (event.cost->currency != currency_)
        return "cost is in " + event.cost->currency + std::string(differs) + currency_;
      return "cost " + Amount(event.cost->amount, event.cost->currency) +
             (kind_ == Kind::kMinCost ? " is under " : " is over ") + Amount(number_, currency_);
    case Kind::kVoicemail:
      if (!event.voicemail) return "voicemail is absent";
      return (flag_ ? "voicemail is no" : "voicemail is yes") + std::string(differs) + (flag_ ? "yes" : "no");
    case Kind::kSuccess:
      if (!event.success) return "success is absent";
      return (flag_ ? "success is no" : "success is yes") + std::string(differs) + (flag_ ? "yes" : "no");
    case Kind::kDuring: {
      std::vector<std::string> parts;
      for (const Schedule* schedule : schedules_) {
        parts.push_back(MinuteOfWeekText(subject.MinuteOfWeek(*schedule)) + " (" + subject.ZoneName(*schedule) +
                        ") is outside " + schedule->name);
      }
      return JoinedBy("; ", parts);
    }
    case Kind::kHas:
      for (const std::string& field : fields_) {
        if (!Has(event, field)) return field + " is absent";
      }
      return {};
  }
  return {};
}

}  // namespace hookswitch::routing
