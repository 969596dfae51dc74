// The configs that a reader starts from, examples/sources: what each makes of its own request.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <sstream>

#include "core/base/json.h"
#include "tests/e2e/pages.h"
#include "tests/e2e/process.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

const std::string kFolder = std::string(HSW_SOURCE_DIR) + "/examples/sources/";

/// What `route` prints of the request beside the config `name`, for each event.
std::vector<json::value> Route(const std::string& name, const std::string& request) {
  const Finished routed = RunProgram({Program(), "route", "-c", kFolder + name + ".yaml", "--no-secrets", "--source",
                                      name, "--event", kFolder + request, "--format", "json"});
  EXPECT_EQ(routed.exit_code, 0) << routed.out << routed.err;
  // One event is printed over several lines, of several each on one.
  boost::system::error_code error;
  if (json::value one = json::parse(routed.out, error); !error) return {std::move(one)};
  std::vector<json::value> events;
  std::istringstream lines(routed.out);
  for (std::string line; std::getline(lines, line);) events.push_back(json::parse(line));
  return events;
}

std::vector<std::string> SinksOf(const json::value& routed) {
  std::vector<std::string> sinks;
  for (const auto& delivery : routed.at("deliveries").as_array()) {
    sinks.emplace_back(delivery.at("sink").as_string().c_str());
  }
  return sinks;
}

TEST(ExampleSources, AreConfigsWithoutAFault) {
  std::set<std::string> checked;
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    if (entry.path().extension() != ".yaml") continue;
    const Finished check = RunProgram({Program(), "check", "-c", entry.path(), "--no-secrets"});
    EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
    EXPECT_THAT(check.err, IsEmpty());
    checked.insert(entry.path().stem());
  }
  EXPECT_THAT(checked, ElementsAre("crm", "dialer", "pbx"));
}

TEST(ExampleSources, AreTriedWithTheLinesOfTheirPage) {
  const auto blocks = BlocksOf("examples/sources/README.md", "sh");
  ASSERT_EQ(blocks.size(), 1U);
  const TempDir bin;
  fs::create_symlink(Program(), bin / "hookswitch");
  const Finished typed =
      RunProgram({"/bin/sh", "-ec", "PATH=" + bin / "" + ":$PATH\ncd " HSW_SOURCE_DIR "\n" + blocks[0].text});
  EXPECT_EQ(typed.exit_code, 0) << typed.out << typed.err;
  EXPECT_THAT(typed.out, testing::HasSubstr("fields of the event, and where they are from:"));
}

TEST(ExampleSources, ReadASmallJsonWebhook) {
  const auto routed = Route("crm", "crm.json");
  ASSERT_EQ(routed.size(), 1U);
  EXPECT_THAT(SinksOf(routed[0]), ElementsAre("ops"));
  const json::value& event = routed[0].at("event");
  EXPECT_EQ(event.at("call_id"), "c-1042");
  EXPECT_EQ(event.at("status"), "completed");
  EXPECT_EQ(event.at("stage"), "final");
  EXPECT_EQ(event.at("direction"), "inbound");
  EXPECT_EQ(event.at("duration"), 68.75);
  EXPECT_EQ(event.at("started_at"), "2026-03-04T10:00:04Z");
  EXPECT_EQ(event.at("ended_at"), "2026-03-04T10:01:12.750Z");
  EXPECT_EQ(event.at("summary"), "The caller booked a table for Friday.");
  EXPECT_EQ(event.at("sentiment"), "positive");
  EXPECT_EQ(event.at("transcript").as_array().size(), 2U);
  EXPECT_EQ(event.at("transcript").at(1).at("role"), "user");
  EXPECT_EQ(event.at("data").at("score"), 85);
  EXPECT_EQ(event.at("data").at("callback"), false);
  EXPECT_EQ(event.at("data").at("booking.day"), "Friday");
  EXPECT_EQ(event.at("meta").at("tag.campaign"), "spring");
}

TEST(ExampleSources, ReadAForm) {
  const auto routed = Route("pbx", "pbx.form");
  ASSERT_EQ(routed.size(), 1U);
  EXPECT_THAT(SinksOf(routed[0]), ElementsAre("ops"));
  const json::value& event = routed[0].at("event");
  EXPECT_EQ(event.at("call_id"), "pbx-77");
  EXPECT_EQ(event.at("status"), "completed");
  EXPECT_EQ(event.at("stage"), "final");
  EXPECT_EQ(event.at("from"), "+912025550123");
  EXPECT_EQ(event.at("started_at"), "2026-03-04T10:00:04Z");
  EXPECT_EQ(event.at("duration"), 72);
  EXPECT_EQ(event.at("voicemail"), false);
  EXPECT_EQ(event.at("cost"), json::parse(R"({"amount":1.5,"currency":"INR"})"));
  EXPECT_EQ(event.at("recording_url"), "https://pbx.example.com/rec/77.wav");
  EXPECT_EQ(event.at("hangup").at("code"), 16);
  EXPECT_EQ(event.at("meta").at("Trunk"), "north");
}

TEST(ExampleSources, ReadEachEventOfAList) {
  const auto routed = Route("dialer", "dialer.json");
  ASSERT_GE(routed.size(), 2U);
  EXPECT_THAT(SinksOf(routed[0]), IsEmpty());
  EXPECT_EQ(routed[0].at("event").at("status"), "no-answer");
  EXPECT_EQ(routed[0].at("event").at("stage"), "ended");
  EXPECT_THAT(SinksOf(routed[1]), ElementsAre("ops"));
  const json::value& last = routed[1].at("event");
  EXPECT_EQ(last.at("call_id"), "at-10");
  EXPECT_EQ(last.at("stage"), "final");
  EXPECT_EQ(last.at("duration"), 45.5);
  EXPECT_EQ(last.at("transcript").at(0).at("text"), "May I renew your plan?");
  EXPECT_EQ(last.at("data").at("renew"), true);
  EXPECT_EQ(last.at("data").at("years"), 2);
}

}  // namespace
}  // namespace hookswitch::e2e
