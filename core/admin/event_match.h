#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/admin/event_reading.h"
#include "core/admin/holds.h"
#include "core/admin/router.h"
#include "core/base/result.h"
#include "core/journal/history.h"
#include "core/journal/search_filter.h"
#include "core/journal/search_words.h"

namespace hookswitch {

/// What a search may want to know of an event, read when it is first asked for. Errors: kUnavailable; what is damaged
/// or gone is as nothing.
class EventFacts {
 public:
  /// The references outlive it.
  EventFacts(const EventSummary& summary, History& history, Journal& journal, Router& router)
      : summary_(summary), history_(history), journal_(journal), router_(router) {}

  const EventSummary& summary() const { return summary_; }
  Result<const std::vector<DeliverySummary>*> Deliveries();
  /// The stored body; "" if it cannot be read.
  Result<const std::string*> Body();
  Result<const EventReading*> Reading();
  /// The words (WordsOf) of the agent's name, the body and earlier revisions' bodies.
  Result<const std::vector<std::string>*> Words(WordSplitter& splitter);

 private:
  Status Load();

  const EventSummary& summary_;
  History& history_;
  Journal& journal_;
  Router& router_;
  std::optional<std::vector<DeliverySummary>> deliveries_;
  std::optional<StoredEvent> stored_;
  std::optional<EventReading> reading_;
  std::optional<std::vector<std::string>> words_;
};

/// Tells which events fit a search.
class EventMatcher {
 public:
  /// Both outlive it.
  EventMatcher(const SearchFilter& filter, const Holds& holds) : filter_(filter), holds_(holds) {}

  /// Whether the event fits. `indexed`: the index has found it, so what the index decides is not asked again.
  /// Errors: kUnavailable.
  Result<bool> Fits(EventFacts& facts, bool indexed);

 private:
  bool FitsSummary(const EventSummary& event) const;
  bool FitsDeliveries(const std::vector<DeliverySummary>& deliveries) const;
  Result<bool> FitsFlags(EventFacts& facts) const;
  bool FitsCall(const CallEvent* call) const;
  bool FitsFields(const CallEvent* call);
  Result<bool> FitsTexts(EventFacts& facts, bool indexed);

  const SearchFilter& filter_;
  const Holds& holds_;
  WordSplitter splitter_;
};

}  // namespace hookswitch
