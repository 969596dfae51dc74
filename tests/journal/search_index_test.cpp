#include "core/journal/search_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <iterator>
#include <map>

#include "core/journal/search_words.h"
#include "tests/fakes/fake_clock.h"
#include "tests/journal/fault_vfs.h"
#include "tests/journal/temp_folder.h"

namespace hookswitch {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using State = DeliveryState;
using Seqs = std::vector<EventSeq>;
constexpr std::uint16_t kSalt = 0x5a17;
constexpr EventSeq kNoLimit = 1'000'000'000;

/// A clock that goes on whenever somebody looks at it.
class BusyClock final : public Clock {
 public:
  WallTime Wall() const override { return {}; }
  MonoTime Mono() const override { return MonoTime(std::chrono::milliseconds(++looks_)); }

 private:
  mutable std::atomic<int> looks_{0};
};

/// An index beside a journal that nobody needs.
class SearchIndexTest : public testing::Test {
 protected:
  SearchIndexTest() { Open(); }

  void Open(std::uint16_t salt = kSalt, EventSeq newest = kNoLimit) {
    index_.reset();
    auto opened = SearchIndex::Open(path_, salt, newest, clock_);
    ASSERT_TRUE(opened) << opened.error().message;
    index_ = std::move(*opened);
  }
  IndexedEvent Event(EventSeq seq) const {
    IndexedEvent event;
    event.seq = seq;
    event.received_at = clock_.Wall() + std::chrono::seconds(seq);
    event.source = "bolna";
    event.agent = "billing-eu";
    event.status = "completed";
    event.call_id = "call-" + std::to_string(seq);
    return event;
  }
  void Add(const std::vector<IndexedEvent>& events) {
    ASSERT_TRUE(index_->Add(events, std::ranges::max(events, {}, &IndexedEvent::seq).seq));
  }
  Seqs Find(const SearchFilter& filter, EventSeq before = 0, std::size_t limit = 100) {
    const auto page = index_->reader().Find(filter, before, limit, MonoTime::max());
    EXPECT_TRUE(page) << page.error().message;
    return page ? page->items : Seqs();
  }
  static SearchFilter Words(const std::vector<std::string>& words, bool is_prefix = true, bool negated = false) {
    SearchFilter filter;
    filter.texts = {{{{words, is_prefix}}, negated}};
    return filter;
  }
  static SearchFilter Agent(const std::string& glob, bool negated = false) {
    SearchFilter filter;
    filter.names = {{SearchFilter::Names::Of::kAgent, {glob}, {}, negated}};
    return filter;
  }
  /// Runs `sql` on the file as an outsider would.
  void Shell(const std::string& sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((path_ + ".search").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    sqlite3_close(db);
  }

  /// Of all its files.
  std::string Bytes() const {
    std::string bytes;
    for (const char* part : {"", "-wal", "-shm"}) {
      std::ifstream in(path_ + ".search" + part, std::ios::binary);
      bytes.append(std::istreambuf_iterator<char>(in), {});
    }
    return bytes;
  }

  TempFolder folder_;
  const std::string path_ = folder_ / "journal.db";
  FakeClock clock_;
  std::unique_ptr<SearchIndex> index_;
};

TEST_F(SearchIndexTest, EventsAreFoundByTheirNamesNewestFirst) {
  IndexedEvent other = Event(2);
  other.agent = "billing-us";
  other.status = "failed";
  other.direction = "inbound";
  IndexedEvent nameless = Event(3);
  nameless.agent = nameless.status = "";
  Add({Event(1), other, nameless, Event(4)});
  EXPECT_EQ(Find({}), (Seqs{4, 3, 2, 1}));
  EXPECT_EQ(Find(Agent("billing-*")), (Seqs{4, 2, 1}));
  EXPECT_EQ(Find(Agent("billing-eu")), (Seqs{4, 1}));
  EXPECT_EQ(Find(Agent("billing-eu", true)), (Seqs{3, 2})) << "who has no agent has not this one";
  EXPECT_THAT(Find(Agent("nobody")), IsEmpty());
  EXPECT_EQ(Find(Agent("nobody", true)), (Seqs{4, 3, 2, 1}));
  SearchFilter both = Agent("billing-*");
  both.names.push_back({SearchFilter::Names::Of::kStatus, {"failed", "busy"}, {}, false});
  EXPECT_EQ(Find(both), (Seqs{2}));
  SearchFilter direction;
  direction.names.push_back({SearchFilter::Names::Of::kDirection, {"inbound", "web"}, {}, false});
  EXPECT_EQ(Find(direction), (Seqs{2}));
  SearchFilter label = Agent("9b1d2a60");
  label.names[0].labels = {"billing-us"};
  EXPECT_EQ(Find(label), (Seqs{2}));
}

TEST_F(SearchIndexTest, APageGoesOnWhereTheLastOneEnded) {
  for (EventSeq seq = 1; seq <= 7; ++seq) Add({Event(seq)});
  const auto first = index_->reader().Find({}, 0, 3, MonoTime::max());
  EXPECT_EQ(first->items, (Seqs{7, 6, 5}));
  EXPECT_EQ(first->next, 5);
  const auto second = index_->reader().Find({}, first->next, 10, MonoTime::max());
  EXPECT_EQ(second->items, (Seqs{4, 3, 2, 1}));
  EXPECT_EQ(second->next, 0);
}

TEST_F(SearchIndexTest, ASearchThatTakesTooLongEndsBetweenPartsAndGoesOnFromThere) {
  IndexedEvent old = Event(5);
  old.agent = "rare";
  Add({old, Event(kEventsPerPart + 1), Event(2 * kEventsPerPart + 1)});
  Seqs found;
  EventSeq before = 0;
  int calls = 0;
  do {
    const auto page = index_->reader().Find(Agent("rare"), before, 10, clock_.Mono());
    ASSERT_TRUE(page);
    found.insert(found.end(), page->items.begin(), page->items.end());
    before = page->next;
    ++calls;
  } while (before != 0);
  EXPECT_EQ(found, (Seqs{5}));
  EXPECT_EQ(calls, 3) << "each call reads a part at least";
}

TEST_F(SearchIndexTest, ASearchThatTakesTooLongEndsWithinAPartToo) {
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 1000; ++seq) {
    events.push_back(Event(seq));
    events.back().text = "alpha";
  }
  Add(events);
  const BusyClock clock;
  SearchReader reader(path_ + ".search", clock);
  reader.Connect();
  for (const SearchFilter& filter : {SearchFilter(), Words({"alpha"})}) {
    Seqs found;
    EventSeq before = 0;
    int calls = 0;
    do {
      const auto page = reader.Find(filter, before, 10'000, clock.Mono());
      ASSERT_TRUE(page);
      found.insert(found.end(), page->items.begin(), page->items.end());
      before = page->next;
      ++calls;
    } while (before != 0);
    EXPECT_EQ(calls, 4);
    EXPECT_TRUE(std::ranges::is_sorted(found, std::greater<>()));
    EXPECT_EQ(found.size(), 1000u) << "each of them once";
  }
}

TEST_F(SearchIndexTest, NumbersAndTimesAreCompared) {
  for (EventSeq seq = 1; seq <= 4; ++seq) {
    IndexedEvent event = Event(seq);
    if (seq != 3) event.duration = 60.0 * static_cast<double>(seq);
    if (seq == 4) event.cost = 0.1;
    Add({event});
  }
  const auto by = [&](SearchFilter::Ranges::Range range, bool negated = false) {
    SearchFilter filter;
    filter.ranges = {{SearchFilter::Ranges::Of::kDuration, {range}, negated}};
    return Find(filter);
  };
  EXPECT_EQ(by({.least = 120, .most = {}}), (Seqs{4, 2}));
  EXPECT_EQ(by({.least = 120, .most = {}, .above = true}), (Seqs{4}));
  EXPECT_EQ(by({.least = {}, .most = 120}), (Seqs{2, 1}));
  EXPECT_EQ(by({.least = {}, .most = 120, .below = true}), (Seqs{1}));
  EXPECT_EQ(by({.least = 60, .most = 120}), (Seqs{2, 1}));
  EXPECT_EQ(by({.least = 120, .most = {}}, true), (Seqs{3, 1})) << "what has no duration is not that long";
  SearchFilter cost;
  cost.ranges = {{SearchFilter::Ranges::Of::kCost, {{.least = 0.1, .most = 0.1}}, false}};
  EXPECT_EQ(Find(cost), (Seqs{4}));
  SearchFilter time;
  time.since = clock_.Wall() + std::chrono::seconds(2);
  EXPECT_EQ(Find(time), (Seqs{4, 3, 2}));
  time.until = clock_.Wall() + std::chrono::seconds(4);
  EXPECT_EQ(Find(time), (Seqs{3, 2}));
}

TEST_F(SearchIndexTest, WordsAreFoundByTheirBeginningWithoutCaseAndAccents) {
  IndexedEvent event = Event(1);
  event.text = "Señor Müller asked for a REFUND\n+12025550123\n27.2";
  Add({event, Event(2)});
  for (const char* word : {"senor", "se", "s", "sen", "refund", "muller", "12025550123", "1202", "27", "2"}) {
    EXPECT_EQ(Find(Words({word})), (Seqs{1})) << word;
  }
  EXPECT_EQ(Find(Words({"asked"}, false)), (Seqs{1}));
  EXPECT_THAT(Find(Words({"aske"}, false)), IsEmpty()) << "a whole word is wanted";
  EXPECT_THAT(Find(Words({"efund"})), IsEmpty());
  EXPECT_EQ(Find(Words({"refund"}, true, true)), (Seqs{2}));
  SearchFilter two = Words({"refund"});
  two.texts.push_back({{{{"nothing"}, true}, {{"mull"}, true}}, false});
  EXPECT_EQ(Find(two), (Seqs{1})) << "one of several is enough";
  two.texts.push_back({{{{"asked"}, true}}, true});
  EXPECT_THAT(Find(two), IsEmpty());
}

TEST_F(SearchIndexTest, APhraseIsFoundByItsWordsWhereverTheyStand) {
  IndexedEvent event = Event(1), other = Event(2);
  event.text = "a late fee";
  other.text = "fee of the late";
  Add({event, other, Event(3)});
  const SearchFilter phrase = Words({"late", "fee"}, false);
  EXPECT_TRUE(NeedsBody(phrase));
  EXPECT_EQ(Find(phrase), (Seqs{2, 1})) << "the caller reads the event and tells";
  EXPECT_EQ(Find(Words({"late", "fee"}, false, true)), (Seqs{3, 2, 1})) << "none may be left out";
  EXPECT_FALSE(NeedsBody(Words({"late"}, true, true)));
}

TEST_F(SearchIndexTest, FieldsAreFoundByTheirMarks) {
  WordSplitter splitter;
  IndexedEvent event = Event(1), other = Event(2);
  const std::string name = "data.General.Callback Requested";
  event.marks = {MarkOf(splitter, "to", "+1 (202) 555-0123"), MarkOf(splitter, name, "Not Now"),
                 MarkOf(splitter, "data.Reason", std::string(200, 'x'))};
  other.text = "12025550123 not now";
  Add({event, other});
  const auto by = [&](const std::string& field, const std::string& value, bool is_prefix = false) {
    SearchFilter filter;
    filter.fields = {{field, {{value, is_prefix}}, false}};
    return Find(filter);
  };
  EXPECT_EQ(by("to", "+12025550123"), (Seqs{1}));
  EXPECT_THAT(by("from", "+12025550123"), IsEmpty());
  EXPECT_THAT(by("to", "+1202555"), IsEmpty());
  EXPECT_EQ(by("to", "+1202555", true), (Seqs{1}));
  EXPECT_EQ(by("data.general.callback_requested", "not now"), (Seqs{1}));
  EXPECT_EQ(by("data.general.callback_requested", "not n", true), (Seqs{1}));
  EXPECT_THAT(by("data.general.callback_requested", "notnow"), IsEmpty());
  EXPECT_EQ(by("data.reason", std::string(200, 'x')), (Seqs{1}));
  EXPECT_EQ(by("data.reason", std::string(100, 'x'), true), (Seqs{1})) << "long values are cut on both sides";
  EXPECT_THAT(Find(Words({"not"})), ElementsAre(2)) << "a mark is no word";
}

TEST_F(SearchIndexTest, OutcomesAreThoseOfOneDelivery) {
  IndexedEvent one = Event(1), two = Event(2);
  one.deliveries = {{"ops", "failed", State::kDead}, {"sales", "all", State::kDelivered}};
  two.deliveries = {{"ops", "failed", State::kDelivered}, {"sales", "all", State::kDead, true}};
  Add({one, two, Event(3)});
  const auto find = [&](std::vector<SearchFilter::Deliveries> all) {
    SearchFilter filter;
    filter.deliveries = std::move(all);
    return Find(filter);
  };
  EXPECT_EQ(find({{.sinks = {"ops"}, .rules = {}, .states = {}}}), (Seqs{2, 1}));
  EXPECT_EQ(find({{.sinks = {"ops"}, .rules = {}, .states = {}}, {.sinks = {}, .rules = {}, .states = {State::kDead}}}),
            (Seqs{1}));
  EXPECT_EQ(find({{.sinks = {}, .rules = {"a*"}, .states = {}}, {.sinks = {}, .rules = {}, .states = {State::kDead}}}),
            (Seqs{2}));
  EXPECT_EQ(find({{.sinks = {"ops"}, .rules = {}, .states = {}, .negated = true}}), (Seqs{3}));
  EXPECT_EQ(find({{.sinks = {}, .rules = {}, .states = {State::kCanceled}, .negated = true}}), (Seqs{3, 2, 1}));
  EXPECT_THAT(find({{.sinks = {"nowhere"}, .rules = {}, .states = {}}}), IsEmpty());
  SearchFilter replayed;
  replayed.flags = {{kWasReplayed, false}};
  EXPECT_EQ(Find(replayed), (Seqs{2}));
  replayed.flags[0].negated = true;
  EXPECT_EQ(Find(replayed), (Seqs{3, 1}));
}

TEST_F(SearchIndexTest, PendingAndHeldAreFoundAlikeBecauseOnlyTheLanesTellThem) {
  IndexedEvent waits = Event(1), held = Event(2);
  waits.deliveries = {{"ops", "all", State::kPending}};
  held.deliveries = {{"ops", "all", State::kHeld}};
  Add({waits, held, Event(3)});
  for (const State state : {State::kPending, State::kHeld}) {
    SearchFilter filter;
    filter.deliveries = {{.sinks = {}, .rules = {}, .states = {state}}};
    EXPECT_EQ(Find(filter), (Seqs{2, 1}));
    filter.deliveries[0].negated = true;
    EXPECT_EQ(Find(filter), (Seqs{3, 2, 1}));
  }
}

TEST_F(SearchIndexTest, ChangedOutcomesReplaceTheOldOnes) {
  IndexedEvent event = Event(1);
  event.deliveries = {{"ops", "all", State::kPending}};
  Add({event, Event(2)});
  EXPECT_THAT(*index_->OpenEvents(0, 10), ElementsAre(1));
  EXPECT_THAT(*index_->OpenEvents(1, 10), IsEmpty());
  const SearchIndex::Outcomes changes[] = {{1, {{"ops", "all", State::kDead}}}, {4711, {{"ops", "all", State::kDead}}}};
  ASSERT_TRUE(index_->SetOutcomes(changes));
  SearchFilter dead;
  dead.deliveries = {{.sinks = {}, .rules = {}, .states = {State::kDead}}};
  EXPECT_EQ(Find(dead), (Seqs{1}));
  EXPECT_THAT(*index_->OpenEvents(0, 10), IsEmpty());
  Open();
  EXPECT_EQ(Find(dead), (Seqs{1})) << "after a restart too";
}

TEST_F(SearchIndexTest, FlagsSayWhatAnEventIsBesides) {
  IndexedEvent unmatched = Event(1), skipped = Event(2), revised = Event(3);
  unmatched.flags = kUnmatched;
  skipped.flags = kSkipped;
  revised.revisions = 1;
  Add({unmatched, skipped, revised, Event(4)});
  SearchFilter filter;
  filter.flags = {{kUnmatched | kRevised, false}};
  EXPECT_EQ(Find(filter), (Seqs{3, 1}));
  filter.flags[0].negated = true;
  EXPECT_EQ(Find(filter), (Seqs{4, 2}));
}

TEST_F(SearchIndexTest, ARevisedEventIsFoundByWhatItIsNowAndByItsEarlierWords) {
  IndexedEvent event = Event(1);
  event.text = "alpha beta";
  Add({event});
  event.text = "gamma";
  event.agent = "sales";
  event.revisions = 2;
  ASSERT_TRUE(index_->Add({&event, 1}, 1));
  for (const char* word : {"alpha", "beta", "gamma"}) EXPECT_EQ(Find(Words({word})), (Seqs{1})) << word;
  EXPECT_EQ(Find(Agent("sales")), (Seqs{1}));
  EXPECT_THAT(Find(Agent("billing-eu")), IsEmpty());
  EXPECT_EQ(index_->events(), 1u);
  EXPECT_EQ((*index_->FindRow(1))->revisions, 2u);
}

TEST_F(SearchIndexTest, TheEventsOfACallComeOldestFirst) {
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 6; ++seq) {
    events.push_back(Event(seq));
    events.back().call_id = seq % 2 == 0 ? "even" : seq == 1 ? "" : "odd";
  }
  Add(events);
  EXPECT_THAT(*index_->reader().EventsOfCall("even", 0, 10), ElementsAre(2, 4, 6));
  EXPECT_THAT(*index_->reader().EventsOfCall("even", 2, 1), ElementsAre(4));
  EXPECT_THAT(*index_->reader().EventsOfCall("", 0, 10), IsEmpty());
  EXPECT_EQ(index_->reader().FindCall("", "", 6)->events, 0u);
  SearchFilter filter;
  filter.calls = {{{"odd", "even"}, false}};
  EXPECT_EQ(Find(filter), (Seqs{6, 5, 4, 3, 2}));
}

TEST_F(SearchIndexTest, ACallIsKnownAsAWhole) {
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 6; ++seq) {
    events.push_back(Event(seq));
    events.back().received_at += std::chrono::seconds(seq);
    events.back().call_id = seq == 6 ? "other" : "call";
    events.back().source = seq == 3 ? "vapi" : "bolna";
    events.back().agent = seq == 5 ? "" : "agent-" + std::to_string(seq);
  }
  Add(events);
  const auto whole = *index_->reader().FindCall("call", "", 6);
  EXPECT_EQ(whole.events, 5u);
  EXPECT_EQ(whole.first, events[0].received_at);
  EXPECT_EQ(whole.last, events[4].received_at);
  EXPECT_THAT(whole.sources, ElementsAre("bolna", "vapi"));
  EXPECT_EQ(whole.agent, "agent-4");
  EXPECT_EQ(index_->reader().FindCall("call", "", 2)->events, 2u);
  const auto of_source = *index_->reader().FindCall("call", "vapi", 6);
  EXPECT_EQ(of_source.events, 1u);
  EXPECT_THAT(of_source.sources, ElementsAre("vapi"));
  EXPECT_EQ(of_source.agent, "agent-3");
}

TEST_F(SearchIndexTest, NamesAreSuggestedWithTheirCounts) {
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 6; ++seq) {
    events.push_back(Event(seq));
    events.back().agent = seq <= 3 ? "Billing-EU" : seq <= 5 ? "sales" : "old-billing";
    events.back().deliveries = {{"ops", "all", State::kDelivered}};
    if (seq == 6) events.back().deliveries.push_back({"sales", "some", State::kDead});
    events.back().paths = {"General.Outcome"};
  }
  Add(events);
  const auto names = [&](NameKind kind, std::string_view part, std::size_t limit = 10) {
    std::vector<std::string> found;
    const auto all = index_->reader().Names(kind, part, limit);
    EXPECT_TRUE(all);
    for (const auto& [text, count] : *all) {
      found.push_back(text + " " + std::to_string(count));
    }
    return found;
  };
  EXPECT_THAT(names(NameKind::kAgent, ""), ElementsAre("Billing-EU 3", "sales 2", "old-billing 1"));
  EXPECT_THAT(names(NameKind::kAgent, "bill"), ElementsAre("Billing-EU 3", "old-billing 1"));
  EXPECT_THAT(names(NameKind::kAgent, "", 1), ElementsAre("Billing-EU 3"));
  EXPECT_THAT(names(NameKind::kSink, ""), ElementsAre("ops 6", "sales 1"));
  EXPECT_THAT(names(NameKind::kRule, "so"), ElementsAre("some 1"));
  EXPECT_THAT(names(NameKind::kPath, "gen"), ElementsAre("General.Outcome 6"));
  const auto states = *index_->reader().States();
  ASSERT_EQ(states.size(), 6u);
  EXPECT_EQ(states[2].text, "delivered");
  EXPECT_EQ(states[2].events, 6);
  EXPECT_EQ(states[3].events, 1);
}

TEST_F(SearchIndexTest, MatchesAreCountedOnceByTheHour) {
  IndexedEvent first = Event(1), second = Event(2), third = Event(3);
  const WallTime now = clock_.Wall();
  first.received_at = now - hours(30);
  second.received_at = now - hours(2);
  third.received_at = now - hours(1);
  first.matches = second.matches = {{"all", ""}};
  third.matches = {{"all", ""}, {"late", "all"}};
  Add({first, second, third});
  Add({third});
  ASSERT_TRUE(index_->SetOutcomes({}));
  const auto check = [&] {
    const auto hits = *index_->reader().HitsOfRules(now - hours(24));
    ASSERT_EQ(hits.size(), 2u);
    EXPECT_EQ(hits[0].rule, "all");
    EXPECT_EQ(hits[0].hits, 3);
    EXPECT_EQ(hits[0].hits_since, 2);
    EXPECT_EQ(hits[0].taken_since, 0);
    EXPECT_EQ(hits[0].last_hit, third.received_at);
    EXPECT_EQ(hits[0].last_event, 3);
    EXPECT_EQ(hits[1].taken_since, 1);
    EXPECT_EQ(hits[1].taken_by, "all");
    const auto sources = *index_->reader().EventsOfSources(now - hours(24));
    ASSERT_EQ(sources.size(), 1u);
    EXPECT_EQ(sources[0].events_since, 2);
    EXPECT_EQ(sources[0].last_at, third.received_at);
    EXPECT_EQ(*index_->reader().CountedSince(), first.received_at);
  };
  check();
  Open();
  check();
}

TEST_F(SearchIndexTest, OldCountsAreSummedUpButTheLastMatchIsKept) {
  IndexedEvent first = Event(1), second = Event(2);
  first.matches = second.matches = {{"all", "earlier"}};
  second.received_at = first.received_at + minutes(90);
  Add({first, second});
  for (int day = 9; day <= 10; ++day) {
    ASSERT_TRUE(index_->Prune(first.received_at + hours(24 * day)));
    const auto hits = *index_->reader().HitsOfRules(first.received_at - hours(24));
    ASSERT_EQ(hits.size(), 1u);
    EXPECT_EQ(hits[0].hits, 2);
    EXPECT_EQ(hits[0].hits_since, 0);
    EXPECT_EQ(hits[0].last_hit, second.received_at);
    EXPECT_EQ(hits[0].last_event, 2);
    const auto sources = *index_->reader().EventsOfSources(first.received_at);
    ASSERT_EQ(sources.size(), 1u);
    EXPECT_EQ(sources[0].last_at, second.received_at);
  }
}

TEST_F(SearchIndexTest, RemovedEventsAreGoneWithTheirWordsAndNames) {
  IndexedEvent old = Event(1), kept = Event(2), newer = Event(kEventsPerPart + 1);
  old.agent = "old";
  old.text = newer.text = "alpha";
  old.deliveries = {{"ops", "all", State::kDead}};
  Add({old, kept, newer});
  const EventSeq keep[] = {2};
  EXPECT_EQ(*index_->RemoveExcept(1, 3, keep), false);
  EXPECT_EQ(Find({}), (Seqs{kEventsPerPart + 1, 2}));
  EXPECT_EQ(Find(Words({"alpha"})), (Seqs{kEventsPerPart + 1}));
  EXPECT_THAT(*index_->reader().Names(NameKind::kAgent, "old", 9), IsEmpty());
  EXPECT_THAT(*index_->reader().Names(NameKind::kSink, "", 9), IsEmpty());
  EXPECT_EQ(index_->events(), 2u);
  const std::uint64_t before = index_->BytesOnDisk();
  EXPECT_EQ(*index_->RemoveExcept(0, kEventsPerPart, {}), false);
  EXPECT_EQ(Find({}), (Seqs{kEventsPerPart + 1})) << "a whole part is dropped";
  EXPECT_LE(index_->BytesOnDisk(), before + 200'000);
  Add({Event(kEventsPerPart + 2)});
  EXPECT_EQ(Find({}), (Seqs{kEventsPerPart + 2, kEventsPerPart + 1}));
}

TEST_F(SearchIndexTest, TheWordsOfRemovedEventsAreNotInTheFilesAnyMoreOnceTheTextIsMadeAgain) {
  WordSplitter splitter;
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 200; ++seq) {
    events.push_back(Event(seq));
    events.back().text = "alpha number" + std::to_string(seq);
  }
  IndexedEvent& gone = events[99];
  gone.text = "quokka +12025550123";
  gone.marks = {MarkOf(splitter, "to", "+4930901820")};
  gone.agent = "Wombat";
  gone.paths = {"Zyzzyva"};
  Add({events.begin(), events.begin() + 120});
  Add({events.begin() + 120, events.end()});
  // A word's first letters may be those of the word before.
  const std::vector<std::string> secrets = {"uokka", "025550123", "30901820", "Wombat"};
  for (const std::string& secret : secrets) EXPECT_THAT(Bytes(), HasSubstr(secret));
  std::map<EventSeq, IndexedEvent> journal;
  for (const IndexedEvent& event : events) journal[event.seq] = event;
  const auto read = [&](EventSeq seq) -> Result<std::optional<IndexedEvent>> { return std::optional(journal.at(seq)); };
  ASSERT_TRUE(index_->RemoveExcept(100, 101, {}));
  EXPECT_FALSE(*index_->RewriteText(read)) << "not yet";
  clock_.Advance(SearchIndex::kWordsKept);
  EXPECT_TRUE(*index_->RewriteText(read));
  EXPECT_TRUE(*index_->RewriteText(read));
  // Revised while the text is made again: one that is in it already, and one that is not.
  for (const EventSeq seq : {3, 180}) {
    journal[seq].text += " beta";
    ASSERT_TRUE(index_->Add({&journal[seq], 1}, 0));
  }
  ASSERT_TRUE(index_->RemoveExcept(150, 151, {}));
  journal.erase(150);
  while (*index_->RewriteText(read)) {
  }
  ASSERT_TRUE(index_->Prune(clock_.Wall()));
  for (const std::string& secret : secrets) EXPECT_THAT(Bytes(), Not(HasSubstr(secret))) << secret;
  EXPECT_EQ(Find(Words({"alpha"}), 0, 1000).size(), 198u);
  EXPECT_EQ(Find(Words({"number7"}, false)), (Seqs{7}));
  EXPECT_EQ(Find(Words({"beta"})), (Seqs{180, 3}));
  Add({Event(201)});
  EXPECT_EQ(Find({}).front(), 201);
  clock_.Advance(SearchIndex::kWordsKept);
  EXPECT_TRUE(*index_->RewriteText(read)) << "another was removed meanwhile";
}

TEST_F(SearchIndexTest, ATextThatWasNotMadeAgainToItsEndIsBegunAnewAfterARestart) {
  IndexedEvent one = Event(1), other = Event(2);
  one.text = "quokka";
  other.text = "alpha";
  Add({one, other});
  ASSERT_TRUE(index_->RemoveExcept(1, 2, {}));
  clock_.Advance(SearchIndex::kWordsKept);
  const auto read = [&](EventSeq) -> Result<std::optional<IndexedEvent>> { return std::optional(other); };
  const auto fail = [&](EventSeq) -> Result<std::optional<IndexedEvent>> {
    return Error{ErrorCode::kUnavailable, "not now"};
  };
  EXPECT_TRUE(*index_->RewriteText(read));
  EXPECT_FALSE(index_->RewriteText(fail));
  EXPECT_EQ(Find(Words({"alpha"})), (Seqs{2}));
  Open();
  EXPECT_EQ(Find(Words({"alpha"})), (Seqs{2}));
  while (*index_->RewriteText(read)) {
  }
  ASSERT_TRUE(index_->Prune(clock_.Wall()));
  EXPECT_THAT(Bytes(), Not(HasSubstr("uokka")));
  EXPECT_EQ(Find(Words({"alpha"})), (Seqs{2}));
}

TEST_F(SearchIndexTest, TheWordsOfAWholePartAreGoneWithIt) {
  IndexedEvent old = Event(1);
  old.text = "quokka";
  Add({old, Event(kEventsPerPart + 1)});
  EXPECT_THAT(Bytes(), HasSubstr("uokka"));
  ASSERT_TRUE(index_->RemoveExcept(0, kEventsPerPart, {}));
  ASSERT_TRUE(index_->Prune(clock_.Wall()));
  EXPECT_THAT(Bytes(), Not(HasSubstr("uokka")));
}

TEST_F(SearchIndexTest, PathsThatNoEventHasAnyMoreMakeRoomForOthers) {
  IndexedEvent first = Event(1), second = Event(2), third = Event(3);
  for (int i = 0; i < 1000; ++i) first.paths.push_back("Calls.call" + std::to_string(i));
  second.paths = {"Calls.call7", "General.Outcome"};
  third.paths = {"General.Outcome"};
  Add({first, second});
  EXPECT_THAT(*index_->reader().Names(NameKind::kPath, "General", 9), IsEmpty()) << "there are too many";
  ASSERT_TRUE(index_->RemoveExcept(1, 2, {}));
  Add({third});
  EXPECT_EQ(index_->reader().Names(NameKind::kPath, "General", 9)->size(), 1u);
  EXPECT_EQ(index_->reader().Names(NameKind::kPath, "Calls", 2000)->size(), 1u);
  ASSERT_TRUE(index_->Prune(clock_.Wall()));
  EXPECT_THAT(Bytes(), Not(HasSubstr("Calls.call9")));
}

TEST_F(SearchIndexTest, ManyEventsAreRemovedInSteps) {
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 5000; ++seq) events.push_back(Event(seq));
  Add(events);
  int steps = 1;
  for (; *index_->RemoveExcept(0, 5000, {}); ++steps) {
  }
  EXPECT_EQ(steps, 2);
  EXPECT_EQ(Find({}), (Seqs{5000}));
}

TEST_F(SearchIndexTest, WhatWasIndexedIsThereAfterARestart) {
  Add({Event(1), Event(2)});
  Open();
  EXPECT_EQ(index_->through(), 2);
  EXPECT_EQ(index_->found_unusable(), "");
  EXPECT_EQ(Find({}), (Seqs{2, 1}));
  EXPECT_EQ((*index_->FindRow(1))->received_at, Event(1).received_at);
  EXPECT_FALSE(*index_->FindRow(3));
}

TEST_F(SearchIndexTest, WhetherAllWasIndexedAtTheEndIsKnownAfterARestart) {
  EXPECT_TRUE(index_->WasComplete()) << "a new one lacks nothing";
  Add({Event(1)});
  ASSERT_TRUE(index_->NoteComplete());
  Open();
  EXPECT_TRUE(index_->WasComplete());
  Open();
  EXPECT_FALSE(index_->WasComplete()) << "the last one was killed, for all that is known";
}

TEST_F(SearchIndexTest, AFileThatIsNotOfThisJournalBeginsAnew) {
  Add({Event(1), Event(2)});
  Open(kSalt + 1);
  EXPECT_THAT(index_->found_unusable(), HasSubstr("another journal"));
  EXPECT_EQ(index_->through(), 0);
  EXPECT_THAT(Find({}), IsEmpty());
  Add({Event(1), Event(2)});
  Open(kSalt + 1, 1);
  EXPECT_THAT(index_->found_unusable(), HasSubstr("ahead of the journal"));
  EXPECT_EQ(index_->through(), 0);
  Add({Event(1)});
  index_.reset();
  Shell("UPDATE meta SET value = 99 WHERE key = 'version'");
  Open(kSalt + 1);
  EXPECT_THAT(index_->found_unusable(), HasSubstr("another version"));
  index_.reset();
  Shell("DROP TABLE doc");
  Open(kSalt + 1);
  EXPECT_NE(index_->found_unusable(), "");
  Add({Event(1)});
  EXPECT_EQ(Find({}), (Seqs{1}));
}

TEST_F(SearchIndexTest, AFileThatIsNoDatabaseBeginsAnew) {
  Add({Event(1)});
  index_.reset();
  std::ofstream(path_ + ".search", std::ios::trunc) << std::string(10'000, 'x');
  Open();
  EXPECT_NE(index_->found_unusable(), "");
  Add({Event(1)});
  EXPECT_EQ(Find({}), (Seqs{1}));
}

TEST_F(SearchIndexTest, DamageIsToldAndAResetMendsIt) {
  std::vector<IndexedEvent> events;
  for (EventSeq seq = 1; seq <= 2000; ++seq) {
    events.push_back(Event(seq));
    events.back().text = "word" + std::to_string(seq);
  }
  Add(events);
  index_.reset();
  {
    std::fstream file(path_ + ".search", std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(0, std::ios::end);
    const auto size = file.tellg();
    for (std::streamoff at = 8192; at < size; at += 8192) {
      file.seekp(at);
      file << std::string(4096, '\xff');
    }
  }
  Open();
  // Either the start has noticed it, or a search does.
  if (index_->found_unusable().empty()) {
    const auto page = index_->reader().Find({}, 0, 100, MonoTime::max());
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, ErrorCode::kInvalid);
    EXPECT_NE(index_->WhyReset(), "");
    ASSERT_TRUE(index_->Reset());
  }
  EXPECT_EQ(index_->through(), 0);
  Add({Event(1)});
  EXPECT_EQ(Find({}), (Seqs{1}));
}

TEST_F(SearchIndexTest, ADeletedFileIsNoticed) {
  Add({Event(1)});
  EXPECT_EQ(index_->WhyReset(), "");
  std::remove((path_ + ".search").c_str());
  EXPECT_NE(index_->WhyReset(), "");
  ASSERT_TRUE(index_->Reset());
  EXPECT_EQ(index_->WhyReset(), "");
  EXPECT_EQ(index_->through(), 0);
  Add({Event(1)});
  EXPECT_EQ(Find({}), (Seqs{1}));
}

TEST_F(SearchIndexTest, AResetThatFailsIsStillNeededAndNothingIsReadUntilOneHasWorked) {
  FaultVfs disk(FaultVfs::Fault::kNone, 0, 1);
  Open();
  Add({Event(1)});
  EXPECT_EQ(Find({}), (Seqs{1}));
  disk.Break(FaultVfs::Fault::kFail);
  ASSERT_FALSE(index_->Reset());
  EXPECT_NE(index_->WhyReset(), "");
  EXPECT_EQ(index_->through(), 0);
  const auto page = index_->reader().Find({}, 0, 10, MonoTime::max());
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
  disk.Repair();
  ASSERT_TRUE(index_->Reset());
  EXPECT_EQ(index_->WhyReset(), "");
  Add({Event(2)});
  EXPECT_EQ(Find({}), (Seqs{2}));
  index_.reset();
}

TEST_F(SearchIndexTest, AReaderThatIsDisconnectedDoesNotOpenTheFileByItself) {
  Add({Event(1)});
  SearchReader reader(path_ + ".search", clock_);
  EXPECT_FALSE(reader.Find({}, 0, 10, MonoTime::max()));
  reader.Connect();
  EXPECT_TRUE(reader.Find({}, 0, 10, MonoTime::max()));
  reader.Disconnect();
  const auto page = reader.Find({}, 0, 10, MonoTime::max());
  ASSERT_FALSE(page);
  EXPECT_EQ(page.error().code, ErrorCode::kUnavailable);
}

TEST_F(SearchIndexTest, OnlyItsOwnerMayReadTheFile) {
  Add({Event(1)});
  for (const char* part : {"", "-wal", "-shm"}) {
    EXPECT_EQ(std::filesystem::status(path_ + ".search" + part).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write)
        << part;
  }
}

TEST_F(SearchIndexTest, AFolderThatCannotBeWrittenIsAnError) {
  const auto opened = SearchIndex::Open(folder_ / "nowhere/journal.db", kSalt, 0, clock_);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::kUnavailable);
}

TEST(WordSplitter, FoldsCaseAndAccentsAndSplitsAtEverythingElse) {
  WordSplitter splitter;
  EXPECT_THAT(splitter.Split("Ångström's  co-op, №5 «ÉTÉ» 27.2 +1-202\n\tx_y"),
              ElementsAre("angstrom", "s", "co", "op", "5", "ete", "27", "2", "1", "202", "x", "y"));
  EXPECT_THAT(splitter.Split(""), IsEmpty());
  EXPECT_THAT(splitter.Split("--- !!"), IsEmpty());
  EXPECT_THAT(splitter.Split("नमस्ते 你好"), testing::SizeIs(testing::Ge(2u)));
  EXPECT_THAT(splitter.Split(std::string_view("a\0b\xff c", 6)), testing::Contains("a"));
}

TEST(WordSplitter, StopsWhenItIsTold) {
  WordSplitter splitter;
  int words = 0;
  splitter.ForEach("one two three", [&](std::string_view) { return ++words < 2; });
  EXPECT_EQ(words, 2);
}

}  // namespace
}  // namespace hookswitch
