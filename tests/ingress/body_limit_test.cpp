// Limits of one request's body that its head decides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <atomic>

#include "tests/ingress/server_fixture.h"

namespace hookswitch {
namespace {

using testing::BodyOf;
using ::testing::HasSubstr;
using testing::Post;
using testing::RawClient;
using testing::StatusOf;

constexpr std::string_view kChunkedHead = "POST /drop HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";

class BodyLimitTest : public testing::ServerTest {
 protected:
  BodyLimitTest() {
    options.max_body = 1000;
    options.on_refused = [this](const ServedRequest&, int status, std::string_view, std::string_view) {
      refused = status;
    };
    head = [](const ServedRequest& request) {
      HeadVerdict verdict{std::make_shared<const HeadContext>()};
      if (request.path == "/large") verdict.max_body = 5000;
      if (request.path == "/small") verdict.max_body = 10;
      verdict.drop_large = request.path == "/drop";
      return verdict;
    };
    handler = [this](Responder responder) {
      ++handled;
      Answer answer;
      const ServedRequest request = responder.request();
      answer.body = request.body_dropped ? "dropped " : "whole ";
      answer.body += std::to_string(request.body.size());
      responder.Complete(answer);
    };
  }
  std::atomic<int> handled{0}, refused{0};
};

TEST_F(BodyLimitTest, ARequestMayHaveALimitOfItsOwn) {
  RawClient client(Start());
  client.Send(Post("/large", std::string(5000, 'x')));
  EXPECT_EQ(BodyOf(client.Answer()), "whole 5000");
  client.Send(Post("/small", std::string(10, 'x')));
  EXPECT_EQ(BodyOf(client.Answer()), "whole 10");
  client.Send(Post("/other", std::string(1000, 'x')));
  EXPECT_EQ(BodyOf(client.Answer()), "whole 1000") << "the limit ends with its request";
  for (const std::string& request : {Post("/large", std::string(5001, 'x')), Post("/small", std::string(11, 'x')),
                                     Post("/other", std::string(1001, 'x'))}) {
    RawClient other(address);
    other.Send(request);
    EXPECT_EQ(StatusOf(other.Answer()), 413);
  }
  EXPECT_EQ(handled, 3);
}

TEST_F(BodyLimitTest, ALargeBodyIsReadAwayAndTheConnectionGoesOn) {
  RawClient client(Start());
  client.Send(Post("/drop", std::string(3'000'000, 'x')));
  EXPECT_EQ(BodyOf(client.Answer()), "dropped 0");
  client.Send(Post("/drop", std::string(1000, 'x')));
  EXPECT_EQ(BodyOf(client.Answer()), "whole 1000");
  client.Send(kChunkedHead);
  const std::string piece(600, 'x');
  for (int i = 0; i < 2000; ++i) client.Send("258\r\n" + piece + "\r\n");
  client.Send("0\r\n\r\n");
  EXPECT_EQ(BodyOf(client.Answer()), "dropped 0");
  client.Send(std::string(kChunkedHead) + "258\r\n" + piece + "\r\n0\r\n\r\n");
  EXPECT_EQ(BodyOf(client.Answer()), "whole 600");
  EXPECT_EQ(refused, 0);
}

TEST_F(BodyLimitTest, WhatIsDroppedTakesNoRoomFromOtherBodies) {
  options.max_bodies = 2000;
  RawClient large(Start());
  large.Send("POST /drop HTTP/1.1\r\nHost: h\r\nContent-Length: 3000000\r\n\r\n" + std::string(2'999'999, 'x'));
  RawClient client(address);
  client.Send(Post("/other", std::string(1000, 'x')));
  EXPECT_EQ(BodyOf(client.Answer()), "whole 1000");
  large.Send("x");
  EXPECT_EQ(BodyOf(large.Answer()), "dropped 0");
}

TEST_F(BodyLimitTest, EvenWhatIsDroppedHasALimit) {
  Start();
  const std::string most = std::to_string(HeadVerdict::kMostDropped);
  RawClient client(address);
  client.Send("POST /drop HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(HeadVerdict::kMostDropped + 1) +
              "\r\n\r\n");
  EXPECT_THAT(client.Answer(), HasSubstr("the body is over " + most + " bytes"));
  RawClient chunked(address);
  chunked.Send(std::string(kChunkedHead) + "10000001\r\n");
  EXPECT_EQ(StatusOf(chunked.Answer()), 413);
  EXPECT_EQ(handled, 0);
}

TEST_F(BodyLimitTest, WhatIsDroppedMayTakeLongerThanOtherRequests) {
  options.request_timeout = std::chrono::milliseconds(100);
  RawClient large(Start());
  large.Send("POST /drop HTTP/1.1\r\nHost: h\r\nContent-Length: 2000\r\n\r\n" + std::string(1999, 'x'));
  RawClient slow(address);
  slow.Send("POST /other HTTP/1.1\r\nHost: h\r\nContent-Length: 500\r\n\r\n" + std::string(499, 'x'));
  EXPECT_EQ(StatusOf(slow.Answer()), 408);
  large.Send("x");
  EXPECT_EQ(BodyOf(large.Answer()), "dropped 0");
}

TEST_F(BodyLimitTest, ABodyThatIsLargeOnceDecodedIsDroppedToo) {
  const std::string text(100'000, 'x');
  uLongf size = compressBound(text.size());
  std::string packed(size, '\0');
  ASSERT_EQ(compress(reinterpret_cast<Bytef*>(packed.data()), &size, reinterpret_cast<const Bytef*>(text.data()),
                     text.size()),
            Z_OK);
  packed.resize(size);
  RawClient client(Start());
  client.Send(Post("/drop", packed, "Content-Encoding: deflate\r\n"));
  EXPECT_EQ(BodyOf(client.Answer()), "dropped 0");
  client.Send(Post("/drop", "\x01 is not packed", "Content-Encoding: deflate\r\n"));
  EXPECT_EQ(StatusOf(client.Answer()), 400) << "a broken one is refused";
  RawClient large(address);
  large.Send(Post("/drop", std::string(1001, 'x'), "Content-Encoding: gzip\r\n"));
  EXPECT_EQ(BodyOf(large.Answer()), "dropped 0") << "and one that is too large as sent is not looked into";
}

}  // namespace
}  // namespace hookswitch
