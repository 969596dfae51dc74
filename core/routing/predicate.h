#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/event/call_event.h"
#include "core/routing/regex_sets.h"
#include "core/routing/schedule.h"
#include "core/routing/text_set.h"

namespace hookswitch::routing {

/// One event and what is worth computing once for all rules that look at it. Borrows the event. One thread.
class Subject {
 public:
  /// `judged_at`: what schedules are asked about; empty: the event's own time.
  Subject(const CallEvent& event, const Schedules& schedules, const RegexSets& transcript_regexes,
          std::optional<WallTime> judged_at = {})
      : event_(event), schedules_(schedules), transcript_regexes_(transcript_regexes), judged_at_(judged_at) {
    minute_in_zone_.fill(kUnknown);
  }
  const CallEvent& event() const { return event_; }
  /// What the clocks of the schedule's zone showed at `judged_at`, or at the event's own time (CallEvent::OwnTime).
  int MinuteOfWeek(const Schedule& schedule);
  const std::string& ZoneName(const Schedule& schedule) const { return schedules_.zone(schedule.zone).name(); }
  /// The texts of all turns, one under the other, without roles.
  const std::string& JoinedTranscript();
  /// What the rules' regexes for transcripts say of it.
  RegexSets::Answers& OfTranscript();

 private:
  static constexpr int kUnknown = -1;
  static constexpr std::size_t kZonesRemembered = 8;
  const CallEvent& event_;
  const Schedules& schedules_;
  const RegexSets& transcript_regexes_;
  const std::optional<WallTime> judged_at_;
  std::array<int, kZonesRemembered> minute_in_zone_{};
  std::string joined_;
  std::optional<RegexSets::Answers> of_transcript_;
};

/// A condition, compiled. Immutable; safe from any thread. Matching allocates nothing per rule.
class Predicate {
 public:
  /// Bad regexes, unknown schedules and unknown fields of `has` go to `problems`. Borrows from `schedules`. Adds its
  /// regexes for transcripts to `transcript_regexes`, which a Subject has compiled.
  Predicate(const config::Condition& condition, const Schedules& schedules, RegexSets& transcript_regexes,
            config::Problems& problems);

  bool Matches(Subject& subject) const;
  /// Why Matches is true or false, for people: `status is "ringing", wanted completed or failed`. Of a false `all`, the
  /// first condition that fails. Never quotes a phone number, a transcript or a summary.
  std::string Why(Subject& subject) const;

 private:
  using Kind = config::Condition::Kind;
  std::string WhyTrue(Subject& subject) const;
  /// `differs` joins what is with what was asked for: ", wanted ", or ", not " under a negation.
  std::string WhyFalse(Subject& subject, std::string_view differs) const;

  Kind kind_;
  std::vector<Predicate> children_;  // cheapest first
  TextSet texts_;
  std::vector<const Schedule*> schedules_;
  std::vector<std::string> fields_;
  std::string path_;
  StatusSet statuses_ = 0;
  std::vector<Direction> directions_;
  double number_ = 0;
  std::string currency_;
  bool flag_ = false;
};

/// True if the event holds `field`, a name as `has` takes it ("transcript", "data.Outcome"); false for unknown names.
bool Has(const CallEvent& event, std::string_view field);

}  // namespace hookswitch::routing
