// Search over everything stored, through the real program: the index behind the accept path, what is newer than it, and
// what becomes of both when the file is lost.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "core/base/encoding.h"
#include "core/base/json.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A running router with two Slack sinks, of which one refuses what it gets.
class Search : public testing::Test {
 protected:
  Search() {
    slack_.Behave(kOps, {.mode = SlackBehaviour::Mode::kStatus, .status = 400, .word = "invalid_payload"});
    config_.Slack("ops", slack_.Url(kOps)).Slack("oncall", slack_.Url(kOncall));
    Start();
  }
  void Start() { router_ = std::make_unique<Router>(config_.Write()); }
  void Post(const std::string& body) { ASSERT_EQ(router_->Post(body).status, 200) << body; }

  static std::string Target(const std::string& search) {
    return "/api/v1/events?details=true&search=" + PercentEncoded(search);
  }
  /// The answer once the index has everything that was posted.
  json::object Answer(const std::string& search) const {
    return json::parse(router_->GetWith("\"complete\":true", Target(search))).as_object();
  }
  /// The numbers of the calls that a search finds, newest first: "3 1 ".
  std::string Found(const std::string& search) const {
    std::string found;
    const json::object answer = Answer(search);
    for (const auto& event : answer.at("events").as_array()) {
      const auto number = CallNumberIn(event.at("call_id").as_string().c_str());
      found += std::to_string(number.value_or(0)) + " ";
    }
    return found;
  }
  Finished Hookswitch(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), Program());
    arguments.insert(arguments.end(),
                     {"-c", config_.Path(), "--url", "http://127.0.0.1:" + std::to_string(router_->Admin())});
    return RunProgram(arguments);
  }

  TempDir dir_;
  FakeSlack slack_;
  RouterConfig config_{dir_};
  std::unique_ptr<Router> router_;
};

TEST_F(Search, BolnasEventsAreFoundByWhatTheyAreAndWhatTheySay) {
  ASSERT_TRUE(router_->Ready());
  Post(Call(CallId(1),
            {{"transcript", "assistant: hello\nuser: I want a Réfund, please"}, {"conversation_duration", 200}}));
  Post(Call(CallId(2), {{"status", "no-answer"}, {"agent_id", "agent-of-two"}, {"transcript", ""}}));
  Post(Call(CallId(3), {{"transcript", "user: please refund the late fee"}, {"user_number", "+12025550199"}}));
  ASSERT_TRUE(router_->WaitForEvents("delivery_dead", 3));
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 3));
  EXPECT_EQ(Found("refund"), "3 1 ");
  EXPECT_EQ(Found("REFU -\"late fee\""), "1 ");
  EXPECT_EQ(Found("\"late fee\""), "3 ");
  EXPECT_EQ(Found("status:no-answer agent:agent-of-*"), "2 ");
  EXPECT_EQ(Found("duration:>3m"), "1 ");
  EXPECT_EQ(Found("call:" + CallId(2)), "2 ");
  EXPECT_EQ(Found("12025550199"), "3 ");
  EXPECT_EQ(Found("after:1h source:bolna"), "3 2 1 ");
  // The last outcome may be stored a moment after it was logged.
  router_->GetWith(CallId(1), Target("state:dead sink:ops call:" + CallId(1)));
  EXPECT_EQ(Found("state:dead sink:ops"), "3 2 1 ");
  EXPECT_EQ(Found("state:dead sink:oncall"), "");
  const json::object row = Answer("call:" + CallId(1)).at("events").at(0).as_object();
  EXPECT_EQ(row.at("duration"), 200);
  EXPECT_EQ(row.at("outcomes").as_array().size(), 2u);

  const Finished listed = Hookswitch({"events", "--search", "refund status:completed"});
  EXPECT_EQ(listed.exit_code, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr(CallId(1)));
  EXPECT_THAT(listed.out, Not(HasSubstr(CallId(2))));
  const Finished wrong = Hookswitch({"events", "--search", "stauts:completed"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("did you mean \"status\"?"));
}

TEST_F(Search, EveryEventOfACallIsOnOneList) {
  ASSERT_TRUE(router_->Ready());
  for (const char* status : {"queued", "ringing", "in-progress", "completed"}) {
    Post(Call(CallId(7), {{"status", status}}));
    Post(Call(CallId(8), {{"status", status}}));
  }
  const json::object call = json::parse(router_->Get("/api/v1/calls/" + CallId(7)).body).as_object();
  EXPECT_EQ(call.at("count"), 4);
  EXPECT_EQ(call.at("events").at(0).at("status"), "queued");
  EXPECT_EQ(call.at("events").at(3).at("status"), "completed");
}

TEST_F(Search, SuggestionsHaveCounts) {
  ASSERT_TRUE(router_->Ready());
  for (std::size_t number = 1; number <= 3; ++number) Post(Call(CallId(number), {{"agent_id", "agent-one"}}));
  const std::string said = router_->GetWith("\"events\":3", "/api/v1/suggest?search=agent:one");
  EXPECT_THAT(said, HasSubstr("\"text\":\"agent:agent-one\""));
  EXPECT_THAT(said, HasSubstr("\"events\":3"));
}

TEST_F(Search, AnIndexThatIsDeletedOrDamagedIsMadeAgain) {
  ASSERT_TRUE(router_->Ready());
  for (std::size_t number = 1; number <= 300; ++number) {
    Post(Call(CallId(number), {{"transcript", number == 7 ? "user: a refund" : "user: hello"}}));
  }
  EXPECT_EQ(Found("refund"), "7 ");
  const std::string file = dir_ / "journal.db.search";
  ASSERT_TRUE(std::filesystem::exists(file));
  EXPECT_EQ(router_->Stop(), 0);
  EXPECT_FALSE(std::filesystem::exists(file + "-wal")) << "it is closed as a whole";
  std::filesystem::remove(file);
  Start();
  EXPECT_EQ(Found("refund"), "7 ");
  router_->Kill();
  std::filesystem::remove(file + "-wal");  // it may have the whole file
  WriteFile(file, std::string(100'000, 'x'));
  Start();
  EXPECT_TRUE(router_->WaitForEvent("search_index_begun_anew"));
  EXPECT_EQ(Found("refund"), "7 ");
  const std::string status = router_->Get("/api/v1/status").body;
  EXPECT_THAT(status, HasSubstr("\"search\":{\"indexed\":300,\"behind\":0,\"bytes\":"));
}

TEST_F(Search, AfterAKillWhatWasAcceptedIsFound) {
  ASSERT_TRUE(router_->Ready());
  for (std::size_t number = 1; number <= 200; ++number) Post(Call(CallId(number)));
  router_->Kill();
  Start();
  const json::object answer = Answer("status:completed");
  EXPECT_EQ(answer.at("index").at("behind"), 0);
  const Finished listed = Hookswitch({"events", "--search", "status:completed", "--limit", "1000", "--format", "json"});
  EXPECT_EQ(json::parse(listed.out).at("events").as_array().size(), 200u);
}

TEST_F(Search, WithoutAPlaceForItsFileEverythingElseWorksAndSearchesReadTheJournal) {
  EXPECT_EQ(router_->Stop(), 0);
  const std::string file = dir_ / "journal.db.search";
  std::filesystem::remove(file);
  std::filesystem::create_directory(file);
  Start();
  ASSERT_TRUE(router_->Ready());
  ASSERT_TRUE(router_->WaitForEvent("search_unavailable"));
  Post(Call(CallId(1), {{"transcript", "user: a refund"}}));
  Post(Call(CallId(2), {{"transcript", "user: hello"}}));
  ASSERT_TRUE(router_->WaitForEvents("delivery_delivered", 2));
  const json::object answer = json::parse(router_->Get(Target("refund")).body).as_object();
  EXPECT_EQ(answer.at("events").as_array().size(), 1u);
  EXPECT_EQ(answer.at("index"), (json::object{{"complete", false}, {"behind", 2}}));
  EXPECT_EQ(router_->Get("/readyz").status, 200);
}

}  // namespace
}  // namespace hookswitch::e2e
