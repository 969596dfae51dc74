#include "core/plugins/plugin_sink.h"
#include "core/http/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "core/base/log.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

using plugins::Masker;
using plugins::PluginConfig;

constexpr std::chrono::milliseconds kTimeout{1000};

class PluginSink : public testing::Test {
 protected:
  static std::shared_ptr<Plugin> Open(const std::string& name) {
    const std::filesystem::path file = std::filesystem::path(HSW_TEST_PLUGINS) / "good" / (name + ".so");
    auto table = plugins::OpenLibrary(file, file);
    EXPECT_TRUE(table) << table.error().message;
    auto plugin = std::make_shared<Plugin>();
    plugin->sink = *table;
    plugin->info = plugins::Describe(*table, file);
    return plugin;
  }
  static Result<std::shared_ptr<Sink>> MakeOf(std::shared_ptr<Plugin> plugin, const std::string& config,
                                              std::vector<std::string> secrets = {}) {
    return plugins::MakePluginSink(std::move(plugin), std::make_shared<const PluginConfig>("ops", config, "UTC"),
                                   Masker(secrets));
  }
  static std::shared_ptr<Sink> Make(const std::string& name, const std::string& config,
                                    std::vector<std::string> secrets = {}) {
    auto sink = MakeOf(Open(name), config, std::move(secrets));
    EXPECT_TRUE(sink) << sink.error().message;
    return *sink;
  }

  SinkDelivery Wish(std::string_view wish, std::uint32_t step = 0, std::string_view state = {},
                    std::string_view memory = {}) {
    message_.title = wish;
    return {event_, message_, "d-7f", "ops", "rule-1", 1, step, state, memory};
  }
  std::variant<HttpRequest, Outcome> Render(Sink& sink, std::string_view wish) { return sink.Render(Wish(wish)); }
  Outcome Refusal(std::string_view wish) {
    auto made = Render(*Make("unruly", "{}"), wish);
    EXPECT_TRUE(std::holds_alternative<Outcome>(made)) << wish;
    return std::holds_alternative<Outcome>(made) ? std::get<Outcome>(made) : Outcome{};
  }
  Outcome Interpret(Sink& sink, std::string_view wish, std::uint32_t step = 0) {
    return sink.Interpret(Wish(wish, step), {200, {{"X-A", "b"}}, "body"}, {});
  }
  Outcome Deliver(Sink& sink, std::string_view wish) {
    return sink.Deliver(Wish(wish), kTimeout, [] { return false; });
  }

  CallEvent event_;
  Message message_;
};

TEST_F(PluginSink, AStateOrAMemoryOf64KiBIsKeptWhole) {
  auto sink = Make("polite", "{}");
  for (const std::size_t size : {0U, 1U, 1023U, 1024U, 65536U}) {
    const Outcome next = Deliver(*sink, "state of " + std::to_string(size));
    EXPECT_EQ(next.kind, Outcome::Kind::kNext) << size;
    EXPECT_EQ(next.state, std::string(size, 's'));
    const Outcome done = Deliver(*sink, "memory of " + std::to_string(size));
    EXPECT_TRUE(done.has_memory) << size;
    EXPECT_EQ(done.memory, std::string(size, 'm'));
  }
}

TEST_F(PluginSink, ALongerStateIsAFaultOfThePluginAndIsSaid) {
  const Outcome next = Deliver(*Make("polite", "{}"), "state of 65537");
  EXPECT_EQ(next.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(next.code, "plugin_fault");
  EXPECT_THAT(next.reason, testing::HasSubstr("a state of 65537 bytes"));
  EXPECT_TRUE(next.may_have_been_delivered);
}

TEST_F(PluginSink, ALongerMemoryIsNotKeptAndWhatWasDeliveredIsDelivered) {
  std::vector<std::string> lines;
  log::SetWriterForTest([&](log::Level, std::string_view line) { lines.emplace_back(line); });
  const Outcome done = Deliver(*Make("polite", "{}"), "memory of 65537");
  log::SetWriterForTest(nullptr);
  EXPECT_EQ(done.kind, Outcome::Kind::kDelivered);
  EXPECT_FALSE(done.has_memory);
  EXPECT_THAT(lines, testing::Contains(testing::HasSubstr("a memory of 65537 bytes")));
}

TEST_F(PluginSink, ExpandsATemplateOverTheEvent) {
  auto sink = Make("polite", "{}");
  const auto deliver = [&](std::string_view wish) {
    SinkDelivery delivery = Wish(wish);
    delivery.expand = [](const CallEvent& event, std::string_view text) -> std::optional<std::string> {
      if (text == "{{nobody}}") return std::nullopt;
      return event.call_id + " in " + std::string(text);
    };
    return sink->Deliver(delivery, kTimeout, [] { return false; }).reason;
  };
  event_.call_id = "c-1";
  EXPECT_EQ(deliver("expand {{call_id}}"), "c-1 in {{call_id}}");
  EXPECT_EQ(deliver("expand {{nobody}}"), "(no template)");
  EXPECT_EQ(Deliver(*sink, "expand {{call_id}}").reason, "(no template)");
}

TEST_F(PluginSink, ABodyOfMoreThan16MiBIsNotSent) {
  auto made = Render(*Make("unruly", "{}"), "longest body");
  ASSERT_TRUE(std::holds_alternative<HttpRequest>(made));
  EXPECT_EQ(std::get<HttpRequest>(made).body.size(), HSW_MOST_BODY);
  const Outcome refused = Refusal("longer body");
  EXPECT_EQ(refused.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(refused.code, "plugin_fault");
  EXPECT_THAT(refused.reason, testing::HasSubstr("its body has 16777217 bytes, at most 16777216 are sent"));
}

// A plugin that misbehaves.

TEST_F(PluginSink, AnExceptionOutOfAPluginIsARetry) {
  const Outcome render = Refusal("throw");
  EXPECT_EQ(render.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(render.code, "plugin_exception");
  EXPECT_EQ(Interpret(*Make("unruly", "{}"), "throw").code, "plugin_exception");
}

TEST_F(PluginSink, SilenceIsARetry) {
  auto sink = Make("unruly", "{}");
  const Outcome outcome = Interpret(*sink, "silence");
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.code, "no_outcome");
  EXPECT_EQ(outcome.reason, "the plugin left no outcome");
  EXPECT_EQ(outcome.http_status, 200);
  EXPECT_EQ(Refusal("fail silently").code, "no_outcome");
}

TEST_F(PluginSink, AnUnknownStatusIsARetry) {
  EXPECT_EQ(Interpret(*Make("unruly", "{}"), "unknown status").kind, Outcome::Kind::kRetry);
}

TEST_F(PluginSink, ThePrefilledTextIsNotTakenForThePluginsOwn) {
  auto sink = Make("unruly", "{}");
  const Outcome delivered = Interpret(*sink, "only delivered");
  EXPECT_EQ(delivered.kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(delivered.code + delivered.reason, "");
  const Outcome rejected = Interpret(*sink, "only rejected");
  EXPECT_EQ(rejected.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(rejected.code, "rejected");
  EXPECT_EQ(rejected.reason, "");
}

TEST_F(PluginSink, StepsWithoutEndAreRejected) {
  auto sink = Make("unruly", "{}");
  EXPECT_EQ(Interpret(*sink, "next for ever", 3).kind, Outcome::Kind::kNext);
  EXPECT_EQ(Interpret(*sink, "next for ever", 15).kind, Outcome::Kind::kRejected);
  EXPECT_EQ(Refusal("next from render").kind, Outcome::Kind::kRejected);
}

TEST_F(PluginSink, TextWithoutTerminatorIsReadToItsSlotsEnd) {
  const Outcome outcome = Interpret(*Make("unruly", "{}"), "no terminator");
  EXPECT_EQ(outcome.code, std::string(64, 'c'));
  EXPECT_EQ(outcome.reason, std::string(512, 'r'));
}

TEST_F(PluginSink, CodesBecomeLabelsAndTextBecomesUtf8) {
  const Outcome outcome = Interpret(*Make("unruly", "{}"), "bad text");
  EXPECT_EQ(outcome.code, "bad_code_");
  EXPECT_EQ(outcome.reason, "caf\xEF\xBF\xBD said no");
}

TEST_F(PluginSink, ARequestThatCannotBeSentIsRejected) {
  for (const char* wish : {"no url", "file url", "url with line break", "header injection", "bad header name"}) {
    const Outcome outcome = Refusal(wish);
    EXPECT_EQ(outcome.kind, Outcome::Kind::kRejected) << wish;
    EXPECT_EQ(outcome.code, "plugin_fault") << wish;
    EXPECT_NE(outcome.action, "") << wish;
  }
}

TEST_F(PluginSink, SecretsNeverLeaveInTextsOrLogLines) {
  auto sink = Make("unruly", R"({"secret":"geheim"})", {"geheim"});
  const Outcome outcome = Interpret(*sink, "leak");
  EXPECT_EQ(outcome.reason, "cannot reach ***");
  EXPECT_EQ(outcome.action, "call ***");
  EXPECT_EQ(outcome.code, "rejected");
  EXPECT_EQ(outcome.remote_id, "id-***");
  EXPECT_EQ(sink->Mask("geheim"), "***");
  std::string line;
  log::SetWriterForTest([&](log::Level, std::string_view text) { line = text; });
  Render(*sink, "log");
  log::SetWriterForTest(nullptr);
  EXPECT_NE(line.find(R"("event":"sink_log","sink":"ops","text":"talking to ***")"), std::string::npos) << line;
}

TEST_F(PluginSink, AnUnknownServiceIsNull) {
  EXPECT_TRUE(std::holds_alternative<HttpRequest>(Render(*Make("unruly", "{}"), "service")));
}

TEST_F(PluginSink, APluginThatTakesOneCallAtATimeGetsNoMore) {
  auto sink = Make("unruly", "{}");
  EXPECT_FALSE(sink->Advice().concurrent_calls);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&sink] {
      const CallEvent event;
      Message message;
      message.title = "hello";
      for (int n = 0; n < 500; ++n) {
        (void)sink->Render({event, message, "d-1", "ops", "r", 1, 0, "", ""});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  auto made = Render(*sink, "how many");
  EXPECT_EQ(std::get<HttpRequest>(made).body, "1");
}

TEST_F(PluginSink, ALongAnswerIsCutAtWhatTheAbiPromises) {
  auto sink = Make("unruly", "{}");
  const auto said = [&](std::size_t bytes, bool is_cut) {
    return sink->Interpret(Wish("how long"), {200, {}, std::string(bytes, 'x'), is_cut}, {}).reason;
  };
  const std::string most = std::to_string(HSW_MOST_ANSWER);
  EXPECT_EQ(said(HSW_MOST_ANSWER, false), most);
  EXPECT_EQ(said(300 * 1024, false), most + " and more");
  EXPECT_EQ(said(HSW_MOST_ANSWER, true), most + " and more") << "by the client";
  EXPECT_GE(HttpClientOptions().max_response_body, HSW_MOST_ANSWER) << "the client keeps as much";
}

// A plugin made with the SDK.

TEST_F(PluginSink, AdviceIsPassedOn) {
  const SinkAdvice advice = Make("polite", "{}")->Advice();
  EXPECT_EQ(advice.rate_max, 5);
  EXPECT_EQ(advice.rate_per, std::chrono::seconds(1));
  EXPECT_EQ(advice.rate_burst, 2);
  EXPECT_EQ(advice.concurrency, 4);
  EXPECT_EQ(Make("polite", "{}")->kind(), Sink::Kind::kCall);
}

TEST_F(PluginSink, APluginSeesTheWholeDelivery) {
  event_.call_id = "call-1";
  event_.agent_id = "agent-1";
  event_.status = CallStatus::kNoAnswer;
  event_.received_at = WallTime(std::chrono::milliseconds(1234));
  message_.text = "free text";
  for (int i = 0; i < 20; ++i) message_.fields.push_back({"F" + std::to_string(i), "v"});
  message_.links = {{"Recording", "https://e.test/"}};
  message_.at = WallTime(std::chrono::milliseconds(5678));
  const Outcome outcome = Deliver(*Make("polite", R"({"greeting":{"word":"moin","times":2}})"), "hello");
  EXPECT_EQ(outcome.kind, Outcome::Kind::kDelivered);
  std::string fields;
  for (int i = 0; i < 20; ++i) fields += "|F" + std::to_string(i) + "=v";
  EXPECT_EQ(outcome.reason, "moin|d-7f|ops|rule-1|call-1|agent-1|no-answer|free text" + fields +
                                "|Recording=https://e.test/|1|1000|5678|1234|json");
}

TEST_F(PluginSink, APluginAsksForValuesOfTheEventAndForTheTime) {
  event_.agent_id = "agent-1";
  event_.agent_tags = {"eu"};
  event_.duration = 27.2;
  event_.data["General.Outcome"] = "confirmed";
  auto sink = Make("polite", "{}");
  SinkDelivery wish = Wish("values");
  wish.now = WallTime(std::chrono::milliseconds(4321));
  EXPECT_EQ(sink->Deliver(wish, kTimeout, [] { return false; }).reason,
            "4321|agent-1|27.2|confirmed|[\"eu\"]|(none)|(none)|(none)|(none)|(none)");

  wish.raw_body = [] { return "as it came"; };
  EXPECT_THAT(sink->Deliver(wish, kTimeout, [] { return false; }).reason, testing::EndsWith("|as it came"));
  wish.raw_body = [] { return std::nullopt; };
  EXPECT_THAT(sink->Deliver(wish, kTimeout, [] { return false; }).reason, testing::EndsWith("|(none)"));
}

TEST_F(PluginSink, APluginSeesStageSentimentSuccessAndTypedData) {
  event_.data["score"] = {"85", DataValue::Kind::kNumber};
  event_.data["vip"] = {"true", DataValue::Kind::kBoolean};
  event_.data["word"] = "85";
  auto sink = Make("polite", "{}");
  EXPECT_EQ(Deliver(*sink, "verdict").reason, R"(live||unknown|{"score":85,"vip":true,"word":"85"})");
  event_.stage = Stage::kEnded;
  event_.sentiment = "positive";
  event_.success = false;
  EXPECT_THAT(Deliver(*sink, "verdict").reason, testing::StartsWith("ended|positive|no|"));
}

TEST_F(PluginSink, APluginAsksForValuesOfAJsonAnswer) {
  auto sink = Make("unruly", "{}");
  const auto ask = [&](std::string_view pointer, std::string body) {
    return sink->Interpret(Wish(pointer), {400, {}, std::move(body)}, {}).reason;
  };
  const std::string body = R"({"error":"gone","code":10015,"ok":false,"retry_after":0.3,"list":[{"a":1}],"no":null})";
  EXPECT_EQ(ask("/error", body), "gone");
  EXPECT_EQ(ask("/code", body), "10015");
  EXPECT_EQ(ask("/ok", body), "false");
  EXPECT_EQ(ask("/retry_after", body), "0.3");
  EXPECT_EQ(ask("/list/0", body), "{\"a\":1}");
  EXPECT_EQ(ask("/no", body), "(none)");
  EXPECT_EQ(ask("/list/7", body), "(none)");
  EXPECT_EQ(ask("/error", ""), "(none)");
  EXPECT_EQ(ask("/error", "<html>"), "(none)");
  EXPECT_EQ(ask("/error", body.substr(0, 20)), "(none)");
  EXPECT_EQ(ask("/error", "{\"error\":\"\xFF\"}"), "(none)");
  EXPECT_EQ(ask("/a", std::string(60'000, '[')), "(none)");
}

TEST_F(PluginSink, ExceptionsOfTheWrapperBecomeOutcomes) {
  auto sink = Make("polite", "{}");
  const Outcome rejected = Deliver(*sink, "reject");
  EXPECT_EQ(rejected.kind, Outcome::Kind::kRejected);
  EXPECT_EQ(rejected.code, "not_polite");
  EXPECT_EQ(rejected.reason, "say please");
  const Outcome misconfigured = Deliver(*sink, "misconfigure");
  EXPECT_EQ(misconfigured.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(misconfigured.action, "teach me");
  const Outcome thrown = Deliver(*sink, "throw");
  EXPECT_EQ(thrown.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(thrown.reason, "dropped the tray");
  EXPECT_EQ(Deliver(*sink, "throw a number").code, "exception");
}

TEST_F(PluginSink, AMisconfigurationSaysWhatIsBroken) {
  auto polite = Make("polite", "{}");
  const Outcome place = Deliver(*polite, "place");
  EXPECT_EQ(place.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(place.scope, Outcome::Scope::kPlace);
  EXPECT_EQ(place.place, "room 1");
  EXPECT_EQ(place.action, "open it");
  const Outcome sink = Deliver(*polite, "sink");
  EXPECT_EQ(sink.scope, Outcome::Scope::kSink);
  EXPECT_EQ(sink.reason, "no key");
  EXPECT_EQ(Deliver(*polite, "misconfigure").scope, Outcome::Scope::kUnknown);

  auto unruly = Make("unruly", "{}");
  EXPECT_EQ(Interpret(*unruly, "place").place, std::string(256, 'p')) << "also without its terminator";
  EXPECT_EQ(Interpret(*unruly, "unknown scope").scope, Outcome::Scope::kUnknown);
  EXPECT_EQ(Interpret(*unruly, "unknown scope").place, "");
  EXPECT_EQ(Interpret(*unruly, "place of a rejection").scope, Outcome::Scope::kUnknown);
}

TEST_F(PluginSink, ARequestNamesWhatItChanges) {
  auto sink = Make("unruly", "{}");
  EXPECT_TRUE(sink->Advice().ordered);
  EXPECT_EQ(std::get<HttpRequest>(Render(*sink, "order")).order, "incident-1");
  EXPECT_EQ(std::get<HttpRequest>(Render(*sink, "anything")).order, "");
  EXPECT_FALSE(Make("polite", "{}")->Advice().ordered);
}

TEST_F(PluginSink, StateMemoryAndRemoteIdGoRound) {
  auto sink = Make("polite", "{}");
  const Outcome first = Deliver(*sink, "step");
  EXPECT_EQ(first.kind, Outcome::Kind::kNext);
  EXPECT_EQ(first.code, "first");
  ASSERT_TRUE(first.has_memory);
  const Outcome second = sink->Deliver(Wish("step", 1, first.state, first.memory), kTimeout, [] { return false; });
  EXPECT_EQ(second.kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(second.remote_id, "state-1,ts-1");
  EXPECT_FALSE(second.has_memory);
}

TEST_F(PluginSink, ALongTextIsCutBetweenCodePoints) {
  const Outcome outcome = Deliver(*Make("polite", "{}"), "long reason");
  EXPECT_EQ(outcome.reason, std::string(509, 'x'));
}

TEST_F(PluginSink, ACallCanAskWhetherItIsStillWanted) {
  auto sink = Make("polite", "{}");
  EXPECT_EQ(sink->Deliver(Wish("canceled"), kTimeout, [] { return true; }).code, "canceled");
  EXPECT_EQ(sink->Deliver(Wish("canceled"), kTimeout, {}).code, "not_canceled");
}

TEST_F(PluginSink, ReopenReachesThePlugin) {
  auto sink = Make("polite", "{}");
  sink->Reopen();
  EXPECT_TRUE(Deliver(*sink, "hello").reason.starts_with("welcome back|"));
}

// A call that never returns.

struct HungCall : PluginSink {
  HungCall() {
    log::SetWriterForTest([this](log::Level, std::string_view line) {
      if (line.find(R"("text":"hangs")") != std::string_view::npos) inside_.set_value();
    });
  }
  ~HungCall() override { log::SetWriterForTest(nullptr); }
  /// Returns when a call is inside the plugin, for ever. What it uses stays.
  static SinkCall& Hang(const std::shared_ptr<Sink>& sink, std::future<void> inside) {
    struct Stays {
      CallEvent event;
      Message message;
      SinkCall call;
    };
    auto* stays = new Stays;
    stays->message.title = "hang";
    std::thread([sink, stays] {
      stays->call.Enter();
      (void)sink->Render({.event = stays->event,
                          .message = stays->message,
                          .id = "d-7f",
                          .sink = "ops",
                          .rule = "rule-1",
                          .state = {},
                          .memory = {},
                          .call = &stays->call});
    }).detach();
    inside.wait();
    return stays->call;
  }
  std::promise<void> inside_;
};

TEST_F(HungCall, IsGivenUpWithItsInstanceAndTheSinkGoesOnWithANewOne) {
  const auto sink = Make("unruly", "{}");
  SinkCall& hung = Hang(sink, inside_.get_future());
  const std::uint64_t instance = hung.GiveUp();
  EXPECT_GT(instance, SinkCall::kOnly);
  sink->GiveUp(instance);
  EXPECT_TRUE(std::holds_alternative<HttpRequest>(Render(*sink, "anything")));
  sink->GiveUp(instance);
  EXPECT_EQ(std::get<HttpRequest>(Render(*sink, "how many")).body, "1") << "the new one stays";
}

TEST_F(HungCall, OneThatWaitsForItsTurnGoesToTheNewInstance) {
  const auto sink = Make("unruly", "{}");
  SinkCall& hung = Hang(sink, inside_.get_future());
  std::thread waits([&] { EXPECT_TRUE(std::holds_alternative<HttpRequest>(Render(*sink, "anything"))); });
  sink->GiveUp(hung.GiveUp());
  waits.join();
}

TEST_F(HungCall, OneThatIsGivenUpWhileItWaitsDoesNotEnter) {
  const auto sink = Make("unruly", "{}");
  SinkCall& hung = Hang(sink, inside_.get_future());
  SinkCall call;
  ASSERT_TRUE(call.Enter());
  std::promise<Outcome> outcome;
  std::thread waits([&] {
    SinkDelivery delivery = Wish("anything");
    delivery.call = &call;
    outcome.set_value(std::get<Outcome>(sink->Render(delivery)));
  });
  call.GiveUp();
  sink->GiveUp(hung.GiveUp());
  EXPECT_EQ(outcome.get_future().get().code, "given_up");
  waits.join();
}

TEST_F(PluginSink, ACreateThatHangsFailsInTime) {
  const auto plugin = Open("unruly");
  const auto sink = MakeOf(plugin, R"({"misbehave":"create hang"})");
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(sink.error().message, testing::HasSubstr("the plugin unruly: it hangs in its create"));
  EXPECT_TRUE(MakeOf(plugin, "{}")) << "it blocks no other";
}

TEST_F(PluginSink, ADestroyThatHangsBlocksNobody) {
  const auto plugin = Open("unruly");
  auto sink = MakeOf(plugin, R"({"misbehave":"destroy hang"})");
  ASSERT_TRUE(sink);
  sink->reset();
  EXPECT_TRUE(MakeOf(plugin, "{}"));
}

TEST_F(PluginSink, AReopenThatHangsEndsInTimeAndIsNotAskedAgain) {
  const auto sink = Make("unruly", R"({"misbehave":"reopen hang"})");
  std::atomic<int> told{0};
  log::SetWriterForTest([&](log::Level, std::string_view line) {
    if (line.find(R"("event":"plugin_stuck","sink":"ops","plugin":"unruly","call":"reopen")") != std::string_view::npos)
      ++told;
  });
  sink->Reopen();
  sink->Reopen();
  log::SetWriterForTest(nullptr);
  EXPECT_EQ(told, 2);
  EXPECT_TRUE(std::holds_alternative<HttpRequest>(Render(*sink, "anything")));
}

TEST(PluginConfig, FlattensScalarsToDottedKeys) {
  const PluginConfig config("ops", R"({"a":"x","b":{"c":1,"d":[true,"y",null]},"e":2.5})", "Asia/Kolkata");
  std::string seen;
  for (std::size_t i = 0; i < config.get()->value_count; ++i) {
    const auto& pair = config.get()->values[i];
    seen += std::string(pair.name.data, pair.name.size) + "=" + std::string(pair.value.data, pair.value.size) + " ";
  }
  EXPECT_EQ(seen, "a=x b.c=1 b.d.0=true b.d.1=y e=2.5 ");
  EXPECT_STREQ(config.get()->timezone, "Asia/Kolkata");
}

}  // namespace
}  // namespace hookswitch
