// What `doctor` makes of what it measures.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "core/cli/doctor_checks.h"

namespace hookswitch::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;
using Level = Finding::Level;

config::Source Bolna(std::vector<std::string> addresses) {
  config::Source source;
  source.name = "calls";
  source.type = "bolna";
  source.path = "/bolna/webhook";
  for (const auto& address : addresses) source.allow_ips.push_back({address, *ParseIpAddress(address), 32});
  return source;
}

TEST(Doctor, KnowsBolnasNewerAddresses) {
  config::Config config;
  config.sources = {Bolna({"13.203.39.153"})};
  const Findings findings = FindMistakes(config);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].level, Level::kProblem);
  EXPECT_EQ(findings[0].check, "source calls");
  EXPECT_THAT(findings[0].text, HasSubstr("13.126.9.249, 13.202.133.53"));
  for (const auto& fine : {Bolna({"13.203.39.153", "13.126.9.249", "13.202.133.53"}), Bolna({}), Bolna({"10.0.0.1"})}) {
    config.sources = {fine};
    EXPECT_THAT(FindMistakes(config), IsEmpty());
  }
  config.sources = {Bolna({})};
  config.sources[0].allow_ips = {{"13.192.0.0/10", *ParseIpAddress("13.192.0.0"), 10}};
  ASSERT_EQ(FindMistakes(config).size(), 1U);
  EXPECT_THAT(FindMistakes(config)[0].text, testing::EndsWith("from: 13.126.9.249")) << "the network has the others";
}

TEST(Doctor, AProxyWithoutTrustedProxiesHidesTheSenders) {
  config::Config config;
  config.server.public_url = "https://calls.example.com";
  config.sources = {Bolna({})};
  Findings findings = FindMistakes(config);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].level, Level::kWarning);
  EXPECT_THAT(findings[0].text, HasSubstr("trusted_proxies is empty"));
  config.sources = {Bolna({"10.0.0.1"})};
  findings = FindMistakes(config);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings[0].level, Level::kProblem) << "allow_ips judges by the proxy's address";
  EXPECT_THAT(findings[0].text, HasSubstr("allow_ips of calls"));
  config.server.trusted_proxies = {{"127.0.0.0/8", *ParseIpAddress("127.0.0.0"), 8}};
  EXPECT_THAT(FindMistakes(config), IsEmpty());
  config.server.trusted_proxies.clear();
  config.server.public_url = "http://calls.example.com:8000";
  EXPECT_THAT(FindMistakes(config), IsEmpty()) << "nothing need stand between";
  config.server.listen.host = "127.0.0.1";
  EXPECT_EQ(FindMistakes(config).size(), 1U);
  config.server.public_url = "http://127.0.0.1:8000";
  EXPECT_THAT(FindMistakes(config), IsEmpty());
}

TEST(Doctor, ADiskThatIsNearlyFullIsAProblem) {
  constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;
  const auto level = [](DiskSpace space, std::uint64_t used = 0) {
    return JudgeDisk("/x/journal.db", space, used, 2 * kGiB).level;
  };
  EXPECT_EQ(level({.free = 100 << 20, .size = 10 * kGiB}), Level::kProblem);
  EXPECT_EQ(level({.free = kGiB, .size = 10 * kGiB}), Level::kWarning) << "the journal may grow to 2 GiB";
  EXPECT_EQ(level({.free = kGiB, .size = 10 * kGiB}, kGiB), Level::kOk) << "it has half of them already";
  EXPECT_EQ(level({.free = 8 * kGiB, .size = 10 * kGiB, .free_files = 3, .files = 1000}), Level::kProblem);
  EXPECT_EQ(level({.free = 8 * kGiB, .size = 10 * kGiB}), Level::kOk);
  EXPECT_EQ(JudgeDisk("/x/journal.db", {}, 0, 0).level, Level::kNote);
  const auto here = DiskSpaceOf("/tmp/not-there/nor-this/journal.db");
  ASSERT_TRUE(here);
  EXPECT_GT(here->size, 0U);
}

TEST(Doctor, SaysWhatACommitOfPostgresPromises) {
  const auto judged = [](const pg::ServerFacts& facts) {
    std::ostringstream text;
    PrintFindings(text, Paint(false), JudgePostgres(facts));
    return text.str();
  };
  const pg::ServerFacts sound{.place = "db:5432/calls, schema hookswitch",
                              .version = "15.14",
                              .synchronous_commit = "on",
                              .synchronous_standbys = "standby1",
                              .has_schema = true,
                              .may_write = true,
                              .bytes = 3 << 20};
  EXPECT_THAT(judged(sound),
              HasSubstr("ok       journal  db:5432/calls, schema hookswitch: PostgreSQL 15.14, 3.0 MiB"));
  EXPECT_THAT(judged(sound), HasSubstr("and on the disk of a standby (standby1)"));
  pg::ServerFacts other = sound;
  other.synchronous_standbys = "";
  EXPECT_THAT(judged(other),
              HasSubstr("note     journal  what is answered is on the server's own disk, and on no standby's"));
  other.synchronous_commit = "off";
  EXPECT_THAT(judged(other), HasSubstr("problem  journal  synchronous_commit is off"));
  other.syncs = false;
  EXPECT_THAT(judged(other), HasSubstr("problem  journal  the server has fsync = off"));
  other.may_write = false;
  EXPECT_THAT(judged(other),
              HasSubstr("problem  journal  db:5432/calls, schema hookswitch: its user may not make tables"));
  other.has_schema = false;
  EXPECT_THAT(judged(other), HasSubstr("there is no such schema, and its user may not make one"));
  other = sound;
  other.may_make_schema = true;
  EXPECT_THAT(judged(other), HasSubstr("may make schemas in the database, which it needs no more"));
}

TEST(Doctor, AClockIsJudgedByThoseOfOthers) {
  EXPECT_EQ(JudgeClock(true, {milliseconds(400), milliseconds(-900)}).level, Level::kOk);
  EXPECT_EQ(JudgeClock(false, {}).level, Level::kWarning);
  EXPECT_EQ(JudgeClock({}, {}).level, Level::kNote);
  EXPECT_EQ(JudgeClock({}, {milliseconds(0)}).level, Level::kOk);
  const Finding behind = JudgeClock(true, {seconds(150), seconds(151), seconds(0)});
  EXPECT_EQ(behind.level, Level::kProblem);
  EXPECT_THAT(behind.text, HasSubstr("2m 30s behind"));
  EXPECT_EQ(JudgeClock(true, {seconds(0), seconds(0), seconds(9000)}).level, Level::kOk) << "one other is wrong";
  const Finding ahead = JudgeClock({}, {seconds(-10)});
  EXPECT_EQ(ahead.level, Level::kWarning);
  EXPECT_THAT(ahead.text, HasSubstr("10s ahead of"));
}

HttpResult Answered(int status, std::string_view proof = "") {
  HttpResult result;
  result.response.emplace();
  result.response->status = status;
  if (!proof.empty()) result.response->headers.emplace_back("hookswitch-proof", proof);
  return result;
}

TEST(Doctor, OnlyTheProofShowsThatPublicUrlReachesThisRouter) {
  const std::string url = "https://calls.example.com/bolna/webhook";
  const auto judged = [&](const HttpResult& result) { return JudgeReach(url, result, "p1"); };
  EXPECT_EQ(judged(Answered(405, "p1")).level, Level::kOk);
  const std::pair<HttpResult, const char*> cases[] = {
      {Answered(405, "p2"), "not this one"},
      {Answered(405), "not this one"},
      {Answered(404), "path does not come through"},
      {Answered(301), "redirect"},
      {Answered(401), "lets nobody in"},
      {Answered(502), "does not reach this router"},
      {Answered(200), "not this router"},
      {HttpResult{{}, "dns_failed", "Could not resolve host", false}, "dns_failed"}};
  for (const auto& [result, text] : cases) {
    const Finding finding = judged(result);
    EXPECT_EQ(finding.level, Level::kProblem) << text;
    EXPECT_THAT(finding.text, HasSubstr(text));
    EXPECT_NE(finding.hint, "") << text;
  }
  EXPECT_EQ(JudgeReach(url, Answered(405), "").level, Level::kProblem);
}

TEST(Doctor, FindingsAreLinesWithWhatToDo) {
  const Findings findings = {{Level::kOk, "disk", "41 GiB free"},
                             {Level::kProblem, "sink ops", "no answer\nfrom x", "correct the name"}};
  std::ostringstream out;
  PrintFindings(out, Paint(false), findings);
  EXPECT_EQ(out.str(),
            "ok       disk      41 GiB free\n"
            "problem  sink ops  no answer\\nfrom x\n"
            "                   -> correct the name\n"
            "\n"
            "1 problem, 0 warnings\n");
  EXPECT_EQ(ToObject(findings).at("ok"), false);
  EXPECT_EQ(ToObject(findings).at("findings").at(1).at("level"), "problem");
}

}  // namespace
}  // namespace hookswitch::cli
