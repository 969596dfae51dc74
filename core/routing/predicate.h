#pragma once
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/config/config.h"
#include "core/config/problem.h"
#include "core/event/call_event.h"
#include "core/routing/regex_sets.h"
#include "core/routing/schedule.h"
#include "core/routing/text_set.h"

namespace hookswitch::routing {

/// An event, with what is computed once for all rules. Borrows its arguments. Not thread-safe.
class Subject {
 public:
  /// `judged_at`: the time for schedules; empty: the event's own time.
  Subject(const CallEvent& event, const Schedules& schedules, const RegexSets& transcript_regexes,
          std::optional<WallTime> judged_at = {})
      : event_(event), schedules_(schedules), transcript_regexes_(transcript_regexes), judged_at_(judged_at) {
    minute_in_zone_.fill(kUnknown);
  }
  const CallEvent& event() const { return event_; }
  /// Minute of the week in the schedule's zone at `judged_at`, or at the event's own time (CallEvent::OwnTime).
  int MinuteOfWeek(const Schedule& schedule);
  const std::string& ZoneName(const Schedule& schedule) const { return schedules_.zone(schedule.zone).name(); }
  /// The texts of all turns without roles, joined by line breaks.
  const std::string& JoinedTranscript();
  /// Results of the rules' transcript regexes for JoinedTranscript.
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

/// A compiled condition. Immutable; matching allocates nothing per rule. [thread: any]
class Predicate {
 public:
  /// Invalid regexes, unknown schedules and unknown fields of `has` go to `problems`. Borrows from `schedules`. Adds
  /// its transcript regexes to `transcript_regexes`; compile these before a Subject uses them.
  Predicate(const config::Condition& condition, const Schedules& schedules, RegexSets& transcript_regexes,
            config::Problems& problems);

  bool Matches(Subject& subject) const;
  /// Why Matches is true or false, for people: `status is "ringing", wanted completed or failed`. For a false `all`,
  /// the first condition that fails. Never quotes a phone number, a transcript or a summary.
  std::string Why(Subject& subject) const;
  /// Why for each condition of an `all`, cheapest first (so the first that fails is the one that Why names), and
  /// whether it holds; for any other predicate itself.
  std::vector<std::pair<std::string, bool>> Parts(Subject& subject) const;

 private:
  using Kind = config::Condition::Kind;
  std::string WhyTrue(Subject& subject) const;
  /// `differs` joins the actual value and the wanted one: ", wanted ", or ", not " under a negation.
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
  StageSet stages_ = 0;        // as written
  StageSet taken_stages_ = 0;  // and what `settle` takes besides
  std::optional<double> least_, most_;
};

/// True if the event holds `field`, a name as `has` takes it ("transcript", "data.Outcome"); false for unknown names.
bool Has(const CallEvent& event, std::string_view field);

}  // namespace hookswitch::routing
