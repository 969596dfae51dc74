#include "core/demo/slack_stand_in.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "core/base/sync.h"
#include "core/demo/slack_text.h"
#include "tests/fakes/raw_client.h"

namespace hookswitch::demo {
namespace {

using fakes::Fetch;
using testing::HasSubstr;

class StandIn : public testing::Test {
 protected:
  StandIn() {
    auto slack = SlackStandIn::Start([this](const SlackStandIn::Request& request) {
      MutexLock lock(mu_);
      seen_.push_back(request);
    });
    if (slack) slack_ = std::move(*slack);
  }
  fakes::RawAnswer Post(const std::string& url, std::string_view body) const {
    const std::size_t port = url.rfind(':') + 1, path = url.find('/', port);
    return Fetch(static_cast<std::uint16_t>(std::stoi(url.substr(port))), "POST", url.substr(path), body);
  }
  std::vector<SlackStandIn::Request> Seen() {
    MutexLock lock(mu_);
    return seen_;
  }

  Mutex mu_;
  std::vector<SlackStandIn::Request> seen_ GUARDED_BY(mu_);
  std::unique_ptr<SlackStandIn> slack_;
};

TEST_F(StandIn, TakesAMessageForAChannel) {
  ASSERT_TRUE(slack_);
  const auto answer = Post(slack_->Url("oncall"), R"({"text":"hello"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, "ok");
  ASSERT_EQ(Seen().size(), 1U);
  EXPECT_EQ(Seen()[0].channel, "oncall");
  EXPECT_EQ(Seen()[0].message.at("text"), "hello");
}

TEST_F(StandIn, AsksForAPauseOnce) {
  ASSERT_TRUE(slack_);
  slack_->AskForPause(7);
  const auto answer = Post(slack_->Url("calls"), "{}");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.Header("Retry-After"), "7");
  EXPECT_EQ(Seen().at(0).retry_after, 7);
  EXPECT_TRUE(Seen()[0].message.is_null()) << "nobody sees it";
  EXPECT_EQ(Post(slack_->Url("calls"), "{}").status, 200);
}

TEST_F(StandIn, RefusesWhatSlackCouldNotRead) {
  ASSERT_TRUE(slack_);
  EXPECT_EQ(Post(slack_->Url("calls"), "{").status, 400);
  EXPECT_EQ(Post(slack_->Url("calls").substr(0, slack_->Url("").find("/services")) + "/other", "{}").status, 404);
}

TEST(SlackText, HasTitleFieldsInTwoColumnsAndCode) {
  const std::string drawn = DrawSlackMessage(json::parse(R"({"blocks":[
      {"type":"header","text":{"type":"plain_text","text":"Bolna call ended: completed"}},
      {"type":"section","fields":[{"type":"mrkdwn","text":"*Call ID*\nc-1"},{"type":"mrkdwn","text":"*Agent ID*\na-1"}]},
      {"type":"divider"},
      {"type":"rich_text","elements":[{"type":"rich_text_preformatted","elements":[{"type":"text","text":"Agent: a < b\nUser: yes"}]}]},
      {"type":"section","text":{"type":"mrkdwn","text":"```Agent: 1 &lt; 2```"}}]})"),
                                             "Slack #calls");
  EXPECT_THAT(drawn, HasSubstr("┌─ Slack #calls ──"));
  EXPECT_THAT(drawn, HasSubstr("│ Bolna call ended: completed\n"));
  EXPECT_THAT(drawn, HasSubstr("│ Call ID                               Agent ID\n"));
  EXPECT_THAT(drawn, HasSubstr("│ c-1                                   a-1\n"));
  EXPECT_THAT(drawn, HasSubstr("┊ Agent: a < b\n"));
  EXPECT_THAT(drawn, HasSubstr("┊ Agent: 1 < 2\n"));
}

}  // namespace
}  // namespace hookswitch::demo
