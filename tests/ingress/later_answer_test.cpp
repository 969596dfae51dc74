#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "core/ingress/http_server.h"
#include "tests/ingress/raw_client.h"

// Answers that are given after the handler has returned, by a thread that does not wait for the connection's own.
namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using testing::BodyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Post;
using testing::RawClient;
using testing::StatusOf;

Answer TextAnswer(std::string body) {
  Answer answer;
  answer.body = std::move(body);
  return answer;
}

class LaterAnswerTest : public ::testing::Test {
 protected:
  /// A request that waits for its answer.
  struct Asked {
    std::shared_ptr<Responder> responder;
    std::string body;

    void Answer(std::string_view text) const { responder->Complete(TextAnswer(std::string(text))); }
  };

  LaterAnswerTest() {
    options.listen = {"127.0.0.1", 0};
    options.threads = 8;
    options.name = "test";
  }
  ~LaterAnswerTest() override {
    // Requests may still come in, and each of them is owed an answer.
    std::deque<Asked> left;
    {
      std::lock_guard lock(mu_);
      ending_ = true;
      left.swap(asked_);
    }
    for (const Asked& asked : left) asked.Answer("");
    server.reset();
  }
  const std::string& Start() {
    auto started = HttpServer::Start(
        options, nullptr, [this](Responder responder) { Handle(std::move(responder)); }, metrics);
    if (!started) {
      ADD_FAILURE() << started.error().message;
    } else {
      server = std::move(*started);
      address = server->Address();
    }
    return address;
  }
  void Handle(Responder responder) {
    const ServedRequest request = responder.request();
    const std::string body(request.body);
    {
      std::lock_guard lock(mu_);
      if (request.path == "/later" && !ending_) {
        asked_.push_back({std::make_shared<Responder>(std::move(responder)), body});
        changed_.notify_all();
        return;
      }
    }
    responder.Complete(TextAnswer(std::string(request.path.substr(1)) + " " + body));
  }
  /// The next request that waits for its answer.
  Asked Next() {
    std::unique_lock lock(mu_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !asked_.empty(); }));
    if (asked_.empty()) return {};
    Asked asked = asked_.front();
    asked_.pop_front();
    return asked;
  }
  std::size_t Waiting() {
    std::lock_guard lock(mu_);
    return asked_.size();
  }
  void AnswerNext() {
    const Asked asked = Next();
    asked.Answer("later " + asked.body);
  }

  Metrics metrics;
  HttpServerOptions options;
  std::unique_ptr<HttpServer> server;
  std::string address;

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::deque<Asked> asked_;
  bool ending_ = false;
};

TEST_F(LaterAnswerTest, ManyRequestsOfOneConnectionAreAnsweredInTurn) {
  RawClient client(Start());
  for (int i = 0; i < 90; ++i) {
    client.Send(Post("/later", std::to_string(i)));
    AnswerNext();
    const std::string answer = client.Answer();
    ASSERT_EQ(StatusOf(answer), 200);
    ASSERT_EQ(BodyOf(answer), "later " + std::to_string(i));
    ASSERT_THAT(answer, Not(HasSubstr("Connection: close")));
  }
}

TEST_F(LaterAnswerTest, MayBeGivenBeforeTheHandlerReturns) {
  RawClient client(Start());
  for (const char* path : {"/within", "/now", "/within"}) {
    client.Send(Post(path, "a"));
    EXPECT_EQ(BodyOf(client.Answer()), std::string(path + 1) + " a");
  }
}

TEST_F(LaterAnswerTest, WhatWasSentBehindItWaitsForIt) {
  RawClient client(Start());
  client.Send(Post("/later", "a") + Post("/now", "b") + Post("/later", "c"));
  AnswerNext();
  EXPECT_EQ(BodyOf(client.Answer()), "later a");
  EXPECT_EQ(BodyOf(client.Answer()), "now b");
  AnswerNext();
  EXPECT_EQ(BodyOf(client.Answer()), "later c");
}

TEST_F(LaterAnswerTest, ANextRequestThatDoesNotWaitForItIsServedAfterIt) {
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  const Asked first = Next();
  client.Send(Post("/later", "b"));
  RawClient other(address);
  other.Send(Post("/now", "c"));
  EXPECT_EQ(BodyOf(other.Answer()), "now c");
  EXPECT_EQ(Waiting(), 0u) << "the request before is not answered";
  first.Answer("later a");
  EXPECT_EQ(BodyOf(client.Answer()), "later a");
  AnswerNext();
  EXPECT_EQ(BodyOf(client.Answer()), "later b");
}

TEST_F(LaterAnswerTest, TheTimeItTakesIsNotTheSenders) {
  options.keep_alive_timeout = milliseconds(500);
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  const Asked asked = Next();
  // Longer than an idle connection lives, as the one that is idle shows.
  RawClient idle(address);
  idle.Send(Post("/now", "x"));
  EXPECT_EQ(StatusOf(idle.Answer()), 200);
  EXPECT_EQ(idle.UntilEnd(), "");
  asked.Answer("late");
  const std::string answer = client.Answer();
  EXPECT_EQ(BodyOf(answer), "late");
  EXPECT_THAT(answer, Not(HasSubstr("Connection: close")));
}

TEST_F(LaterAnswerTest, ASenderThatHasFinishedSendingStillGetsIt) {
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  client.CloseWriting();
  AnswerNext();
  EXPECT_EQ(BodyOf(client.UntilEnd()), "later a");
  EXPECT_FALSE(client.reset());
}

TEST_F(LaterAnswerTest, ASenderThatIsGoneHarmsNothing) {
  Start();
  for (int i = 0; i < 10; ++i) {
    Asked asked;
    {
      RawClient gone(address);
      gone.Send(Post("/later", "a"));
      asked = Next();
      gone.Send(Post("/later", "b"));
    }
    asked.Answer("to nobody");
  }
  RawClient client(address);
  client.Send(Post("/now", "c"));
  EXPECT_EQ(BodyOf(client.Answer()), "now c");
}

TEST_F(LaterAnswerTest, AnAnswerThatTheSocketDoesNotTakeAtOnceComesWhole) {
  options.keep_alive_timeout = milliseconds(50);
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  const std::string large(32 << 20, 'x');
  Next().Answer(large);
  const std::string answer = client.UntilEnd();
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_TRUE(BodyOf(answer) == large);
  EXPECT_FALSE(client.reset());
}

TEST_F(LaterAnswerTest, TheLastRequestOfAConnectionIsAnsweredBeforeItsEnd) {
  RawClient client(Start());
  client.Send(
      "POST /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\n"
      "a");
  AnswerNext();
  const std::string answer = client.UntilEnd();
  EXPECT_EQ(BodyOf(answer), "later a");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_FALSE(client.reset());
}

TEST_F(LaterAnswerTest, WhatIsSentBehindTheLastRequestDoesNotCutItsAnswer) {
  RawClient client(Start());
  client.Send("POST /later HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\na" + Post("/now", "b"));
  const Asked asked = Next();
  asked.Answer("last");
  client.Send(Post("/now", std::string(100'000, 'c')));
  EXPECT_EQ(BodyOf(client.UntilEnd()), "last");
  EXPECT_FALSE(client.reset());
}

TEST_F(LaterAnswerTest, AnAnswerMayEndTheConnection) {
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  Answer last = TextAnswer("last");
  last.close = true;
  Next().responder->Complete(last);
  EXPECT_THAT(client.UntilEnd(), HasSubstr("Connection: close\r\n"));
  EXPECT_FALSE(client.reset());
}

/// Drains on a thread of its own; made when the drain has begun.
class Draining {
 public:
  explicit Draining(HttpServer& server, const std::string& address) {
    RawClient idle(address);
    idle.Send(Post("/now", "x"));
    EXPECT_EQ(StatusOf(idle.Answer()), 200);
    thread_ = std::thread([&server] { server.Drain(std::chrono::seconds(10)); });
    EXPECT_EQ(idle.UntilEnd(), "") << "idle connections are cut at once";
  }
  ~Draining() { thread_.join(); }

 private:
  std::thread thread_;
};

TEST_F(LaterAnswerTest, DrainWaitsForIt) {
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  const Asked asked = Next();
  const Draining draining(*server, address);
  asked.Answer("in time");
  const std::string answer = client.UntilEnd();
  EXPECT_EQ(BodyOf(answer), "in time");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(LaterAnswerTest, DrainWaitsForARequestThatBeganBehindOne) {
  RawClient client(Start());
  const std::string second = Post("/now", "second");
  client.Send(Post("/later", "a") + second.substr(0, 20));
  AnswerNext();
  EXPECT_EQ(BodyOf(client.Answer()), "later a");
  const Draining draining(*server, address);
  client.Send(second.substr(20));
  const std::string answer = client.UntilEnd();
  EXPECT_EQ(BodyOf(answer), "now second");
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(LaterAnswerTest, ARequestThatWaitsForItsAnswerHoldsNoThread) {
  options.threads = 1;
  RawClient first(Start()), second(address), third(address);
  first.Send(Post("/later", "a"));
  second.Send(Post("/later", "b"));
  const Asked one = Next(), other = Next();
  third.Send(Post("/now", "c"));
  EXPECT_EQ(BodyOf(third.Answer()), "now c");
  one.Answer("later " + one.body);
  other.Answer("later " + other.body);
  EXPECT_EQ(BodyOf(first.Answer()), "later a");
  EXPECT_EQ(BodyOf(second.Answer()), "later b");
}

TEST_F(LaterAnswerTest, OneThatNobodyAnswersIs500) {
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  (void)Next();
  const std::string answer = client.UntilEnd();
  EXPECT_EQ(StatusOf(answer), 500);
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
}

TEST_F(LaterAnswerTest, AnAnswerMayComeAfterTheServersEnd) {
  RawClient client(Start());
  client.Send(Post("/later", "a"));
  const Asked asked = Next();
  server.reset();
  EXPECT_EQ(client.UntilEnd(), "");
  EXPECT_EQ(asked.responder->request().body, "a") << "what it owns stays";
  asked.Answer("to nobody");
}

TEST_F(LaterAnswerTest, MoreConnectionsThanThreadsAreServedInTurn) {
  options.threads = 2;
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 10; ++i) clients.push_back(std::make_unique<RawClient>(address));
  for (auto& client : clients) client->Send(Post("/later", "a"));
  for (int i = 0; i < 10; ++i) AnswerNext();
  for (auto& client : clients) EXPECT_EQ(BodyOf(client->Answer()), "later a");
}

}  // namespace
}  // namespace hookswitch
