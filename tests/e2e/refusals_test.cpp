// A Slack that refuses: what is wrong with one message, with one channel, or with nobody knows what, holds up no other.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "tests/e2e/router.h"
#include "tests/fakes/http_loop.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

// As it is logged of a sink that pauses by itself, not by the operator.
constexpr const char* kPausedItself = R"("event":"lane_paused","sink":"ops","code")";
constexpr const char* kResumedItself = R"("event":"lane_resumed","sink":"ops"})";

enum class Door { kWebhook, kBot };

struct Refusal {
  std::string name;
  Door door;
  int status;
  std::string body;
  std::string code;      ///< of the outcome
  std::size_t requests;  ///< of one delivery: a layout that is refused goes out once more as text
};
std::string Name(const testing::TestParamInfo<Refusal>& info) {
  return info.param.name;
}
Refusal BySlackBot(const std::string& word, std::size_t requests = 1) {
  return {"bot_" + word, Door::kBot, 200, R"({"ok":false,"error":")" + word + "\"}", word, requests};
}

/// Slack, by either door. Refuses what has `text` in it until Relent.
class RefusingSlack {
 public:
  RefusingSlack(Refusal refusal, std::string text) : refusal_(std::move(refusal)), text_(std::move(text)) {
    auto server = fakes::HttpLoop::Start([this](const fakes::HttpRequest& request) { return Answer(request); });
    if (server) server_ = std::move(*server);
  }
  /// The sink "ops", one request at a time, so that what is refused is refused before the next is sent.
  std::string Sink() const {
    const std::string root = "http://127.0.0.1:" + std::to_string(server_->Port());
    const std::string door =
        refusal_.door == Door::kWebhook
            ? "{webhook_url: \"" + root + "/services/T0/B0/x1\", allow_any_host: true}"
            : "{token: xoxb-1, channel: C0CALLS, channels: [{rule: gone, channel: C0GONE}], api_url: \"" + root +
                  "/api\", allow_any_host: true}";
    return "  ops:\n    plugin: slack\n    config: " + door +
           "\n    concurrency: 1\n    rate_limit: {max: 100000, per: 1s, burst: 100000}\n";
  }
  void Relent() {
    const std::lock_guard lock(mu_);
    relents_ = true;
  }
  /// The calls of all requests so far, in order.
  std::vector<std::size_t> Calls() const {
    const std::lock_guard lock(mu_);
    return calls_;
  }

 private:
  fakes::HttpReply Answer(const fakes::HttpRequest& request) {
    const std::lock_guard lock(mu_);
    calls_.push_back(CallNumberIn(request.body).value_or(0));
    fakes::HttpReply reply;
    const bool refuses = !relents_ && request.body.find(text_) != std::string_view::npos;
    reply.status = refuses ? refusal_.status : 200;
    if (refuses) {
      reply.body = refusal_.body;
    } else {
      reply.body =
          refusal_.door == Door::kWebhook ? "ok" : R"({"ok":true,"channel":"C0CALLS","ts":"1700000000.000001"})";
    }
    return reply;
  }

  const Refusal refusal_;
  const std::string text_;
  mutable std::mutex mu_;
  bool relents_ = false;
  std::vector<std::size_t> calls_;
  std::unique_ptr<fakes::HttpLoop> server_;  // last: its thread ends before what it uses
};

/// A router before `slack`; its rule "gone" is that of failed calls.
class RefusedRouter {
 public:
  explicit RefusedRouter(const RefusingSlack& slack) {
    RouterConfig config(dir_);
    config.sinks = slack.Sink();
    config.rules =
        "  - {name: gone, when: {status: failed}, send: [ops]}\n"
        "  - {name: all, when: {status: completed}, send: [ops]}\n";
    router_.emplace(config.Write());
  }
  Router* operator->() { return &*router_; }

  void Order(const std::string& what) {
    ASSERT_EQ(fakes::Fetch(router_->Admin(), "POST", "/api/v1/sinks/ops/" + what).status, 200);
  }
  /// Calls 1, 2 … with these statuses, all of them in the lane before the first is sent.
  void PostTogether(const std::vector<std::string>& statuses) {
    Order("pause");
    std::size_t number = 0;
    for (const std::string& status : statuses) {
      ASSERT_EQ(router_->Post(Call(CallId(++number), {{"status", status}})).status, 200);
    }
    Order("resume");
  }
  json::value DeliveryIn(const char* state, std::size_t number) const {
    return json::parse(
        router_->GetWith("\"state\":\"" + std::string(state) + "\"", "/api/v1/deliveries/d-" + std::to_string(number)));
  }
  json::value SinkWith(std::string_view text) const {
    return json::parse(router_->GetWith(text, "/api/v1/sinks")).at("sinks").at(0);
  }

 private:
  TempDir dir_;
  std::optional<Router> router_;
};

class RefusedMessage : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedMessage, EndsWithItsReasonAndTheNextGoOutAtOnce) {
  RefusingSlack slack(GetParam(), CallId(2));
  RefusedRouter router(slack);
  ASSERT_TRUE(router->Ready());
  router.PostTogether({"completed", "completed", "completed", "completed"});
  ASSERT_TRUE(router->WaitForEvents("delivery_delivered", 3)) << router->Log();
  ASSERT_TRUE(router->WaitForEvent("delivery_dead")) << router->Log();
  std::vector<std::size_t> expected{1, 2, 3, 4};
  expected.insert(expected.begin() + 1, GetParam().requests - 1, 2);
  EXPECT_EQ(slack.Calls(), expected) << "nothing waited, and what was refused is not repeated";
  for (const char* event : {kPausedItself, "lane_throttled", "delivery_refused", "delivery_retry"}) {
    EXPECT_THAT(router->Log(), Not(HasSubstr(event)));
  }
  const json::value dead = router.DeliveryIn("dead", 2);
  EXPECT_EQ(dead.at("state"), "dead") << dead;
  EXPECT_EQ(dead.at("code"), GetParam().code.c_str());
  EXPECT_THAT(std::string(dead.at("reason").as_string()), HasSubstr(GetParam().code));
  EXPECT_EQ(router.SinkWith(R"("state":"open")").at("state"), "open");
}

INSTANTIATE_TEST_SUITE_P(
    Slack, RefusedMessage,
    testing::Values(Refusal{"webhook_invalid_payload", Door::kWebhook, 400, "invalid_payload", "invalid_payload", 1},
                    Refusal{"webhook_no_text", Door::kWebhook, 400, "no_text", "no_text", 1},
                    Refusal{"webhook_invalid_blocks", Door::kWebhook, 400, "invalid_blocks", "invalid_blocks", 2},
                    BySlackBot("metadata_too_large"), BySlackBot("invalid_blocks", 2)),
    Name);

class RefusedChannel : public testing::TestWithParam<Refusal> {};

TEST_P(RefusedChannel, HoldsItsOwnDeliveriesUntilItWorksAgain) {
  RefusingSlack slack(GetParam(), "C0GONE");
  RefusedRouter router(slack);
  ASSERT_TRUE(router->Ready());
  router.PostTogether({"failed", "completed", "failed", "completed"});
  ASSERT_TRUE(router->WaitForEvents("delivery_delivered", 2)) << router->Log();
  const auto calls = slack.Calls();
  ASSERT_GE(calls.size(), 3u);
  EXPECT_THAT(std::vector(calls.begin(), calls.begin() + 3), UnorderedElementsAre(1, 2, 4))
      << "the other channel goes on, and what goes to the refused one is not tried";
  const json::value sink = router.SinkWith(R"("waiting":2)");
  EXPECT_EQ(sink.at("state"), "open") << sink;
  const json::value places = sink.at("places");
  ASSERT_EQ(places.as_array().size(), 1u) << places;
  EXPECT_EQ(places.at(0).at("name"), "C0GONE");
  EXPECT_EQ(places.at(0).at("waiting"), 2);
  for (const std::size_t number : {1u, 3u}) {
    const json::value held = router.DeliveryIn("held", number);
    EXPECT_EQ(held.at("state"), "held") << held;
    EXPECT_EQ(held.at("held_by"), "misconfigured");
    EXPECT_THAT(std::string(held.at("because").as_string()),
                testing::AllOf(HasSubstr("C0GONE"), HasSubstr(GetParam().code)));
  }
  slack.Relent();
  router.Order("resume");
  ASSERT_TRUE(router->WaitForEvents("delivery_delivered", 4)) << router->Log();
  EXPECT_TRUE(router->WaitForEvent("place_works"));
  EXPECT_THAT(router->Log(), Not(HasSubstr("delivery_dead")));
}

INSTANTIATE_TEST_SUITE_P(Slack, RefusedChannel,
                         testing::Values(BySlackBot("channel_not_found"), BySlackBot("is_archived")), Name);

class UnknownRefusal : public testing::TestWithParam<Refusal> {};

TEST_P(UnknownRefusal, OfOneMessageHoldsThatAloneAndItIsTriedAgain) {
  RefusingSlack slack(GetParam(), CallId(2));
  RefusedRouter router(slack);
  ASSERT_TRUE(router->Ready());
  router.PostTogether({"completed", "completed", "completed", "completed"});
  ASSERT_TRUE(router->WaitForEvents("delivery_delivered", 3)) << router->Log();
  const auto calls = slack.Calls();
  ASSERT_GE(calls.size(), 4u);
  EXPECT_THAT(std::vector(calls.begin(), calls.begin() + 4), UnorderedElementsAre(1, 2, 3, 4))
      << "nothing waited for it";
  const auto refused = router->WaitForEvent("delivery_refused");
  ASSERT_TRUE(refused) << router->Log();
  EXPECT_EQ(json::parse(*refused).at("code"), GetParam().code.c_str());
  EXPECT_EQ(json::parse(*refused).at("next_ms"), 5000);
  EXPECT_FALSE(json::parse(*refused).at("action").as_string().empty());
  EXPECT_EQ(router.SinkWith(R"("state":"open")").at("state"), "open");
  slack.Relent();
  ASSERT_TRUE(router->WaitForEvents("delivery_delivered", 4)) << router->Log();
  EXPECT_THAT(router->Log(), Not(HasSubstr(kPausedItself)));
}

TEST_P(UnknownRefusal, OfEverythingPausesTheSinkAndLosesNothing) {
  RefusingSlack slack(GetParam(), "");
  RefusedRouter router(slack);
  ASSERT_TRUE(router->Ready());
  router.PostTogether({"completed", "completed", "completed", "completed"});
  const auto paused = router->Process().WaitForLine(kPausedItself, seconds(20));
  ASSERT_TRUE(paused) << router->Log();
  EXPECT_EQ(json::parse(*paused).at("code"), GetParam().code.c_str());
  EXPECT_FALSE(json::parse(*paused).at("action").as_string().empty());
  EXPECT_EQ(router.SinkWith(R"("state":"misconfigured")").at("state"), "misconfigured");
  EXPECT_THAT(router->Get("/readyz").body, HasSubstr("misconfigured"));
  for (const std::size_t number : {1u, 2u, 3u, 4u}) {
    const json::value held = router.DeliveryIn("held", number);
    EXPECT_EQ(held.at("state"), "held") << held;
    EXPECT_EQ(held.at("held_by"), "misconfigured");
  }
  slack.Relent();
  router.Order("resume");
  ASSERT_TRUE(router->WaitForEvents("delivery_delivered", 4)) << router->Log();
  EXPECT_TRUE(router->Process().WaitForLine(kResumedItself, seconds(20)));
  EXPECT_THAT(router->Log(), Not(HasSubstr("delivery_dead")));
}

INSTANTIATE_TEST_SUITE_P(Slack, UnknownRefusal,
                         testing::Values(Refusal{"webhook_page", Door::kWebhook, 403, "<html>blocked</html>",
                                                 "http_403", 1},
                                         BySlackBot("something_new")),
                         Name);

}  // namespace
}  // namespace hookswitch::e2e
