#include "core/admin/explain_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/admin/history_api.h"
#include "core/base/json.h"
#include "core/base/time_text.h"
#include "core/delivery/notice.h"
#include "tests/admin/documented_answer.h"
#include "tests/admin/fake_history.h"
#include "tests/admin/fake_router.h"
#include "tests/delivery/delivery_fakes.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using testing::HasSubstr;

constexpr char kCall[] = R"({"id": "c-1", "agent_id": "a-1", "status": "completed", "user_number": "+12025550123"})";

/// Says which headers it was given.
struct HeaderSource final : Source {
  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override {
    CallEvent call;
    for (const auto& [name, value] : request.headers) call.call_id += name + '=' + value + ';';
    return Normalized{std::move(call), "key"};
  }
  std::span<const std::string_view> KeptHeaders() const override {
    static constexpr std::string_view kNames[] = {"x-call"};
    return kNames;
  }
};

/// The pages that explain, by a config with one source, a sink "ops" and a rule that sends calls in office hours there.
class ExplainApiTest : public testing::Test {
 protected:
  ExplainApiTest() {
    config::Config config;
    config::Template& brief = config.templates.emplace_back();
    brief.name = "brief";
    brief.title = "Call {{call_id}}";
    brief.text = "from {{from}}";
    config::Schedule& office = config.schedules.emplace_back();
    office.name = "office";
    office.timezone = "UTC";
    office.windows = {{0x7f, 9 * 60, 18 * 60}};
    config::Rule& rule = config.rules.emplace_back();
    rule.name = "in-hours";
    config::Condition& during = rule.when.children.emplace_back();
    during.kind = config::Condition::Kind::kDuring;
    during.patterns.emplace_back().text = "office";
    rule.send.emplace_back().sink = "ops";
    rule.send.back().template_name = "brief";
    config::Problems problems;
    router_.plan.routes = RouteTable::Compile(config, problems);
    plan_->composer = Composer::Compile(config, problems);
    config::Source source;
    source.name = source.type = "bolna";
    plan_->sources["bolna"] = MakeSource(source, nullptr);
    plan_->lanes["ops"] = {.config = {}, .sink = sink_};
    plan_->lanes["ops"].config.plugin = "chat";
    sink_->render = [](const SinkDelivery& delivery) {
      HttpRequest request;
      request.url = "https://example.com/hunter2";
      request.body = delivery.message.title + " | " + delivery.message.text + " | " + std::string(delivery.memory);
      request.headers = {{"Delivery", std::string(delivery.id)}};
      return request;
    };
    router_.plan.plan = plan_;
    api_.AddTo(routes_);
  }

  Answer Ask(std::string_view method, std::string_view path, std::string_view body = {}) {
    const std::vector<std::pair<std::string, std::string>> headers;
    return Documented(method, path, body, routes_.Handle({method, path, {}, body, "127.0.0.1", headers}, caller_));
  }
  Answer Explain(const json::object& body) { return Ask("POST", "/api/v1/explain", ToText(body)); }
  static json::object Json(const Answer& answer) { return json::parse(answer.body).as_object(); }

  /// Stores a delivery to `sink` of an event with `body`.
  DeliverySeq Store(const std::string& body, std::string_view source = "bolna", std::string_view sink = "ops",
                    std::string_view name = "brief") {
    const NewDelivery delivery{.sink = sink, .rule = "in-hours", .template_name = name};
    NewEvent event;
    event.source = source;
    event.body = body;
    event.dedup = DigestOf(std::string(source) + std::string(sink));
    event.received_at = *ParseTime("2026-03-04T22:00:00Z");
    event.deliveries = std::span(&delivery, 1);
    event.call_key = 9;
    const auto accepted = journal_.Append(event);
    event_id_ = accepted->id;
    return accepted->first_delivery;
  }
  static AttemptRecord RecordOf(DeliverySeq delivery) {
    AttemptRecord record;
    record.delivery = delivery;
    record.event = 1;
    record.sink = "ops";
    record.call_key = 9;
    record.number = 1;
    return record;
  }
  json::object Message(DeliverySeq delivery) {
    const Answer answer = Ask("GET", "/api/v1/deliveries/" + DeliveryId(delivery) + "/message");
    EXPECT_EQ(answer.status, 200) << answer.body;
    return Json(answer).at("message").as_object();
  }

  FakeClock clock_{*ParseTime("2026-03-04T10:00:00Z")};
  MemoryJournal journal_;
  FakeRouter router_;
  std::shared_ptr<DeliveryPlan> plan_ = std::make_shared<DeliveryPlan>();
  std::shared_ptr<FakeSink> sink_ = std::make_shared<FakeSink>();
  HistoryApi api_{journal_, journal_, clock_, router_};
  AdminRoutes routes_;
  const Caller caller_;
  std::string event_id_;
};

TEST_F(ExplainApiTest, APastedPayloadIsReadRoutedAndRendered) {
  const Answer answer = Explain({{"source", "bolna"}, {"body", kCall}, {"messages", true}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::object shown = Json(answer);
  EXPECT_EQ(shown.at("event").at("call_id"), "c-1");
  EXPECT_EQ(shown.at("event").at("received_at"), "2026-03-04T10:00:00Z");
  EXPECT_TRUE(shown.at("event").at("id").is_null());
  EXPECT_EQ(shown.at("rules").at(0).at("name"), "in-hours");
  EXPECT_EQ(shown.at("deliveries"), json::parse(R"([{"sink": "ops", "rule": "in-hours"}])"));
  const auto& fields = shown.at("fields").as_array();
  const auto to = std::ranges::find_if(fields, [](const auto& field) { return field.at("field") == "to"; });
  ASSERT_NE(to, fields.end());
  EXPECT_EQ(*to, json::parse(R"({"field": "to", "value": "+12025550123", "path": "user_number"})"));
  EXPECT_EQ(shown.at("messages"), json::parse(R"([{"sink": "ops", "rule": "in-hours", "plugin": "chat",
    "method": "POST", "url": "https://example.com/***", "headers": {"Delivery": "d-0"},
    "body": "Call c-1 | from - | "}])"));
}

TEST_F(ExplainApiTest, MessagesAreRenderedOnlyWhenAskedFor) {
  sink_->render = [](const SinkDelivery&) -> std::variant<HttpRequest, Outcome> {
    ADD_FAILURE() << "nobody asked";
    return HttpRequest();
  };
  EXPECT_TRUE(Json(Explain({{"body", kCall}})).at("messages").is_null());
}

TEST_F(ExplainApiTest, TheTimeOfArrivalMayBeAnother) {
  const auto routes = [&](const json::object& more) {
    json::object body{{"body", kCall}};
    for (const auto& [key, value] : more) body[key] = value;
    return Json(Explain(body)).at("deliveries").as_array().size();
  };
  EXPECT_EQ(routes({}), 1u);
  EXPECT_EQ(routes({{"at", "2026-03-04T22:00:00Z"}}), 0u) << "the event has no time of its own";
  const std::string ended =
      R"({"id": "c-1", "agent_id": "a-1", "status": "completed", "updated_at": "2026-03-04T12:00:00Z"})";
  EXPECT_EQ(routes({{"body", ended}, {"at", "2026-03-04T22:00:00Z"}}), 1u);
  EXPECT_EQ(routes({{"body", ended}, {"at", "2026-03-04T22:00:00Z"}, {"now", true}}), 0u);
}

TEST_F(ExplainApiTest, AStoredEventIsReadAsItCame) {
  Store(kCall);
  const json::object shown = Json(Explain({{"event", event_id_}}));
  EXPECT_EQ(shown.at("event").at("id"), json::string(event_id_));
  EXPECT_EQ(shown.at("event").at("received_at"), "2026-03-04T22:00:00Z");
  EXPECT_EQ(shown.at("deliveries").as_array().size(), 0u);
  const json::object earlier = Json(Explain({{"event", event_id_}, {"at", "2026-03-04T12:00:00Z"}}));
  EXPECT_EQ(earlier.at("deliveries").as_array().size(), 1u);
  EXPECT_EQ(Explain({{"event", "01M858QAZMNEX0000000000001"}}).status, 404);
}

TEST_F(ExplainApiTest, WhatIsNoEventSaysWhyAndWhere) {
  const Answer broken = Explain({{"body", "{\n  \"id\" 7}"}});
  EXPECT_EQ(broken.status, 422);
  EXPECT_EQ(json::value(Json(broken)), json::parse(R"({"ok": false, "error": "invalid_json",
    "detail": "line 2, column 8: not JSON", "line": 2, "column": 8})"));
  const Answer missing = Explain({{"body", R"({"id": "c-1", "agent_id": "a"})"}});
  EXPECT_EQ(missing.status, 422);
  EXPECT_EQ(json::value(Json(missing)), json::parse(R"({"ok": false, "error": "missing_field", "detail": "status",
    "line": null, "column": null})"));
  EXPECT_EQ(Json(Explain({{"body", ""}})).at("detail"), "line 1, column 1: the body is empty");
  EXPECT_EQ(Json(Explain({{"body", "{}"}})).at("error"), "not_a_call");
  Store("{}", "gone");
  const Answer gone = Explain({{"event", event_id_}});
  EXPECT_EQ(gone.status, 422);
  EXPECT_THAT(gone.body, HasSubstr("the config has no source \\\"gone\\\""));
}

TEST_F(ExplainApiTest, OnlyTheHeadersThatTheSourceReadsAreGivenToIt) {
  plan_->sources["with-headers"] = std::make_shared<HeaderSource>();
  const json::object headers{{"X-Call", "7"}, {"Authorization", "Bearer x"}};
  const Answer answer = Explain({{"source", "with-headers"}, {"body", "x"}, {"headers", headers}});
  EXPECT_EQ(Json(answer).at("event").at("call_id"), "X-Call=7;");
}

TEST_F(ExplainApiTest, AWrongRequestIsNamed) {
  plan_->sources["other"] = plan_->sources["bolna"];
  const std::pair<json::object, const char*> cases[] = {
      {{{"bdoy", "{}"}}, "did you mean \\\"body\\\""},
      {{}, "send either body"},
      {{{"body", "{}"}, {"event", "x"}}, "send either body"},
      {{{"event", "x"}, {"source", "bolna"}}, "source and headers go with body"},
      {{{"body", "{}"}}, "source: is needed: bolna, other"},
      {{{"body", "{}"}, {"source", "bolan"}}, "did you mean \\\"bolna\\\""},
      {{{"body", 7}}, "body: is not a text"},
      {{{"body", "{}"}, {"at", "noon"}}, "at: \\\"noon\\\""},
      {{{"body", "{}"}, {"now", "yes"}}, "now: is neither true nor false"},
      {{{"body", "{}"}, {"headers", {{"a", 1}}}}, "headers: is not an object of texts"}};
  for (const auto& [body, named] : cases) {
    const Answer answer = Explain(body);
    EXPECT_EQ(answer.status, 400) << ToText(body);
    EXPECT_THAT(answer.body, HasSubstr(named));
  }
  EXPECT_EQ(Ask("GET", "/api/v1/explain").allow, "POST");
  EXPECT_EQ(Ask("POST", "/api/v1/explain", "[]").status, 400);
}

TEST_F(ExplainApiTest, ADeliverysMessageIsWhatItWouldSendNow) {
  const DeliverySeq delivery = Store(kCall);
  AttemptRecord record = RecordOf(delivery);
  record.outcome.has_memory = true;
  record.outcome.memory = "thread 12";
  journal_.Record(record);
  const Answer answer = Ask("GET", "/api/v1/deliveries/" + DeliveryId(delivery) + "/message");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::object shown = Json(answer);
  EXPECT_EQ(shown.at("id"), json::string(DeliveryId(delivery)));
  EXPECT_EQ(shown.at("template"), "brief");
  EXPECT_EQ(shown.at("as_of"), "2026-03-04T10:00:00Z");
  EXPECT_EQ(shown.at("message").at("plugin"), "chat");
  EXPECT_EQ(shown.at("message").at("url"), "https://example.com/***");
  EXPECT_EQ(shown.at("message").at("headers").at("Delivery"), json::string(DeliveryId(delivery)));
  EXPECT_EQ(shown.at("message").at("body"), "Call c-1 | from - | thread 12");
}

TEST_F(ExplainApiTest, AFallbacksMessageSaysWhyItFellBack) {
  plan_->lanes["oncall"] = plan_->lanes["ops"];
  AttemptRecord record = RecordOf(Store(kCall));
  record.state = DeliveryState::kFellBack;
  record.fallback_sink = "oncall";
  record.fallback_story = "Not delivered to ops";
  journal_.Record(record);
  EXPECT_EQ(Message(2).at("body"), "Call c-1 | Not delivered to ops\n\nfrom - | ");
}

TEST_F(ExplainApiTest, ANoticesMessageIsTheNotice) {
  const DeliverySeq delivery = Store(NoticeBody(ReloadFailedNotice("x.yaml:7: no")), kOwnSource, "ops", "");
  EXPECT_THAT(std::string(Message(delivery).at("body").as_string()), HasSubstr("the config was not reloaded"));
}

TEST_F(ExplainApiTest, TheRightToReadIsEnough) {
  AdminRoutes routes;
  api_.AddTo(routes);
  const std::vector<std::pair<std::string, std::string>> headers;
  EXPECT_EQ(routes.AccessOf({"POST", "/api/v1/explain", {}, {}, "127.0.0.1", headers}), Access::kRead);
}

TEST_F(ExplainApiTest, OfAStoredEventTheContentIsWithheldAndOfAPastedOneNot) {
  const DeliverySeq delivery = Store(kCall);
  const std::string message = "/api/v1/deliveries/" + DeliveryId(delivery) + "/message";
  const json::object by_id{{"event", event_id_}, {"at", "2026-03-04T12:00:00Z"}, {"messages", true}};
  const json::object pasted{{"body", kCall}, {"messages", true}};
  EXPECT_THAT(Explain(by_id).body, HasSubstr("+12025550123"));
  router_.config->bodies = config::Bodies::kMasked;
  const Answer shown = Explain(by_id);
  EXPECT_THAT(shown.body, testing::Not(HasSubstr("+12025550123")));
  EXPECT_EQ(Json(shown).at("masked"), json::parse(R"(["messages", "event.to", "fields.value"])"));
  EXPECT_EQ(Json(shown).at("deliveries").as_array().size(), 1u);
  EXPECT_THAT(Explain(pasted).body, HasSubstr("+12025550123"));
  EXPECT_EQ(Json(Explain(pasted)).at("masked"), json::array());
  EXPECT_TRUE(Json(Ask("GET", message)).at("message").is_null());
  EXPECT_EQ(Json(Ask("GET", message)).at("masked"), json::parse(R"(["message"])"));
}

TEST_F(ExplainApiTest, ADeliveryThatWouldNotBeSentSaysWhy) {
  EXPECT_EQ(Message(Store(kCall, "bolna", "gone")).at("not_sent"), "the config does not have this sink");
  EXPECT_EQ(Message(Store(kCall, "retell")).at("not_sent"), "the config has no source \"retell\"");
  EXPECT_EQ(Ask("GET", "/api/v1/deliveries/d-99/message").status, 404);
  EXPECT_EQ(Ask("POST", "/api/v1/deliveries/d-1/message").allow, "GET, HEAD");
  EXPECT_EQ(Ask("GET", "/api/v1/events/" + event_id_ + "/message").status, 404);
}

TEST_F(ExplainApiTest, AFourthAtOnceIsToldToComeAgain) {
  const std::string message = "/api/v1/deliveries/" + DeliveryId(Store(kCall)) + "/message";
  for (const bool explain : {false, true}) {
    const auto ask = [&] { return (explain ? Explain({{"body", kCall}}) : Ask("GET", message)).status; };
    std::vector<int> inner;
    int plans = 0;
    router_.on_plan = [&] {
      if (++plans <= 3) inner.push_back(ask());
    };
    EXPECT_EQ(ask(), 200);
    EXPECT_EQ(inner, (std::vector{409, 200, 200})) << "the innermost ends first";
  }
}

}  // namespace
}  // namespace hookswitch
