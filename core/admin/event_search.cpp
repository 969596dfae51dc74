#include "core/admin/event_search.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace hookswitch {
namespace {

// Events of which the list is read at a time, and candidates of the index that are looked at between two looks at the
// clock: each may mean reading a body.
constexpr std::size_t kScannedAtOnce = 200, kCheckedAtOnce = 32;
// Candidates that are asked of the index at least, when some will not fit.
constexpr std::size_t kCandidates = 128;
constexpr std::size_t kCallAtOnce = 1000;

}  // namespace

Result<Page<EventSummary>> EventSearch::Find(const SearchFilter& filter, const Holds& holds, EventSeq before,
                                             std::size_t limit, MonoTime deadline) {
  Page<EventSummary> page;
  if (limit == 0) return page;
  EventMatcher matcher(filter, holds);
  Progress progress{before > 0 ? before : std::numeric_limits<EventSeq>::max(), limit, deadline};
  const auto index = this->index();
  const EventSeq through = index ? index->through() : 0;
  HSW_TRY(Scan(filter, matcher, through, progress, page));
  if (index && through > 0 && !progress.is_full && progress.before > 1) {
    progress.before = std::min(progress.before, through + 1);
    const Status found = FindIndexed(filter, *index, matcher, progress, page);
    // An index that was begun anew meanwhile has not told everything.
    if (!found || index->through() < through) HSW_TRY(Scan(filter, matcher, 0, progress, page));
  }
  page.next = progress.is_full ? progress.before : 0;
  return page;
}

/// Reads the events below `progress.before`, down to above `down_to`.
Status EventSearch::Scan(const SearchFilter& filter, EventMatcher& matcher, EventSeq down_to, Progress& progress,
                         Page<EventSummary>& page) {
  EventFilter wide;
  wide.since = filter.since;
  wide.until = filter.until;
  while (progress.before > down_to + 1) {
    const bool from_newest = progress.before == std::numeric_limits<EventSeq>::max();
    auto part = history_.ListEvents(wide, from_newest ? 0 : progress.before, kScannedAtOnce);
    if (!part) return std::move(part).error();
    for (EventSummary& event : part->items) {
      if (event.seq <= down_to) break;
      const EventSeq seq = event.seq;
      HSW_TRY(Take(std::move(event), matcher, false, page));
      progress.before = seq;
      if (progress.IsOver(page, clock_)) return Ok();
    }
    progress.before = std::max(part->next, down_to + 1);
    if (part->next == 0) progress.before = down_to + 1;
    if (progress.before > down_to + 1 && progress.IsOver(page, clock_)) return Ok();
  }
  return Ok();
}

/// Errors: those of the index.
Status EventSearch::FindIndexed(const SearchFilter& filter, SearchIndex& index, EventMatcher& matcher,
                                Progress& progress, Page<EventSummary>& page) {
  for (;;) {
    const std::size_t wanted = std::max(progress.limit - page.items.size(), kCandidates);
    const auto candidates = index.reader().Find(filter, progress.before, wanted, progress.deadline);
    if (!candidates) return candidates.error();
    for (const EventSeq seq : candidates->items) {
      auto event = history_.FindEvent(seq);
      if (!event && event.error().code == ErrorCode::kUnavailable) return event.error();
      // Otherwise retention has removed it, or its row is damaged.
      if (event) HSW_TRY(Take(std::move(*event), matcher, true, page));
      progress.before = seq;
      if (progress.IsOver(page, clock_)) return Ok();
    }
    if (candidates->next == 0) return Ok();
    progress.before = candidates->next;
    // However few were candidates: each time the index reads a part at least.
    progress.is_full = clock_.Mono() >= progress.deadline;
    if (progress.is_full) return Ok();
  }
}

Status EventSearch::Take(EventSummary event, EventMatcher& matcher, bool indexed, Page<EventSummary>& page) {
  EventFacts facts(event, history_, journal_, router_);
  const auto fits = matcher.Fits(facts, indexed);
  if (!fits) return fits.error();
  if (*fits) page.items.push_back(std::move(event));
  return Ok();
}

bool EventSearch::Progress::IsOver(const Page<EventSummary>& page, const Clock& clock) {
  is_full = page.items.size() >= limit || (++looked % kCheckedAtOnce == 0 && clock.Mono() >= deadline);
  return is_full;
}

Result<EventSearch::Call> EventSearch::FindCall(const std::string& call_id, const std::string& source, EventSeq after,
                                                std::size_t limit, MonoTime deadline) {
  const CallPart wanted{call_id, source, after, limit, deadline};
  Call call;
  const auto index = this->index();
  EventSeq through = index ? index->through() : 0;
  if (through > 0) {
    const auto is_known = AddIndexed(wanted, *index, through, call);
    if (!is_known) return is_known.error();
    if (!*is_known) {
      call = {};
      through = 0;
    }
  }
  HSW_TRY(AddNewer(wanted, through, call));
  // The index counts what retention has just removed.
  if (after == 0 && call.events.empty() && call.next == 0) call.count = 0;
  return call;
}

/// Adds what is indexed up to `through`. False: the index does not tell. Errors: kUnavailable (of the journal).
Result<bool> EventSearch::AddIndexed(const CallPart& wanted, SearchIndex& index, EventSeq through, Call& call) {
  auto whole = index.reader().FindCall(wanted.call_id, wanted.source, through);
  if (!whole) return false;
  call.count = whole->events;
  call.sources = std::move(whole->sources);
  call.agent = std::move(whole->agent);
  call.first = whole->first;
  call.last = whole->last;
  std::size_t looked = 0;
  for (EventSeq at = wanted.after;;) {
    const auto some = index.reader().EventsOfCall(wanted.call_id, at, kCallAtOnce);
    // An index that was begun anew meanwhile has not told everything.
    if (!some || index.through() < through) return false;
    for (const EventSeq seq : *some) {
      if (seq > through) return true;
      const bool is_late = looked != 0 && looked % kCheckedAtOnce == 0 && clock_.Mono() >= wanted.deadline;
      if (call.events.size() == wanted.limit || is_late) {
        call.next = at;
        return true;
      }
      ++looked;
      auto event = history_.FindEvent(seq);
      if (!event && event.error().code == ErrorCode::kUnavailable) return event.error();
      if (event && wanted.Has(*event)) call.events.push_back(std::move(*event));
      at = seq;
    }
    if (some->size() < kCallAtOnce) return true;
  }
}

/// Adds what is newer than `through`. Sets `is_whole` to false if the deadline ended it.
Status EventSearch::AddNewer(const CallPart& wanted, EventSeq through, Call& call) {
  std::vector<EventSummary> newer;
  EventFilter filter;
  filter.call_id = wanted.call_id;
  filter.source = wanted.source;
  for (EventSeq before = 0;;) {
    auto page = history_.ListEvents(filter, before, kCallAtOnce);
    if (!page) return std::move(page).error();
    for (EventSummary& event : page->items) {
      if (event.seq > through) newer.push_back(std::move(event));
    }
    before = page->next;
    if (before <= through + 1) break;
    if (clock_.Mono() < wanted.deadline) continue;
    call.is_whole = false;
    break;
  }
  std::ranges::reverse(newer);
  for (EventSummary& event : newer) {
    if (call.count++ == 0) call.first = event.received_at;
    call.last = event.received_at;
    if (std::ranges::find(call.sources, event.source) == call.sources.end()) call.sources.push_back(event.source);
    if (!event.agent.empty()) call.agent = event.agent;
    if (event.seq <= wanted.after || call.next != 0) continue;
    if (call.events.size() == wanted.limit) {
      call.next = call.events.back().seq;
    } else {
      call.events.push_back(std::move(event));
    }
  }
  return Ok();
}

bool EventSearch::CallPart::Has(const EventSummary& event) const {
  return event.call_id == call_id && (source.empty() || event.source == source);
}

IndexStatus EventSearch::StatusNow() const {
  if (indexer_) return indexer_->StatusNow();
  IndexStatus status;
  status.behind = static_cast<std::uint64_t>(history_.Changes({}).newest_event);
  return status;
}

void AddFilter(SearchFilter& search, const EventFilter& filter) {
  using Of = SearchFilter::Names::Of;
  if (!filter.source.empty()) search.names.push_back({Of::kSource, {}, {filter.source}, false});
  if (!filter.agent.glob.empty()) search.names.push_back({Of::kAgent, {filter.agent.glob}, filter.agent.labels, false});
  if (filter.statuses != 0) {
    SearchFilter::Names wanted{Of::kStatus, {}, {}, false};
    for (std::size_t i = 0; i < kCallStatusCount; ++i) {
      const auto status = static_cast<CallStatus>(i);
      if ((filter.statuses & Bit(status)) != 0) wanted.labels.emplace_back(ToString(status));
    }
    search.names.push_back(std::move(wanted));
  }
  if (!filter.call_id.empty()) search.calls.push_back({{filter.call_id}, false});
  if (filter.since && (!search.since || *filter.since > *search.since)) search.since = filter.since;
  if (filter.until && (!search.until || *filter.until < *search.until)) search.until = filter.until;
  search.raw = filter.text;
}

}  // namespace hookswitch
