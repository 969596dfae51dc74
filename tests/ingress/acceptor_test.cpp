#include "core/ingress/acceptor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>

#include "core/base/log.h"
#include "tests/fakes/series.h"
#include "tests/ingress/fakes.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;
using Headers = std::vector<std::pair<std::string, std::string>>;

config::Network Net(std::string_view address, int bits) {
  return {"", *ParseIpAddress(address), bits};
}

class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() {
    source.name = "bolna";
    source.path = "/bolna/webhook";
    log::SetWriterForTest([this](log::Level, std::string_view line) {
      std::lock_guard lock(mu);
      lines += line;
      lines += '\n';
    });
  }
  ~AcceptorTest() override { log::SetWriterForTest(nullptr); }

  std::shared_ptr<IngressSnapshot> Snapshot() {
    auto snapshot = std::make_shared<IngressSnapshot>();
    snapshot->endpoints.push_back({source, std::make_shared<testing::WordSource>(source.name)});
    snapshot->trusted_proxies = proxies;
    snapshot->routes = routes;
    return snapshot;
  }
  void Use() { acceptor.Use(Snapshot()); }
  Answer Ask(std::string_view body, const Headers& headers = {}, std::string_view path = "/bolna/webhook",
             std::string_view method = "POST", std::string_view query = "") {
    const HeadVerdict verdict = acceptor.HandleHead({method, path, query, "", peer, headers});
    if (verdict.answer) return *verdict.answer;
    return Finish({method, path, query, body, peer, headers}, verdict);
  }
  /// What a request gets whose head was admitted.
  Answer Finish(const ServedRequest& request, const HeadVerdict& verdict) {
    const auto exchange = std::make_shared<testing::AskedExchange>(request, verdict.context);
    acceptor.Handle(Responder(exchange));
    return exchange->Await();
  }
  std::string Lines() {
    std::lock_guard lock(mu);
    return lines;
  }

  testing::MemoryJournal journal;
  testing::StillClock clock;
  Metrics metrics;
  std::mutex mu;
  std::string lines;
  std::vector<std::shared_ptr<const CallEvent>> told, revised;
  std::vector<PendingDelivery> waiting;
  Acceptor acceptor{
      journal, clock, metrics,
      [this](std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries, std::uint64_t) {
        std::lock_guard lock(mu);
        told.push_back(std::move(event));
        for (auto& delivery : deliveries) waiting.push_back(std::move(delivery));
      },
      [this](std::shared_ptr<const CallEvent> event, EventSeq, const Accepted::Revised& changes, std::uint64_t) {
        std::lock_guard lock(mu);
        revised.push_back(std::move(event));
        for (const auto& delivery : changes.added) waiting.push_back(delivery);
      }};
  config::Source source;
  std::vector<config::Network> proxies;
  std::shared_ptr<const RouteTable> routes;
  std::string peer = "192.0.2.7";
};

TEST_F(AcceptorTest, EventWithoutRulesIsStoredAndSkipped) {
  Use();
  const Answer answer = Ask("call c1 completed", {{"X-Event", "a"}, {"Other", "b"}, {"x-event", "c"}});
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body, R"({"ok":true,"id":"E1","skipped":true})");
  const auto stored = journal.events().at(0);
  EXPECT_EQ(stored.source, "bolna");
  EXPECT_EQ(stored.headers, "X-Event: a\nx-event: c\n");
  EXPECT_EQ(stored.body, "call c1 completed");
  EXPECT_EQ(stored.call_id, "c1");
  EXPECT_EQ(stored.status, "completed");
  EXPECT_EQ(stored.agent, "agent-1");
  EXPECT_EQ(stored.received_at, clock.Wall());
  EXPECT_EQ(stored.dedup, DigestOf("bolna\ncall c1 completed"));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->id, "E1");
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_unmatched_total{source=\"bolna\"} 1"));
  EXPECT_THAT(Lines(), HasSubstr(R"("event":"event_accepted","id":"E1","source":"bolna","call_id":"c1")"));
}

TEST_F(AcceptorTest, DeliveriesAreStoredWithTheEventAndTold) {
  config::Config rules;
  rules.sinks.resize(2);
  rules.sinks[0].name = "ops";
  rules.sinks[1].name = "oncall";
  rules.rules.resize(1);
  rules.rules[0].name = "all";
  rules.rules[0].send.resize(2);
  rules.rules[0].send[0].sink = "ops";
  rules.rules[0].send[1].sink = "oncall";
  config::Problems problems;
  routes = RouteTable::Compile(rules, problems);
  ASSERT_TRUE(routes);
  Use();
  EXPECT_EQ(Ask("call c1 completed").body, R"({"ok":true,"id":"E1","deliveries":2})");
  const auto stored = journal.events().at(0);
  ASSERT_EQ(stored.deliveries.size(), 2u);
  EXPECT_EQ(stored.deliveries[1], (std::array<std::string, 3>{"oncall", "all", ""}));
  ASSERT_EQ(waiting.size(), 2u);
  EXPECT_EQ(waiting[0].seq, 100);
  EXPECT_EQ(waiting[1].seq, 101);
  EXPECT_EQ(waiting[1].sink, "oncall");
  EXPECT_EQ(waiting[1].rule, "all");
  EXPECT_EQ(waiting[1].event, 1);
  EXPECT_EQ(waiting[1].call_key, stored.call_key);
  EXPECT_EQ(waiting[1].accepted_at, clock.Wall());
  EXPECT_EQ(waiting[1].due, WallTime{});
  EXPECT_EQ(Ask("note").body, R"({"ok":true,"id":"E2","skipped":true})");
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_unmatched_total{source=\"bolna\"} 0"));
}

TEST_F(AcceptorTest, SameEventAgainIsADuplicateAndToldToNobody) {
  Use();
  Ask("call c1 completed");
  EXPECT_EQ(Ask("call c1 completed").body, R"({"ok":true,"id":"E1","duplicate":true})");
  EXPECT_EQ(told.size(), 1u);
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_duplicate_total{source=\"bolna\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_received_total{source=\"bolna\"} 1"));
}

TEST_F(AcceptorTest, ARevisionIsADuplicateThatIsToldWithWhatItChanges) {
  Use();
  Ask("call c1 completed");
  Accepted::Revised changes;
  changes.added.push_back({{.seq = 7, .event = 1}, {.sink = "ops", .rule = "all"}});
  changes.canceled = {3, 4};
  journal.ReviseWith(changes);
  EXPECT_EQ(Ask("call c1 completed").body, R"({"ok":true,"id":"E1","duplicate":true,"revised":true})");
  EXPECT_EQ(told.size(), 1u);
  ASSERT_EQ(revised.size(), 1u);
  EXPECT_EQ(revised[0]->id, "E1");
  ASSERT_EQ(waiting.size(), 1u);
  EXPECT_EQ(waiting[0].seq, 7);
  EXPECT_THAT(Lines(), HasSubstr(R"("event":"event_revised","id":"E1","source":"bolna","call_id":"c1")"));
  EXPECT_THAT(Lines(), HasSubstr(R"("added":1,"canceled":2)"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_revised_total{source=\"bolna\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_duplicate_total{source=\"bolna\"} 0"));
}

TEST_F(AcceptorTest, EventsOfOneCallShareACallKey) {
  Use();
  Ask("call c1 ringing");
  Ask("call c1 completed");
  Ask("call c2 completed");
  const auto events = journal.events();
  EXPECT_NE(events[0].call_key, 0u);
  EXPECT_EQ(events[0].call_key, events[1].call_key);
  EXPECT_NE(events[0].call_key, events[2].call_key);
}

TEST_F(AcceptorTest, RequestThatIsNoCallIsStoredWithANote) {
  Use();
  EXPECT_EQ(Ask("note").body, R"({"ok":true,"id":"E1","skipped":true})");
  EXPECT_EQ(journal.events().at(0).note, "a note, longer than what a string keeps within itself");
  EXPECT_EQ(journal.events().at(0).call_key, 0u);
  EXPECT_TRUE(told.empty());
}

TEST_F(AcceptorTest, AnEventNamesTheConfigItWasAdmittedWith) {
  const auto snapshot = [this](const char* text) {
    auto made = Snapshot();
    made->config = std::make_shared<const KeptConfig>(KeptConfig{.hash = DigestOf(text), .since = {}, .text = text});
    return made;
  };
  acceptor.Use(snapshot("first"));
  Ask("call c1 completed");
  const ServedRequest slow{"POST", "/bolna/webhook", "", "call c2 completed", peer, {}};
  const HeadVerdict admitted = acceptor.HandleHead(slow);
  acceptor.Use(snapshot("second"));
  Ask("note");
  Finish(slow, admitted);
  ASSERT_EQ(journal.events().size(), 3u);
  EXPECT_EQ(journal.events()[0].config, "first");
  EXPECT_EQ(journal.events()[1].config, "second") << "also what is no call";
  EXPECT_EQ(journal.events()[2].config, "first");
}

TEST_F(AcceptorTest, RefusalOfTheSourceIsAnsweredRecordedAndCounted) {
  Use();
  const Answer answer = Ask("garbage");
  EXPECT_EQ(answer.status, 422);
  EXPECT_EQ(answer.body, R"({"ok":false,"error":"missing_field","detail":"id is missing"})");
  ASSERT_EQ(journal.refused().size(), 1u);
  EXPECT_EQ(journal.refused()[0].source, "bolna");
  EXPECT_EQ(journal.refused()[0].peer, "192.0.2.7");
  EXPECT_EQ(journal.refused()[0].error, "missing_field");
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(hookswitch_requests_refused_total{reason="missing_field",source="bolna"} 1)"));
}

TEST_F(AcceptorTest, EveryCountOfASourceIsShownBeforeItsFirstRequest) {
  const auto snapshot = Snapshot();
  snapshot->agents = {"agent-1"};
  acceptor.Use(snapshot);
  const auto before = fakes::SeriesOf(metrics.Text());
  EXPECT_EQ(Ask("call c1 completed").status, 200);
  EXPECT_EQ(Ask("note").status, 200);
  EXPECT_EQ(Ask("garbage").status, 422);
  EXPECT_EQ(Ask("", {}, "/nowhere").status, 404);
  EXPECT_EQ(Ask("", {}, "/bolna/webhook", "GET").status, 405);
  acceptor.SetDraining(true);
  EXPECT_EQ(Ask("call c1 completed").status, 503);
  EXPECT_EQ(fakes::SeriesOf(metrics.Text()), before);
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_received_total{source=\"bolna\"} 2"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_events_not_calls_total{source=\"bolna\"} 1"));
  EXPECT_THAT(metrics.Text(), HasSubstr("hookswitch_agent_events_total{agent=\"agent-1\",status=\"completed\"} 1"));
}

TEST_F(AcceptorTest, AGetWithANonceOfThisRouterIsAnsweredItsProofAndIsNoRefusal) {
  Use();
  const auto challenge = acceptor.MakeChallenge();
  const auto proof = [&](const std::string& nonce, std::string_view method = "GET") {
    const Answer answer = Ask("", {}, "/bolna/webhook", method, "key=1&hookswitch-nonce=" + nonce);
    EXPECT_EQ(answer.status, 405);
    EXPECT_EQ(answer.allow, "POST");
    return answer.headers.empty() ? "" : answer.headers.at(0).first + ": " + answer.headers.at(0).second;
  };
  EXPECT_EQ(proof(challenge.nonce), "Hookswitch-Proof: " + challenge.proof);
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(hookswitch_requests_refused_total{reason="method_not_allowed",source="bolna"} 0)"));
  EXPECT_EQ(proof(challenge.nonce, "PUT"), "");
  EXPECT_EQ(proof(ReachProof().Make(clock.Mono()).nonce), "") << "of another process";
  EXPECT_EQ(proof(challenge.nonce.substr(0, challenge.nonce.size() - 1)), "");
  EXPECT_EQ(proof("9" + challenge.nonce), "");
  EXPECT_EQ(proof(""), "");
  EXPECT_EQ(ReachProof().ProofFor("hookswitch-nonce", clock.Mono()), "");
  const ReachProof own;
  const std::string query = "hookswitch-nonce=" + own.Make(clock.Mono()).nonce;
  EXPECT_NE(own.ProofFor(query, clock.Mono() + ReachProof::kLife), "");
  EXPECT_EQ(own.ProofFor(query, clock.Mono() + ReachProof::kLife + std::chrono::seconds(1)), "") << "too old";
}

TEST_F(AcceptorTest, UnknownPathIs404AndWrongMethodIs405) {
  EXPECT_EQ(Ask("call c1 completed").status, 404) << "before the first config";
  Use();
  for (const char* path :
       {"/", "", "//", "/bolna", "/bolna/webhook2", "/Bolna/webhook", "bolna/webhook", "/bolna/web/hook"}) {
    EXPECT_EQ(Ask("call c1 completed", {}, path).status, 404) << path;
  }
  for (const char* method : {"GET", "HEAD", "PUT", "OPTIONS"}) {
    const Answer answer = Ask("", {}, "/bolna/webhook", method);
    EXPECT_EQ(answer.status, 405) << method;
    EXPECT_EQ(answer.allow, "POST");
  }
  EXPECT_TRUE(journal.events().empty());
}

TEST_F(AcceptorTest, ADoubledOrTrailingSlashIsTheSamePath) {
  int calls = 0;
  for (const char* configured : {"/bolna/webhook", "/bolna/webhook/", "/bolna//webhook"}) {
    source.path = configured;
    Use();
    for (const char* path :
         {"/bolna/webhook", "/bolna/webhook/", "//bolna/webhook", "/bolna//webhook//", "///bolna///webhook"}) {
      EXPECT_EQ(Ask("call c" + std::to_string(++calls) + " completed", {}, path).status, 200)
          << configured << " " << path;
    }
  }
  source.path = "/";
  Use();
  EXPECT_EQ(Ask("call root completed", {}, "//").status, 200);
}

TEST_F(AcceptorTest, ARefusalShowsWhatWasAskedFor) {
  Use();
  Ask("", {}, "/bolna/webhok");
  EXPECT_THAT(Lines(), HasSubstr(R"("path":"/bolna/webhok")"));
  clock.Advance(milliseconds(1000));
  Ask("", {}, "/a\nb\xFF" + std::string(10'000, 'x'));
  EXPECT_THAT(Lines(), HasSubstr("\"path\":\"/a\\nb\xEF\xBF\xBDxxx"));
  EXPECT_LT(Lines().size(), 2000u) << "cut";
}

TEST_F(AcceptorTest, AnAddressThatNoSourceTakesIsUnwanted) {
  proxies = {Net("127.0.0.0", 8)};
  Use();
  EXPECT_EQ(acceptor.JudgePeer("203.0.113.1"), PeerKind::kUnknown) << "the source takes all addresses";
  EXPECT_EQ(acceptor.JudgePeer("127.0.0.1"), PeerKind::kProxy);
  source.allow_ips = {Net("192.0.2.0", 24)};
  Use();
  EXPECT_EQ(acceptor.JudgePeer("192.0.2.7"), PeerKind::kUnknown);
  EXPECT_EQ(acceptor.JudgePeer("203.0.113.1"), PeerKind::kUnwanted);
  EXPECT_EQ(acceptor.JudgePeer("127.0.0.1"), PeerKind::kProxy) << "it stands for others";
  EXPECT_EQ(acceptor.JudgePeer("unix"), PeerKind::kUnknown);
  for (int i = 0; i < 3; ++i) acceptor.UnwantedPeer("203.0.113.1");
  acceptor.UnwantedPeer("203.0.113.2");
  EXPECT_EQ(journal.refused().size(), 2u) << "one for each address and minute";
  clock.Advance(std::chrono::minutes(1));
  acceptor.UnwantedPeer("203.0.113.1");
  EXPECT_EQ(journal.refused().size(), 3u);
  EXPECT_EQ(journal.refused()[0].error, "forbidden");
  EXPECT_EQ(journal.refused()[0].peer, "203.0.113.1");
}

TEST_F(AcceptorTest, AddressOutsideAllowIpsIs403) {
  source.allow_ips = {Net("192.0.2.0", 24), Net("2001:db8::", 33)};
  Use();
  EXPECT_EQ(Ask("call c1 completed").status, 200);
  for (const char* allowed : {"192.0.2.255", "::ffff:192.0.2.1", "2001:db8::1", "2001:db8:7fff::1"}) {
    peer = allowed;
    EXPECT_EQ(Ask("call c1 completed").status, 200) << peer;
  }
  for (const char* foreign : {"192.0.3.0", "::ffff:10.0.0.1", "2001:db8:8000::1", "::1", "", "bogus"}) {
    peer = foreign;
    const Answer answer = Ask("call c1 completed");
    EXPECT_EQ(answer.status, 403) << peer;
    EXPECT_THAT(answer.body, HasSubstr(R"("error":"forbidden")"));
  }
}

TEST_F(AcceptorTest, ForwardedAddressIsBelievedFromTrustedProxiesOnly) {
  source.allow_ips = {Net("198.51.100.9", 32)};
  proxies = {Net("10.0.0.0", 8)};
  Use();
  struct Case {
    const char* peer;
    Headers headers;
    int status;
  };
  const std::string kXff = "X-Forwarded-For";
  const std::vector<Case> cases = {
      {"198.51.100.9", {}, 200},
      {"203.0.113.5", {{kXff, "198.51.100.9"}}, 403},  // not a proxy of ours
      {"10.0.0.1", {{kXff, "198.51.100.9"}}, 200},
      {"::ffff:10.0.0.1", {{kXff, "::ffff:198.51.100.9"}}, 200},
      {"10.0.0.1", {{kXff, "198.51.100.9:4711"}}, 200},
      {"10.0.0.1", {{kXff, "198.51.100.9, 10.0.0.2"}}, 200},     // through two proxies
      {"10.0.0.1", {{kXff, "198.51.100.9, 203.0.113.5"}}, 403},  // the left one is the sender's claim
      {"10.0.0.1", {{kXff, "198.51.100.9"}, {kXff, "203.0.113.5"}}, 403},
      {"10.0.0.1", {{"x-forwarded-for", "203.0.113.5"}, {kXff, "198.51.100.9"}}, 200},
      {"10.0.0.1", {{kXff, "198.51.100.9, garbage"}}, 403},
      {"10.0.0.1", {{kXff, "198.51.100.9,"}}, 403},
      {"10.0.0.1", {{kXff, ""}}, 403},
      {"10.0.0.1", {}, 403},
  };
  for (const Case& c : cases) {
    peer = c.peer;
    EXPECT_EQ(Ask("call c1 completed", c.headers).status, c.status)
        << peer << " " << (c.headers.empty() ? "" : c.headers[0].second);
  }
}

TEST_F(AcceptorTest, HeaderSecretMustStandExactlyOnce) {
  source.auth = config::Auth{config::Auth::Place::kHeader, "X-Webhook-Secret", Secret("hi")};
  Use();
  EXPECT_EQ(Ask("call c1 completed", {{"x-webhook-secret", "hi"}}).status, 200);
  for (const Headers& headers :
       {Headers{}, Headers{{"X-Webhook-Secret", ""}}, Headers{{"X-Webhook-Secret", "ho"}},
        Headers{{"X-Webhook-Secret", "hi "}}, Headers{{"X-Webhook-Secret", "=?UTF-8?B?aGk=?="}},
        Headers{{"X-Webhook-Secret", "ho"}, {"X-Webhook-Secret", "hi"}}}) {
    const Answer answer = Ask("call c2 completed", headers);
    EXPECT_EQ(answer.status, 401);
    EXPECT_THAT(answer.body, HasSubstr(R"("error":"unauthorized")"));
  }
  EXPECT_EQ(journal.events().size(), 1u);
}

TEST_F(AcceptorTest, BearerSecretIsRead) {
  source.auth = config::Auth{config::Auth::Place::kBearer, "", Secret("t0ken")};
  Use();
  EXPECT_EQ(Ask("call c1 completed", {{"Authorization", "Bearer t0ken"}}).status, 200);
  EXPECT_EQ(Ask("call c1 completed", {{"authorization", "bearer  t0ken"}}).status, 200);
  for (const char* value : {"t0ken", "Bearer", "Bearer ", "Basic t0ken", "Bearer t0ken x", "Bearert0ken"}) {
    EXPECT_EQ(Ask("call c1 completed", {{"Authorization", value}}).status, 401) << value;
  }
}

TEST_F(AcceptorTest, QuerySecretIsDecoded) {
  source.auth = config::Auth{config::Auth::Place::kQuery, "key", Secret("a+b c/d")};
  Use();
  const auto ask = [&](std::string_view query) {
    return Ask("call c1 completed", {}, "/bolna/webhook", "POST", query).status;
  };
  EXPECT_EQ(ask("key=a%2Bb%20c%2Fd"), 200);
  EXPECT_EQ(ask("x=1&key=a%2bb+c/d&y"), 200);
  EXPECT_EQ(ask("k%65y=a+b%20c/d"), 200);
  for (const char* query :
       {"", "key", "key=", "key=a%2Bb%20c%2F", "key=a%2Bb%20c%2Fd%", "key=x&key=a%2Bb%20c%2Fd", "Key=a%2Bb%20c%2Fd"}) {
    EXPECT_EQ(ask(query), 401) << query;
  }
}

TEST_F(AcceptorTest, RateLimitAnswers429UntilTimeHasPassed) {
  source.rate_limit = config::Rate{2, std::chrono::seconds(10), 3};
  Use();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Ask("call c completed").status, 200) << i;
  Answer answer = Ask("call c completed");
  EXPECT_EQ(answer.status, 429);
  EXPECT_EQ(answer.retry_after_seconds, 5);
  EXPECT_THAT(answer.body, HasSubstr(R"("error":"rate_limited")"));
  clock.Advance(milliseconds(4'999));
  EXPECT_EQ(Ask("call c completed").status, 429);
  Use();  // a reload does not refill it
  EXPECT_EQ(Ask("call c completed").status, 429);
  clock.Advance(milliseconds(1));
  EXPECT_EQ(Ask("call c completed").status, 200);
  EXPECT_EQ(Ask("call c completed").status, 429);
}

TEST_F(AcceptorTest, UnauthenticatedRequestsDoNotUseUpTheRate) {
  source.rate_limit = config::Rate{1, std::chrono::seconds(1), 1};
  source.auth = config::Auth{config::Auth::Place::kBearer, "", Secret("t")};
  Use();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask("call c completed").status, 401);
  EXPECT_EQ(Ask("call c completed", {{"Authorization", "Bearer t"}}).status, 200);
}

TEST_F(AcceptorTest, UnwritableJournalIs503AndLoggedOncePerChange) {
  Use();
  for (const ErrorCode code : {ErrorCode::kUnavailable, ErrorCode::kFull}) {
    journal.RefuseWith(Error{code, "disk full: /var/lib"});
    for (int i = 0; i < 5; ++i) {
      const Answer answer = Ask("call c1 completed");
      EXPECT_EQ(answer.status, 503);
      EXPECT_EQ(answer.retry_after_seconds, 5);
      EXPECT_THAT(answer.body, HasSubstr(R"({"ok":false,"error":"unavailable")"));
      EXPECT_THAT(answer.body, Not(HasSubstr("/var/lib")));
    }
  }
  journal.RefuseWith(std::nullopt);
  EXPECT_EQ(Ask("call c1 completed").status, 200);
  const std::string logged = Lines();
  const auto first = logged.find("journal_refuses");
  EXPECT_NE(first, std::string::npos);
  EXPECT_EQ(logged.find("journal_refuses", first + 1), std::string::npos);
  EXPECT_THAT(logged, HasSubstr("journal_accepts_again"));
  EXPECT_TRUE(journal.refused().empty());
}

TEST_F(AcceptorTest, DrainingAnswers503) {
  Use();
  acceptor.SetDraining(true);
  const Answer answer = Ask("call c1 completed");
  EXPECT_EQ(answer.status, 503);
  EXPECT_GT(answer.retry_after_seconds, 0);
  EXPECT_THAT(answer.body, HasSubstr(R"("error":"draining")"));
  acceptor.SetDraining(false);
  EXPECT_EQ(Ask("call c1 completed").status, 200);
}

TEST_F(AcceptorTest, FloodOfRefusalsIsCountedNotPrinted) {
  Use();
  for (int i = 0; i < 1000; ++i) Ask("garbage");
  EXPECT_EQ(journal.refused().size(), 10u);
  EXPECT_THAT(metrics.Text(),
              HasSubstr(R"(hookswitch_requests_refused_total{reason="missing_field",source="bolna"} 1000)"));
  clock.Advance(milliseconds(1000));
  Ask("garbage");
  EXPECT_EQ(journal.refused().size(), 11u);
  EXPECT_THAT(Lines(), HasSubstr(R"("repeated":999})"));
}

TEST_F(AcceptorTest, ServersOwnRefusalsAreRecordedWithTheirSource) {
  Use();
  const Headers none;
  acceptor.Refused({"POST", "/bolna/webhook", "", "", peer, none}, 413, "too_large", "big");
  acceptor.Refused({"", "", "", "", peer, none}, 400, "invalid_request", "bad");
  ASSERT_EQ(journal.refused().size(), 2u);
  EXPECT_EQ(journal.refused()[0].source, "bolna");
  EXPECT_EQ(journal.refused()[1].source, "");
}

TEST_F(AcceptorTest, ASenderJudgedByOneSourceIsNotReadByAnother) {
  Use();
  const Headers none;
  const ServedRequest request{"POST", "/bolna/webhook", "", "call c1 completed", peer, none};
  const HeadVerdict admitted = acceptor.HandleHead(request);
  ASSERT_FALSE(admitted.answer);
  source.name = "other";  // a reload gives the path to a source with its own secret
  source.auth = config::Auth{config::Auth::Place::kHeader, "X-Secret", Secret("s")};
  Use();
  EXPECT_EQ(Finish(request, admitted).status, 200);
  EXPECT_EQ(journal.events().at(0).source, "bolna");
  EXPECT_EQ(acceptor.HandleHead(request).answer->status, 401);
}

TEST_F(AcceptorTest, RequestUnderWayEndsOnItsSnapshot) {
  Use();
  std::atomic<bool> over{false};
  std::thread reload([&] {
    while (!over) acceptor.Use(Snapshot());
  });
  for (int i = 0; i < 500; ++i) EXPECT_EQ(Ask("call c" + std::to_string(i) + " completed").status, 200);
  over = true;
  reload.join();
  EXPECT_EQ(journal.events().size(), 500u);
}

}  // namespace
}  // namespace hookswitch
