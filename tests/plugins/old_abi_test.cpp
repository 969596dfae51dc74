// Plugins built against an older ABI go on working: tests/plugins/abi_1_0 and abi_1_1 hold its headers, and plugins.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "core/base/json.h"
#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/plugin_sink.h"

namespace hookswitch {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<Sink> Load(const std::string& folder, const std::string& name, const std::string& config) {
  const fs::path file = fs::path(HSW_TEST_PLUGINS) / folder / (name + ".so");
  const auto library = plugins::ReadLibrary(file);
  EXPECT_TRUE(library) << library.error().message;
  if (!library) return nullptr;
  const auto inspected = plugins::InspectInChild({HSW_TEST_INSPECTOR}, *library);
  EXPECT_TRUE(inspected) << inspected.error().message;
  auto sink = plugins::OpenLibrary(file, file);
  EXPECT_TRUE(sink) << sink.error().message;
  if (!sink) return nullptr;
  EXPECT_EQ(sink->advise == nullptr, folder == "abi_1_0");
  auto plugin = std::make_shared<Plugin>();
  plugin->sink = *sink;
  plugin->info = plugins::Describe(*sink, file);
  auto made = plugins::MakePluginSink(
      std::move(plugin), std::make_shared<const plugins::PluginConfig>("ops", config, "UTC"), plugins::Masker({}));
  EXPECT_TRUE(made) << made.error().message;
  return made ? *made : nullptr;
}

TEST(OldAbi, AnHttpSinkOfTheFirstVersionWorks) {
  const auto sink = Load("abi_1_0", "oldest", R"({"url":"https://example.com/in"})");
  ASSERT_TRUE(sink);
  const SinkAdvice advice = sink->Advice();
  EXPECT_EQ(advice.rate_max, 5);
  EXPECT_EQ(advice.rate_per, std::chrono::seconds(2));
  EXPECT_EQ(advice.rate_burst, 2);
  EXPECT_EQ(advice.concurrency, 3);
  EXPECT_TRUE(advice.concurrent_calls);

  CallEvent event;
  event.call_id = "call-1";
  event.data["score"] = {"85", DataValue::Kind::kNumber};
  event.data["vip"] = {"true", DataValue::Kind::kBoolean};
  Message message;
  message.title = "Ended \"well\"";
  const SinkDelivery delivery{event, message, "d-1", "ops", "all", 1, 0, "", "kept"};
  const auto made = sink->Render(delivery);
  const auto* request = std::get_if<HttpRequest>(&made);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->method, "POST");
  EXPECT_EQ(request->url, "https://example.com/in");
  const auto body = json::parse(request->body);
  EXPECT_EQ(body.at("title"), "Ended \"well\"");
  EXPECT_EQ(body.at("memory"), "kept");
  EXPECT_EQ(body.at("event").at("call_id"), "call-1");
  EXPECT_EQ(body.at("event").at("data"), (json::value{{"score", "85"}, {"vip", "true"}})) << "texts, as ever";

  const auto next = sink->Interpret(delivery, {202, {}, ""}, {});
  EXPECT_EQ(next.kind, Outcome::Kind::kNext);
  EXPECT_EQ(next.state, "step 1");
  EXPECT_EQ(sink->Interpret(delivery, {400, {}, "full"}, {}).code, "full");
  const auto done = sink->Interpret(delivery, {200, {{"x-id", "42"}}, ""}, {});
  EXPECT_EQ(done.kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(done.remote_id, "42");
  EXPECT_EQ(done.memory, "remembered");
  const auto busy = sink->Interpret(delivery, {429, {}, ""}, std::chrono::milliseconds(1500));
  EXPECT_EQ(busy.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(busy.retry_after, std::chrono::milliseconds(1500));
}

TEST(OldAbi, ACallSinkInCOfTheFirstVersionWorks) {
  std::string folder = testing::TempDir() + "hsw-old-XXXXXX";
  ASSERT_TRUE(::mkdtemp(folder.data()));
  {
    const auto sink = Load("abi_1_0", "oldest_call", R"({"path":")" + folder + R"(/titles"})");
    ASSERT_TRUE(sink);
    const CallEvent event;
    Message message;
    message.title = "Ended";
    const auto outcome = sink->Deliver({event, message, "d-1", "ops", "all", 1, 0, "", ""}, std::chrono::seconds(1),
                                       [] { return false; });
    EXPECT_EQ(outcome.kind, Outcome::Kind::kDelivered);
  }
  std::string line;
  std::getline(std::ifstream(folder + "/titles"), line);
  EXPECT_EQ(line, "Ended");
  fs::remove_all(folder);
}

TEST(OldAbi, ABotOfTheSecondVersionWorks) {
  const auto sink = Load("abi_1_1", "bot", R"({"url":"https://example.com/in"})");
  ASSERT_TRUE(sink);
  EXPECT_EQ(sink->Advice().rate_max, 7);
  EXPECT_EQ(sink->Advice().concurrency, 2);
  EXPECT_FALSE(sink->Advice().ordered);

  CallEvent event;
  event.agent_id = "C1";
  event.duration = 27.2;
  Message message;
  message.title = "Ended";
  SinkDelivery delivery{event, message, "d-1", "ops", "all", 1, 0, "", ""};
  delivery.now = WallTime(std::chrono::milliseconds(1234));
  delivery.raw_body = [] { return std::string("{}"); };
  const auto made = sink->Render(delivery);
  const auto* request = std::get_if<HttpRequest>(&made);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->body, R"({"channel":"C1","duration":27.2,"at":1234,"raw":2})");
  EXPECT_TRUE(request->public_only);
  ASSERT_TRUE(request->pace);
  EXPECT_EQ(request->pace->key, "C1");
  EXPECT_EQ(request->pace->burst, 3);
  EXPECT_EQ(request->order, "");

  const auto archived = sink->Interpret(delivery, {200, {}, R"({"error":"archived"})"}, {});
  EXPECT_EQ(archived.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(archived.scope, Outcome::Scope::kUnknown) << "what it does not know is not made up";
  EXPECT_EQ(archived.place, "");
  EXPECT_EQ(sink->Interpret(delivery, {200, {}, "{}"}, {}).kind, Outcome::Kind::kDelivered);
}

}  // namespace
}  // namespace hookswitch
