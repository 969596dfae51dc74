#include "core/admin/indexer.h"

#include <algorithm>
#include <utility>

#include "core/admin/event_text.h"
#include "core/admin/indexed_event.h"
#include "core/base/log.h"
#include "core/base/memory.h"
#include "core/base/thread_name.h"
#include "core/base/thread_priority.h"

namespace hookswitch {
namespace {

// What one pass does at most, some milliseconds' worth: a stop waits for it, and so does a reader of the journal's log.
constexpr std::size_t kEventsPerPass = 64, kOutcomesPerPass = 256, kComparedPerPass = 256;
constexpr EventSeq kNumbersPerPass = 4096;
constexpr std::size_t kTextPerPass = 1 << 20;  // bytes; one event may have more
// One in so many indexed events may be gone from the journal before the gaps are looked for, and any for so long. With
// SearchIndex::kWordsKept and kPruneEvery that is less than a day.
constexpr std::uint64_t kMostGaps = 50;
constexpr std::chrono::hours kGapsKept{6};
// Changed deliveries that are noted; of more, all indexed events are compared.
constexpr std::size_t kMostNoted = 200'000;
constexpr std::chrono::milliseconds kAfterWork{50}, kWhenIdle{200};
// From so many events a second on it works a tenth of the time only: what is missing is made up when they have ended.
constexpr double kManyPerSecond = 500;
constexpr int kRestsWhileMany = 9;
constexpr std::chrono::seconds kRetryEvery{30}, kTendEvery{5};
constexpr std::chrono::hours kPruneEvery{1};

/// Whether `result` is an error that means the journal cannot be read now; what is damaged or gone is no such.
template <class T>
bool CannotRead(const Result<T>& result) {
  return !result && result.error().code != ErrorCode::kNotFound && result.error().code != ErrorCode::kInvalid;
}

}  // namespace

Indexer::Indexer(std::string journal_path, Journal& journal, Router& router, const Clock& clock)
    : journal_path_(std::move(journal_path)),
      journal_(journal),
      history_(journal.background_history()),
      router_(router),
      clock_(clock) {}

Indexer::~Indexer() {
  Stop();
}

void Indexer::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Indexer::Stop() {
  {
    MutexLock lock(mu_);
    stopping_ = true;
  }
  changed_state_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  const auto index = this->index();
  if (!index) return;
  // Deliveries that end from now on are open in the index, and read again at the start.
  TakeChanges();
  const bool has_all = index->through() >= newest_ && changed_.empty() && revised_.empty() && compare_before_ == 0;
  if (has_all && !failing_) (void)index->NoteComplete();
  MutexLock lock(mu_);
  index_.reset();
}

bool Indexer::IsStopping() const {
  MutexLock lock(mu_);
  return stopping_;
}

void Indexer::Run() {
  NameThread("search");
  (void)YieldToOthers();
  auto last = std::pair(cursor_, newest_);
  MonoTime last_at = clock_.Mono();
  while (!IsStopping()) {
    const MonoTime begin = clock_.Mono();
    const bool more = Pass();
    const MonoTime end = clock_.Mono();
    const auto now = std::pair(cursor_, newest_);
    const auto arrived = static_cast<std::uint64_t>(now.second - std::min(now.second, last.second));
    const auto rest = RestAfter(end - begin, more, now != last, arrived, end - last_at);
    last = now;
    last_at = end;
    if (rest.count() == 0) continue;
    const MonoTime until = end + rest;
    MutexLock lock(mu_);
    while (!stopping_ && clock_.Mono() < until) changed_state_.WaitUntil(mu_, until);
  }
}

// The lowest priority is not enough: what the processor's cores share, and locks inside of libraries, slow others down.
std::chrono::nanoseconds Indexer::RestAfter(std::chrono::nanoseconds spent, bool more, bool was_busy,
                                            std::uint64_t arrived, std::chrono::nanoseconds elapsed) {
  const double seconds = std::max(std::chrono::duration<double>(elapsed).count(), 1e-3);
  if (static_cast<double>(arrived) / seconds > kManyPerSecond) {
    return std::max<std::chrono::nanoseconds>(spent * kRestsWhileMany, kAfterWork);
  }
  if (more) return {};
  return was_busy ? kAfterWork : kWhenIdle;
}

std::shared_ptr<SearchIndex> Indexer::index() const {
  MutexLock lock(mu_);
  return index_;
}

IndexStatus Indexer::StatusNow() const {
  const auto newest = static_cast<std::uint64_t>(history_.Changes({}).newest_event);
  const auto index = this->index();
  if (!index) return {.usable = false, .indexed = 0, .behind = newest, .bytes = 0};
  const auto through = static_cast<std::uint64_t>(index->through());
  return {.usable = true,
          .indexed = index->events(),
          .behind = newest - std::min(newest, through),
          .bytes = index->BytesOnDisk()};
}

bool Indexer::Pass() {
  if (retry_at_ && clock_.Mono() < *retry_at_) return false;
  retry_at_.reset();
  if (!index()) {
    if (Status opened = Open(); !opened) {
      Failed(opened.error());
      return false;
    }
  }
  TakeChanges();
  Result<bool> more = false;
  if (Status tended = Tend(); !tended) more = std::move(tended).error();
  using Step = Result<bool> (Indexer::*)();
  // New events first; comparing everything, which may take long, last.
  for (const Step step : {&Indexer::AddNew, &Indexer::AddRevised, &Indexer::UpdateOutcomes, &Indexer::RefreshOpen,
                          &Indexer::RemoveOld, &Indexer::CompareSome, &Indexer::RewriteText}) {
    if (!more || *more) break;
    more = (this->*step)();
  }
  if (!more) {
    Failed(more.error());
    return false;
  }
  if (std::exchange(failing_, false)) log::Info("search_works_again", {{"file", journal_path_ + ".search"}});
  return *more;
}

void Indexer::Failed(const Error& error) {
  // Damage is of the index: rows of the journal that are damaged are skipped.
  if (const auto index = this->index(); index && error.code == ErrorCode::kInvalid) {
    if (const Status reset = Reset(error.message); reset) return;
  }
  retry_at_ = clock_.Mono() + kRetryEvery;
  if (std::exchange(failing_, true) || IsStopping()) return;
  log::Warn("search_unavailable", {{"file", journal_path_ + ".search"}, {"reason", error.message}});
}

Status Indexer::Reset(std::string_view reason) {
  log::Info("search_index_begun_anew", {{"file", journal_path_ + ".search"}, {"reason", reason}});
  HSW_TRY(index()->Reset());
  BeginAt(oldest_);
  return Ok();
}

/// Forgets the changes that were noted. `oldest` is the first event of the journal.
void Indexer::BeginAt(EventSeq oldest) {
  oldest_ = oldest;
  changed_.clear();
  revised_.clear();
  refresh_after_.reset();
  compare_before_ = 0;
}

Status Indexer::Open() {
  const auto extent = history_.FindExtent();
  if (!extent) return extent.error();
  // Changes from now on are followed; those before are in what is read.
  const ChangeSet now = history_.Changes({});
  cursor_ = now.next;
  newest_ = now.newest_event;
  auto opened = SearchIndex::Open(journal_path_, extent->salt, newest_, clock_);
  if (!opened) return std::move(opened).error();
  std::shared_ptr<SearchIndex> index = std::move(*opened);
  if (!index->found_unusable().empty()) {
    log::Info("search_index_begun_anew", {{"file", journal_path_ + ".search"}, {"reason", index->found_unusable()}});
  }
  BeginAt(extent->oldest);
  const auto is_its = IsOfJournal(*index);
  if (!is_its) return is_its.error();
  {
    MutexLock lock(mu_);
    index_ = index;
  }
  if (!*is_its) return Reset("the journal has other events now, as after a backup was restored");
  refresh_after_ = 0;
  if (!index->WasComplete()) compare_before_ = index->through() + 1;
  return Ok();
}

/// Whether the newest indexed events are those of the journal: a backup that was put back goes on with other ones.
Result<bool> Indexer::IsOfJournal(SearchIndex& index) {
  for (const EventSeq seq : {index.through(), oldest_}) {
    if (seq <= 0) continue;
    const auto row = index.FindRow(seq);
    if (!row) return row.error();
    const auto event = history_.FindEvent(seq);
    if (CannotRead(event)) return event.error();
    if (event && *row && event->received_at != (*row)->received_at) return false;
    if (event && !*row && seq <= index.through()) return false;
  }
  return true;
}

void Indexer::TakeChanges() {
  ChangeSet set = history_.Changes(cursor_);
  cursor_ = set.next;
  newest_ = set.newest_event;
  changed_.insert(set.deliveries.begin(), set.deliveries.end());
  revised_.insert(set.revised.begin(), set.revised.end());
  if (!set.lost && changed_.size() <= kMostNoted) return;
  changed_.clear();
  refresh_after_ = 0;
  if (const auto index = this->index()) compare_before_ = index->through() + 1;
}

Status Indexer::Tend() {
  if (tend_at_ && clock_.Mono() < *tend_at_) return Ok();
  tend_at_ = clock_.Mono() + kTendEvery;
  const auto extent = history_.FindExtent();
  if (!extent) return extent.error();
  // If all of them are gone, all that are indexed are.
  oldest_ = extent->oldest != 0 ? extent->oldest : newest_ + 1;
  if (const std::string_view why = index()->WhyReset(); !why.empty()) HSW_TRY(Reset(why));
  // Retention leaves an event that waits and removes newer ones: these are found by comparing.
  const std::uint64_t stored = journal_.Stats().events, indexed = index()->events();
  const bool has_many = indexed > stored + stored / kMostGaps + kComparedPerPass;
  const bool has_some = indexed > stored && (!gaps_at_ || clock_.Mono() >= *gaps_at_);
  if ((has_many || has_some) && removed_below_ >= oldest_ && compare_before_ == 0) {
    compare_before_ = index()->through() + 1;
    gaps_at_ = clock_.Mono() + kGapsKept;
  }
  if (prune_at_ && clock_.Mono() < *prune_at_) return Ok();
  prune_at_ = clock_.Mono() + kPruneEvery;
  return index()->Prune(clock_.Wall());
}

Result<bool> Indexer::AddNew() {
  const auto index = this->index();
  EventSeq seq = std::max(index->through() + 1, oldest_);
  if (seq > newest_) return false;
  const EventSeq end = std::min(newest_ + 1, seq + kNumbersPerPass);
  std::vector<IndexedEvent> events;
  std::size_t text = 0;
  for (; seq < end && events.size() < kEventsPerPass && text < kTextPerPass && !IsStopping(); ++seq) {
    auto event = Read(seq);
    if (!event) return std::move(event).error();
    if (!*event) continue;
    text += (*event)->text.size();
    events.push_back(std::move(**event));
  }
  HSW_TRY(index->Add(events, seq - 1));
  had_much_text_ = had_much_text_ || text >= kTextPerPass;
  if (seq <= newest_) return true;
  // Reading a large body takes many times its size, and few bodies are large.
  events.clear();
  if (std::exchange(had_much_text_, false)) ReleaseFreeMemory();
  return false;
}

Result<bool> Indexer::AddRevised() {
  const auto index = this->index();
  std::vector<IndexedEvent> events;
  auto end = revised_.begin();
  for (; end != revised_.end() && events.size() < kEventsPerPass; ++end) {
    if (*end > index->through()) continue;  // read after it was revised
    auto event = Read(*end);
    if (!event) return std::move(event).error();
    if (*event) events.push_back(std::move(**event));
  }
  if (!events.empty()) HSW_TRY(index->Add(events, 0));
  // Not before they are in the index: after an error they are tried again.
  revised_.erase(revised_.begin(), end);
  return !revised_.empty();
}

Result<bool> Indexer::UpdateOutcomes() {
  std::set<EventSeq> events;
  auto end = changed_.begin();
  for (std::size_t looked = 0; end != changed_.end() && looked < kOutcomesPerPass; ++end, ++looked) {
    const auto delivery = history_.FindDelivery(*end);
    if (CannotRead(delivery)) return delivery.error();
    if (delivery) events.insert(delivery->event);
  }
  HSW_TRY(Update({events.begin(), events.end()}));
  changed_.erase(changed_.begin(), end);
  return !changed_.empty();
}

/// Reads again what was open when the process before this one ended.
Result<bool> Indexer::RefreshOpen() {
  if (!refresh_after_) return false;
  const auto events = index()->OpenEvents(*refresh_after_, kOutcomesPerPass);
  if (!events) return events.error();
  HSW_TRY(Update(*events));
  refresh_after_ = events->empty() ? std::nullopt : std::optional(events->back());
  return refresh_after_.has_value();
}

Status Indexer::Update(const std::vector<EventSeq>& events) {
  std::vector<SearchIndex::Outcomes> changes;
  for (const EventSeq event : events) {
    const auto deliveries = history_.DeliveriesOf(event);
    if (CannotRead(deliveries)) return deliveries.error();
    if (deliveries) changes.push_back({event, IndexedOf(*deliveries)});
  }
  return changes.empty() ? Ok() : index()->SetOutcomes(changes);
}

Result<bool> Indexer::RemoveOld() {
  if (removed_below_ >= oldest_) return false;
  const auto more = index()->RemoveExcept(0, oldest_, {});
  if (more && !*more) removed_below_ = oldest_;
  return more;
}

Result<bool> Indexer::CompareSome() {
  if (compare_before_ == 0) return false;
  const auto index = this->index();
  const auto page = history_.ListEvents({}, compare_before_, kComparedPerPass);
  if (!page) return page.error();
  std::vector<EventSeq> stored, outdated;
  for (const EventSummary& event : page->items) {
    const auto row = index->FindRow(event.seq);
    if (!row) return row.error();
    stored.push_back(event.seq);
    if (!*row || (*row)->revisions != event.revisions) outdated.push_back(event.seq);
  }
  std::ranges::reverse(stored);
  for (;;) {
    const auto more = index->RemoveExcept(page->next, compare_before_, stored);
    if (!more) return more.error();
    if (!*more) break;
  }
  HSW_TRY(Update(stored));
  revised_.insert(outdated.begin(), outdated.end());
  compare_before_ = page->next;
  return true;
}

Result<bool> Indexer::RewriteText() {
  return index()->RewriteText([this](EventSeq seq) { return Read(seq); });
}

Result<std::optional<IndexedEvent>> Indexer::Read(EventSeq seq) {
  std::optional<IndexedEvent> none;
  const auto summary = history_.FindEvent(seq);
  if (CannotRead(summary)) return summary.error();
  if (!summary) return none;
  const auto deliveries = history_.DeliveriesOf(seq);
  if (CannotRead(deliveries)) return deliveries.error();
  const auto stored = journal_.LoadInBackground(seq);
  if (CannotRead(stored)) return stored.error();
  IndexedEvent event = MakeIndexed(*summary);
  if (deliveries) event.deliveries = IndexedOf(*deliveries);
  if (stored) {
    AppendTexts(event.text, stored->body);
    AddReading(event, ReadForSearch(router_, *stored), splitter_);
  }
  if (summary->revisions != 0) {
    const auto revisions = history_.RevisionsOf(seq);
    if (CannotRead(revisions)) return revisions.error();
    if (revisions) {
      for (const Revision& revision : *revisions) AppendTexts(event.text, revision.body);
    }
  }
  return std::optional(std::move(event));
}

}  // namespace hookswitch
