#include "core/routing/predicate.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch::routing {
namespace {

using config::Condition;
using Kind = Condition::Kind;

struct Field {
  std::string_view name;
  bool (*present)(const CallEvent&);
};
// What `has` accepts, besides entries of data and meta.
constexpr std::array kFields = {
    Field{"agent", [](const CallEvent& e) { return !e.AgentLabel().empty(); }},
    Field{"call_id", [](const CallEvent& e) { return !e.call_id.empty(); }},
    Field{"cost", [](const CallEvent& e) { return e.cost.has_value(); }},
    Field{"direction", [](const CallEvent& e) { return e.direction.has_value(); }},
    Field{"duration", [](const CallEvent& e) { return e.duration.has_value(); }},
    Field{"ended_at", [](const CallEvent& e) { return e.ended_at.has_value(); }},
    Field{"error", [](const CallEvent& e) { return !e.error.empty(); }},
    Field{"from", [](const CallEvent& e) { return !e.from.empty(); }},
    Field{"hangup_by", [](const CallEvent& e) { return !e.hangup_by.empty(); }},
    Field{"hangup_code", [](const CallEvent& e) { return e.hangup_code.has_value(); }},
    Field{"hangup_reason", [](const CallEvent& e) { return !e.hangup_reason.empty(); }},
    Field{"recording_url", [](const CallEvent& e) { return !e.recording_url.empty(); }},
    Field{"sentiment", [](const CallEvent& e) { return !e.sentiment.empty(); }},
    Field{"stage", [](const CallEvent&) { return true; }},
    Field{"started_at", [](const CallEvent& e) { return e.started_at.has_value(); }},
    Field{"success", [](const CallEvent& e) { return e.success.has_value(); }},
    Field{"summary", [](const CallEvent& e) { return !e.summary.empty(); }},
    Field{"tags", [](const CallEvent& e) { return !e.agent_tags.empty(); }},
    Field{"to", [](const CallEvent& e) { return !e.to.empty(); }},
    Field{"transcript", [](const CallEvent& e) { return !e.transcript.empty(); }},
    Field{"voicemail", [](const CallEvent& e) { return e.voicemail.has_value(); }},
};
constexpr std::string_view kData = "data.", kMeta = "meta.";

const Field* FindField(std::string_view name) {
  const auto it = std::find_if(kFields.begin(), kFields.end(), [&](const Field& field) { return field.name == name; });
  return it == kFields.end() ? nullptr : &*it;
}

bool IsMapEntry(std::string_view field) {
  return (field.starts_with(kData) && field.size() > kData.size()) ||
         (field.starts_with(kMeta) && field.size() > kMeta.size());
}

void CheckField(const config::Pattern& pattern, config::Problems& problems) {
  if (FindField(pattern.text) || IsMapEntry(pattern.text)) return;
  std::vector<std::string> names;
  for (const Field& field : kFields) names.emplace_back(field.name);
  const std::string near = Nearest(pattern.text, names);
  problems.Error(pattern.where, static_cast<int>(pattern.text.size()),
                 "\"" + pattern.text + "\" is not a field of an event",
                 near.empty() ? "" : "did you mean \"" + near + "\"?");
}

int Cost(const Condition& condition) {
  switch (condition.kind) {
    case Kind::kTranscript: return 4;
    case Kind::kAll:
    case Kind::kAny:
    case Kind::kNot: {
      int most = 0;
      for (const Condition& child : condition.children) most = std::max(most, Cost(child));
      return most;
    }
    case Kind::kSummary:
    case Kind::kData:
    case Kind::kDataRange:
    case Kind::kDuring: return 3;
    case Kind::kSource:
    case Kind::kAgent:
    case Kind::kTags:
    case Kind::kFrom:
    case Kind::kTo:
    case Kind::kHangupBy:
    case Kind::kHangupReason:
    case Kind::kSentiment: return 2;
    case Kind::kDirection:
    case Kind::kMinDuration:
    case Kind::kMaxDuration:
    case Kind::kMinCost:
    case Kind::kMaxCost:
    case Kind::kVoicemail:
    case Kind::kSuccess:
    case Kind::kHas: return 1;
    case Kind::kStatus:
    case Kind::kStage: return 0;
  }
  return 0;
}

// A transcript matches if one turn does, so that ^ and $ apply to a turn, or if all turns joined do, for phrases that
// span turns.
bool MatchesTurns(const TextSet& texts, Subject& subject) {
  const auto& turns = subject.event().transcript;
  if (turns.empty()) return false;
  const auto matches = [&](const Turn& turn) { return texts.Matches(turn.text); };
  if (turns.size() == 1 || texts.Anchored()) {
    if (std::any_of(turns.begin(), turns.end(), matches)) return true;
  }
  return turns.size() > 1 && texts.MatchesWith(subject.OfTranscript(), subject.JoinedTranscript());
}

bool MatchesPresent(const TextSet& texts, const std::string& text) {
  return !text.empty() && texts.Matches(text);
}

}  // namespace

int Subject::MinuteOfWeek(const Schedule& schedule) {
  int unremembered = kUnknown;
  int& minute = schedule.zone < kZonesRemembered ? minute_in_zone_[schedule.zone] : unremembered;
  if (minute == kUnknown) {
    minute = schedules_.zone(schedule.zone).MinuteOfWeek(judged_at_.value_or(event_.OwnTime()));
  }
  return minute;
}

const std::string& Subject::JoinedTranscript() {
  if (joined_.empty()) {
    for (const Turn& turn : event_.transcript) {
      if (&turn != &event_.transcript.front()) joined_ += '\n';
      joined_ += turn.text;
    }
  }
  return joined_;
}

RegexSets::Answers& Subject::OfTranscript() {
  if (!of_transcript_) of_transcript_.emplace(transcript_regexes_, JoinedTranscript());
  return *of_transcript_;
}

Predicate::Predicate(const Condition& condition, const Schedules& schedules, RegexSets& transcript_regexes,
                     config::Problems& problems)
    : kind_(condition.kind),
      path_(condition.path),
      statuses_(condition.statuses),
      directions_(condition.directions),
      number_(condition.number),
      currency_(condition.currency),
      flag_(condition.flag),
      stages_(condition.stages),
      taken_stages_(condition.TakenStages()),
      least_(condition.least),
      most_(condition.most) {
  if (kind_ == Kind::kDuring) {
    for (const config::Pattern& pattern : condition.patterns) {
      const Schedule* schedule = schedules.Find(pattern.text);
      if (schedule) {
        schedules_.push_back(schedule);
        continue;
      }
      const std::string near = Nearest(pattern.text, schedules.Names());
      problems.Error(pattern.where, static_cast<int>(pattern.text.size()),
                     "schedule \"" + pattern.text + "\" is not defined",
                     near.empty() ? "" : "did you mean \"" + near + "\"?");
    }
  } else if (kind_ == Kind::kHas) {
    for (const config::Pattern& pattern : condition.patterns) {
      CheckField(pattern, problems);
      fields_.push_back(pattern.text);
    }
  } else {
    texts_ = TextSet(condition.patterns, problems, kind_ == Kind::kTranscript ? &transcript_regexes : nullptr);
  }
  std::vector<const Condition*> ordered;
  for (const Condition& child : condition.children) ordered.push_back(&child);
  std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) { return Cost(*a) < Cost(*b); });
  for (const Condition* child : ordered) children_.emplace_back(*child, schedules, transcript_regexes, problems);
}

bool Predicate::Matches(Subject& subject) const {
  const CallEvent& event = subject.event();
  const auto matches = [&](const Predicate& child) { return child.Matches(subject); };
  switch (kind_) {
    case Kind::kAll: return std::all_of(children_.begin(), children_.end(), matches);
    case Kind::kAny: return std::any_of(children_.begin(), children_.end(), matches);
    case Kind::kNot: return !std::all_of(children_.begin(), children_.end(), matches);
    case Kind::kSource: return texts_.Matches(event.source);
    case Kind::kAgent: return MatchesPresent(texts_, event.agent_id) || MatchesPresent(texts_, event.agent_name);
    case Kind::kTags:
      return std::any_of(event.agent_tags.begin(), event.agent_tags.end(),
                         [&](const auto& t) { return texts_.Matches(t); });
    case Kind::kFrom: return MatchesPresent(texts_, event.from);
    case Kind::kTo: return MatchesPresent(texts_, event.to);
    case Kind::kHangupBy: return MatchesPresent(texts_, event.hangup_by);
    case Kind::kHangupReason: return MatchesPresent(texts_, event.hangup_reason);
    case Kind::kTranscript: return MatchesTurns(texts_, subject);
    case Kind::kSummary: return MatchesPresent(texts_, event.summary);
    case Kind::kSentiment: return MatchesPresent(texts_, event.sentiment);
    case Kind::kData: {
      const auto it = event.data.find(path_);
      return it != event.data.end() && texts_.Matches(it->second.text);
    }
    case Kind::kDataRange: {
      const auto it = event.data.find(path_);
      const auto number = it == event.data.end() ? std::nullopt : NumberOf(it->second);
      return number && !(least_ && *number < *least_) && !(most_ && *number > *most_);
    }
    case Kind::kStatus: return (statuses_ & Bit(event.status)) != 0;
    case Kind::kStage: return (taken_stages_ & Bit(event.stage)) != 0;
    case Kind::kDirection:
      return event.direction &&
             std::find(directions_.begin(), directions_.end(), *event.direction) != directions_.end();
    case Kind::kMinDuration: return event.duration && *event.duration >= number_;
    case Kind::kMaxDuration: return event.duration && *event.duration <= number_;
    case Kind::kMinCost: return event.cost && event.cost->currency == currency_ && event.cost->amount >= number_;
    case Kind::kMaxCost: return event.cost && event.cost->currency == currency_ && event.cost->amount <= number_;
    case Kind::kVoicemail: return event.voicemail && *event.voicemail == flag_;
    case Kind::kSuccess: return event.success && *event.success == flag_;
    case Kind::kDuring:
      return std::any_of(schedules_.begin(), schedules_.end(),
                         [&](const Schedule* s) { return s->week.OpenAt(subject.MinuteOfWeek(*s)); });
    case Kind::kHas:
      return std::all_of(fields_.begin(), fields_.end(), [&](const auto& field) { return Has(event, field); });
  }
  return false;
}

bool Has(const CallEvent& event, std::string_view field) {
  if (field.starts_with(kData)) return event.data.contains(field.substr(kData.size()));
  if (field.starts_with(kMeta)) return event.meta.contains(field.substr(kMeta.size()));
  const Field* known = FindField(field);
  return known && known->present(event);
}

}  // namespace hookswitch::routing
