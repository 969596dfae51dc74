#include "core/admin/history_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/base/time_text.h"
#include "tests/admin/documented_answer.h"
#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using State = DeliveryState;

/// The pages of history over rows that the test puts in, and a scheduler that writes down what it is told.
class HistoryApiTest : public testing::Test {
 protected:
  HistoryApiTest() {
    router_.config->sources.emplace_back().name = "bolna";
    api_.AddTo(routes_);
  }

  Answer Ask(std::string_view method, std::string_view target, std::string_view body = {}) {
    const auto mark = std::min(target.find('?'), target.size());
    const std::string_view query = target.substr(std::min(mark + 1, target.size()));
    const std::vector<std::pair<std::string, std::string>> headers;
    return Documented(method, target, body,
                      routes_.Handle({method, target.substr(0, mark), query, body, "127.0.0.1", headers}, caller_));
  }
  Answer Get(std::string_view target) { return Ask("GET", target); }
  Answer Post(std::string_view target, std::string_view body = {}) { return Ask("POST", target, body); }

  static json::object Json(const Answer& answer) { return json::parse(answer.body).as_object(); }
  static std::string Detail(const Answer& answer) { return Json(answer).at("detail").as_string().c_str(); }
  static std::vector<std::string> Ids(const Answer& answer, const char* list) {
    std::vector<std::string> ids;
    const json::object shown = Json(answer);
    for (const auto& item : shown.at(list).as_array()) {
      ids.emplace_back(item.is_string() ? item.as_string().c_str() : item.at("id").as_string().c_str());
    }
    return ids;
  }
  static LaneStatus Lane(const std::string& sink, LaneStatus::State state, const std::string& because = {}) {
    LaneStatus lane;
    lane.sink = sink;
    lane.state = state;
    lane.because = because;
    return lane;
  }

  /// Stores an event in the journal as number 1, and its row in history.
  std::string Store(const std::string& body, const std::string& headers = {}) {
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.headers = headers;
    (void)journal_.Append(event);
    return history_.AddEvent(1).id;
  }
  static EventReading ReadingOf(const char* call_id, const char* rule, const std::vector<std::string_view>& sinks) {
    EventReading reading;
    auto call = std::make_shared<CallEvent>();
    call->call_id = call_id;
    reading.call = call;
    reading.generation = 3;
    reading.explanation.rules.resize(1);
    reading.explanation.rules[0].rule = rule;
    reading.explanation.rules[0].result = RuleVerdict::Result::kMatched;
    reading.explanation.rules[0].why = "no condition";
    for (const std::string_view sink : sinks) {
      reading.explanation.routes.push_back({.sink = sink, .rule = rule, .template_name = "short"});
    }
    return reading;
  }
  /// The event is a call that the rules of now send to `sinks`.
  void ReadsAs(const std::vector<std::string_view>& sinks) {
    router_.reading = ReadingOf("call-1", "everything", sinks);
  }
  /// The same of its own config.
  void ReadThenAs(const std::vector<std::string_view>& sinks) {
    router_.past.reading = ReadingOf("call-1 then", "of then", sinks);
    router_.past.config = {DigestOf("then"), WallTime(std::chrono::milliseconds(1'772'614'924'000)), false};
  }

  FakeClock clock_;
  MemoryJournal journal_{MemoryJournal::MakeDisk(), 0};
  FakeHistory history_;
  FakeRouter router_;
  HistoryApi api_{history_, journal_, clock_, router_};
  AdminRoutes routes_;
  Caller caller_;
};

TEST_F(HistoryApiTest, EventsAreListedNewestFirst) {
  history_.AddEvent(1);
  EventSummary& other = history_.AddEvent(2);
  other.call_id = other.agent = other.status = "";
  other.note = "bolna batch webhook";
  const Answer answer = Get("/api/v1/events");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(Ids(answer, "events"), ElementsAre(history_.events[2].id, history_.events[1].id));
  EXPECT_TRUE(Json(answer).at("cursor").is_null());
  const json::value first = Json(answer).at("events").at(0);
  EXPECT_TRUE(first.at("call_id").is_null());
  EXPECT_EQ(first.at("note"), "bolna batch webhook");
  EXPECT_EQ(first.at("received_at"), json::string(ToRfc3339(other.received_at)));
  EXPECT_EQ(Json(answer).at("events").at(1).at("agent"), "billing-eu");
}

TEST_F(HistoryApiTest, ACursorGoesOnWhereTheAnswerEnded) {
  for (EventSeq seq = 1; seq <= 5; ++seq) history_.AddEvent(seq);
  std::vector<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const Answer answer = Get("/api/v1/events?limit=2&cursor=" + cursor);
    ASSERT_EQ(answer.status, 200) << answer.body;
    for (auto& id : Ids(answer, "events")) seen.push_back(std::move(id));
    const json::value next = Json(answer).at("cursor");
    EXPECT_EQ(next.is_null(), page == 2);
    if (next.is_string()) cursor = next.as_string().c_str();
  }
  ASSERT_EQ(seen.size(), 5u);
  for (EventSeq seq = 1; seq <= 5; ++seq) EXPECT_EQ(seen[static_cast<std::size_t>(5 - seq)], history_.events[seq].id);
}

TEST_F(HistoryApiTest, ARareMatchIsLookedForOverManyPages) {
  for (EventSeq seq = 1; seq <= 50; ++seq) history_.AddEvent(seq);
  history_.events[3].agent = "rare";
  history_.rows_per_page = 5;
  const Answer answer = Get("/api/v1/events?agent=rare");
  EXPECT_THAT(Ids(answer, "events"), ElementsAre(history_.events[3].id));
  EXPECT_TRUE(Json(answer).at("cursor").is_null());
}

TEST_F(HistoryApiTest, ASearchThatTakesTooLongAnswersWithWhatItHasAndACursor) {
  for (EventSeq seq = 1; seq <= 50; ++seq) history_.AddEvent(seq);
  history_.events[48].agent = history_.events[3].agent = "rare";
  history_.rows_per_page = 5;
  history_.on_page = [this] { clock_.Advance(std::chrono::milliseconds(150)); };
  const Answer first = Get("/api/v1/events?agent=rare");
  EXPECT_THAT(Ids(first, "events"), ElementsAre(history_.events[48].id));
  ASSERT_TRUE(Json(first).at("cursor").is_string());
  history_.on_page = nullptr;
  const Answer second =
      Get("/api/v1/events?agent=rare&cursor=" + std::string(Json(first).at("cursor").as_string().c_str()));
  EXPECT_THAT(Ids(second, "events"), ElementsAre(history_.events[3].id));
}

TEST_F(HistoryApiTest, WhatIsAskedOfEventsReachesTheJournal) {
  const Answer answer =
      Get("/api/v1/events?agent=billing%20eu&status=no-answer&call_id=c1&source=bolna&q=a%26b+c&since=2h"
          "&until=2030-03-04T09:02:03+05:30");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const EventFilter& filter = history_.last_event_filter;
  EXPECT_EQ(filter.agent.glob, "billing eu");
  EXPECT_EQ(filter.statuses, Bit(CallStatus::kNoAnswer));
  EXPECT_EQ(filter.call_id, "c1");
  EXPECT_EQ(filter.source, "bolna");
  EXPECT_EQ(filter.text, "a&b c");
  EXPECT_EQ(filter.since, clock_.Wall() - std::chrono::hours(2));
  EXPECT_EQ(filter.until, ParseTime("2030-03-04T03:32:03Z"));
}

TEST_F(HistoryApiTest, ValuesMeanWhatTheyMeanInTheSearchBox) {
  ASSERT_EQ(Get("/api/v1/events?since=2026-03-01&status=NO-Answer").status, 200);
  EXPECT_EQ(history_.last_event_filter.since, ParseTime("2026-03-01T00:00:00Z"));
  EXPECT_EQ(history_.last_event_filter.statuses, Bit(CallStatus::kNoAnswer));
  ASSERT_EQ(Post("/api/v1/deliveries/purge", R"({"until": "2026-03-02", "state": "Dead", "dry_run": true})").status,
            200);
  EXPECT_EQ(history_.last_delivery_filter.until, ParseTime("2026-03-02T00:00:00Z"));
  EXPECT_THAT(history_.last_delivery_filter.states, ElementsAre(State::kDead));
  EXPECT_THAT(Detail(Get("/api/v1/events?since=2026-02-30")), HasSubstr("since: \"2026-02-30\" is neither a date"));
}

TEST_F(HistoryApiTest, AnAgentIsMeantAsRulesMeanIt) {
  router_.config->agents["9b1d2a60"].name = "billing-eu";
  router_.config->agents["3c90c3cc"].name = "sales-us";
  const std::pair<EventSeq, const char*> stored[] = {
      {1, "9b1d2a60"}, {2, "billing-eu"}, {3, "sales-us"}, {4, "billing-new"}, {5, ""}};
  for (const auto& [seq, agent] : stored) history_.AddEvent(seq).agent = agent;
  const std::pair<const char*, std::set<EventSeq>> cases[] = {
      {"billing-eu", {1, 2}}, {"9b1d2a60", {1, 2}}, {"9b1d*", {1, 2}}, {"billing-*", {1, 2, 4}},
      {"*", {1, 2, 3, 4}},    {"sales-us", {3}},    {"3c90c3cc", {3}}, {"billing", {}}};
  for (const auto& [agent, wanted] : cases) {
    std::set<EventSeq> found;
    for (const auto& id : Ids(Get("/api/v1/events?agent=" + std::string(agent)), "events")) {
      found.insert(*EventSeqOf(id));
    }
    EXPECT_EQ(found, wanted) << agent;
  }
}

TEST_F(HistoryApiTest, AStatusMayBeAGroup) {
  ASSERT_EQ(Get("/api/v1/events?status=unsuccessful").status, 200);
  EXPECT_EQ(history_.last_event_filter.statuses, UnsuccessfulStatuses());
  ASSERT_EQ(Get("/api/v1/deliveries?status=terminal").status, 200);
  EXPECT_EQ(history_.last_delivery_filter.statuses, TerminalStatuses());
}

TEST_F(HistoryApiTest, ANameThatNothingHasIsAnErrorThatNamesWhatThereIs) {
  router_.config->sinks.emplace_back().name = "ops";
  router_.config->sinks.emplace_back().name = "oncall";
  router_.config->rules.emplace_back().name = "failed-billing";
  router_.lanes = {Lane("crm", LaneStatus::State::kRemoved)};
  history_.AddDelivery(7, State::kDead, "gone");
  const std::pair<const char*, const char*> cases[] = {
      {"/api/v1/events?source=bolan", R"(there is no source "bolan"; did you mean "bolna"?; there is bolna)"},
      {"/api/v1/events?status=complete", R"(did you mean "completed")"},
      {"/api/v1/refused?source=x", R"(there is no source "x"; there is bolna)"},
      {"/api/v1/deliveries?sink=opps", R"(there is no sink "opps"; did you mean "ops"?; there is ops, oncall, crm)"},
      {"/api/v1/deliveries?rule=x", R"(there is no rule "x"; there is failed-billing)"},
      {"/api/v1/deliveries?source=x", R"(there is no source "x")"}};
  for (const auto& [target, detail] : cases) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_EQ(Json(answer).at("error"), "unknown_name") << target;
    EXPECT_THAT(Detail(answer), HasSubstr(detail)) << target;
  }
  const Answer bulk = Post("/api/v1/deliveries/purge", R"({"sink": "opps"})");
  EXPECT_EQ(bulk.status, 400);
  EXPECT_THAT(Detail(bulk), HasSubstr(R"(did you mean "ops"?)"));
  for (const char* known :
       {"/api/v1/deliveries?sink=crm", "/api/v1/deliveries?sink=ops", "/api/v1/deliveries?sink=gone",
        "/api/v1/deliveries?rule=notify_problems_to", "/api/v1/events?source=hookswitch"}) {
    EXPECT_EQ(Get(known).status, 200) << known;
  }
}

TEST_F(HistoryApiTest, ADryRunSaysWhatTimesBoundItSoThatNothingLaterIsChanged) {
  const WallTime now = clock_.Wall();
  history_.AddDelivery(1, State::kDead).accepted_at = now - std::chrono::seconds(1);
  const auto dry = Json(Post("/api/v1/deliveries/purge", R"({"sink": "ops", "since": "2h", "dry_run": true})"));
  EXPECT_EQ(dry.at("since"), json::string(ToRfc3339(now - std::chrono::hours(2))));
  EXPECT_EQ(dry.at("until"), json::string(ToRfc3339(now)));
  clock_.Advance(std::chrono::seconds(1));
  history_.AddDelivery(2, State::kDead).accepted_at = clock_.Wall();
  const auto again =
      Json(Post("/api/v1/deliveries/purge",
                json::serialize(json::object{
                    {"sink", "ops"}, {"since", dry.at("since")}, {"until", dry.at("until")}, {"dry_run", true}})));
  EXPECT_EQ(again.at("matched"), 1);
  EXPECT_EQ(again.at("until"), dry.at("until"));
  const auto events = Json(Post("/api/v1/events/replay", R"({"all": true, "dry_run": true})"));
  EXPECT_TRUE(events.at("since").is_null());
  EXPECT_EQ(events.at("until"), json::string(ToRfc3339(clock_.Wall())));
}

TEST_F(HistoryApiTest, APartOfAListSaysThatANameIsUnknownAndGoesOn) {
  for (EventSeq seq = 1; seq <= 3; ++seq) history_.AddEvent(seq);
  history_.rows_per_page = 1;
  history_.on_page = [this] { clock_.Advance(std::chrono::seconds(1)); };
  const auto part = Json(Get("/api/v1/events?source=old"));
  EXPECT_THAT(part.at("unknown").as_string().c_str(), HasSubstr("there is no source \"old\""));
  EXPECT_TRUE(part.at("cursor").is_string());
}

TEST_F(HistoryApiTest, ABadParameterIsNamed) {
  const std::pair<const char*, const char*> cases[] = {
      {"/api/v1/events?limit=0", "limit"},           {"/api/v1/events?limit=1001", "limit"},
      {"/api/v1/events?limit=ten", "limit"},         {"/api/v1/events?cursor=x", "cursor"},
      {"/api/v1/events?cursor=-1", "cursor"},        {"/api/v1/events?since=yesterday", "since"},
      {"/api/v1/events?since=1h&until=2h", "until"}, {"/api/v1/events?agent=%zz", "agent"},
      {"/api/v1/events?agent=a&agent=b", "agent"},   {"/api/v1/events?agnet=a", "did you mean \"agent\""},
      {"/api/v1/events?sink=ops", "\"sink\""},       {"/api/v1/deliveries?state=dead,gone", "\"gone\""},
      {"/api/v1/deliveries?event=x", "event"},       {"/api/v1/deliveries?q=x", "\"q\""},
      {"/api/v1/deliveries/d-1?limit=1", "limit"}};
  for (const auto& [target, named] : cases) {
    const Answer answer = Get(target);
    EXPECT_EQ(answer.status, 400) << target;
    EXPECT_THAT(Detail(answer), HasSubstr(named)) << target;
  }
  EXPECT_EQ(Get("/api/v1/events?agent=&limit=&&").status, 200) << "an empty form field asks nothing";
}

TEST_F(HistoryApiTest, AnEventIsShownWithAllThatBecameOfIt) {
  const std::string id = Store(R"({"id": "call-1"})", "content-type: application/json\n");
  ReadsAs({"ops"});
  history_.AddDelivery(7, State::kDead).reason = "no such channel";
  StoredAttempt attempt;
  attempt.number = 1;
  attempt.trigger = Trigger::kManual;
  attempt.latency = std::chrono::milliseconds(132);
  attempt.kind = Outcome::Kind::kRejected;
  attempt.may_have_been_delivered = true;
  attempt.http_status = 404;
  attempt.code = "channel_not_found";
  attempt.request = "POST https://hooks.slack.com/***";
  attempt.waits = {{WaitKind::kSettle, std::chrono::minutes(1)}, {WaitKind::kPace, std::chrono::milliseconds(1200)}};
  attempt.first_byte = std::chrono::milliseconds(97);
  history_.deliveries[7].attempts = {attempt};

  const Answer answer = Get("/api/v1/events/" + id);
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto shown = Json(answer);
  EXPECT_EQ(shown.at("id"), json::string(id));
  EXPECT_EQ(shown.at("raw"), R"({"id": "call-1"})");
  EXPECT_FALSE(shown.contains("raw_base64"));
  EXPECT_EQ(shown.at("headers").at(0).at("name"), "content-type");
  EXPECT_EQ(shown.at("normalized").at("call_id"), "call-1");
  EXPECT_TRUE(shown.at("normalized_because").is_null());
  EXPECT_EQ(shown.at("routing_now").at("generation"), 3);
  EXPECT_EQ(shown.at("routing_now").at("as_of"), json::string(ToRfc3339(clock_.Wall())));
  EXPECT_EQ(shown.at("routing_now").at("rules").at(0).at("why"), "no condition");
  EXPECT_EQ(shown.at("routing_now").at("deliveries").at(0).at("sink"), "ops");
  const auto& delivery = shown.at("deliveries").at(0);
  EXPECT_EQ(delivery.at("id"), "d-7");
  EXPECT_EQ(delivery.at("state"), "dead");
  const auto& tried = delivery.at("attempts").at(0);
  EXPECT_EQ(tried.at("trigger"), "manual");
  EXPECT_EQ(ToText(tried.at("waits")), R"([{"for":"settle","ms":60000},{"for":"pace","ms":1200}])");
  EXPECT_EQ(tried.at("latency_ms"), 132);
  EXPECT_TRUE(tried.at("connect_ms").is_null());
  EXPECT_EQ(tried.at("first_byte_ms"), 97);
  EXPECT_EQ(tried.at("outcome"), "rejected");
  EXPECT_EQ(tried.at("may_have_been_delivered"), true);
  EXPECT_EQ(tried.at("http_status"), 404);
  EXPECT_EQ(tried.at("request"), "POST https://hooks.slack.com/***");
  EXPECT_TRUE(tried.at("response").is_null());
}

TEST_F(HistoryApiTest, ABodyThatIsNoTextIsShownInBase64) {
  const std::string id = Store("\xff\xfe{");
  router_.reading.why_not = "the source no longer reads it: invalid_json: …";
  const auto shown = Json(Get("/api/v1/events/" + id));
  EXPECT_TRUE(shown.at("raw").is_null());
  EXPECT_EQ(shown.at("raw_base64"), "//57");
  EXPECT_TRUE(shown.at("normalized").is_null());
  EXPECT_THAT(shown.at("normalized_because").as_string().c_str(), HasSubstr("no longer reads"));
  EXPECT_TRUE(shown.at("routing").is_null());
  EXPECT_TRUE(shown.at("routing_now").is_null());
}

TEST_F(HistoryApiTest, AnEventIsRoutedByTheRulesOfThenAndByThoseOfNow) {
  const std::string id = Store("{}");
  ReadsAs({"ops"});
  ReadThenAs({"sales", "oncall"});
  const auto shown = Json(Get("/api/v1/events/" + id));
  const std::string hash = Hex(DigestOf("then"));
  EXPECT_EQ(shown.at("config"),
            (json::value{{"hash", hash}, {"since", "2026-03-04T09:02:04Z"}, {"is_current", false}}));
  const json::value& then = shown.at("routing");
  EXPECT_EQ(then.at("config"), json::string(hash));
  EXPECT_EQ(then.at("as_of"), shown.at("received_at"));
  EXPECT_FALSE(then.as_object().contains("generation"));
  EXPECT_EQ(then.at("rules").at(0).at("name"), "of then");
  EXPECT_EQ(then.at("deliveries"),
            json::parse(R"([{"sink":"sales","rule":"of then"},{"sink":"oncall","rule":"of then"}])"));
  EXPECT_TRUE(shown.at("routing_because").is_null());
  EXPECT_EQ(shown.at("routing_now").at("deliveries"), json::parse(R"([{"sink":"ops","rule":"everything"}])"));
  EXPECT_EQ(shown.at("normalized").at("call_id"), "call-1") << "by the current config";
  history_.revisions[1] = {{0, WallTime(std::chrono::milliseconds(1'772'614'925'000)), {}, {}}};
  EXPECT_EQ(Json(Get("/api/v1/events/" + id)).at("routing").at("as_of"), "2026-03-04T09:02:05Z")
      << "a revision is routed anew";
}

TEST_F(HistoryApiTest, AnEventThatTheCurrentConfigRefusesIsReadByItsOwn) {
  const std::string id = Store("{}");
  ReadThenAs({"sales"});
  router_.reading.why_not = "the config has no source \"bolna\"";
  const auto shown = Json(Get("/api/v1/events/" + id));
  EXPECT_EQ(shown.at("normalized").at("call_id"), "call-1 then");
  EXPECT_EQ(shown.at("normalized_because"),
            "the config has no source \"bolna\"; this is how the config at its acceptance reads it");
  EXPECT_EQ(shown.at("routing").at("deliveries").at(0).at("sink"), "sales");
  EXPECT_TRUE(shown.at("routing_now").is_null());
}

TEST_F(HistoryApiTest, AnEventThatNamesNoConfigSaysSo) {
  const std::string id = Store("{}");
  ReadsAs({"ops"});
  router_.past.reading.why_not = "an earlier version stored it";
  const auto shown = Json(Get("/api/v1/events/" + id));
  EXPECT_TRUE(shown.at("config").is_null());
  EXPECT_TRUE(shown.at("routing").is_null());
  EXPECT_EQ(shown.at("routing_because"), "an earlier version stored it");
  EXPECT_EQ(shown.at("routing_now").at("deliveries").as_array().size(), 1u);
  EXPECT_TRUE(shown.at("normalized_because").is_null());
}

TEST_F(HistoryApiTest, WhatAnEventWasBeforeItWasRevisedIsShownBesideIt) {
  const std::string id = Store(R"({"id": "call-1", "cost": 2})");
  EXPECT_EQ(Json(Get("/api/v1/events/" + id)).at("revisions"), json::array());
  history_.revisions[1] = {{.number = 0,
                            .until = WallTime(std::chrono::milliseconds(1'772'614'924'000)),
                            .headers = "content-type: text/plain\n",
                            .body = R"({"id": "call-1"})"},
                           {.number = 1, .until = {}, .headers = {}, .body = "\xff"}};
  const auto shown = Json(Get("/api/v1/events/" + id));
  EXPECT_EQ(shown.at("raw"), R"({"id": "call-1", "cost": 2})");
  const auto& first = shown.at("revisions").at(0);
  EXPECT_EQ(first.at("number"), 0);
  EXPECT_EQ(first.at("until"), "2026-03-04T09:02:04Z");
  EXPECT_EQ(first.at("raw"), R"({"id": "call-1"})");
  EXPECT_EQ(first.at("headers").at(0).at("value"), "text/plain");
  EXPECT_EQ(shown.at("revisions").at(1).at("raw_base64"), "/w==");
}

TEST_F(HistoryApiTest, BodiesAreWithheldUntilSomebodyAsksForOneEvent) {
  const std::string path = "/api/v1/events/" + Store(R"({"id": "call-1"})");
  ReadsAs({"ops"});
  history_.AddDelivery(7, State::kDead);
  history_.deliveries[7].attempts.resize(1);
  history_.deliveries[7].attempts[0].request = "POST https://hooks.slack.com/***";
  const auto raw = [&](const Answer& answer) { return Json(answer).at("raw"); };
  EXPECT_EQ(raw(Get(path)), R"({"id": "call-1"})");
  EXPECT_EQ(Json(Get(path)).at("masked"), json::array());
  EXPECT_TRUE(raw(Get(path + "?mask=true")).is_null()) << "asked for";
  EXPECT_FALSE(raw(Get(path + "?mask=false")).is_null());
  for (const config::Bodies bodies : {config::Bodies::kMasked, config::Bodies::kOff}) {
    router_.config->bodies = bodies;
    const json::object shown = Json(Get(path));
    EXPECT_TRUE(shown.at("raw").is_null());
    EXPECT_EQ(shown.at("masked"), json::parse(R"(["raw", "deliveries.attempts.request"])"));
    EXPECT_TRUE(raw(Get(path + "?mask=false")).is_null()) << "a parameter shows nothing that is withheld";
    const json::object delivery = Json(Get("/api/v1/deliveries/d-7"));
    EXPECT_TRUE(delivery.at("attempts").at(0).at("request").is_null());
    EXPECT_EQ(delivery.at("masked"), json::parse(R"(["attempts.request"])"));
    EXPECT_THAT(Get("/api/v1/events").body, Not(HasSubstr("hooks.slack.com")));
  }
  EXPECT_EQ(Post(path + "/unmask").status, 403);
  EXPECT_EQ(Post("/api/v1/deliveries/d-7/unmask").status, 403);
  router_.config->bodies = config::Bodies::kMasked;
  const Answer unmasked = Post(path + "/unmask");
  ASSERT_EQ(unmasked.status, 200) << unmasked.body;
  EXPECT_EQ(raw(unmasked), R"({"id": "call-1"})");
  EXPECT_EQ(Json(unmasked).at("masked"), json::array());
  const json::object delivery = Json(Post("/api/v1/deliveries/d-7/unmask"));
  EXPECT_EQ(delivery.at("attempts").at(0).at("request"), "POST https://hooks.slack.com/***");
  EXPECT_TRUE(delivery.at("message").is_object());
  EXPECT_EQ(Get(path + "/unmask").allow, "POST") << "to see it is an action";
  EXPECT_EQ(Post(path + "/unmask?mask=true").status, 400);
  EXPECT_EQ(Post("/api/v1/events/none/unmask").status, 404);
}

TEST_F(HistoryApiTest, TextsAreSearchedByWhoMaySeeThem) {
  history_.AddEvent(1);
  caller_.may = Caller::Right::kRead;
  EXPECT_EQ(Get("/api/v1/events?q=refund").status, 200);
  router_.config->bodies = config::Bodies::kMasked;
  EXPECT_EQ(Get("/api/v1/events?q=refund").status, 403);
  EXPECT_EQ(Get("/api/v1/events?search=refund").status, 403);
  EXPECT_EQ(Get("/api/v1/events?search=status:failed").status, 200);
  caller_.may = Caller::Right::kChange;
  EXPECT_EQ(Get("/api/v1/events?q=refund").status, 200);
  router_.config->bodies = config::Bodies::kOff;
  const Answer refused = Get("/api/v1/events?q=refund");
  EXPECT_EQ(refused.status, 403);
  EXPECT_EQ(Json(refused).at("error"), "forbidden");
  EXPECT_THAT(Detail(refused), HasSubstr("inspector.bodies: off"));
  for (const char* search : {"refund", "text:refund", "-from:%2B49*", "to:%2B49*", "status:failed%20data.Outcome:x"}) {
    EXPECT_EQ(Get("/api/v1/events?search=" + std::string(search)).status, 403) << search;
  }
  EXPECT_EQ(Get("/api/v1/events?search=status:failed").status, 200);
  EXPECT_EQ(Post("/api/v1/events/replay", R"({"q": "refund", "dry_run": true})").status, 403);
  EXPECT_EQ(Get("/api/v1/events?q=").status, 200);
  EXPECT_EQ(Get("/api/v1/events?agent=billing-eu").status, 200);
}

TEST_F(HistoryApiTest, WhatAnOperatorSearchedForIsShownToWhoMaySearchForIt) {
  const auto record = [&](const char* detail) {
    history_.RecordAction({.at = clock_.Wall(),
                           .who = "ana",
                           .peer = "",
                           .action = "replay",
                           .target = "events",
                           .detail = detail,
                           .result = ""});
  };
  record(R"({"search": "to:+12025550123", "since": "2h"})");
  record(R"({"q": "+12025550123"})");
  record("");
  const auto shown = [&] { return Get("/api/v1/actions").body; };
  caller_.may = Caller::Right::kRead;
  EXPECT_THAT(shown(), HasSubstr("to:+12025550123"));
  router_.config->bodies = config::Bodies::kMasked;
  EXPECT_THAT(shown(), Not(HasSubstr("12025550123")));
  EXPECT_THAT(shown(), HasSubstr(R"("detail":{"search":null,"since":"2h"})"));
  caller_.may = Caller::Right::kChange;
  EXPECT_THAT(shown(), HasSubstr("to:+12025550123"));
  router_.config->bodies = config::Bodies::kOff;
  EXPECT_THAT(shown(), Not(HasSubstr("12025550123")));
}

TEST_F(HistoryApiTest, ACallOfWhichNotAllCouldBeReadInTimeSaysSo) {
  for (EventSeq seq = 1; seq <= 3; ++seq) history_.AddEvent(seq).call_id = seq == 2 ? "other" : "call-1";
  history_.rows_per_page = 1;
  EXPECT_EQ(Json(Get("/api/v1/calls/call-1")).at("complete"), true);
  EXPECT_EQ(Json(Get("/api/v1/calls/call-1")).at("count"), 2);
  history_.on_page = [&] { clock_.Advance(std::chrono::seconds(3)); };
  const json::object shown = Json(Get("/api/v1/calls/call-1"));
  EXPECT_EQ(shown.at("complete"), false);
  EXPECT_EQ(shown.at("count"), 1);
  const Answer answer = Get("/api/v1/calls/other");
  EXPECT_EQ(answer.status, 503) << "it may be there";
  EXPECT_GT(answer.retry_after_seconds, 0);
}

TEST_F(HistoryApiTest, AnEventWhoseBodyIsDamagedIsStillShown) {
  const std::string id = Store("{}");
  journal_.Damage(1);
  const Answer answer = Get("/api/v1/events/" + id);
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(Json(answer).at("normalized_because").as_string().c_str(), HasSubstr("damaged"));
  EXPECT_TRUE(Json(answer).at("raw").is_null());
  EXPECT_EQ(Json(answer).at("headers"), json::array());
}

TEST_F(HistoryApiTest, WhatIsNotThereIs404) {
  history_.AddEvent(1);
  for (const std::string& path : {std::string("/api/v1/events/x"), "/api/v1/events/" + EventId(clock_.Wall(), 1, 1),
                                  "/api/v1/events/" + EventId(clock_.Wall(), 1, 9),
                                  std::string("/api/v1/deliveries/d-9"), std::string("/api/v1/deliveries/9x"),
                                  std::string("/api/v1/events/"), std::string("/api/v1/deliveries/d-1/x")}) {
    const Answer answer = Get(path);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_NE(Detail(answer), "") << path;
  }
  EXPECT_EQ(Post("/api/v1/deliveries/d-9/replay").status, 404);
}

TEST_F(HistoryApiTest, ReadingAndChangingHaveTheirMethods) {
  history_.AddDelivery(1, State::kDead);
  EXPECT_EQ(Ask("HEAD", "/api/v1/deliveries/d-1").status, 200);
  EXPECT_EQ(Ask("HEAD", "/api/v1/events").status, 200);
  for (const char* path : {"/api/v1/deliveries/d-1/replay", "/api/v1/deliveries/replay", "/api/v1/deliveries/purge"}) {
    EXPECT_EQ(Get(path).status, 405) << path;
    EXPECT_EQ(Get(path).allow, "POST") << path;
  }
  EXPECT_EQ(Post("/api/v1/deliveries/d-1").allow, "GET, HEAD");
  EXPECT_EQ(history_.deliveries[1].summary.state, State::kDead);
}

TEST_F(HistoryApiTest, ABodyThatIsNoObjectChangesNothing) {
  history_.AddDelivery(1, State::kDead);
  const std::string event = Store("{}");
  for (const char* body : {"[]", "1", "{", "null", R"({"force": true})"}) {
    EXPECT_EQ(Post("/api/v1/deliveries/d-1/replay", body).status, 400) << body;
    EXPECT_EQ(Post("/api/v1/events/" + event + "/replay", body).status, 400) << body;
    EXPECT_EQ(Post("/api/v1/deliveries/purge", body).status, 400) << body;
  }
  EXPECT_THAT(history_.changes, ElementsAre());
  EXPECT_EQ(Post("/api/v1/deliveries/d-1/replay", "{}").status, 200);
}

TEST_F(HistoryApiTest, WhatWaitsForALaneThatStandsStillIsHeldAndSaysWhy) {
  history_.AddDelivery(1, State::kPending, "ops");
  history_.AddDelivery(2, State::kPending, "slow");
  history_.AddDelivery(3, State::kDead, "ops");
  history_.AddDelivery(4, State::kHeld, "slow");
  router_.lanes = {Lane("ops", LaneStatus::State::kMisconfigured, "invalid_token"),
                   Lane("slow", LaneStatus::State::kThrottled)};
  const json::array all = Json(Get("/api/v1/deliveries")).at("deliveries").as_array();
  EXPECT_EQ(all.at(3).at("state"), "held");
  EXPECT_EQ(all.at(3).at("because"), "the sink is misconfigured: invalid_token");
  EXPECT_EQ(all.at(2).at("state"), "pending");
  EXPECT_TRUE(all.at(2).at("because").is_null());
  EXPECT_EQ(all.at(1).at("state"), "dead");
  EXPECT_THAT(all.at(0).at("because").as_string().c_str(), HasSubstr("until its call has ended"));
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=held"), "deliveries"), ElementsAre("d-4", "d-1"));
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=pending,dead"), "deliveries"), ElementsAre("d-3", "d-2"));
  EXPECT_EQ(Json(Get("/api/v1/deliveries/d-1")).at("state"), "held");
}

TEST_F(HistoryApiTest, WhatIsHeldSaysByWhat) {
  history_.AddDelivery(1, State::kHeld, "open");
  history_.AddDelivery(2, State::kPending, "paused");
  history_.AddDelivery(3, State::kHeld, "misconfigured");
  history_.AddDelivery(4, State::kPending, "unavailable");
  history_.AddDelivery(5, State::kPending, "removed");
  history_.AddDelivery(6, State::kPending, "open");
  history_.AddDelivery(7, State::kPending, "failing");
  history_.AddDelivery(8, State::kDead, "paused");
  for (const auto state :
       {LaneStatus::State::kPaused, LaneStatus::State::kMisconfigured, LaneStatus::State::kUnavailable,
        LaneStatus::State::kRemoved, LaneStatus::State::kFailing, LaneStatus::State::kOpen}) {
    router_.lanes.push_back(Lane(std::string(ToString(state)), state, "of something"));
  }
  const char* held_by[] = {"settle", "paused", "misconfigured", "unavailable", "removed", nullptr, nullptr, nullptr};
  for (DeliverySeq seq = 1; seq <= 8; ++seq) {
    const json::object shown = Json(Get("/api/v1/deliveries/" + DeliveryId(seq)));
    const char* by = held_by[seq - 1];
    EXPECT_EQ(shown.at("held_by"), by ? json::value(by) : json::value(nullptr)) << seq;
    EXPECT_EQ(shown.at("state") == "held", by != nullptr) << seq;
    EXPECT_EQ(shown.at("because").is_string(), by != nullptr) << seq;
  }
}

TEST_F(HistoryApiTest, WhatARefusedPlaceHoldsIsHeldInListsInFiltersAndForAPurge) {
  for (DeliverySeq seq = 1; seq <= 4; ++seq) history_.AddDelivery(seq, State::kPending, "ops");
  history_.AddDelivery(5, State::kPending, "other");
  router_.held_by_place = {2, 4, 5};
  router_.lanes = {Lane("ops", LaneStatus::State::kOpen), Lane("other", LaneStatus::State::kOpen)};
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=held"), "deliveries"), ElementsAre()) << "no place is refused";
  router_.lanes[0].places = {{"C0ARCHIVED", "is_archived", 2, clock_.Wall()}};
  const json::object shown = Json(Get("/api/v1/deliveries/d-4"));
  EXPECT_EQ(shown.at("state"), "held");
  EXPECT_EQ(shown.at("held_by"), "misconfigured");
  EXPECT_EQ(shown.at("because"), "C0ARCHIVED is refused: is_archived");
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=held"), "deliveries"), ElementsAre("d-4", "d-2"));
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=pending"), "deliveries"), ElementsAre("d-5", "d-3", "d-1"));
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=held&limit=1"), "deliveries"), ElementsAre("d-4"));
  EXPECT_EQ(Json(Post("/api/v1/deliveries/purge", R"({"state": "held", "all": true})")).at("changed"), 2);
  EXPECT_THAT(router_.released, ElementsAre(2, 4));
}

TEST_F(HistoryApiTest, AReplayIsShownWithItsTimeBesideTheAcceptance) {
  DeliverySummary& delivery = history_.AddDelivery(1, State::kDelivered);
  EXPECT_TRUE(Json(Get("/api/v1/deliveries/d-1")).at("replayed_at").is_null());
  delivery.replayed_at = clock_.Wall();
  const json::object shown = Json(Get("/api/v1/deliveries/d-1"));
  EXPECT_EQ(shown.at("replayed_at"), "2026-03-04T09:02:03.114Z");
  EXPECT_EQ(shown.at("accepted_at"), json::string(ToRfc3339(delivery.accepted_at)));
}

TEST_F(HistoryApiTest, WhatFellBackIsAStateOfItsOwnAndLeftAloneUnlessItIsNamed) {
  history_.AddDelivery(1, State::kFellBack);
  history_.AddDelivery(2, State::kDead);
  EXPECT_THAT(Ids(Get("/api/v1/deliveries?state=fell_back"), "deliveries"), ElementsAre("d-1"));
  EXPECT_EQ(Json(Get("/api/v1/deliveries/d-1")).at("state"), "fell_back");
  EXPECT_EQ(Json(Post("/api/v1/deliveries/replay", R"({"sink": "ops"})")).at("matched"), 1);
  EXPECT_EQ(Json(Post("/api/v1/deliveries/replay", R"({"sink": "ops", "state": "fell_back"})")).at("changed"), 1);
}

TEST_F(HistoryApiTest, RefusedRequestsAreListedNewestFirst) {
  for (int i = 1; i <= 5; ++i) {
    history_.refused.push_back({.at = clock_.Wall(),
                                .source = i % 2 == 1 ? "bolna" : "",
                                .peer = "192.0.2." + std::to_string(i),
                                .http_status = 401,
                                .error = "unauthorized",
                                .detail = "the secret header is missing",
                                .path = "/bolna/webhook",
                                .number = i});
  }
  const auto peers = [](const Answer& answer) {
    std::string all;
    const json::object shown = Json(answer);
    for (const auto& one : shown.at("refused").as_array()) all += std::string(one.at("peer").as_string()).substr(8);
    return all;
  };
  const Answer all = Get("/api/v1/refused");
  ASSERT_EQ(all.status, 200) << all.body;
  EXPECT_EQ(peers(all), "54321");
  EXPECT_EQ(Json(all).at("refused").at(0),
            json::parse(R"({"number": 5, "at": "2026-03-04T09:02:03.114Z", "source": "bolna", "peer": "192.0.2.5",
                            "path": "/bolna/webhook", "http_status": 401, "error": "unauthorized",
                            "detail": "the secret header is missing"})"));
  EXPECT_TRUE(Json(all).at("refused").at(1).at("source").is_null());
  EXPECT_TRUE(Json(all).at("cursor").is_null());
  EXPECT_EQ(peers(Get("/api/v1/refused?source=bolna")), "531");
  std::string seen;
  std::string cursor;
  do {
    const Answer page = Get("/api/v1/refused?source=bolna&limit=1&cursor=" + cursor);
    seen += peers(page);
    const json::value next = Json(page).at("cursor");
    cursor = next.is_string() ? std::string(next.as_string()) : "";
  } while (!cursor.empty());
  EXPECT_EQ(seen, "531");
  for (const char* wrong : {"?sink=ops", "?limit=0", "?cursor=x", "?since=2h"}) {
    EXPECT_EQ(Get(std::string("/api/v1/refused") + wrong).status, 400) << wrong;
  }
  EXPECT_EQ(Post("/api/v1/refused").status, 405);
}

TEST_F(HistoryApiTest, ADeadDeliveryIsTriedAgain) {
  history_.AddDelivery(7, State::kDead);
  const Answer answer = Post("/api/v1/deliveries/d-7/replay");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Json(answer).at("id"), "d-7");
  EXPECT_THAT(router_.accepted, ElementsAre(7));
  EXPECT_EQ(history_.deliveries[7].summary.state, State::kPending);
  EXPECT_EQ(Post("/api/v1/deliveries/d-7/replay").status, 409);
  EXPECT_THAT(router_.accepted, ElementsAre(7)) << "handed over once";
}

TEST_F(HistoryApiTest, WhatCannotBeStoredIsNotHandedOver) {
  history_.AddDelivery(7, State::kDead);
  history_.on_change = [] { return Error{ErrorCode::kUnavailable, "no space left on the disk"}; };
  const Answer answer = Post("/api/v1/deliveries/d-7/replay");
  EXPECT_EQ(answer.status, 503);
  EXPECT_GT(answer.retry_after_seconds, 0);
  EXPECT_THAT(router_.accepted, ElementsAre());
}

TEST_F(HistoryApiTest, AnEventIsReplayedByTheRulesOfNow) {
  const std::string id = Store("{}");
  ReadsAs({"ops", "oncall"});
  const Answer answer = Post("/api/v1/events/" + id + "/replay");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(Ids(answer, "deliveries"), ElementsAre("d-1", "d-2"));
  EXPECT_THAT(router_.accepted, ElementsAre(1, 2));
  EXPECT_EQ(history_.deliveries[2].summary.sink, "oncall");
}

TEST_F(HistoryApiTest, AnEventNobodyWantsOrThatIsNoCallIsNotReplayed) {
  const std::string id = Store("{}");
  router_.reading.why_not = "bolna batch webhook";
  EXPECT_EQ(Post("/api/v1/events/" + id + "/replay").status, 409);
  ReadsAs({});
  EXPECT_EQ(Post("/api/v1/events/" + id + "/replay").status, 422);
  EXPECT_THAT(history_.changes, ElementsAre());
}

TEST_F(HistoryApiTest, EventsAreReplayedByFilterAndCountedBySink) {
  (void)Store("{}");
  ReadsAs({"ops", "oncall"});
  history_.AddEvent(1).agent = "sales";
  history_.AddEvent(2).agent = "sales";  // the journal has no body of it
  history_.AddEvent(3).agent = "billing";
  json::object shown = Json(Post("/api/v1/events/replay", R"({"agent": "sales", "dry_run": true})"));
  EXPECT_EQ(shown.at("matched"), 2);
  EXPECT_EQ(shown.at("changed"), 1);
  EXPECT_EQ(shown.at("not_a_call"), 1);
  EXPECT_EQ(shown.at("by_sink"), (json::object{{"oncall", 1}, {"ops", 1}}));
  EXPECT_THAT(history_.changes, ElementsAre());

  const Answer answer = Post("/api/v1/events/replay", R"({"agent": "sales"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(Ids(answer, "deliveries"), ElementsAre("d-1", "d-2"));
  EXPECT_THAT(router_.accepted, ElementsAre(1, 2));
}

TEST_F(HistoryApiTest, EventsThatNoRuleWantsAreCountedByAReplayByFilter) {
  (void)Store("{}");
  ReadsAs({});
  const json::object shown = Json(Post("/api/v1/events/replay", R"({"all": true})"));
  EXPECT_EQ(shown.at("no_rule"), 1);
  EXPECT_EQ(shown.at("changed"), 0);
  EXPECT_EQ(Post("/api/v1/events/replay").status, 400);
  EXPECT_EQ(Post("/api/v1/events/replay", "{}").status, 400);
  EXPECT_THAT(Detail(Post("/api/v1/events/replay", R"({"sink": "ops"})")), HasSubstr("sink"));
  EXPECT_EQ(Ask("GET", "/api/v1/events/replay").status, 405);
}

TEST_F(HistoryApiTest, DeadLettersAreReplayedByFilterOldestFirst) {
  history_.AddDelivery(1, State::kDead, "ops");
  history_.AddDelivery(2, State::kDead, "oncall");
  history_.AddDelivery(3, State::kDelivered, "ops");
  history_.AddDelivery(4, State::kDead, "ops");
  const Answer answer = Post("/api/v1/deliveries/replay", R"({"sink": "ops"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Json(answer).at("matched"), 2);
  EXPECT_EQ(Json(answer).at("changed"), 2);
  EXPECT_EQ(Json(answer).at("dry_run"), false);
  EXPECT_THAT(Ids(answer, "deliveries"), ElementsAre("d-1", "d-4"));
  EXPECT_THAT(router_.accepted, ElementsAre(1, 4));
  EXPECT_EQ(history_.deliveries[2].summary.state, State::kDead);
  EXPECT_EQ(history_.deliveries[3].summary.state, State::kDelivered);
}

TEST_F(HistoryApiTest, ADryRunChangesNothing) {
  for (DeliverySeq seq = 1; seq <= 150; ++seq) history_.AddDelivery(seq, State::kDead);
  for (const char* path : {"/api/v1/deliveries/replay", "/api/v1/deliveries/purge"}) {
    const Answer answer = Post(path, R"({"all": true, "dry_run": true})");
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(Json(answer).at("matched"), 150);
    EXPECT_EQ(Json(answer).at("changed"), 0);
    EXPECT_EQ(Json(answer).at("dry_run"), true);
    EXPECT_EQ(Ids(answer, "deliveries").size(), 100u);
  }
  EXPECT_THAT(history_.changes, ElementsAre());
  EXPECT_THAT(router_.accepted, ElementsAre());
}

TEST_F(HistoryApiTest, NobodyReplaysOrPurgesEverythingByAccident) {
  history_.AddDelivery(1, State::kDead);
  for (const char* body : {"{}", R"({"state": "dead"})", R"({"all": false})", R"({"dry_run": true})"}) {
    for (const char* path : {"/api/v1/deliveries/replay", "/api/v1/deliveries/purge"}) {
      const Answer answer = Post(path, body);
      EXPECT_EQ(answer.status, 400) << path << ' ' << body;
      EXPECT_THAT(Detail(answer), HasSubstr("\"all\": true")) << body;
    }
  }
  EXPECT_EQ(history_.deliveries[1].summary.state, State::kDead);
}

TEST_F(HistoryApiTest, ABadFilterIsNamed) {
  const std::pair<const char*, const char*> cases[] = {{R"({"snik": "ops"})", "did you mean \"sink\""},
                                                       {R"({"sink": 7})", "sink"},
                                                       {R"({"sink": ""})", "sink"},
                                                       {R"({"sink": ["ops"]})", "sink"},
                                                       {R"({"sink": "ops", "dry_run": "yes"})", "dry_run"},
                                                       {R"({"sink": "ops", "since": "soon"})", "since"},
                                                       {R"({"sink": "ops", "limit": "5"})", "\"limit\""},
                                                       {R"({"sink": "ops", "state": []})", "state"},
                                                       {R"({"sink": "ops", "state": "pending"})", "has not ended"}};
  for (const auto& [body, named] : cases) {
    const Answer answer = Post("/api/v1/deliveries/replay", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(Detail(answer), HasSubstr(named)) << body;
  }
}

TEST_F(HistoryApiTest, WhatWasDeliveredIsNeverPurged) {
  history_.AddDelivery(1, State::kDelivered);
  const Answer answer = Post("/api/v1/deliveries/purge", R"({"state": ["dead", "delivered"], "sink": "ops"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(Detail(answer), HasSubstr("never purged"));
  EXPECT_EQ(history_.deliveries[1].summary.state, State::kDelivered);
}

TEST_F(HistoryApiTest, ManyAreReplayedInChunks) {
  for (DeliverySeq seq = 1; seq <= 2500; ++seq) history_.AddDelivery(seq, State::kDead);
  history_.rows_per_page = 700;
  const Answer answer = Post("/api/v1/deliveries/replay", R"({"all": true})");
  EXPECT_EQ(Json(answer).at("changed"), 2500);
  EXPECT_EQ(Ids(answer, "deliveries").size(), 100u);
  EXPECT_THAT(history_.changes, ::testing::SizeIs(10)) << "a commit with all of them would hold up accepting";
  EXPECT_THAT(history_.changes, ::testing::Each(250));
  EXPECT_EQ(router_.accepted.size(), 2500u);
  EXPECT_TRUE(std::ranges::is_sorted(router_.accepted));
}

TEST_F(HistoryApiTest, AReplayThatBreaksOffSaysHowFarItCame) {
  for (DeliverySeq seq = 1; seq <= 1500; ++seq) history_.AddDelivery(seq, State::kDead);
  history_.on_change = [this]() -> Status {
    if (history_.changes.size() == 2) return Error{ErrorCode::kUnavailable, "no space left on the disk"};
    return Ok();
  };
  const Answer answer = Post("/api/v1/deliveries/replay", R"({"all": true})");
  EXPECT_EQ(answer.status, 503);
  const auto told = Json(answer);
  EXPECT_EQ(told.at("ok"), false);
  EXPECT_EQ(told.at("error"), "unavailable");
  EXPECT_EQ(told.at("detail"), "no space left on the disk");
  EXPECT_EQ(told.at("matched"), 1500);
  EXPECT_EQ(told.at("changed"), 250);
  EXPECT_EQ(router_.accepted.size(), 250u);
}

TEST_F(HistoryApiTest, WhoFindsAnotherReplayOrPurgeAtWorkIsToldAtOnce) {
  history_.AddDelivery(1, State::kDead);
  std::vector<Answer> meanwhile;
  bool is_first = true;
  history_.on_page = [&] {
    if (!std::exchange(is_first, false)) return;
    for (const char* path : {"/api/v1/deliveries/purge", "/api/v1/deliveries/replay"}) {
      meanwhile.push_back(Post(path, R"({"all": true})"));
      meanwhile.push_back(Post(path, R"({"all": true, "dry_run": true})"));
    }
    meanwhile.push_back(Post("/api/v1/events/replay", R"({"all": true})"));
  };
  EXPECT_EQ(Json(Post("/api/v1/deliveries/replay", R"({"all": true})")).at("changed"), 1);
  ASSERT_EQ(meanwhile.size(), 5u);
  for (const Answer& answer : meanwhile) {
    EXPECT_EQ(answer.status, 409);
    EXPECT_EQ(Json(answer).at("error"), "busy");
  }
  EXPECT_EQ(Post("/api/v1/deliveries/purge", R"({"all": true})").status, 200) << "it has ended";
}

TEST_F(HistoryApiTest, WhileOneLooksForEventsToReplayNobodyElseDoes) {
  history_.AddEvent(1);
  std::vector<Answer> meanwhile;
  bool is_first = true;
  int pages = 0;
  history_.on_page = [&] {
    ++pages;
    if (!std::exchange(is_first, false)) return;
    meanwhile.push_back(Post("/api/v1/events/replay", R"({"all": true, "dry_run": true})"));
    meanwhile.push_back(Post("/api/v1/deliveries/purge", R"({"all": true, "dry_run": true})"));
  };
  EXPECT_EQ(Post("/api/v1/events/replay", R"({"all": true, "dry_run": true})").status, 200);
  ASSERT_EQ(meanwhile.size(), 2u);
  for (const Answer& answer : meanwhile) EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(pages, 1) << "the others have read nothing";
  EXPECT_EQ(Post("/api/v1/events/replay", R"({"all": true, "dry_run": true})").status, 200) << "it has ended";
}

TEST_F(HistoryApiTest, APurgeLeavesAloneWhatIsTriedAgainMeanwhile) {
  for (DeliverySeq seq = 1; seq <= 3; ++seq) history_.AddDelivery(seq, State::kDead);
  history_.rows_per_page = 1;
  int pages = 0;
  history_.on_page = [&] {
    if (++pages != 3) return;
    EXPECT_EQ(Post("/api/v1/deliveries/d-3/replay").status, 200) << "after it was listed";
  };
  const Answer answer = Post("/api/v1/deliveries/purge", R"({"all": true})");
  EXPECT_EQ(Json(answer).at("matched"), 3);
  EXPECT_EQ(Json(answer).at("changed"), 2);
  EXPECT_EQ(history_.deliveries[3].summary.state, State::kPending);
  history_.on_page = nullptr;
  history_.deliveries[3].summary.state = State::kDead;
  EXPECT_EQ(Json(Post("/api/v1/deliveries/purge", R"({"all": true})")).at("changed"), 1) << "the next one takes it";
}

TEST_F(HistoryApiTest, APurgeTakesWhatIsDeadAndWhatWaitsButNotWhatIsInFlight) {
  history_.AddDelivery(1, State::kDead);
  history_.AddDelivery(2, State::kPending);
  history_.AddDelivery(3, State::kPending);
  history_.AddDelivery(4, State::kDelivered);
  router_.in_flight = 3;
  const Answer answer = Post("/api/v1/deliveries/purge", R"({"state": "dead,pending", "sink": "ops"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Json(answer).at("matched"), 3);
  EXPECT_EQ(Json(answer).at("changed"), 2);
  EXPECT_THAT(router_.released, ElementsAre(2));
  EXPECT_EQ(history_.deliveries[1].summary.state, State::kCanceled);
  EXPECT_EQ(history_.deliveries[1].summary.reason, "purged by the operator");
  EXPECT_EQ(history_.deliveries[2].summary.state, State::kCanceled);
  EXPECT_EQ(history_.deliveries[3].summary.state, State::kPending);
  EXPECT_THAT(router_.accepted, ElementsAre());
}

TEST_F(HistoryApiTest, WhatWasLetGoOfIsPutBackIfItCannotBeCanceled) {
  NewEvent event;
  event.source = "bolna";
  NewDelivery wanted[2];
  wanted[0].sink = "ops";
  wanted[1].sink = "oncall";
  event.deliveries = wanted;
  ASSERT_TRUE(journal_.Append(event));
  history_.AddDelivery(1, State::kPending, "ops");
  history_.AddDelivery(2, State::kPending, "oncall");
  history_.on_change = [] { return Error{ErrorCode::kUnavailable, "no space left on the disk"}; };
  const Answer answer = Post("/api/v1/deliveries/purge", R"({"state": "pending", "all": true})");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(Json(answer).at("changed"), 0);
  EXPECT_THAT(router_.released, ElementsAre(1, 2));
  EXPECT_THAT(router_.accepted, ElementsAre(1, 2));
}

TEST_F(HistoryApiTest, AHeldSinksDeliveriesCanBePurged) {
  history_.AddDelivery(1, State::kPending, "gone");
  history_.AddDelivery(2, State::kPending, "ops");
  router_.lanes = {Lane("gone", LaneStatus::State::kRemoved)};
  EXPECT_EQ(Json(Post("/api/v1/deliveries/purge", R"({"state": "held", "all": true})")).at("changed"), 1);
  EXPECT_EQ(history_.deliveries[1].summary.state, State::kCanceled);
  EXPECT_EQ(history_.deliveries[2].summary.state, State::kPending);
}

}  // namespace
}  // namespace hookswitch
