#include "core/http/event_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/http/raw_server.h"

namespace hookswitch {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// "event|data" of each message in `text`, which comes in pieces of `size` bytes.
std::vector<std::string> Messages(EventStreamParser& parser, std::string_view text, std::size_t size) {
  std::vector<std::string> messages;
  for (; !text.empty(); text.remove_prefix(std::min(size, text.size()))) {
    EXPECT_TRUE(parser.Read(text.substr(0, size), [&](const EventStreamParser::Message& message) {
      messages.push_back(message.event + '|' + message.data);
      return true;
    }));
  }
  return messages;
}

TEST(EventStreamParser, PiecesOfAnySizeMakeTheSameMessages) {
  // Of the HTML standard, 9.2.6, and what stands in its rules.
  const std::string text =
      "\xef\xbb\xbfid: 1\nevent: hello\ndata: {\"a\":1}\n\n"
      ":\n\n"
      ": a comment\r\ndata:two\r\ndata:  lines\r\rdata\n\n"
      "event: without-data\n\n"
      "id\ndata: the id is empty now\n\nunknown: x\nid: 9-a\ndata: last\n\n"
      "data: has only begun\n";
  for (std::size_t size : {1UL, 2UL, 3UL, 7UL, text.size()}) {
    EventStreamParser parser;
    EXPECT_THAT(Messages(parser, text, size), ElementsAre("hello|{\"a\":1}", "message|two\n lines", "message|",
                                                          "message|the id is empty now", "message|last"))
        << size;
    EXPECT_EQ(parser.last_id(), "9-a");
  }
}

TEST(EventStreamParser, AfterALostConnectionOnlyTheIdIsKept) {
  EventStreamParser parser;
  EXPECT_THAT(Messages(parser, "id: 1\ndata: a\n\nid: 2\nevent: x\ndata: cut o", 64), ElementsAre("message|a"));
  parser.BeginAgain();
  EXPECT_EQ(parser.last_id(), "1") << "2 has not come whole";
  EXPECT_THAT(Messages(parser, "data: b\n\n", 64), ElementsAre("message|b"));
  EXPECT_EQ(parser.last_id(), "1");
}

TEST(EventStreamParser, TakesNoEndlessLine) {
  EventStreamParser parser;
  const std::string piece(1 << 20, 'x');
  std::size_t taken = 0;
  while (taken < 2 * EventStreamParser::kMostLine && parser.Read(piece, [](const auto&) { return true; }))
    taken += piece.size();
  EXPECT_EQ(taken, EventStreamParser::kMostLine);
}

HttpRequest Get(const std::string& url) {
  HttpRequest request;
  request.method = "GET";
  request.url = url;
  return request;
}

TEST(ReceiveStream, HandsOverPiecesAsTheyComeAndEndsWhenToldTo) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nfirst");
    connection.AwaitClose();
  });
  std::string body;
  const HttpResult result = ReceiveStream({}, Get(server.Url()), std::chrono::seconds(20), [&](std::string_view piece) {
    body += piece;
    return body != "first";
  });
  EXPECT_EQ(body, "first");
  ASSERT_TRUE(result.response) << result.error << result.detail;
  EXPECT_EQ(result.response->status, 200);
}

TEST(ReceiveStream, AnyOtherResponseIsReturnedWhole) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 4\r\n\r\nwhy?");
  });
  const HttpResult result =
      ReceiveStream({}, Get(server.Url()), std::chrono::seconds(20), [](std::string_view) { return true; });
  ASSERT_TRUE(result.response) << result.error;
  EXPECT_EQ(result.response->status, 401);
  EXPECT_EQ(result.response->body, "why?");
}

TEST(ReceiveStream, ASilentServerIsGivenUp) {
  RawServer server([](RawConnection& connection) {
    connection.ReadRequest();
    connection.Write("HTTP/1.1 200 OK\r\n\r\nx");
    connection.AwaitClose();
  });
  const HttpResult result =
      ReceiveStream({}, Get(server.Url()), std::chrono::seconds(1), [](std::string_view) { return true; });
  EXPECT_EQ(result.error, "timeout");
  EXPECT_THAT(result.detail, HasSubstr("nothing came for 1 s"));
}

}  // namespace
}  // namespace hookswitch
