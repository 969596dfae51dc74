#include "core/admin/config_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "core/config/loader.h"
#include "tests/admin/documented_answer.h"
#include "tests/admin/fake_router.h"
#include "tests/config/memory_environment.h"

namespace hookswitch {
namespace {

class ConfigApiTest : public testing::Test {
 protected:
  ConfigApiTest() { api_.AddTo(routes_); }

  void Load(const std::string& text) {
    config::MemoryEnvironment memory;
    memory.files = {{"etc/router.yaml", text}, {"etc/more.yaml", "rules: [{name: r, send: [ops]}]\n"}};
    memory.variables = {{"TOKEN", "t0ken"}};
    config::Loaded loaded = config::Load("etc/router.yaml", memory.Get());
    ASSERT_TRUE(loaded.config) << config::AllText(loaded.problems);
    router_.config = std::make_shared<config::Config>(std::move(*loaded.config));
  }
  json::object Get() {
    static const std::vector<std::pair<std::string, std::string>> none;
    const Answer answer = Documented("GET", "/api/v1/config", "",
                                     routes_.Handle({"GET", "/api/v1/config", "", "", "127.0.0.1", none}, caller_));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body).as_object();
  }
  static json::value Value(const json::object& shown, std::string_view path) {
    for (const auto& value : shown.at("values").as_array()) {
      if (value.at("path").as_string() == path) return value;
    }
    return nullptr;
  }

  FakeRouter router_;
  ConfigApi api_{router_};
  AdminRoutes routes_;
  const Caller caller_;
};

TEST_F(ConfigApiTest, EveryValueSaysWhereItComesFrom) {
  Load(
      "include: [more.yaml]\nadmin: {token: {env: TOKEN}}\nsinks:\n  ops:\n    plugin: hook\n    config: {url: "
      "s3cret, size: 5}\n");
  router_.status.generation = 7;
  router_.status.applied_at = WallTime(std::chrono::milliseconds(1'772'614'924'000));
  router_.hash = DigestOf("kept");
  router_.plugin_schemas["hook"] =
      R"({"type": "object", "properties": {"url": {"type": "string", "x-secret": true}, "size": {"type": "integer"}}})";
  const json::object shown = Get();
  EXPECT_EQ(shown.at("generation"), 7);
  EXPECT_EQ(shown.at("hash"), json::value(Hex(DigestOf("kept"))));
  EXPECT_EQ(shown.at("file"), "etc/router.yaml");
  EXPECT_EQ(shown.at("files"), (json::array{"etc/router.yaml", "etc/more.yaml"}));
  EXPECT_EQ(shown.at("applied_at"), "2026-03-04T09:02:04Z");
  EXPECT_TRUE(shown.at("last_reload").is_null());
  EXPECT_EQ(shown.at("left_out"), 0);
  EXPECT_EQ(Value(shown, "admin.token"), json::parse(R"({"path": "admin.token", "value": null,
                                                         "from": "etc/router.yaml:2:16", "secret": true,
                                                         "source": "env TOKEN"})"));
  EXPECT_EQ(Value(shown, "sinks.ops.config.url"),
            json::parse(R"({"path": "sinks.ops.config.url", "value": null, "from": "etc/router.yaml:6:19",
                            "secret": true, "source": null})"));
  EXPECT_EQ(Value(shown, "sinks.ops.config.size").at("value"), 5);
  EXPECT_EQ(Value(shown, "rules[0].name").at("from"), "etc/more.yaml:1:16");
  EXPECT_EQ(Value(shown, "sinks.ops.timeout"),
            json::parse(R"({"path": "sinks.ops.timeout", "value": "10s", "from": "default", "secret": false,
                            "source": null})"));
  EXPECT_THAT(ToText(shown), testing::Not(testing::AnyOf(testing::HasSubstr("s3cret"), testing::HasSubstr("t0ken"))));
}

TEST_F(ConfigApiTest, TheLastReloadSaysWhoAskedForItAndWhatCameOfIt) {
  Load("sinks: {ops: {plugin: hook}}\n");
  LastReload last;
  last.number = 2;
  last.at = WallTime(std::chrono::milliseconds(1'772'614'924'000));
  last.by = "ana";
  last.report.problems = {
      {config::Problem::Severity::kError,
       {std::make_shared<const config::SourceFile>("etc/rules.yaml", "rules:\n  - agnet: x\n"), 2, 5},
       5,
       "\"agnet\" is not a key",
       ""}};
  router_.last_reload = std::make_shared<const LastReload>(last);
  const json::object shown = Get();
  const json::value& reload = shown.at("last_reload");
  EXPECT_EQ(reload.at("at"), "2026-03-04T09:02:04Z");
  EXPECT_EQ(reload.at("ok"), false);
  EXPECT_EQ(reload.at("by"), "ana");
  EXPECT_EQ(reload.at("problems").at(0).at("line"), 2);
  EXPECT_EQ(reload.at("problems").at(0).at("message"), "\"agnet\" is not a key");
}

}  // namespace
}  // namespace hookswitch
