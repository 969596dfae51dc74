#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include "core/base/json.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A router whose rules change after calls have come.
class KeptConfigs : public testing::Test {
 protected:
  KeptConfigs() {
    config_.Slack("ops", slack_.Url(kOps)).Slack("oncall", slack_.Url(kOncall));
    config_.rules = "  - {name: first, when: {min_duration: 5s}, send: [ops]}\n  - {name: second, send: [ops]}\n";
    Start();
  }
  void Start() { router_ = std::make_unique<Router>(config_.Write()); }
  void Reload() {
    config_.Write();
    router_->Process().Signal(SIGHUP);
    ASSERT_TRUE(router_->WaitForEvents("reloaded", ++reloads_)) << router_->Log();
  }
  std::string Post(std::size_t number) const {
    const RawAnswer answer = router_->Post(Call(CallId(number)));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body).at("id").as_string().c_str();
  }
  json::object Event(const std::string& id) const {
    return json::parse(router_->Get("/api/v1/events/" + id).body).as_object();
  }
  static std::string Rules(const json::value& routing) {
    std::string text;
    if (routing.is_null()) return "null";
    for (const auto& rule : routing.at("rules").as_array()) {
      text += std::string(rule.at("name").as_string()) + (rule.at("matched").as_bool() ? "+ " : "- ");
    }
    for (const auto& delivery : routing.at("deliveries").as_array()) {
      text += "-> " + std::string(delivery.at("sink").as_string());
    }
    return text;
  }
  /// What the journal on disk holds of configs, all texts.
  std::vector<std::string> Kept() const {
    std::vector<std::string> texts;
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open_v2((dir_ / "journal.db").c_str(), &db, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
    const auto add = [](void* to, int, char** columns, char**) {
      static_cast<std::vector<std::string>*>(to)->emplace_back(columns[0]);
      return 0;
    };
    EXPECT_EQ(sqlite3_exec(db, "SELECT text FROM config ORDER BY number", add, &texts, nullptr), SQLITE_OK);
    sqlite3_close(db);
    return texts;
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
  std::size_t reloads_ = 0;
};

TEST_F(KeptConfigs, AnEventIsRoutedByTheRulesOfThenThroughReloadsAndRestarts) {
  ASSERT_TRUE(router_->Ready());
  const std::string id = Post(1);
  json::object shown = Event(id);
  EXPECT_EQ(Rules(shown.at("routing")), "first+ second+ -> ops");
  EXPECT_EQ(shown.at("routing").at("rules"), shown.at("routing_now").at("rules"));
  EXPECT_EQ(shown.at("config").at("is_current"), true);
  const json::value config = shown.at("config").at("hash"), rules = shown.at("routing").at("rules");
  EXPECT_EQ(rules.at(0).at("file"), json::value(config_.Path()));

  config_.rules = "  - {name: third, when: {agent: nobody}, send: [oncall]}\n  - {name: fourth, send: [oncall]}\n";
  Reload();
  const std::string later = Post(2);
  const auto expect_then = [&] {
    shown = Event(id);
    EXPECT_EQ(Rules(shown.at("routing")), "first+ second+ -> ops");
    EXPECT_EQ(shown.at("routing").at("rules"), rules) << "where they stood, too";
    EXPECT_EQ(Rules(shown.at("routing_now")), "third- fourth+ -> oncall");
    EXPECT_EQ(shown.at("config").at("hash"), config);
    EXPECT_EQ(shown.at("config").at("is_current"), false);
    EXPECT_EQ(shown.at("deliveries").at(0).at("rule"), "first") << "as it was routed";
    EXPECT_EQ(Rules(Event(later).at("routing")), "third- fourth+ -> oncall");
    EXPECT_EQ(Event(later).at("config").at("is_current"), true);
  };
  expect_then();
  config_.server = "{listen: \"127.0.0.1:0\", max_body: 2MiB}";  // reads and routes alike
  Reload();
  expect_then();
  EXPECT_EQ(router_->Stop(), 0);
  Start();
  ASSERT_TRUE(router_->Ready());
  expect_then();
  router_->Kill();
  Start();
  ASSERT_TRUE(router_->Ready());
  expect_then();

  config_.rules = "  - {name: first, when: {min_duration: 5s}, send: [ops]}\n  - {name: second, send: [ops]}\n";
  reloads_ = 0;
  Reload();
  EXPECT_EQ(Event(id).at("config").at("is_current"), true) << "the same rules again";
  Post(3);
  EXPECT_EQ(Kept().size(), 2u) << "each text once";
}

TEST_F(KeptConfigs, AnEventWhoseSourceIsGoneIsReadByItsOwn) {
  ASSERT_TRUE(router_->Ready());
  const std::string id = Post(1);
  const json::value normalized = Event(id).at("normalized");
  std::string text = ReadFile(config_.Path());
  const auto at = text.find("  bolna: ");
  ASSERT_NE(at, std::string::npos) << text;
  WriteFile(config_.Path(), text.replace(at, 9, "  other: "));
  router_->Process().Signal(SIGHUP);
  ASSERT_TRUE(router_->WaitForEvent("reloaded")) << router_->Log();
  const json::object shown = Event(id);
  EXPECT_EQ(shown.at("normalized"), normalized);
  EXPECT_THAT(std::string(shown.at("normalized_because").as_string()),
              HasSubstr("no source \"bolna\"; this is how the config at its acceptance reads it"));
  EXPECT_EQ(Rules(shown.at("routing")), "first+ second+ -> ops");
  EXPECT_TRUE(shown.at("routing_now").is_null());
  const json::value row = json::parse(router_->Get("/api/v1/events?details=true").body).at("events").at(0);
  EXPECT_EQ(row.at("duration"), normalized.at("duration"));
  EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/events/" + id + "/replay").status, 409);
  const Finished printed =
      RunProgram({Program(), "events", "show", id, "--url", "http://127.0.0.1:" + std::to_string(router_->Admin())});
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("routing by the rules at its acceptance (config "));
  EXPECT_THAT(printed.out, Not(HasSubstr("the current")));
}

TEST_F(KeptConfigs, WhatIsKeptHasNoSecret) {
  EXPECT_EQ(router_->Stop(), 0);
  WriteFile(dir_ / "key", "s3cret-of-a-file");
  config_.source = "{type: bolna, path: /bolna/webhook, auth: {header: X-Key, secret: {file: " + (dir_ / "key") + "}}}";
  config_.admin = "{listen: \"127.0.0.1:0\", tokens: [{name: ana, token: s3cret-token-of-ana, may: read}]}";
  config_.Slack("more", slack_.Url("/services/T0/B0/s3cret-hook"));
  Start();
  ASSERT_TRUE(router_->Ready());
  ASSERT_EQ(router_->Post(Call(CallId(1)), {{"X-Key", "s3cret-of-a-file"}}).status, 200);
  const auto kept = Kept();
  ASSERT_EQ(kept.size(), 1u);
  EXPECT_THAT(kept[0], HasSubstr("\"min_duration\": \"5s\""));
  EXPECT_THAT(kept[0], Not(HasSubstr("s3cret")));
  EXPECT_THAT(kept[0], Not(HasSubstr("services")));
}

TEST_F(KeptConfigs, TheRunningConfigIsShownWithoutItsSecrets) {
  EXPECT_EQ(router_->Stop(), 0);
  WriteFile(dir_ / "key", "s3cret-of-a-file");
  config_.source = "{type: bolna, path: /bolna/webhook, auth: {header: X-Key, secret: {file: " + (dir_ / "key") + "}}}";
  config_.more = "include: [more.yaml]\n";
  WriteFile(dir_ / "more.yaml", "agents: {a-1: {name: maya}}\n");
  Start();
  ASSERT_TRUE(router_->Ready());
  const auto get = [this] { return json::parse(router_->Get("/api/v1/config").body).as_object(); };
  json::object shown = get();
  const auto value = [&shown](std::string_view path) {
    for (const auto& one : shown.at("values").as_array()) {
      if (one.at("path").as_string() == path) return one;
    }
    return json::value(json::object{{"value", "missing"}, {"secret", nullptr}, {"source", nullptr}, {"from", nullptr}});
  };
  EXPECT_EQ(value("sinks.ops.config.webhook_url").at("secret"), true);
  EXPECT_EQ(value("sinks.ops.config.webhook_url").at("source"), json::value("file " + (dir_ / "ops_webhook")));
  EXPECT_EQ(value("sinks.ops.config.allow_any_host").at("value"), true) << "the plugin says that it is no secret";
  EXPECT_EQ(value("sources.bolna.auth.secret").at("source"), json::value("file " + (dir_ / "key")));
  EXPECT_EQ(value("agents.a-1.name").at("from"), json::value((dir_ / "more.yaml") + ":1:22"));
  EXPECT_EQ(value("journal.retention.age").at("value"), "7d");
  EXPECT_THAT(json::serialize(shown), Not(HasSubstr("s3cret")));
  EXPECT_THAT(json::serialize(shown), Not(HasSubstr(kOps)));
  EXPECT_TRUE(shown.at("last_reload").is_null());
  EXPECT_EQ(shown.at("files").as_array().size(), 2u);

  ASSERT_EQ(router_->Post(Call(CallId(1)), {{"X-Key", "s3cret-of-a-file"}}).status, 200);
  const json::object listed = json::parse(router_->Get("/api/v1/events").body).as_object();
  const std::string id(listed.at("events").at(0).at("id").as_string());
  EXPECT_EQ(Event(id).at("config").at("hash"), shown.at("hash"));

  reloads_ = 0;
  Reload();
  shown = get();
  EXPECT_EQ(shown.at("last_reload").at("ok"), true);
  EXPECT_EQ(shown.at("last_reload").at("by"), "SIGHUP");
  EXPECT_EQ(shown.at("generation"), 2);
  WriteFile(dir_ / "more.yaml", "agents: {a-1: {nmae: maya}}\n");
  EXPECT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/reload").status, 422);
  shown = get();
  EXPECT_EQ(shown.at("last_reload").at("ok"), false);
  EXPECT_EQ(shown.at("generation"), 2);
  EXPECT_THAT(std::string(shown.at("last_reload").at("problems").at(0).at("message").as_string()), HasSubstr("nmae"));
  EXPECT_EQ(value("agents.a-1.name").at("value"), "maya") << "what runs, not what the file says now";
}

}  // namespace
}  // namespace hookswitch::e2e
