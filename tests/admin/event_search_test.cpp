#include "core/admin/event_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/admin/history_api.h"
#include "core/base/encoding.h"
#include "tests/admin/documented_answer.h"
#include "tests/admin/fake_history.h"
#include "tests/admin/search_fixture.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using State = DeliveryState;

class EventSearchTest : public SearchFixture {
 protected:
  Answer Get(std::string_view target) { return Ask("GET", target, ""); }
  Answer Ask(std::string_view method, std::string_view target, std::string_view body) {
    HistoryApi api(*journal_, *journal_, clock_, router_, indexer_.get());
    AdminRoutes routes;
    api.AddTo(routes);
    const auto mark = std::min(target.find('?'), target.size());
    const std::string_view query = target.substr(std::min(mark + 1, target.size()));
    const std::vector<std::pair<std::string, std::string>> headers;
    Caller caller;
    caller.may = may_;
    return Documented(method, target, body,
                      routes.Handle({method, target.substr(0, mark), query, body, "127.0.0.1", headers}, caller));
  }
  json::object Json(std::string_view target) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status, 200) << target << ": " << answer.body;
    return json::parse(answer.body).as_object();
  }
  static std::vector<EventSeq> Numbers(const json::object& shown) {
    std::vector<EventSeq> numbers;
    for (const auto& event : shown.at("events").as_array()) {
      numbers.push_back(EventSeqOf(event.at("id").as_string().c_str()).value_or(0));
    }
    return numbers;
  }
  static std::string Encoded(const std::string& text) { return PercentEncoded(text); }

  Caller::Right may_ = Caller::Right::kChange;
};

TEST_F(EventSearchTest, WhatIsIndexedAndWhatIsNotYetIsFoundInOneList) {
  for (int i = 1; i <= 6; ++i) {
    Accept(Call("call-" + std::to_string(i), "completed", {{"summary", i % 2 == 0 ? "a refund" : "nothing"}}));
    if (i == 4) Index();
  }
  EXPECT_EQ(Find("refund"), (std::vector<EventSeq>{6, 4, 2}));
  EXPECT_EQ(Find("refund", true, 1), (std::vector<EventSeq>{6, 4, 2})) << "page by page as well";
  const json::object shown = Json("/api/v1/events?search=refund&limit=2");
  EXPECT_EQ(Numbers(shown), (std::vector<EventSeq>{6, 4}));
  EXPECT_EQ(shown.at("index"), (json::object{{"complete", false}, {"behind", 2}}));
  Index();
  const json::object second =
      Json("/api/v1/events?search=refund&limit=2&cursor=" + std::string(shown.at("cursor").as_string().c_str()));
  EXPECT_EQ(Numbers(second), (std::vector<EventSeq>{2}));
  EXPECT_EQ(second.at("index"), (json::object{{"complete", true}, {"behind", 0}}));
}

TEST_F(EventSearchTest, APhraseIsLookedForInTheEvent) {
  Accept(Call("call-1", "completed", {{"summary", "a late fee"}}));
  Accept(Call("call-2", "completed", {{"summary", "fee of the late"}}));
  Accept(Call("call-3", "completed", {{"summary", "Late  FEE, please"}}));
  Index();
  EXPECT_EQ(Find("\"late fee\""), (std::vector<EventSeq>{3, 1}));
  EXPECT_EQ(Find("late-fe"), (std::vector<EventSeq>{3, 1}));
  EXPECT_EQ(Find("-\"late fee\""), (std::vector<EventSeq>{2}));
  EXPECT_EQ(Find("late fee"), (std::vector<EventSeq>{3, 2, 1}));
}

TEST_F(EventSearchTest, FieldsAreThoseThatTheSourceReads) {
  const json::object numbers{{"to_number", "+12025550123"}, {"from_number", "+12025550188"}};
  Accept(Call("call-1", "completed", {{"telephony_data", numbers}, {"summary", "+919999999999"}}));
  Accept(Call("call-2", "completed", {{"extracted_data", {{"General", {{"Call Back", "Not now"}}}}}}));
  Index();
  EXPECT_THAT(Find("to:+1-202-555-0123"), ElementsAre(1));
  EXPECT_THAT(Find("from:1202555*"), ElementsAre(1));
  EXPECT_THAT(Find("to:+919999999999"), IsEmpty());
  EXPECT_THAT(Find("data.general.call_back:\"not now\""), ElementsAre(2));
  EXPECT_THAT(Find("-data.general.call_back:not*"), ElementsAre(1));
  // A revision leaves the mark of what the field was.
  Accept(Call("call-2", "completed", {{"extracted_data", {{"General", {{"Call Back", "Tomorrow"}}}}}}));
  Index();
  EXPECT_THAT(Find("data.general.call_back:\"not now\""), IsEmpty());
  EXPECT_THAT(Find("data.general.call_back:tomorrow"), ElementsAre(2));
  EXPECT_THAT(Find("\"not now\" is:revised"), ElementsAre(2)) << "earlier content stays searched";
}

TEST_F(EventSearchTest, HeldIsWhatTheLanesHold) {
  Accept(Call("call-1", "failed"));
  Accept(Call("call-2", "completed", {{"conversation_duration", 200}}));
  Index();
  EXPECT_EQ(Find("state:pending"), (std::vector<EventSeq>{2, 1}));
  EXPECT_THAT(Find("state:held"), IsEmpty());
  router_.lanes.resize(1);
  router_.lanes[0].sink = "oncall";
  router_.lanes[0].state = LaneStatus::State::kPaused;
  EXPECT_THAT(Find("state:held"), ElementsAre(1));
  EXPECT_THAT(Find("state:held sink:oncall"), ElementsAre(1));
  EXPECT_THAT(Find("state:held sink:ops"), IsEmpty());
  EXPECT_THAT(Find("-state:held"), ElementsAre(2));
}

TEST_F(EventSearchTest, AnEventIsKnownAsAtItsAcceptanceWhetherItIsIndexedOrNot) {
  Accept(Call("call-1", "completed"));
  router_.past.config = PastReading::Config{};
  auto call = std::make_shared<CallEvent>();
  call->duration = 600;
  router_.past.reading.call = call;
  router_.past.reading.explanation.unmatched = true;
  EXPECT_THAT(Find("duration:10m is:unmatched"), ElementsAre(1));
  Index();
  EXPECT_THAT(Find("duration:10m is:unmatched"), ElementsAre(1));
}

TEST_F(EventSearchTest, AnEventThatRetentionHasJustRemovedIsLeftOut) {
  Accept(Call("call-1", "completed"));
  Accept(Call("call-2", "completed"));
  Index();
  journal_->Forget(2);
  EXPECT_THAT(Find("status:completed"), ElementsAre(1));
}

TEST_F(EventSearchTest, ADamagedIndexIsLeftForTheJournal) {
  for (int i = 1; i <= 3; ++i) Accept(Call("call-" + std::to_string(i), "completed", {{"summary", "alpha"}}));
  Index();
  ASSERT_TRUE(indexer_->index()->Reset());
  EXPECT_EQ(Find("alpha"), (std::vector<EventSeq>{3, 2, 1}));
}

TEST_F(EventSearchTest, ASearchWithoutAnIndexThatTakesTooLongGoesOnWithTheCursor) {
  for (int i = 1; i <= 500; ++i) Accept(Call("call-" + std::to_string(i), i == 3 ? "busy" : "ringing"));
  const SearchFilter filter = Parse("status:busy");
  const Holds holds({}, router_);
  EventSearch search(*journal_, *journal_, clock_, router_, nullptr);
  int pages = 0;
  EventSeq before = 0;
  std::vector<EventSeq> found;
  do {
    const auto page = search.Find(filter, holds, before, 10, clock_.Mono());
    ASSERT_TRUE(page);
    for (const auto& event : page->items) found.push_back(event.seq);
    before = page->next;
    ++pages;
  } while (before != 0);
  EXPECT_THAT(found, ElementsAre(3));
  EXPECT_GT(pages, 3);
}

TEST_F(EventSearchTest, OtherFiltersAndTheSearchMustBothHold) {
  Accept(Call("call-1", "failed", {{"summary", "alpha"}}));
  Accept(Call("call-2", "completed", {{"summary", "alpha"}, {"agent_id", "agent-1"}}));
  Index();
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=alpha&status=failed")), ElementsAre(1));
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=alpha&agent=agent-1")), ElementsAre(2));
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=alpha&call_id=call-1")), ElementsAre(1));
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=alpha&q=ll-2")), ElementsAre(2));
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=alpha&until=1h")), IsEmpty());
}

TEST_F(EventSearchTest, DetailsTellWhatBecameOfEachEvent) {
  Accept(Call("call-1", "completed", {{"conversation_duration", 200.5}}));
  Index();
  for (const char* target : {"/api/v1/events?details=true", "/api/v1/events?search=status:completed&details=true"}) {
    const json::object event = Json(target).at("events").at(0).as_object();
    EXPECT_EQ(event.at("duration"), 200.5) << target;
    EXPECT_EQ(event.at("stage"), "final");
    EXPECT_EQ(event.at("revised"), false);
    EXPECT_EQ(event.at("outcomes").as_array().size(), 2u);
  }
  EXPECT_FALSE(Json("/api/v1/events?details=false").at("events").at(0).as_object().contains("outcomes"));
  EXPECT_THAT(Get("/api/v1/events?details=yes").body, HasSubstr("details: \\\"yes\\\" is neither true nor false"));
}

TEST_F(EventSearchTest, AnInvalidSearchSaysWhere) {
  const Answer answer = Get("/api/v1/events?search=alpha%20agnet:x");
  EXPECT_EQ(answer.status, 400);
  const json::object said = json::parse(answer.body).as_object();
  EXPECT_EQ(said.at("error"), "invalid_search");
  EXPECT_EQ(said.at("at"), 6);
  EXPECT_EQ(said.at("length"), 5);
  EXPECT_THAT(said.at("detail").as_string().c_str(), HasSubstr("did you mean \"agent\"?"));
  EXPECT_EQ(said.at("ok"), false);
}

TEST_F(EventSearchTest, ANameThatNothingHasAndNobodyKnowsIsTold) {
  Accept(Call("call-1", "failed"));
  Index();
  const Answer answer = Get("/api/v1/events?search=" + Encoded("sink:osp"));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("did you mean"));
  EXPECT_EQ(json::parse(answer.body).at("at"), 5);
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=" + Encoded("sink:sales"))), IsEmpty()) << "it is known";
  EXPECT_THAT(Numbers(Json("/api/v1/events?search=" + Encoded("agent:nobody"))), IsEmpty());
}

TEST_F(EventSearchTest, EventsAreReplayedBySearch) {
  Accept(Call("call-1", "failed", {{"summary", "alpha"}}));
  Accept(Call("call-2", "failed", {{"summary", "beta"}}));
  Index();
  Accept(Call("call-3", "completed", {{"summary", "alpha"}}));
  const auto replay = [&](std::string_view body) { return Ask("POST", "/api/v1/events/replay", body); };
  const json::object dry = json::parse(replay(R"({"search": "alpha", "dry_run": true})").body).as_object();
  EXPECT_EQ(dry.at("matched"), 2);
  EXPECT_EQ(dry.at("by_sink"), (json::object{{"oncall", 1}, {"ops", 2}}));
  EXPECT_THAT(Find("is:replayed"), IsEmpty());
  EXPECT_EQ(json::parse(replay(R"({"search": "alpha", "status": "failed"})").body).at("changed"), 1);
  Index();
  EXPECT_THAT(Find("is:replayed"), ElementsAre(1));
  EXPECT_THAT(replay(R"({"search": "alpha agnet:x"})").body, HasSubstr("invalid_search"));
  EXPECT_EQ(replay(R"({"search": ""})").status, 400) << "nobody replays everything by accident";
  EXPECT_EQ(replay(R"({"search": "sink:osp"})").status, 400);
  router_.config->bodies = config::Bodies::kOff;
  EXPECT_EQ(replay(R"({"search": "alpha", "dry_run": true})").status, 403) << "how many match would tell what was said";
  EXPECT_EQ(replay(R"({"q": "alpha", "dry_run": true})").status, 403);
  EXPECT_EQ(replay(R"({"search": "status:failed", "dry_run": true})").status, 200);
}

TEST_F(EventSearchTest, AListByCallTakesTheIndex) {
  for (int i = 1; i <= 300; ++i) Accept(Call("call-" + std::to_string(i % 100), "ringing", {{"n", i}}));
  Index();
  const json::object shown = Json("/api/v1/events?call_id=call-7");
  EXPECT_FALSE(Numbers(shown).empty());
  for (const auto& event : shown.at("events").as_array()) EXPECT_EQ(event.at("call_id"), "call-7");
  EXPECT_EQ(Numbers(shown), Find("call:call-7", /*with_index=*/false));
}

TEST_F(EventSearchTest, ACallIsShownOldestFirstWithEverythingOfIt) {
  const std::vector<std::string> statuses = {"queued", "initiated", "ringing", "in-progress", "completed"};
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    Accept(Call("call-1", statuses[i], i == 0 ? json::object{{"agent_id", nullptr}} : json::object{}));
    Accept(Call("other", statuses[i]));
    clock_.Advance(seconds(1));
    if (i == 2) Index();
  }
  const json::object first = Json("/api/v1/calls/call-1?limit=2");
  EXPECT_EQ(first.at("call_id"), "call-1");
  EXPECT_EQ(first.at("count"), 5);
  EXPECT_EQ(first.at("agent"), "agent-2");
  EXPECT_EQ(first.at("sources"), json::array{"bolna"});
  EXPECT_EQ(Numbers(first), (std::vector<EventSeq>{1, 3}));
  EXPECT_TRUE(first.at("events").at(0).as_object().contains("outcomes"));
  EXPECT_NE(first.at("first"), first.at("last"));
  std::vector<EventSeq> rest =
      Numbers(Json("/api/v1/calls/call-1?cursor=" + std::string(first.at("cursor").as_string().c_str())));
  EXPECT_EQ(rest, (std::vector<EventSeq>{5, 7, 9}));
  EXPECT_TRUE(Json("/api/v1/calls/call-1").at("cursor").is_null());
  EXPECT_EQ(Get("/api/v1/calls/nobody").status, 404);
  EXPECT_EQ(Get("/api/v1/calls/call-1?source=vapi").status, 400);
  EXPECT_EQ(Get("/api/v1/calls/").status, 404);
  EXPECT_EQ(Get("/api/v1/calls/call-1?nope=1").status, 400);
}

TEST_F(EventSearchTest, APageOfACallReadsNoMoreThanItShows) {
  FakeHistory history;
  for (int i = 1; i <= 100; ++i) {
    const EventSeq seq = Accept(Call("call-1", "step-" + std::to_string(i)));
    history.events[seq] = *journal_->FindEvent(seq);
  }
  Index();
  int reads = 0;
  history.on_read = [&] { return ++reads, Ok(); };
  EventSearch search(history, *journal_, clock_, router_, indexer_.get());
  const auto page = search.FindCall("call-1", "", 20, 10, MonoTime::max());
  ASSERT_TRUE(page);
  EXPECT_EQ(page->events.size(), 10u);
  EXPECT_EQ(page->events.front().seq, 21);
  EXPECT_EQ(page->next, 30);
  EXPECT_EQ(page->count, 100u);
  EXPECT_TRUE(page->is_whole);
  EXPECT_LE(reads, 11) << "and one to see that nothing is newer than the index";
}

TEST_F(EventSearchTest, ACallThatTakesTooLongGoesOnWithTheCursor) {
  for (int i = 1; i <= 100; ++i) Accept(Call("call-1", "step-" + std::to_string(i)));
  Index();
  EventSearch search(*journal_, *journal_, clock_, router_, indexer_.get());
  std::vector<EventSeq> found;
  int pages = 0;
  EventSeq after = 0;
  do {
    const auto page = search.FindCall("call-1", "bolna", after, 1000, clock_.Mono());
    ASSERT_TRUE(page);
    EXPECT_EQ(page->count, 100u);
    for (const EventSummary& event : page->events) found.push_back(event.seq);
    after = page->next;
    ++pages;
  } while (after != 0);
  EXPECT_EQ(found.size(), 100u);
  EXPECT_TRUE(std::ranges::is_sorted(found));
  EXPECT_GT(pages, 1);
}

TEST_F(EventSearchTest, ACallOfWhichRetentionHasJustRemovedAllIsNone) {
  Accept(Call("call-1", "completed"));
  Accept(Call("call-2", "completed"));
  Index();
  journal_->Forget(1);
  EXPECT_EQ(Get("/api/v1/calls/call-1").status, 404);
}

TEST_F(EventSearchTest, ACallIsFoundWithoutAnIndex) {
  Accept(Call("a/b c", "queued"));
  Accept(Call("a/b c", "completed"));
  EXPECT_EQ(Numbers(Json("/api/v1/calls/a/b c")), (std::vector<EventSeq>{1, 2}));
}

TEST_F(EventSearchTest, SuggestionsAreOfTheConfigAndOfWhatIsStored) {
  Accept(Call("call-1", "failed", {{"agent_id", "billing us"}, {"extracted_data", {{"General", {{"Out Come", 1}}}}}}));
  Accept(Call("call-2", "failed", {{"agent_id", "billing-eu"}}));
  Accept(Call("call-3", "failed", {{"agent_id", "billing-eu"}}));
  Index();
  const auto suggest = [&](const std::string& text, const std::string& at = "") {
    const json::object shown = Json("/api/v1/suggest?search=" + Encoded(text) + (at.empty() ? "" : "&at=" + at));
    std::string told = std::to_string(shown.at("from").as_int64()) + "-" + std::to_string(shown.at("to").as_int64());
    for (const auto& one : shown.at("suggestions").as_array()) {
      told += std::string(" | ") + one.at("text").as_string().c_str();
      if (one.at("events").is_int64()) told += " " + std::to_string(one.at("events").as_int64());
    }
    return told;
  };
  EXPECT_EQ(suggest("agent:bil"), "0-9 | agent:billing-eu 2 | agent:\"billing us\" 1 | agent:\"Zoë's billing\"");
  EXPECT_EQ(suggest("x -agent:a,us y", "13"), "2-13 | -agent:a,\"billing us\" 1");
  EXPECT_EQ(suggest("é agent:eu"), "2-10 | agent:billing-eu 2");
  EXPECT_EQ(suggest("sink:o"), "0-6 | sink:oncall 3 | sink:ops 3");
  EXPECT_EQ(suggest("state:de"), "0-8 | state:delivered 0 | state:dead 0");
  EXPECT_EQ(suggest("is:re"), "0-5 | is:revised | is:replayed");
  EXPECT_EQ(suggest("ag"), "0-2 | agent:");
  EXPECT_EQ(suggest("-di"), "0-3 | -direction:");
  EXPECT_EQ(suggest("data.gen"), "0-8 | data.General.Out_Come: 1");
  EXPECT_EQ(suggest("oncall"), "0-6 | sink:oncall 3");
  EXPECT_EQ(suggest("\"quoted"), "0-7");
  EXPECT_THAT(suggest(""), HasSubstr("0-0 | agent: | status:"));
  EXPECT_THAT(suggest("agent:x ", "8"), HasSubstr("8-8 | agent: | status:"));
  EXPECT_THAT(suggest("status:uns"), HasSubstr("status:unsuccessful"));
  EXPECT_THAT(suggest("status:fa"), testing::StartsWith("0-9 | status:failed 3"));
  EXPECT_EQ(Get("/api/v1/suggest?search=x&at=y").status, 400);
  EXPECT_EQ(Get("/api/v1/suggest?serch=x").status, 400);
}

TEST_F(EventSearchTest, PathsOfDataAreSuggestedToWhoMaySeeThem) {
  Accept(Call("call-1", "failed", {{"extracted_data", {{"General", {{"+12025550123", "x"}}}}}}));
  Index();
  const auto is_suggested = [&] {
    return Get("/api/v1/suggest?search=data.gen").body.find("+12025550123") != std::string::npos;
  };
  may_ = Caller::Right::kRead;
  EXPECT_TRUE(is_suggested());
  router_.config->bodies = config::Bodies::kMasked;
  EXPECT_FALSE(is_suggested());
  may_ = Caller::Right::kChange;
  EXPECT_TRUE(is_suggested());
  router_.config->bodies = config::Bodies::kOff;
  EXPECT_FALSE(is_suggested());
}

/// Random events, random searches: the index and a look at every event must say the same.
class RandomSearches : public SearchFixture, public testing::WithParamInterface<unsigned> {
 protected:
  std::size_t Below(std::size_t most) { return random_() % most; }
  template <class List>
  auto OneOf(const List& list) {
    return *(std::begin(list) + static_cast<std::ptrdiff_t>(Below(std::size(list))));
  }
  std::string Word() {
    static constexpr const char* kWords[] = {"late", "fee", "Late", "refund", "ré", "re", "a", "27.2", "x-1", "ÉTÉ"};
    return OneOf(kWords);
  }
  std::string Words() {
    std::string words;
    for (std::size_t i = 0, count = Below(6); i < count; ++i) words += Word() + (Below(4) == 0 ? ", " : " ");
    return words;
  }

  void AcceptOne() {
    static constexpr const char* kStatuses[] = {"queued", "ringing", "completed",
                                                "failed", "busy",    "call-disconnected"};
    static constexpr const char* kNumbers[] = {"+12025550123", "+1 202 555 0124", "+919999999999"};
    if (Below(20) == 0) {
      Accept(std::string(R"({"batch_id":"b-)") + std::to_string(random_()) + R"(","status":"executed"})");
      return;
    }
    json::object more{{"agent_id", "agent-" + std::to_string(Below(4))}, {"summary", Words()}};
    if (Below(2) == 0) more["transcript"] = "assistant: " + Words() + "\nuser: " + Words();
    if (Below(2) == 0) more["conversation_duration"] = static_cast<double>(Below(3000)) / 10;
    if (Below(3) == 0) more["total_cost"] = static_cast<double>(Below(100)) / 4;
    more["telephony_data"] = json::object{{"to_number", OneOf(kNumbers)},
                                          {"from_number", OneOf(kNumbers)},
                                          {"call_type", Below(2) == 0 ? "inbound" : "outbound"}};
    more["extracted_data"] = json::object{{"General", {{"Out Come", Words()}, {"ok", Below(2) == 0}}}};
    // Few calls and statuses: some come again, with other content, and are revisions.
    Accept(Call("call-" + std::to_string(Below(60)), OneOf(kStatuses), more));
    if (Below(5) == 0) clock_.Advance(seconds(1 + Below(600)));
  }
  void ChangeOne() {
    const auto page = *journal_->ListDeliveries({}, 0, 1000);
    if (page.items.empty()) return;
    const DeliverySummary& one = page.items[Below(page.items.size())];
    static constexpr State kEnds[] = {State::kDelivered, State::kDead, State::kPending, State::kHeld};
    switch (Below(8)) {
      case 0: (void)journal_->Revive(std::vector{one.seq}, clock_.Wall()); break;
      case 1: (void)journal_->Cancel(std::vector{one.seq}, "purged"); break;
      case 2: {
        const NewDelivery more[] = {{.sink = "sales", .rule = "by hand", .template_name = ""}};
        (void)journal_->AddDeliveries(one.event, more, clock_.Wall());
        break;
      }
      default: End(one.seq, OneOf(kEnds));
    }
  }

  std::string Term() {
    static constexpr const char* kTerms[] = {"agent:agent-1",
                                             "agent:agent-*",
                                             "agent:\"Zoë's billing\"",
                                             "agent:agent-2,agent-3",
                                             "status:failed",
                                             "status:unsuccessful",
                                             "status:queued,completed",
                                             "source:bolna",
                                             "source:v*",
                                             "call:call-7",
                                             "call:call-1,call-2,call-3",
                                             "direction:inbound",
                                             "direction:web",
                                             "duration:>2m",
                                             "duration:<=30s",
                                             "duration:1m..2m,4m..",
                                             "duration:..0",
                                             "cost:>10",
                                             "cost:5",
                                             "cost:<1",
                                             "sink:ops",
                                             "sink:o*",
                                             "sink:sales",
                                             "rule:failed",
                                             "rule:\"by hand\"",
                                             "rule:ended,long",
                                             "state:dead",
                                             "state:pending",
                                             "state:held",
                                             "state:delivered,canceled",
                                             "is:unmatched",
                                             "is:skipped",
                                             "is:revised,replayed",
                                             "is:replayed",
                                             "after:1h",
                                             "before:30m",
                                             "from:+12025550123",
                                             "to:+1202555*",
                                             "to:+91-9999-999999",
                                             "data.general.ok:true",
                                             "data.General.Out_Come:late*",
                                             "data.general.out_come:\"re, a\"",
                                             "\"late fee\"",
                                             "\"fee late\"",
                                             "late-fe",
                                             "text:refund,27",
                                             "text:\"re a\",\"a re\"",
                                             "zzz",
                                             "27.2",
                                             "ete",
                                             "agent"};
    const std::string term = Below(3) == 0 ? Word() : OneOf(kTerms);
    return (Below(4) == 0 ? "-" : "") + term;
  }

  std::mt19937 random_{GetParam()};
};

TEST_P(RandomSearches, FindTheSameWithTheIndexAsWithout) {
  EventSeq removed = 0;
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0, count = 20 + Below(60); i < count; ++i) AcceptOne();
    for (std::size_t i = 0, count = Below(60); i < count; ++i) ChangeOne();
    if (Below(4) == 0) Restart(/*in_peace=*/Below(2) == 0);
    if (Below(6) == 0) std::remove((path_ + ".search").c_str());
    if (Below(4) == 0) {
      for (std::size_t i = 0; i < 10; ++i) journal_->Forget(++removed);
      journal_->Forget(removed + static_cast<EventSeq>(Below(30)));
    }
    if (Below(3) == 0) clock_.Advance(seconds(10));
    router_.lanes.clear();
    if (Below(2) == 0) {
      LaneStatus& lane = router_.lanes.emplace_back();
      lane.sink = "ops";
      lane.state = LaneStatus::State::kPaused;
    }
    Index();
    // Events that are not indexed yet; what is indexed must be up to date.
    if (Below(2) == 0) {
      for (std::size_t i = 0, count = Below(20); i < count; ++i) {
        const EventSeq newest = journal_->Changes({}).newest_event;
        AcceptOne();
        if (journal_->Changes({}).newest_event == newest) Index();  // it has revised an indexed one
      }
    }
    for (int i = 0; i < 25; ++i) {
      std::string search;
      for (std::size_t terms = 1 + Below(3); terms > 0; --terms) search += Term() + ' ';
      const auto expected = Find(search, /*with_index=*/false);
      EXPECT_EQ(Find(search), expected) << search;
      EXPECT_EQ(Find(search, true, 1 + Below(5)), expected) << search << "page by page";
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Seeds, RandomSearches, testing::Range(1U, 7U));

TEST_F(EventSearchTest, WhatCallsSayIsNotSearchedWhereItIsNeverShown) {
  router_.config->bodies = config::Bodies::kOff;
  for (const char* target : {"/api/v1/events?q=refund", "/api/v1/events?search=refund", "/api/v1/events?search=to:49*",
                             "/api/v1/events?search=status:failed%20-text:refund"}) {
    EXPECT_EQ(Get(target).status, 403) << target;
  }
  EXPECT_EQ(Get("/api/v1/events?search=status:failed").status, 200);
  router_.config->bodies = config::Bodies::kMasked;
  EXPECT_EQ(Get("/api/v1/events?search=refund").status, 200);
}

}  // namespace
}  // namespace hookswitch
