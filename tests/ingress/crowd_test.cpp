#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "tests/ingress/server_fixture.h"

// Many connections at once, most of them bad; and who else listens.
namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using testing::BodyOf;
using testing::Gate;
using ::testing::HasSubstr;
using testing::Post;
using testing::RawClient;
using testing::StatusOf;

constexpr char kElsewhere[] = "127.0.0.2";

class CrowdTest : public testing::ServerTest {
 protected:
  using Clients = std::vector<std::unique_ptr<RawClient>>;
  /// Connections from 127.0.0.1 that have sent `bytes`.
  Clients Open(int count, std::string_view bytes = "") {
    Clients clients;
    for (int i = 0; i < count; ++i) {
      clients.push_back(std::make_unique<RawClient>(address));
      clients.back()->Send(bytes);
    }
    return clients;
  }
  std::string PostFrom(const char* from, std::string_view body = "hello") {
    RawClient client(address, from);
    client.Send(Post("/a", body));
    return client.Answer();
  }
};

TEST_F(CrowdTest, ConnectionsThatSendNoWholeRequestDelayNobody) {
  options.threads = 1;
  Start();
  const Clients silent = Open(50);
  const Clients half_head = Open(50, "POST /a HTTP/1.1\r\nHost: h");
  const Clients half_body = Open(50, "POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nhal");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(BodyOf(PostFrom(kElsewhere)), "hello");
  EXPECT_EQ(BodyOf(PostFrom("127.0.0.1")), "hello");
}

TEST_F(CrowdTest, ClientsThatDoNotReadTheirAnswersDelayNobody) {
  options.threads = 1;
  handler = [](Responder responder) {
    Answer answer;
    answer.body = std::string(responder.request().body == "large" ? 4 << 20 : 5, 'x');
    responder.Complete(answer);
  };
  Start();
  const Clients deaf = Open(20, Post("/a", "large"));
  for (int i = 0; i < 20; ++i) EXPECT_EQ(BodyOf(PostFrom(kElsewhere)), "xxxxx");
}

TEST_F(CrowdTest, AnAddressHasNoMoreThanItsShare) {
  options.max_connections = 100;
  options.max_per_address = 10;
  Start();
  const Clients clients = Open(10);
  AwaitOpen(10);
  const std::string answer = PostFrom("127.0.0.1");
  EXPECT_EQ(StatusOf(answer), 503);
  EXPECT_THAT(answer, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_EQ(RefusedConnections(), 1);
  EXPECT_EQ(BodyOf(PostFrom(kElsewhere)), "hello");
}

TEST_F(CrowdTest, AProxyStandsForMany) {
  options.max_connections = 100;
  options.max_per_address = 10;
  options.judge_peer = [](std::string_view address) {
    return address == "127.0.0.1" ? PeerKind::kProxy : PeerKind::kUnknown;
  };
  Start();
  const Clients clients = Open(50);
  AwaitOpen(50);
  EXPECT_EQ(BodyOf(PostFrom("127.0.0.1")), "hello");
}

TEST_F(CrowdTest, WhoIsUnwantedIsClosedInACrowdOnly) {
  options.max_connections = 8;
  options.judge_peer = [](std::string_view address) {
    return address == kElsewhere ? PeerKind::kUnwanted : PeerKind::kUnknown;
  };
  std::atomic<int> told{0};
  options.on_unwanted = [&](std::string_view address) { told += address == kElsewhere; };
  Start();
  EXPECT_EQ(StatusOf(PostFrom(kElsewhere)), 200) << "without a crowd its requests are judged";
  AwaitOpen(0);
  const Clients clients = Open(6);
  AwaitOpen(6);
  EXPECT_EQ(PostFrom(kElsewhere), "");
  EXPECT_EQ(told, 1);
  EXPECT_EQ(BodyOf(PostFrom("127.0.0.3")), "hello");
}

TEST_F(CrowdTest, WhenNoPlaceIsLeftTheOldestWithoutAWholeRequestGoes) {
  options.max_connections = 4;
  options.request_timeout = options.keep_alive_timeout = std::chrono::minutes(1);
  Gate gate;
  handler = [&](Responder responder) {
    if (responder.request().body == "slow") gate.Enter();
    responder.Complete(Answer{});
  };
  Start();
  RawClient serving(address);
  serving.Send(Post("/a", "slow"));
  ASSERT_TRUE(gate.AwaitInside(1));
  RawClient idle(address);
  idle.Send(Post("/a", "x"));
  EXPECT_EQ(StatusOf(idle.Answer()), 200);
  RawClient silent(address);
  AwaitOpen(3);
  RawClient half(address);
  half.Send("POST /a HTTP/1.1\r\n");
  AwaitOpen(4);
  RawClient first(address);
  EXPECT_EQ(silent.UntilEnd(), "") << "the oldest";
  first.Send(Post("/a", "x"));
  EXPECT_EQ(StatusOf(first.Answer()), 200);
  RawClient second(address);
  EXPECT_EQ(StatusOf(half.UntilEnd()), 503);
  second.Send(Post("/a", "x"));
  EXPECT_EQ(StatusOf(second.Answer()), 200);
  RawClient third(address);
  third.Send(Post("/a", "x"));
  EXPECT_EQ(StatusOf(third.Answer()), 200) << "an idle one has made room";
  gate.Open();
  EXPECT_EQ(StatusOf(serving.Answer()), 200);
}

TEST_F(CrowdTest, BodiesHaveABudgetTogether) {
  options.max_bodies = 1 << 20;
  Gate gate;
  handler = [&](Responder responder) {
    if (responder.request().body.size() > 1000) gate.Enter();
    responder.Complete(Answer{});
  };
  Start();
  const std::string large(900'000, 'x');
  RawClient first(address);
  first.Send(Post("/a", large));
  ASSERT_TRUE(gate.AwaitInside(1));
  const std::string refused = PostFrom("127.0.0.1", large);
  EXPECT_EQ(StatusOf(refused), 503);
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_http_requests_no_room_total{server=\"test\"} 1\n"));
  EXPECT_EQ(StatusOf(PostFrom("127.0.0.1", "small")), 200) << "there is room for it";
  gate.Open();
  EXPECT_EQ(StatusOf(first.Answer()), 200);
  EXPECT_EQ(StatusOf(PostFrom("127.0.0.1", large)), 200) << "room comes back";
}

TEST_F(CrowdTest, ABodyThatStandsStillGivesWayToOneThatComes) {
  options.max_bodies = 1 << 20;
  Start();
  const std::string large(900'000, 'x');
  Clients stalled = Open(1, Post("/a", large).substr(0, 800'000));
  // Until it has stood still for long enough, others are asked to come again.
  std::string answer;
  do answer = PostFrom(kElsewhere, large);
  while (StatusOf(answer) == 503);
  EXPECT_EQ(StatusOf(answer), 200);
  EXPECT_EQ(StatusOf(stalled.front()->UntilEnd()), 503);
}

TEST_F(CrowdTest, UrgentRequestsHaveThreadsOfTheirOwn) {
  options.threads = 2;
  options.urgent_threads = 1;
  options.is_urgent = [](const ServedRequest& request) { return request.path == "/healthz"; };
  Gate gate;
  handler = [&](Responder responder) {
    if (responder.request().path != "/healthz") gate.Enter();
    responder.Complete(Answer{});
  };
  Start();
  const Clients busy = Open(4, Post("/slow", "x"));
  ASSERT_TRUE(gate.AwaitInside(2));
  RawClient health(address);
  health.Send("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(StatusOf(health.Answer()), 200);
  gate.Open();
  for (const auto& client : busy) EXPECT_EQ(StatusOf(client->Answer()), 200);
}

TEST_F(CrowdTest, AnEncodedBodyReachesTheHandlerAsItWas) {
  const auto ask = [&](std::string_view encoding, std::string_view body) {
    RawClient client(address);
    client.Send(Post("/a", body, "Content-Encoding: " + std::string(encoding) + "\r\nConnection: close\r\n"));
    return client.UntilEnd();
  };
  std::string gzip(200, '\0');
  z_stream stream{};
  ASSERT_EQ(::deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string text = R"({"id":"c-1"})";
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(gzip.data());
  stream.avail_out = static_cast<uInt>(gzip.size());
  ASSERT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  gzip.resize(stream.total_out);
  ::deflateEnd(&stream);
  options.inline_body = 64 * 1024;
  Start();
  EXPECT_EQ(BodyOf(ask("gzip", gzip)), text);
  EXPECT_EQ(BodyOf(ask("identity", text)), text);
  const std::string damaged = ask("gzip", text);
  EXPECT_EQ(StatusOf(damaged), 400);
  EXPECT_THAT(damaged, HasSubstr(R"("error":"invalid_encoding")"));
  for (const char* unknown : {"br", "zstd", "gzip, gzip"}) {
    const std::string answer = ask(unknown, text);
    EXPECT_THAT(answer, HasSubstr("HTTP/1.1 415 Unsupported Media Type\r\n")) << unknown;
    EXPECT_THAT(answer, HasSubstr(R"("error":"unsupported_encoding")"));
  }
}

TEST_F(CrowdTest, ListensOnAUnixSocketBesideTheOther) {
  std::string folder = ::testing::TempDir() + "hsw-socket-XXXXXX";
  ASSERT_TRUE(::mkdtemp(folder.data()));
  const std::string path = folder + "/admin.sock";
  handler = [](Responder responder) {
    Answer answer;
    answer.body = std::string(responder.request().peer) + " " + std::string(responder.request().user);
    responder.Complete(answer);
  };
  Start();
  ASSERT_TRUE(server->Listen({"unix:" + path, 0}));
  EXPECT_EQ(server->Address(), address + ", unix:" + path);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0660u);
  {
    RawClient client("unix:" + path);
    client.Send(Post("/a", "x"));
    const char* user = ::getuid() == 0 ? "unix root" : nullptr;
    const std::string answer = client.Answer();
    EXPECT_EQ(StatusOf(answer), 200);
    EXPECT_TRUE(!user || BodyOf(answer) == user) << answer;
  }
  {
    HttpServerOptions other = options;
    other.listen = {"unix:" + path, 0};
    Metrics none;
    const auto second = HttpServer::Start(
        other, nullptr, [](Responder) {}, none);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message, HasSubstr("unix:" + path));
    EXPECT_THAT(second.error().message, HasSubstr("Address already in use"));
  }
  server.reset();
  EXPECT_FALSE(std::filesystem::exists(path)) << "its end takes the file away";
  {
    // What a killed router leaves is in nobody's way.
    const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::strncpy(to.sun_path, path.c_str(), sizeof to.sun_path - 1);
    ASSERT_EQ(::bind(left, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
    ::close(left);
  }
  Start();
  EXPECT_TRUE(server->Listen({"unix:" + path, 0}));
  server.reset();
  std::ofstream(path) << "a file of somebody's";
  Start();
  EXPECT_FALSE(server->Listen({"unix:" + path, 0}));
  EXPECT_TRUE(std::filesystem::exists(path)) << "what is no socket is not taken away";
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace hookswitch
