#include "core/admin/indexed_event.h"

#include <algorithm>

#include "core/admin/event_text.h"
#include "core/journal/search_filter.h"

namespace hookswitch {
namespace {

/// The rules that matched, as the index counts them.
std::vector<IndexedMatch> MatchesOf(const Explanation& explanation) {
  std::vector<IndexedMatch> matches;
  for (const RuleVerdict& rule : explanation.rules) {
    if (rule.result != RuleVerdict::Result::kMatched) continue;
    IndexedMatch& match = matches.emplace_back(IndexedMatch{rule.rule, ""});
    if (!rule.sinks.empty() || rule.merged.empty()) continue;
    const auto taken = std::ranges::find(explanation.routes, rule.merged.back(), &Route::sink);
    if (taken != explanation.routes.end()) match.taken_by = taken->rule;
  }
  if (explanation.unmatched) matches.push_back({"unmatched", ""});
  return matches;
}

void AddCall(IndexedEvent& event, const CallEvent& call, WordSplitter& splitter) {
  if (call.direction) event.direction = ToString(*call.direction);
  event.duration = call.duration;
  if (call.cost) event.cost = call.cost->amount;
  const auto mark = [&](std::string_view name, std::string_view value) {
    if (std::string text = MarkOf(splitter, name, value); !text.empty()) event.marks.push_back(std::move(text));
  };
  mark("from", call.from);
  mark("to", call.to);
  for (const auto& [path, value] : call.data) {
    mark("data." + path, value.text);
    event.paths.push_back(path);
  }
}

}  // namespace

EventReading ReadForSearch(Router& router, const StoredEvent& stored) {
  PastReading then = router.ReadAsAccepted(stored);
  return then.config ? std::move(then.reading) : router.Read(stored);
}

IndexedEvent MakeIndexed(const EventSummary& summary) {
  IndexedEvent event;
  event.seq = summary.seq;
  event.received_at = summary.received_at;
  event.source = summary.source;
  event.call_id = summary.call_id;
  event.agent = summary.agent;
  event.status = summary.status;
  event.revisions = summary.revisions;
  if (summary.status.empty()) event.flags |= kSkipped;
  event.text = summary.agent + kTextGap;
  return event;
}

std::vector<IndexedDelivery> IndexedOf(const std::vector<DeliverySummary>& deliveries) {
  std::vector<IndexedDelivery> all;
  for (const auto& one : deliveries) all.push_back({one.sink, one.rule, one.state, one.was_replayed});
  return all;
}

void AddReading(IndexedEvent& event, const EventReading& reading, WordSplitter& splitter) {
  if (!reading.call) return;
  AddCall(event, *reading.call, splitter);
  event.matches = MatchesOf(reading.explanation);
  if (reading.explanation.unmatched) event.flags |= kUnmatched;
}

}  // namespace hookswitch
