#include "core/admin/event_reading.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/sources/stored_request.h"

namespace hookswitch {
namespace {

using testing::HasSubstr;

/// Reads a body that begins with "call" as a call, one that begins with "batch" as none, and refuses the rest. The id
/// of the call is the value of its only header.
class FakeSource final : public Source {
 public:
  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override {
    if (request.body.starts_with("batch")) return Normalized{NotACall{"a batch webhook"}, "key"};
    if (!request.body.starts_with("call")) return Refusal{422, "missing_field", "id"};
    CallEvent call;
    call.status = CallStatus::kCompleted;
    if (!request.headers.empty()) call.call_id = request.headers.front().second;
    return Normalized{std::move(call), "key"};
  }
  std::span<const std::string_view> KeptHeaders() const override { return {}; }
};

EventReading Read(const std::string& body, const std::string& source = "bolna") {
  config::Config config;
  config.unmatched.resize(1);
  config.unmatched[0].sink = "ops";
  config::Problems problems;
  const SourceMap sources{{"bolna", std::make_shared<FakeSource>()}};
  const StoredEvent stored{.seq = 1,
                           .id = "01JD",
                           .source = source,
                           .headers = "x-call: c-42\n",
                           .body = body,
                           .received_at = WallTime(std::chrono::hours(1))};
  return ReadEvent(stored, sources, RouteTable::Compile(config, problems));
}

TEST(EventReading, AStoredCallIsReadAndRoutedAgain) {
  const EventReading reading = Read("call");
  ASSERT_TRUE(reading.call) << reading.why_not;
  EXPECT_EQ(reading.call->id, "01JD");
  EXPECT_EQ(reading.call->call_id, "c-42") << "from the kept header";
  EXPECT_EQ(reading.call->received_at, WallTime(std::chrono::hours(1)));
  ASSERT_EQ(reading.explanation.routes.size(), 1u);
  EXPECT_EQ(reading.explanation.routes[0].sink, "ops");
}

TEST(EventReading, WhatCannotBeReadSaysWhy) {
  EXPECT_THAT(Read("batch").why_not, HasSubstr("a batch webhook"));
  EXPECT_THAT(Read("junk").why_not, HasSubstr("missing_field: id"));
  EXPECT_THAT(Read("call", "retell").why_not, HasSubstr("no source \"retell\""));
  EXPECT_EQ(Read("call", "retell").call, nullptr);
  EXPECT_THAT(Read("{}", "hookswitch").why_not, HasSubstr("wrote it itself"));
}

TEST(EventReading, KeptHeadersAreReadOneALine) {
  const auto headers = ParseHeaderLines("a: 1\nno colon\nb:  two: 2 \n\nc:");
  ASSERT_EQ(headers.size(), 3u);
  EXPECT_EQ(headers[1], std::pair(std::string("b"), std::string("two: 2")));
  EXPECT_EQ(headers[2].second, "");
}

}  // namespace
}  // namespace hookswitch
