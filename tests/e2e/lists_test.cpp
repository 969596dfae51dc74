// Several events in one request, and other requests that are not one event in the body of a POST.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;

constexpr std::string_view kPath = "/any";

/// `count` calls from `first` on, as items of one request.
std::string ListOf(std::size_t first, std::size_t count) {
  json::array calls;
  for (std::size_t i = 0; i < count; ++i) {
    calls.push_back(json::object{{"id", CallId(first + i)}, {"state", "completed"}});
  }
  return json::serialize(json::object{{"calls", std::move(calls)}});
}

std::size_t StoredEvents(const Router& router) {
  const RawAnswer status = router.Get("/api/v1/status");
  EXPECT_EQ(status.status, 200) << status.error;
  return json::parse(status.body).at("journal").at("events").to_number<std::size_t>();
}

class Lists : public testing::Test {
 protected:
  Lists() {
    config_.source = "{type: json, path: /any, map: {each: calls, call_id: id, status: state}}";
    config_.Slack("ops", slack_.Url());
  }
  void Start() {
    config_.Write();
    router_.emplace(config_.Path());
    ASSERT_TRUE(router_->Ready());
  }
  RawAnswer Post(std::string_view body) const { return router_->Post(body, {}, kPath); }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::optional<Router> router_;
};

TEST_F(Lists, EachEventOfARequestIsDeliveredAndABadOneIsShownAsRefused) {
  Start();
  const RawAnswer answer =
      Post(R"({"calls":[{"id":")" + CallId(1) + R"(","state":"completed"},{"state":"failed"},{"id":")" + CallId(2) +
           R"(","state":"ringing"},{"id":")" + CallId(3) + R"(","state":"failed"}]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json::value body = json::parse(answer.body);
  EXPECT_EQ(body.at("ok"), true);
  EXPECT_EQ(body.at("deliveries"), 2);
  const json::array& ids = body.at("ids").as_array();
  ASSERT_EQ(ids.size(), 4U);
  EXPECT_TRUE(ids[1].is_null());
  const std::string event = router_->Get("/api/v1/events/" + std::string(ids[3].as_string())).body;
  EXPECT_THAT(event, HasSubstr(CallId(3)));
  EXPECT_TRUE(slack_.WaitForPosted(2, seconds(20)));
  EXPECT_THAT(router_->GetWith("event 2: ", "/api/v1/refused"), HasSubstr("event 2: "));
  EXPECT_EQ(Post(R"({"calls":[{"state":"failed"},{"state":"busy"}]})").status, 422);
  EXPECT_EQ(StoredEvents(*router_), 3U);
}

// kill -9 while lists are accepted on several connections.
TEST_F(Lists, AfterAKillEveryListIsThereWholeOrNotAtAll) {
  constexpr std::size_t kEach = 20, kAtLeast = 60, kThreads = 4;
  Start();
  std::atomic<std::size_t> next{0}, done{0};
  std::array<std::set<std::size_t>, kThreads> accepted;
  std::vector<std::thread> senders;
  for (auto& own : accepted) {
    senders.emplace_back([&] {
      for (;;) {
        const std::size_t first = next.fetch_add(kEach);
        if (Post(ListOf(first, kEach)).status != 200) return;
        own.insert(first);
        ++done;
        done.notify_all();
      }
    });
  }
  for (std::size_t now = done; now < kAtLeast; now = done) done.wait(now);
  router_->Kill();
  for (auto& sender : senders) sender.join();
  router_.reset();
  std::set<std::size_t> all;
  for (auto& own : accepted) all.merge(own);

  Start();
  const std::size_t stored = StoredEvents(*router_);
  EXPECT_EQ(stored % kEach, 0U);
  EXPECT_GE(stored, all.size() * kEach);
  for (const std::size_t first : all) {
    const RawAnswer again = Post(ListOf(first, kEach));
    ASSERT_EQ(again.status, 200);
    const json::value body = json::parse(again.body);
    EXPECT_EQ(body.at("deliveries"), 0) << "all of it was there";
    for (const json::value& id : body.at("ids").as_array()) EXPECT_TRUE(id.is_string());
  }
  EXPECT_EQ(StoredEvents(*router_), stored);
}

TEST_F(Lists, AGetIsAnEventThatIsReadAgainAsItWas) {
  config_.source = "{type: json, path: /any, methods: [GET], map: {call_id: id, status: state, to: to}}";
  Start();
  const RawAnswer answer =
      fakes::Fetch(router_->Ingress(), "GET", "/any?id=" + CallId(7) + "&state=completed&to=%2B4930123456");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const std::string id(json::parse(answer.body).at("id").as_string());
  EXPECT_TRUE(slack_.WaitForPosted(1, seconds(20)));
  const std::string event = router_->Get("/api/v1/events/" + id).body;
  EXPECT_THAT(event, HasSubstr(CallId(7)));
  EXPECT_THAT(event, HasSubstr("+4930123456"));
  const RawAnswer posted = Post("{}");
  EXPECT_EQ(posted.status, 405);
  EXPECT_EQ(posted.Header("Allow"), "GET");
}

TEST_F(Lists, ABodyThatIsTooLargeIsReadAwayWhereTheSourceSaysSo) {
  config_.source = "{type: json, path: /any, max_body: 64KiB, oversized: skip, map: {call_id: id, status: state}}";
  Start();
  const std::size_t before = router_->Rss();
  RawClient client(router_->Ingress());
  ASSERT_TRUE(client.Send("POST /any HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
  const std::string chunk = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
  for (int i = 0; i < 48; ++i) ASSERT_TRUE(client.Send(chunk));
  ASSERT_TRUE(client.Send("0\r\n\r\n"));
  const RawAnswer answer = client.Receive();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"ok":true,"skipped":true})");
  EXPECT_LT(router_->PeakRss(), before + (16U << 20)) << "it is never held whole";
  EXPECT_THAT(router_->GetWith("too_large", "/api/v1/refused"), HasSubstr("too_large"));
  EXPECT_EQ(Post(R"({"id":"c","state":"completed"})").status, 200);
}

TEST_F(Lists, TheHandshakeOfCloudEventsIsAnswered) {
  config_.source = "{type: json, path: /any, handshake: cloudevents, map: {call_id: id, status: state}}";
  Start();
  const RawAnswer answer =
      fakes::Fetch(router_->Ingress(), "OPTIONS", kPath, {}, {{"WebHook-Request-Origin", "events.example.com"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Header("WebHook-Allowed-Origin"), "*");
  EXPECT_EQ(answer.Header("WebHook-Allowed-Rate"), "*");
  EXPECT_THAT(answer.Header("Allow"), HasSubstr("POST"));
}

}  // namespace
}  // namespace hookswitch::e2e
