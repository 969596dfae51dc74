#include "core/admin/guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "core/base/json.h"
#include "core/base/log.h"
#include "tests/fakes/fake_clock.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;
using Headers = std::vector<std::pair<std::string, std::string>>;
using Right = Caller::Right;

class AdminGuardTest : public testing::Test {
 protected:
  AdminGuardTest() {
    log::SetWriterForTest([this](log::Level, std::string_view line) { lines_.emplace_back(line); });
  }
  ~AdminGuardTest() override { log::SetWriterForTest(nullptr); }

  void WithTokens() {
    admin_.token = Secret("the-main-token");
    admin_.tokens = {{"ana", Secret("token-of-ana"), Right::kChange},
                     {"page", Secret("token-of-page"), Right::kRead},
                     {"prometheus", Secret("token-of-prometheus"), Right::kMetrics}};
    guard_.Use(admin_);
  }
  /// `headers` without a Host get one of this machine.
  HeadVerdict Judge(std::string_view method, std::string_view path, Headers headers = {}, std::string_view user = {}) {
    if (std::ranges::find(headers, "Host", [](const auto& header) { return header.first; }) == headers.end()) {
      headers.emplace_back("Host", "127.0.0.1:8001");
    }
    return guard_.Judge({method, path, "", "", user.empty() ? peer_ : "unix", headers, user}, Needs(method, path));
  }
  /// What the operations of these tests need.
  static Access Needs(std::string_view method, std::string_view path) {
    if (path == "/healthz") return Access::kPublic;
    if (path == "/readyz") return Access::kProbe;
    if (path == kSignInPath) return Access::kAnyRight;
    if (path == "/metrics") return Access::kMetrics;
    return method == "POST" && path != "/api/v1/explain" ? Access::kChange : Access::kRead;
  }
  int StatusOf(std::string_view method, std::string_view path, Headers headers = {}) {
    const HeadVerdict verdict = Judge(method, path, std::move(headers));
    return verdict.answer ? verdict.answer->status : 200;
  }
  /// Who was admitted; "refused …" for nobody.
  static std::string Who(const HeadVerdict& verdict) {
    if (verdict.answer) return "refused " + verdict.answer->body;
    return static_cast<const Caller&>(*verdict.context).who;
  }
  static Headers Bearer(const std::string& token) { return {{"Authorization", "Bearer " + token}}; }
  /// The cookie that a token is given, as a browser sends it back.
  std::string CookieFor(const std::string& token) {
    const HeadVerdict verdict = Judge("POST", kSignInPath, Bearer(token));
    EXPECT_FALSE(verdict.answer);
    const auto cookie = guard_.MakeCookie(static_cast<const Caller&>(*verdict.context), false);
    EXPECT_TRUE(cookie);
    return cookie->substr(0, cookie->find(';'));
  }
  double Refused(const char* reason) {
    return metrics_.MakeCounter("hookswitch_admin_refused_total", "", {{"reason", reason}}).Value();
  }

  FakeClock clock_;
  Metrics metrics_;
  config::Admin admin_;
  AdminGuard guard_{admin_, clock_, metrics_};
  std::string peer_ = "127.0.0.1";
  std::vector<std::string> lines_;
};

TEST(LoopbackHost, IsOnlyAWholeName) {
  for (const char* host :
       {"localhost", "LOCALHOST:8001", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8001", "[0:0:0:0:0:0:0:1]:8001"}) {
    EXPECT_TRUE(IsLoopbackHost(host)) << host;
  }
  for (const char* host : {"",
                           ":8001",
                           "evil.example",
                           "[::1].evil.example",
                           "[::1].evil.example:8001",
                           "[::1]evil",
                           "[::1",
                           "::1",
                           "::1:8001",
                           "127.0.0.1:evil",
                           "127.0.0.1:",
                           "127.0.0.1:80:80",
                           "127.0.0.1:99999",
                           "127.0.0.1:-1",
                           "127.0.0.1:+1",
                           "127.0.0.1.evil.example",
                           "127.0.0.1@evil.example",
                           "127.0.0.1 ",
                           " localhost",
                           "localhost:8001.evil.example",
                           "localhost.evil.example:8001",
                           "notlocalhost",
                           "127.0.0",
                           "127.",
                           "127.0.0.256",
                           "127.0.0.1.",
                           "127.0.0.01",
                           "0.0.0.0",
                           "10.0.0.1",
                           "[127.0.0.1]",
                           "[localhost]",
                           "[::]",
                           "[::2]:8001",
                           "[fe80::1]",
                           "localhost/evil",
                           "localhost,evil.example"}) {
    EXPECT_FALSE(IsLoopbackHost(host)) << host;
  }
}

TEST(SameOrigin, IsTheSameHostAndPort) {
  const std::pair<const char*, const char*> same[] = {{"http://127.0.0.1:8001", "127.0.0.1:8001"},
                                                      {"https://ops.example.com", "ops.example.com"},
                                                      {"https://ops.example.com", "ops.example.com:443"},
                                                      {"http://OPS.example.com:80", "ops.example.com"},
                                                      {"http://[::1]:8001", "[::1]:8001"}};
  for (const auto& [origin, host] : same) EXPECT_TRUE(IsSameOrigin(origin, host)) << origin << ' ' << host;
  const std::pair<const char*, const char*> other[] = {{"http://127.0.0.1:3000", "127.0.0.1:8001"},
                                                       {"http://localhost:8001", "127.0.0.1:8001"},
                                                       {"http://evil.example", "ops.example.com"},
                                                       {"http://ops.example.com.evil.example", "ops.example.com"},
                                                       {"http://ops.example.com/", "ops.example.com"},
                                                       {"http://ops.example.com:443", "ops.example.com"},
                                                       {"null", "null"},
                                                       {"http://", ""},
                                                       {"ftp://ops.example.com", "ops.example.com"},
                                                       {"ops.example.com", "ops.example.com"}};
  for (const auto& [origin, host] : other) EXPECT_FALSE(IsSameOrigin(origin, host)) << origin << ' ' << host;
}

TEST_F(AdminGuardTest, WithoutTokensProgramsOnThisMachineMayDoEverything) {
  EXPECT_EQ(StatusOf("GET", "/api/v1/status"), 200);
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload"), 200);
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", {{"Host", "router.internal"}}), 403);
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", {{"Authorization", "Bearer of-another-router"}}), 200);
}

TEST_F(AdminGuardTest, WithoutTokensWhatCameThroughAProxyIsRefusedWithTheReason) {
  for (const char* header :
       {"X-Forwarded-For", "x-forwarded-for", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "Forwarded",
        "Via", "VIA", "X-Real-IP", "x-real-ip", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP"}) {
    const HeadVerdict verdict = Judge("GET", "/api/v1/status", {{header, "127.0.0.1"}});
    ASSERT_TRUE(verdict.answer) << header;
    EXPECT_EQ(verdict.answer->status, 403) << header;
    EXPECT_THAT(verdict.answer->body, HasSubstr(std::string("(") + header + ")"));
    EXPECT_EQ(StatusOf("GET", "/api/v1/status", {{header, ""}}), 403) << header << " without a value";
    EXPECT_EQ(StatusOf("GET", "/metrics", {{header, "a"}}), 403) << header;
    EXPECT_EQ(StatusOf("GET", "/healthz", {{header, "a"}}), 200) << "probes come through proxies";
  }
}

TEST_F(AdminGuardTest, WithoutTokensAPageOfAnotherSiteIsRefused) {
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", {{"Origin", "https://evil.example"}}), 403);
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", {{"Origin", "http://127.0.0.1:3000"}}), 403) << "another port's page";
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", {{"Origin", "null"}}), 403);
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", {{"Origin", "http://127.0.0.1:8001"}}), 200) << "the inspector";
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", {{"Host", "evil.example:8001"}, {"Origin", "http://evil.example:8001"}}),
            403)
      << "a name that was made to point here";
  for (const char* site : {"cross-site", "same-site", "anything"}) {
    EXPECT_EQ(StatusOf("GET", "/api/v1/events", {{"Sec-Fetch-Site", site}}), 403) << site;
  }
  for (const char* site : {"same-origin", "none"}) {
    EXPECT_EQ(StatusOf("GET", "/api/v1/events", {{"Sec-Fetch-Site", site}}), 200) << site;
  }
}

TEST_F(AdminGuardTest, EachTokenOpensWhatItMay) {
  WithTokens();
  struct Case {
    const char *method, *path;
    int main, ana, page, prometheus;
  };
  for (const auto& [method, path, main, ana, page, prometheus] :
       {Case{"GET", "/metrics", 200, 200, 200, 200}, Case{"GET", "/api/v1/events", 200, 200, 200, 403},
        Case{"HEAD", "/api/v1/events", 200, 200, 200, 403}, Case{"POST", "/api/v1/reload", 200, 200, 403, 403},
        Case{"POST", "/api/v1/deliveries/purge", 200, 200, 403, 403},
        Case{"POST", "/api/v1/session", 200, 200, 200, 200}, Case{"GET", "/readyz", 200, 200, 200, 200},
        Case{"GET", "/healthz", 200, 200, 200, 200}}) {
    EXPECT_EQ(StatusOf(method, path, Bearer("the-main-token")), main) << path;
    EXPECT_EQ(StatusOf(method, path, Bearer("token-of-ana")), ana) << path;
    EXPECT_EQ(StatusOf(method, path, Bearer("token-of-page")), page) << path;
    EXPECT_EQ(StatusOf(method, path, Bearer("token-of-prometheus")), prometheus) << path;
  }
  EXPECT_EQ(Who(Judge("GET", "/api/v1/status", Bearer("the-main-token"))), "admin.token");
  EXPECT_EQ(Who(Judge("GET", "/api/v1/status", Bearer("token-of-ana"))), "ana");
  EXPECT_THAT(Who(Judge("POST", "/api/v1/reload", Bearer("token-of-page"))), HasSubstr(R"(\"page\" may not)"));
}

TEST_F(AdminGuardTest, WithTokensNothingElseOpensAnything) {
  WithTokens();
  const Headers wrong[] = {{},
                           {{"Authorization", ""}},
                           Bearer("wrong"),
                           Bearer(""),
                           Bearer("the-main-toke"),
                           Bearer("the-main-token2"),
                           {{"Authorization", "the-main-token"}},
                           {{"Authorization", "Basic the-main-token"}},
                           {{"Cookie", "hookswitch="}},
                           {{"Cookie", "hookswitch=the-main-token"}},
                           {{"Cookie", "hookswitch=99999999999.ana."}},
                           {{"Cookie", "hookswitch=99999999999.ana.00"}}};
  for (const Headers& headers : wrong) {
    for (const char* path : {"/metrics", "/api/v1/status", "/api/v1/events/x", "/no/such/page", "/"}) {
      const HeadVerdict verdict = Judge("GET", path, headers);
      ASSERT_TRUE(verdict.answer) << path << (headers.empty() ? "" : headers.front().second);
      EXPECT_EQ(verdict.answer->status, 401) << path;
    }
    EXPECT_EQ(StatusOf("GET", "/healthz", headers), 200);
  }
  EXPECT_EQ(StatusOf("GET", "/readyz"), 200) << "it says less, but answers";
  EXPECT_EQ(StatusOf("GET", "/readyz", Bearer("wrong")), 401) << "nobody may guess tokens here";
}

TEST_F(AdminGuardTest, ATokenIsGoodThroughAProxyAndUnderAnyName) {
  WithTokens();
  Headers headers = Bearer("token-of-ana");
  headers.insert(headers.end(), {{"Host", "ops.example.com"}, {"X-Forwarded-For", "192.0.2.7"}});
  EXPECT_EQ(Who(Judge("POST", "/api/v1/reload", headers)), "ana");
  EXPECT_EQ(Who(Judge("POST", "/api/v1/reload", {{"authorization", "bearer token-of-ana"}})), "ana");
}

TEST_F(AdminGuardTest, AUnixSocketNeedsNoTokenAndKnowsItsUser) {
  for (const bool with_tokens : {false, true}) {
    if (with_tokens) WithTokens();
    EXPECT_EQ(Who(Judge("POST", "/api/v1/reload", {{"Host", "anything"}}, "ana")), "ana");
    EXPECT_EQ(Judge("POST", "/api/v1/reload", {{"X-Forwarded-For", "192.0.2.7"}}, "www-data").answer->status, 403)
        << "a proxy must not lend its place";
    EXPECT_EQ(Judge("POST", "/api/v1/reload", {{"Origin", "http://evil.example"}}, "www-data").answer->status, 403);
  }
  Headers through_a_proxy = Bearer("token-of-page");
  through_a_proxy.emplace_back("X-Forwarded-For", "192.0.2.7");
  EXPECT_EQ(Who(Judge("GET", "/api/v1/status", through_a_proxy, "www-data")), "page");
  EXPECT_EQ(Judge("GET", "/api/v1/status", Bearer("wrong"), "www-data").answer->status, 401);
}

TEST_F(AdminGuardTest, ACookieStandsForItsToken) {
  WithTokens();
  const Headers cookie{{"Cookie", "theme=dark; " + CookieFor("token-of-ana") + "; other=1"}};
  EXPECT_EQ(Who(Judge("GET", "/api/v1/status", cookie)), "ana");
  Headers change = cookie;
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", change), 403) << "a change by cookie needs an Origin";
  change.emplace_back("Origin", "http://127.0.0.1:8001");
  EXPECT_EQ(Who(Judge("POST", "/api/v1/reload", change)), "ana");
  change.back().second = "http://evil.example";
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", change), 403);
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", change), 403);
  const Headers reading{{"Cookie", CookieFor("token-of-page")}, {"Origin", "http://127.0.0.1:8001"}};
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", reading), 200);
  EXPECT_EQ(StatusOf("POST", "/api/v1/reload", reading), 403) << "it may no more than the token";
}

TEST_F(AdminGuardTest, ACookieSaysNothingOfItsTokenAndOnlyOursIsSent) {
  WithTokens();
  Caller caller;
  caller.who = "ana";
  caller.by = Caller::By::kToken;
  const std::string plain = guard_.MakeCookie(caller, false).value();
  for (const char* part : {"hookswitch=", "; Path=/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"}) {
    EXPECT_THAT(plain, HasSubstr(part));
  }
  EXPECT_THAT(plain, Not(HasSubstr("Secure")));
  EXPECT_THAT(plain, Not(HasSubstr("token-of-ana")));
  EXPECT_THAT(guard_.MakeCookie(caller, true).value(), HasSubstr("; Secure"));
  caller.by = Caller::By::kCookie;
  EXPECT_FALSE(guard_.MakeCookie(caller, false)) << "a cookie would never end otherwise";
}

TEST_F(AdminGuardTest, ACookieEndsWithItsTimeAndWithItsToken) {
  WithTokens();
  const Headers cookie{{"Cookie", CookieFor("token-of-ana")}};
  clock_.Advance(AdminGuard::kCookieLife - std::chrono::seconds(1));
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", cookie), 200);
  clock_.Advance(std::chrono::seconds(1));
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", cookie), 401);

  const Headers next{{"Cookie", CookieFor("token-of-ana")}};
  admin_.tokens[0].token = Secret("another-token-of-ana");
  guard_.Use(admin_);
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", next), 401) << "the token was replaced";
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", Bearer("token-of-ana")), 401);
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", Bearer("another-token-of-ana")), 200);
}

TEST_F(AdminGuardTest, ACookieOfWhichAnythingWasChangedIsWorthNothing) {
  WithTokens();
  const std::string cookie = CookieFor("token-of-page");
  std::string other = cookie;
  other.replace(other.find("page"), 4, "ana");
  EXPECT_EQ(StatusOf("GET", "/api/v1/status", {{"Cookie", other}}), 401);
  for (std::size_t i = cookie.find('=') + 1; i < cookie.size(); ++i) {
    std::string changed = cookie;
    changed[i] = changed[i] == '0' ? '1' : '0';
    EXPECT_EQ(StatusOf("GET", "/api/v1/status", {{"Cookie", changed}}), 401) << changed;
  }
  AdminGuard restarted(admin_, clock_, metrics_);
  const Headers headers{{"Cookie", cookie}, {"Host", "127.0.0.1"}};
  EXPECT_TRUE(restarted.Judge({"GET", "/api/v1/status", "", "", "127.0.0.1", headers}, Access::kRead).answer);
}

TEST_F(AdminGuardTest, WrongTokensAreDelayedCountedAndLoggedOnceASecond) {
  WithTokens();
  for (int i = 0; i < 1000; ++i) {
    const HeadVerdict verdict = Judge("GET", "/api/v1/status", Bearer("guess-" + std::to_string(i)));
    ASSERT_TRUE(verdict.answer);
    EXPECT_EQ(verdict.delay, milliseconds(100));
  }
  EXPECT_EQ(Refused("wrong_token"), 1000);
  ASSERT_EQ(lines_.size(), 1u);
  EXPECT_THAT(lines_[0], HasSubstr(R"("event":"admin_refused")"));
  EXPECT_THAT(lines_[0], HasSubstr(R"("peer":"127.0.0.1")"));
  EXPECT_THAT(lines_[0], HasSubstr(R"("reason":"wrong_token")"));
  EXPECT_THAT(lines_[0], Not(HasSubstr("guess"))) << "it may be the token of something else";
  peer_ = "192.0.2.7";
  Judge("GET", "/api/v1/status", Bearer("guess"));
  EXPECT_EQ(lines_.size(), 2u) << "one that comes from elsewhere is not hidden";
  peer_ = "127.0.0.1";
  clock_.Advance(std::chrono::seconds(1));
  Judge("GET", "/api/v1/status", Bearer("guess"));
  ASSERT_EQ(lines_.size(), 3u);
  EXPECT_THAT(lines_[2], HasSubstr(R"("repeated":999)"));
}

TEST_F(AdminGuardTest, WhoHasNoTokenOrNotTheRightIsCountedAndNotDelayed) {
  WithTokens();
  EXPECT_EQ(Judge("GET", "/api/v1/status").delay, milliseconds(0));
  EXPECT_EQ(Judge("POST", "/api/v1/reload", Bearer("token-of-page")).delay, milliseconds(0));
  EXPECT_EQ(Refused("no_token"), 1);
  EXPECT_EQ(Refused("forbidden"), 1);
  EXPECT_EQ(Refused("wrong_token"), 0);
}

TEST_F(AdminGuardTest, GuessesFromManyAddressesStayBounded) {
  WithTokens();
  for (int i = 0; i < 5000; ++i) {
    peer_ = "2001:db8::" + std::to_string(i);
    Judge("GET", "/api/v1/status", Bearer("guess"));
  }
  EXPECT_EQ(Refused("wrong_token"), 5000);
  EXPECT_LE(lines_.size(), 1001u) << "a thousand addresses a second, and one line for all others";
}

}  // namespace
}  // namespace hookswitch
