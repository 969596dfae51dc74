#include "core/admin/event_match.h"

#include <algorithm>

#include "core/admin/event_text.h"
#include "core/admin/indexed_event.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

template <class T>
std::optional<Error> Unavailable(const Result<T>& result) {
  if (result || result.error().code != ErrorCode::kUnavailable) return {};
  return result.error();
}

bool IsOneOf(const std::vector<std::string>& globs, const std::string& name) {
  return std::ranges::any_of(globs, [&](const auto& glob) { return GlobMatch(glob, name); });
}

/// Whether the delivery fits one condition, whatever `negated` says.
bool FitsOne(const SearchFilter::Deliveries& wanted, const DeliverySummary& delivery, const Holds& holds) {
  if (!wanted.sinks.empty()) return IsOneOf(wanted.sinks, delivery.sink);
  if (!wanted.rules.empty()) return IsOneOf(wanted.rules, delivery.rule);
  return Holds::Fits(wanted.states, delivery, holds.Of(delivery));
}

/// The value of a field that is searched by its name; nullptr if the call has none.
const std::string* FieldOf(const CallEvent& call, WordSplitter& splitter, const std::string& name) {
  if (name == "from" || name == "to") {
    const std::string& number = name == "from" ? call.from : call.to;
    return number.empty() ? nullptr : &number;
  }
  const auto wanted = splitter.Split(name);
  for (const auto& [path, value] : call.data) {
    if (splitter.Split("data." + path) == wanted) return &value.text;
  }
  return nullptr;
}

}  // namespace

Result<const std::vector<DeliverySummary>*> EventFacts::Deliveries() {
  if (!deliveries_) {
    auto found = history_.DeliveriesOf(summary_.seq);
    if (auto failed = Unavailable(found)) return *failed;
    deliveries_ = found ? std::move(*found) : std::vector<DeliverySummary>();
  }
  return &*deliveries_;
}

Status EventFacts::Load() {
  if (stored_) return Ok();
  auto stored = journal_.Load(summary_.seq);
  if (auto failed = Unavailable(stored)) return *failed;
  stored_ = stored ? std::move(*stored) : StoredEvent{};
  return Ok();
}

Result<const std::string*> EventFacts::Body() {
  HSW_TRY(Load());
  return &stored_->body;
}

Result<const EventReading*> EventFacts::Reading() {
  HSW_TRY(Load());
  if (!reading_) reading_ = stored_->seq != 0 ? ReadForSearch(router_, *stored_) : EventReading{};
  return &*reading_;
}

Result<const std::vector<std::string>*> EventFacts::Words(WordSplitter& splitter) {
  if (!words_) {
    HSW_TRY(Load());
    std::string texts = summary_.agent + kTextGap;
    AppendTexts(texts, stored_->body);
    if (summary_.revisions != 0) {
      const auto revisions = history_.RevisionsOf(summary_.seq);
      if (auto failed = Unavailable(revisions)) return *failed;
      if (revisions) {
        for (const Revision& revision : *revisions) AppendTexts(texts, revision.body);
      }
    }
    words_ = WordsOf(splitter, texts);
  }
  return &*words_;
}

Result<bool> EventMatcher::Fits(EventFacts& facts, bool indexed) {
  if (!FitsSummary(facts.summary())) return false;
  if (!filter_.deliveries.empty()) {
    const auto deliveries = facts.Deliveries();
    if (!deliveries) return deliveries.error();
    if (!FitsDeliveries(**deliveries)) return false;
  }
  if (!filter_.raw.empty()) {
    const auto body = facts.Body();
    if (!body) return body.error();
    if ((*body)->find(filter_.raw) == std::string::npos) return false;
  }
  const bool wants_direction = std::ranges::any_of(
      filter_.names, [](const auto& names) { return names.of == SearchFilter::Names::Of::kDirection; });
  if (!filter_.fields.empty() || (!indexed && (wants_direction || !filter_.ranges.empty()))) {
    const auto reading = facts.Reading();
    if (!reading) return reading.error();
    const CallEvent* call = (*reading)->call.get();
    if (!FitsCall(call) || !FitsFields(call)) return false;
  }
  if (!indexed) {
    const auto flags = FitsFlags(facts);
    if (!flags || !*flags) return flags;
  }
  return FitsTexts(facts, indexed);
}

bool EventMatcher::FitsSummary(const EventSummary& event) const {
  if (filter_.since && event.received_at < *filter_.since) return false;
  if (filter_.until && event.received_at >= *filter_.until) return false;
  for (const auto& wanted : filter_.names) {
    using Of = SearchFilter::Names::Of;
    if (wanted.of == Of::kDirection) continue;
    const std::string& name = wanted.of == Of::kSource   ? event.source
                              : wanted.of == Of::kStatus ? event.status
                                                         : event.agent;
    if (hookswitch::Fits(wanted, name) == wanted.negated) return false;
  }
  return std::ranges::all_of(filter_.calls, [&](const auto& wanted) {
    const bool is_one = std::ranges::find(wanted.ids, event.call_id) != wanted.ids.end();
    return (is_one && !event.call_id.empty()) != wanted.negated;
  });
}

bool EventMatcher::FitsDeliveries(const std::vector<DeliverySummary>& deliveries) const {
  bool wants_one = false;
  for (const auto& wanted : filter_.deliveries) {
    wants_one = wants_one || !wanted.negated;
    if (!wanted.negated) continue;
    if (std::ranges::any_of(deliveries, [&](const auto& one) { return FitsOne(wanted, one, holds_); })) return false;
  }
  return !wants_one || std::ranges::any_of(deliveries, [&](const DeliverySummary& delivery) {
    return std::ranges::all_of(filter_.deliveries,
                               [&](const auto& wanted) { return wanted.negated || FitsOne(wanted, delivery, holds_); });
  });
}

Result<bool> EventMatcher::FitsFlags(EventFacts& facts) const {
  for (const auto& wanted : filter_.flags) {
    const EventSummary& event = facts.summary();
    bool is_any = ((wanted.any & kSkipped) != 0 && event.status.empty()) ||
                  ((wanted.any & kRevised) != 0 && event.revisions != 0);
    if (!is_any && (wanted.any & kWasReplayed) != 0) {
      const auto deliveries = facts.Deliveries();
      if (!deliveries) return deliveries.error();
      is_any = std::ranges::any_of(**deliveries, &DeliverySummary::was_replayed);
    }
    if (!is_any && (wanted.any & kUnmatched) != 0) {
      const auto reading = facts.Reading();
      if (!reading) return reading.error();
      is_any = (*reading)->call && (*reading)->explanation.unmatched;
    }
    if (is_any == wanted.negated) return false;
  }
  return true;
}

bool EventMatcher::FitsCall(const CallEvent* call) const {
  for (const auto& wanted : filter_.names) {
    if (wanted.of != SearchFilter::Names::Of::kDirection) continue;
    const std::string direction(call && call->direction ? ToString(*call->direction) : "");
    if (hookswitch::Fits(wanted, direction) == wanted.negated) return false;
  }
  return std::ranges::all_of(filter_.ranges, [&](const SearchFilter::Ranges& wanted) {
    std::optional<double> number;
    if (call && wanted.of == SearchFilter::Ranges::Of::kDuration) number = call->duration;
    if (call && wanted.of == SearchFilter::Ranges::Of::kCost && call->cost) number = call->cost->amount;
    return hookswitch::Fits(wanted, number) != wanted.negated;
  });
}

bool EventMatcher::FitsFields(const CallEvent* call) {
  return std::ranges::all_of(filter_.fields, [&](const SearchFilter::Fields& wanted) {
    const std::string* found = call ? FieldOf(*call, splitter_, wanted.name) : nullptr;
    const std::string value = found ? FieldValueOf(splitter_, wanted.name, *found) : "";
    const bool is_any = found && std::ranges::any_of(wanted.any, [&](const SearchFilter::Fields::Value& one) {
                          const std::string text = FieldValueOf(splitter_, wanted.name, one.text);
                          return one.is_prefix ? value.starts_with(text) : value == text;
                        });
    return is_any != wanted.negated;
  });
}

Result<bool> EventMatcher::FitsTexts(EventFacts& facts, bool indexed) {
  for (const auto& wanted : filter_.texts) {
    const auto is_word = [](const SearchFilter::Phrase& phrase) { return phrase.words.size() == 1; };
    if (indexed && std::ranges::all_of(wanted.any, is_word)) continue;
    const auto words = facts.Words(splitter_);
    if (!words) return words.error();
    const bool is_any = std::ranges::any_of(wanted.any, [&](const auto& phrase) { return HasPhrase(**words, phrase); });
    if (is_any == wanted.negated) return false;
  }
  return true;
}

}  // namespace hookswitch
