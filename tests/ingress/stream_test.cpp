#include <gmock/gmock.h>

#include <thread>
#include <vector>

#include "tests/ingress/server_fixture.h"

// Responses whose body goes on.
namespace hookswitch {
namespace {

using testing::BodyOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Post;
using testing::RawClient;
using testing::StatusOf;

constexpr std::string_view kAsk = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::size_t kMaxUnsent = 64 * 1024;

class StreamTest : public testing::ServerTest {
 protected:
  StreamTest() {
    handler = [this](Responder responder) {
      if (responder.request().path != "/stream") return responder.Complete(Answer{});
      Answer head;
      head.content_type = "text/event-stream";
      auto body = responder.Stream(head, kMaxUnsent);
      std::lock_guard lock(mu_);
      bodies_.push_back(std::move(body));
      changed_.notify_all();
    };
  }
  ~StreamTest() override { server.reset(); }
  std::unique_ptr<BodyStream> Next() {
    std::unique_lock lock(mu_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(10), [this] { return !bodies_.empty(); }));
    if (bodies_.empty()) return nullptr;
    auto body = std::move(bodies_.back());
    bodies_.pop_back();
    return body;
  }

 private:
  std::mutex mu_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<BodyStream>> bodies_;
};

TEST_F(StreamTest, PiecesGoOutAtOnceAndTheEndIsSaid) {
  RawClient client(Start());
  client.Send(kAsk);
  EXPECT_THAT(client.Answer(), HasSubstr("Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"));
  auto body = Next();
  EXPECT_TRUE(body->Write("data: 1\n\n"));
  EXPECT_EQ(client.Bytes(14), "9\r\ndata: 1\n\n\r\n");
  EXPECT_TRUE(body->Write("data: 22\n\n"));
  body.reset();
  EXPECT_EQ(client.UntilEnd(), "a\r\ndata: 22\n\n\r\n0\r\n\r\n");
  EXPECT_FALSE(client.reset());
}

TEST_F(StreamTest, AnOldClientGetsThePiecesAsTheyAre) {
  RawClient client(Start());
  client.Send("GET /stream HTTP/1.0\r\n\r\n");
  EXPECT_THAT(client.Answer(), Not(HasSubstr("chunked")));
  auto body = Next();
  body->Write("one");
  body->Write("two");
  body.reset();
  EXPECT_EQ(client.UntilEnd(), "onetwo");
}

TEST_F(StreamTest, ManyHoldNoThread) {
  options.threads = 1;
  Start();
  std::vector<std::unique_ptr<RawClient>> clients;
  std::vector<std::unique_ptr<BodyStream>> bodies;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(std::make_unique<RawClient>(address));
    clients.back()->Send(kAsk);
    EXPECT_EQ(StatusOf(clients.back()->Answer()), 200);
    bodies.push_back(Next());
  }
  RawClient other(address);
  other.Send(Post("/now", "x"));
  EXPECT_EQ(StatusOf(other.Answer()), 200);
  for (auto& body : bodies) EXPECT_TRUE(body->Write("x"));
  bodies.clear();
  for (auto& client : clients) EXPECT_EQ(client->UntilEnd(), "1\r\nx\r\n0\r\n\r\n");
}

TEST_F(StreamTest, AClientThatLeavesIsNoticed) {
  Start();
  std::unique_ptr<BodyStream> body;
  {
    RawClient client(address);
    client.Send(kAsk);
    body = Next();
  }
  AwaitOpen(0);
  EXPECT_FALSE(body->Write("to nobody"));
}

TEST_F(StreamTest, AReaderThatIsTooSlowIsCut) {
  RawClient client(Start());
  client.Send(kAsk);
  auto body = Next();
  const std::string piece(1000, 'x');
  int written = 0;
  while (body->Write(piece) && ++written < 1'000'000) continue;
  EXPECT_LT(written, 1'000'000) << "the kernel's buffers and kMaxUnsent are full some time";
  EXPECT_FALSE(body->Write("no more"));
}

TEST_F(StreamTest, HeadHasNoBody) {
  RawClient client(Start());
  client.Send("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.UntilEnd(), EndsWith("\r\n\r\n"));
  EXPECT_FALSE(Next()->Write("nothing"));
}

TEST_F(StreamTest, DrainEndsItInGoodOrder) {
  RawClient client(Start());
  client.Send(kAsk);
  EXPECT_EQ(StatusOf(client.Answer()), 200);
  auto body = Next();
  EXPECT_TRUE(body->Write("x"));
  std::thread drain([&] { server->Drain(std::chrono::seconds(10)); });
  EXPECT_EQ(client.UntilEnd(), "1\r\nx\r\n0\r\n\r\n");
  drain.join();
  EXPECT_FALSE(body->Write("y"));
}

}  // namespace
}  // namespace hookswitch
