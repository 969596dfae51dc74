#include "core/admin/rules_api.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/secret.h"
#include "core/base/time_text.h"
#include "core/config/source_file.h"
#include "tests/admin/documented_answer.h"
#include "tests/admin/search_fixture.h"

namespace hookswitch {
namespace {

class RulesApiTest : public SearchFixture {
 protected:
  json::array List(std::string_view name) {
    RulesApi api(router_, *journal_, indexer_.get(), clock_);
    AdminRoutes routes;
    api.AddTo(routes);
    const std::vector<std::pair<std::string, std::string>> headers;
    const std::string path = "/api/v1/" + std::string(name);
    const Answer answer =
        Documented("GET", path, {}, routes.Handle({"GET", path, {}, {}, "127.0.0.1", headers}, Caller()));
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body).at(name).as_array();
  }
};

TEST_F(RulesApiTest, ARuleIsShownAsItStandsInItsFileWithItsHits) {
  const auto file = std::make_shared<const config::SourceFile>("rules.d/billing.yaml",
                                                               "rules:\n"
                                                               "  - name: failed\n"
                                                               "    when:\n"
                                                               "      status: [failed]   # theirs\n"
                                                               "    send: [ops, oncall]\n"
                                                               "\n"
                                                               "  - name: ended\n"
                                                               "    send: [ops]\n");
  router_.config->rules[0].where = {file, 2, 5};
  router_.config->rules[1].where = {file, 7, 5};
  (void)Accept(Call("call-1", "failed"));
  clock_.Advance(std::chrono::hours(1));
  router_.status.applied_at = clock_.Wall();
  clock_.Advance(std::chrono::minutes(1));
  (void)Accept(Call("call-2", "completed"));
  Index();

  const json::array rules = List("rules");
  ASSERT_EQ(rules.size(), 4u);
  const json::object& failed = rules[0].as_object();
  EXPECT_EQ(failed.at("name"), "failed");
  EXPECT_EQ(failed.at("file"), "rules.d/billing.yaml");
  EXPECT_EQ(failed.at("line"), 2);
  EXPECT_EQ(failed.at("yaml"), "name: failed\nwhen:\n  status: [failed]   # theirs\nsend: [ops, oncall]");
  EXPECT_EQ(failed.at("send").at(1).at("sink"), "oncall");
  EXPECT_EQ(failed.at("hits_24h"), 1);
  EXPECT_EQ(failed.at("hits"), 1);
  EXPECT_EQ(failed.at("since_reload"), false) << "the config is newer than its hit";
  EXPECT_EQ(failed.at("last_event").as_string(), std::string_view(journal_->FindEvent(1)->id));

  const json::object& ended = rules[1].as_object();
  EXPECT_EQ(ended.at("yaml"), "name: ended\nsend: [ops]");
  EXPECT_EQ(ended.at("hits_24h"), 2);
  EXPECT_EQ(ended.at("taken_24h"), 1);
  EXPECT_EQ(ended.at("taken_by"), "failed");
  EXPECT_EQ(ended.at("since_reload"), true);

  const json::object& never = rules[2].as_object();
  EXPECT_EQ(never.at("hits"), 0);
  EXPECT_TRUE(never.at("last_hit").is_null());
  EXPECT_TRUE(never.at("yaml").is_null());
  EXPECT_EQ(rules[3].at("name"), "unmatched");
  EXPECT_EQ(rules[3].at("drop"), true);
}

TEST_F(RulesApiTest, WithoutAnIndexNobodyClaimsThatARuleWasNeverHit) {
  indexer_.reset();
  const json::array rules = List("rules");
  EXPECT_TRUE(rules[0].at("hits").is_null());
  EXPECT_TRUE(rules[0].at("since_reload").is_null());
  EXPECT_TRUE(List("sources")[0].at("events_24h").is_null());
}

TEST_F(RulesApiTest, ASourceSaysHowItIsCheckedWhenItWasSeenAndWhatItRejected) {
  config::Source& source = router_.config->sources[0];
  source.path = "/bolna/webhook";
  source.auth = config::Auth{.place = config::Auth::Place::kHeader, .name = "X-Secret", .secret = Secret("of-bolna")};
  config::Verify& verify = source.verify.emplace();
  verify.scheme = config::Verify::Scheme::kEd25519;
  verify.headers = {"X-Signature"};
  verify.secrets = {Secret("of-bolna-too")};
  router_.config->sources.emplace_back().name = "silent";
  (void)Accept(Call("call-1", "failed"));
  const WallTime accepted_at = clock_.Wall();
  Index();
  journal_->RecordRefused({.at = clock_.Wall() - std::chrono::hours(30),
                           .source = "bolna",
                           .peer = "192.0.2.7",
                           .http_status = 401,
                           .error = "unauthorized",
                           .detail = "long ago"});
  for (const char* detail : {"the secret is missing", "the secret is wrong"}) {
    journal_->RecordRefused({.at = clock_.Wall(),
                             .source = "bolna",
                             .peer = "192.0.2.7",
                             .http_status = 401,
                             .error = "unauthorized",
                             .detail = detail});
  }
  const json::array sources = List("sources");
  ASSERT_EQ(sources.size(), 2u);
  const json::object& bolna = sources[0].as_object();
  EXPECT_EQ(bolna.at("path"), "/bolna/webhook");
  EXPECT_EQ(bolna.at("auth"), (json::object{{"kind", "header"}, {"name", "X-Secret"}, {"secret_set", true}}));
  EXPECT_EQ(bolna.at("verify"),
            (json::object{{"scheme", "ed25519"}, {"headers", json::array{"X-Signature"}}, {"secret_set", true}}));
  EXPECT_TRUE(sources[1].at("verify").is_null());
  EXPECT_EQ(ToText(sources).find("of-bolna"), std::string::npos);
  EXPECT_EQ(bolna.at("events_24h"), 1);
  EXPECT_EQ(bolna.at("last_event_at").as_string(), std::string_view(ToRfc3339(accepted_at)));
  EXPECT_EQ(bolna.at("refused_24h"), 2);
  ASSERT_EQ(bolna.at("refused").as_array().size(), 1u);
  EXPECT_EQ(bolna.at("refused").at(0).at("count"), 2);
  EXPECT_EQ(bolna.at("refused").at(0).at("detail"), "the secret is wrong") << "the newest";
  EXPECT_TRUE(sources[1].at("last_event_at").is_null());
  EXPECT_EQ(sources[1].at("events_24h"), 0);
}

}  // namespace
}  // namespace hookswitch
