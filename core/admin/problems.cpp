#include "core/admin/problems.h"

#include <algorithm>
#include <functional>

#include "core/admin/answers.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

using LaneState = LaneStatus::State;

constexpr auto kWarning = StatusProblem::Severity::kWarning;
constexpr std::chrono::seconds kSearchDeadEvery{10};

/// "; 14 wait", or "".
std::string Waiting(std::uint64_t count) {
  if (count == 0) return {};
  return "; " + std::to_string(count) + (count == 1 ? " waits" : " wait");
}

std::string Because(const std::string& reason) {
  return reason.empty() ? std::string() : ": " + reason;
}

/// What is wrong with the sink as a whole; empty if nothing is that needs a person.
std::optional<StatusProblem> ProblemOf(const LaneStatus& lane) {
  StatusProblem problem{.kind = "sink", .name = lane.sink, .since = lane.since};
  const std::string what = Because(lane.because) + Waiting(lane.pending);
  switch (lane.state) {
    case LaneState::kOpen:
    case LaneState::kThrottled: return {};
    case LaneState::kMisconfigured:
      problem.until = lane.until;
      problem.text = lane.sink + " is misconfigured" + what;
      problem.hint = "correct its URL, credential or channel in the config and reload: what waits goes out";
      break;
    case LaneState::kFailing:
      problem.until = lane.until;
      problem.text = lane.sink + " is failing" + what;
      problem.hint = "it is tried again by itself";
      break;
    case LaneState::kProbing:
      problem.text = lane.sink + " is being tried again" + what;
      problem.hint = "the outcome of this try decides";
      break;
    case LaneState::kUnavailable:
      problem.text = lane.sink + " is unavailable" + what;
      problem.hint = "correct its plugin or its config and reload; until then its deliveries wait";
      break;
    case LaneState::kRemoved:
      problem.text = std::to_string(lane.pending) + (lane.pending == 1 ? " delivery waits" : " deliveries wait") +
                     " for " + lane.sink + ", which the config does not have";
      problem.hint =
          "put the sink back and reload, or purge them: `hookswitch deliveries purge --sink " + lane.sink + '`';
      break;
    case LaneState::kPaused:
      problem.severity = kWarning;
      problem.until = lane.until;
      problem.text = lane.sink + " is " + lane.because + Waiting(lane.pending);
      problem.hint = "`hookswitch sinks resume " + lane.sink + "` ends the pause";
      break;
  }
  return problem;
}

void AddJournal(const JournalStats& journal, std::vector<StatusProblem>& problems) {
  if (!journal.unwritable_reason.empty()) {
    problems.push_back(
        {.kind = "journal",
         .text = "nothing can be stored" + Because(journal.unwritable_reason),
         .hint = "senders get 503 and send again; it is tried again by itself, often it needs disk space"});
  }
  for (const std::string& sink : journal.full) {
    problems.push_back({.kind = "sink",
                        .name = sink,
                        .text = "as many deliveries wait for " + sink +
                                " as journal.max_backlog allows: senders of events for it get 503",
                        .hint = "it goes on by itself once some have ended"});
  }
  if (journal.bad_rows != 0) {
    problems.push_back({.severity = kWarning,
                        .kind = "journal",
                        .text = "the journal has " + std::to_string(journal.bad_rows) + " damaged rows",
                        .hint = "`hookswitch journal verify` names them"});
  }
}

void AddConfig(const RouterStatus& status, const LastReload* reload, std::vector<StatusProblem>& problems) {
  if (reload && !reload->report.applied) {
    const auto& all = reload->report.problems;
    const auto is_error = [](const config::Problem& one) { return one.severity == config::Problem::Severity::kError; };
    const auto first = std::ranges::find_if(all, is_error);
    const auto more = std::ranges::count_if(all, is_error) - 1;
    StatusProblem problem{.kind = "config", .since = reload->at, .text = "the last reload failed"};
    if (first != all.end()) {
      problem.text += ": " + config::ToText(first->where) + ": " + first->message;
      problem.hint = first->hint;
    }
    if (more > 0) problem.text += " (and " + std::to_string(more) + " more)";
    if (problem.hint.empty()) {
      problem.hint = "correct it and reload; generation " + std::to_string(status.generation) + " stays in use";
    }
    problems.push_back(std::move(problem));
  }
  if (!status.need_restart.empty()) {
    problems.push_back({.severity = kWarning,
                        .kind = "config",
                        .since = status.applied_at,
                        .text = "a restart is needed to apply " + Joined(status.need_restart),
                        .hint = "these keys are read at the start only"});
  }
}

}  // namespace

json::object ToObject(const StatusProblem& problem) {
  return {{"severity", problem.severity == kWarning ? "warning" : "error"},
          {"kind", problem.kind},
          {"name", OrNull(problem.name)},
          {"since", OrNull(problem.since)},
          {"until", OrNull(problem.until)},
          {"text", problem.text},
          {"hint", problem.hint}};
}

std::vector<StatusProblem> ProblemFinder::Find(const RouterStatus& status) {
  std::vector<StatusProblem> problems;
  AddJournal(status.journal, problems);
  for (const Part& part : router_.Parts()) {
    if (!part.failing || (part.name != "descriptors" && part.name != "ingress")) continue;
    problems.push_back({.kind = "router",
                        .text = part.note,
                        .hint = "senders may not get through: see \"Sizing\" in config/OPERATING.md"});
  }
  std::vector<LaneStatus> lanes = router_.Lanes();
  std::ranges::stable_sort(lanes, std::greater(), &LaneStatus::pending);
  for (const LaneStatus& lane : lanes) {
    if (auto problem = ProblemOf(lane)) problems.push_back(std::move(*problem));
    for (const LaneStatus::Place& place : lane.places) {
      problems.push_back(
          {.severity = kWarning,
           .kind = "sink",
           .name = lane.sink,
           .until = place.next_try,
           .text = lane.sink + " is refused at " + place.name + Because(place.because) + Waiting(place.waiting),
           .hint = "correct the place, or what the config says of it; the sink delivers to others"});
    }
  }
  if (const auto dead = NewestDead()) {
    problems.push_back({.kind = "sink",
                        .name = dead->sink,
                        .text = "there are dead deliveries, the newest for " + dead->sink +
                                Because(dead->reason.empty() ? dead->code : dead->reason),
                        .hint = "`hookswitch deliveries --state dead` lists them; replay them once the cause is gone"});
  }
  AddConfig(status, router_.LastReload().get(), problems);
  std::ranges::stable_sort(problems, {}, &StatusProblem::severity);
  return problems;
}

std::optional<DeliverySummary> ProblemFinder::NewestDead() {
  const MonoTime now = clock_.Mono();
  MutexLock lock(mu_);
  if (newest_dead_ != 0 && now - searched_ < kSearchDeadEvery) {
    auto known = history_.FindDelivery(newest_dead_);
    if (known && known->state == DeliveryState::kDead) return *known;
  }
  DeliveryFilter filter;
  filter.states = {DeliveryState::kDead};
  auto page = history_.ListDeliveries(filter, 0, 1);
  searched_ = now;
  newest_dead_ = 0;
  if (!page || page->items.empty()) return {};
  newest_dead_ = page->items.front().seq;
  return page->items.front();
}

}  // namespace hookswitch
