// Ninety good events and ten that their destination refuses, mixed: every good one is out within two seconds, and every
// bad one ends with its reason. For each kind of refusal of each sink, by the real plugins in the real engine; time is
// the engine's own, so what is measured is how long it makes a good one wait.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <thread>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/delivery/dispatcher.h"
#include "tests/fakes/effort.h"
#include "tests/fakes/fake_clock.h"
#include "tests/fakes/http_loop.h"
#include "tests/fakes/memory_journal.h"
#include "tests/sinks/database.h"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/scripted_broker.h"
#include "tests/sinks/scripted_mail_server.h"
#include "tests/sinks/services.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;
using test::About;
using test::Answer;
using test::Service;

/// By these words, each in what every sink sends of an event, a stand-in tells what it refuses.
constexpr const char* kGood = "welcome";
constexpr const char* kBad = "refuseme";
constexpr std::size_t kLongOfBad = 4000;  ///< characters that a bad one is longer by
/// By then a delivery that is refused while others get through has been tried at once, after 5 s and after 30 s more;
/// the turns of others may add to it.
constexpr auto kNotBefore = 35s, kEndsWithin = 60s;

/// A body is its call's id, "welcome7": its word is the agent's name too.
class WordSource final : public Source {
 public:
  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override {
    CallEvent event;
    event.source = "bolna";
    event.call_id = request.body;
    event.agent_name = event.call_id.substr(0, event.call_id.find_first_of("0123456789"));
    event.received_at = request.received_at;
    event.status = CallStatus::kCompleted;
    if (event.agent_name == kBad) event.transcript = {{Role::kUser, std::string(kLongOfBad, 'x')}};
    return Normalized{std::move(event), std::string(request.body)};
  }
  std::span<const std::string_view> KeptHeaders() const override { return {}; }
};

/// One sink behind a Dispatcher whose clock the test moves.
class Mix {
 public:
  Mix(std::shared_ptr<Sink> sink, HttpClient& http)
      : dispatcher_(std::make_unique<Dispatcher>(journal_, journal_, http, clock_, metrics_)) {
    config::Problems problems;
    auto plan = std::make_shared<DeliveryPlan>();
    plan->composer = Composer::Compile({}, problems);
    plan->sources["bolna"] = std::make_shared<WordSource>();
    auto& lane = plan->lanes["ops"];
    lane.config.name = "ops";
    lane.config.rate_limit = config::Rate{10'000, 1s, 10'000};  // what is measured is no pace
    lane.config.retry = {{10s, 60s}, 24h};
    lane.config.timeout = 1h;  // the clock goes faster than a plugin's thread may
    lane.sink = std::move(sink);
    dispatcher_->Use(plan);
    EXPECT_TRUE(dispatcher_->Start());
  }

  /// Those of `words`, all at once; a bad one by a rule of its own.
  void Accept(const std::vector<std::string>& words) {
    std::vector<PendingDelivery> all;
    for (const std::string& word : words) {
      all.push_back(Store(word + std::to_string(++stored_), word == kBad ? "bad" : "good"));
      (word == kBad ? bad : good).insert(all.back().seq);
    }
    dispatcher_->Accept(nullptr, std::move(all));
  }
  /// Returns when nothing more happens unless time goes on: after a whole pass of the scheduler nothing is on its way.
  void Settle() {
    const auto until = std::chrono::steady_clock::now() + 20s;
    for (;;) {
      const std::uint64_t before = dispatcher_->Passes();
      while (dispatcher_->Passes() < before + 2 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
      const auto lanes = dispatcher_->Lanes();
      if (lanes.at(0).in_flight == 0) return;
      ASSERT_LT(std::chrono::steady_clock::now(), until) << lanes.at(0).in_flight << " do not come back";
    }
  }
  void Pass(std::chrono::milliseconds time) {
    clock_.Advance(time);
    passed += time;
    Settle();
  }
  std::size_t CountIn(DeliveryState state, const std::set<DeliverySeq>& among) const {
    return static_cast<std::size_t>(
        std::count_if(among.begin(), among.end(), [&](DeliverySeq seq) { return journal_.StateOf(seq) == state; }));
  }
  /// The records with which the bad ones ended, and how many attempts there were at each.
  std::vector<std::pair<AttemptRecord, int>> Endings() const {
    std::map<DeliverySeq, int> attempts;
    std::vector<std::pair<AttemptRecord, int>> endings;
    for (const AttemptRecord& record : journal_.Records()) {
      if (!bad.contains(record.delivery)) continue;
      if (record.number != 0) ++attempts[record.delivery];
      if (record.state == DeliveryState::kDead) endings.emplace_back(record, attempts[record.delivery]);
    }
    return endings;
  }

  std::set<DeliverySeq> good, bad;
  std::chrono::milliseconds passed{0};

 private:
  PendingDelivery Store(const std::string& body, const std::string& rule) {
    const NewDelivery wanted{.sink = "ops", .rule = rule, .template_name = {}};
    NewEvent event;
    event.source = "bolna";
    event.body = body;
    event.dedup = DigestOf(body);
    event.received_at = clock_.Wall();
    event.deliveries = std::span(&wanted, 1);
    const auto accepted = journal_.Append(event);
    return StoredDeliveries(event, *accepted).front();
  }

  FakeClock clock_;
  Metrics metrics_;
  MemoryJournal journal_;
  int stored_ = 0;
  std::unique_ptr<Dispatcher> dispatcher_;
};

/// Ninety and ten, in an order that `seed` gives.
std::vector<std::string> Mixed(unsigned seed) {
  std::vector<std::string> words(90, kGood);
  words.insert(words.end(), 10, kBad);
  std::shuffle(words.begin(), words.end(), std::mt19937(seed));
  return words;
}

/// The promise, where the destination takes what is good and refuses what is bad: because of the message itself, or for
/// a reason that could be that of others too.
void ExpectGoodOnesOutAndBadOnesEnded(std::shared_ptr<Sink> sink, HttpClient& http, const Answer& refusal,
                                      unsigned seed) {
  const About about = refusal.about;
  const std::string& code = refusal.code;
  Mix mix(std::move(sink), http);
  mix.Accept(Mixed(seed));
  mix.Settle();
  while (mix.passed < 2s && mix.CountIn(DeliveryState::kDelivered, mix.good) < 90) mix.Pass(50ms);
  EXPECT_EQ(mix.CountIn(DeliveryState::kDelivered, mix.good), 90u) << "out within two seconds";
  if (about != About::kMessage) {
    while (mix.passed < kEndsWithin && mix.CountIn(DeliveryState::kDead, mix.bad) < 10) {
      if (mix.passed % 5s < 1s) mix.Accept({kGood});
      mix.Pass(1s);
    }
    EXPECT_EQ(mix.CountIn(DeliveryState::kDelivered, mix.good), mix.good.size()) << "and later ones too";
    EXPECT_GE(mix.passed, kNotBefore) << "none ends for a short trouble of the other side";
  }
  const auto endings = mix.Endings();
  EXPECT_EQ(endings.size(), 10u) << "ended";
  for (const auto& [record, attempts] : endings) {
    const std::string& reason = record.outcome.reason;
    const bool by_place = record.outcome.code == "place_refused";
    EXPECT_TRUE(code.empty() || record.outcome.code == code || (by_place && about == About::kPlace))
        << record.outcome.code;
    EXPECT_FALSE(reason.empty());
    EXPECT_EQ(reason.find("again and again, while others got through") == std::string::npos, about == About::kMessage)
        << reason;
    EXPECT_LE(attempts, about == About::kMessage ? refusal.requests : 5);
  }
}

/// A service of the table, on this machine: what it answers to a bad one changes with each row.
class Services : public testing::TestWithParam<Service> {};

TEST_P(Services, RefuseTenOfAHundredWithoutDelayToTheOthers) {
  const Service& service = GetParam();
  Answer refusal = service.taken;
  Mutex mu;
  const auto server = fakes::HttpLoop::Start([&](const fakes::HttpRequest& request) {
    MutexLock lock(mu);
    const Answer& answer = request.body.find(kBad) != std::string_view::npos ? refusal : service.taken;
    fakes::HttpReply reply;
    reply.status = answer.status;
    reply.body = answer.body;
    return reply;
  });
  ASSERT_TRUE(server);
  const auto http = MakeCurlClient({});
  unsigned seed = 0;
  for (const Answer& answer : service.answers) {
    if (answer.about == About::kLater || seed++ % test::kOneIn != 0) continue;
    SCOPED_TRACE(std::to_string(answer.status) + " " + answer.body);
    {
      MutexLock lock(mu);
      refusal = answer;
    }
    auto sink = test::LoadSink(service.sink, service.At((*server)->Port()));
    ASSERT_TRUE(sink) << sink.error().message;
    ExpectGoodOnesOutAndBadOnesEnded(*sink, *http, answer, seed);
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Services, testing::ValuesIn(test::Services()),
                         [](const auto& info) { return info.param.name; });

TEST(MixedRefusals, OfABrokerHoldNoOtherEvent) {
  struct Row {
    std::optional<int> reason;  ///< of MQTT 5; empty: it drops the connection
    About about;
    const char* code;
  };
  const auto http = MakeCurlClient({});
  for (const Row& row : {Row{0x99, About::kMessage, "mqtt_153"}, Row{0x87, About::kPlace, "mqtt_135"},
                         Row{0x90, About::kPlace, "mqtt_144"}, Row{{}, About::kUnknown, "connection_dropped"}}) {
    SCOPED_TRACE(row.code);
    const test::ScriptedBroker broker(0, [&](const std::string& topic) {
      return topic.find(kBad) == std::string::npos ? std::optional(0) : row.reason;
    });
    auto sink = test::LoadSink("mqtt", R"({"server":")" + broker.Address() + R"(","topic":"calls/{agent}"})");
    ASSERT_TRUE(sink) << sink.error().message;
    ExpectGoodOnesOutAndBadOnesEnded(*sink, *http, {0, "", row.about, row.code}, 1);
  }
}

TEST(MixedRefusals, OfAMailServerHoldNoOtherMail) {
  struct Row {
    const char* verb;
    const char* reply;
    About about;
    const char* code;
  };
  const auto http = MakeCurlClient({});
  for (const Row& row : {Row{".", "554 5.7.1 looks like spam", About::kMessage, "smtp_554"},
                         Row{".", "552 5.3.4 too large", About::kMessage, "smtp_552"},
                         Row{"MAIL", "552 5.3.4 too large", About::kMessage, "smtp_552"},
                         Row{"DATA", "554 no", About::kUnknown, "smtp_554"}}) {
    SCOPED_TRACE(std::string(row.verb) + " " + row.reply);
    // Before it has read a mail it knows its size.
    const test::ScriptedMailServer server([&](const std::string& verb, const test::ScriptedMailServer::Said& said) {
      if (verb == "EHLO") return std::string("250-hello\r\n250 SIZE 1000000");
      const bool bad = said.size > kLongOfBad || said.mail.find(kBad) != std::string::npos;
      return verb == row.verb && bad ? row.reply : test::ScriptedMailServer::Usual(verb);
    });
    auto sink = test::LoadSink("email", R"({"server":")" + server.Address() +
                                            R"(","security":"none","from":"a@example.com","to":["b@example.com"]})");
    ASSERT_TRUE(sink) << sink.error().message;
    ExpectGoodOnesOutAndBadOnesEnded(*sink, *http, {0, "", row.about, row.code}, 1);
  }
}

TEST(MixedRefusals, OfADatabaseHoldNoOtherRow) {
  const test::Database database;
  const auto http = MakeCurlClient({});
  const std::vector<std::pair<std::string, About>> rows{
      {"22001", About::kMessage}, {"23514", About::kMessage}, {"54000", About::kMessage}, {"P0001", About::kUnknown}};
  for (const auto& [state, about] : rows) {
    SCOPED_TRACE(state);
    database.Query("DROP TABLE IF EXISTS hookswitch_events");
    auto sink = test::LoadSink("postgres", ToText(json::object{{"connection", database.Conninfo()}}));
    ASSERT_TRUE(sink) << sink.error().message;
    {
      Mix first(*sink, *http);  // makes the table
      first.Accept({kGood});
      first.Settle();
      ASSERT_EQ(first.CountIn(DeliveryState::kDelivered, first.good), 1u);
    }
    database.Query(
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "IF NEW.call_id LIKE '" +
        std::string(kBad) + "%' THEN RAISE EXCEPTION USING ERRCODE = '" + state +
        "', MESSAGE = 'no', CONSTRAINT = 'a_check'; END IF; RETURN NEW; END $$; "
        "CREATE TRIGGER refuse BEFORE INSERT ON hookswitch_events FOR EACH ROW EXECUTE FUNCTION refuse()");
    ExpectGoodOnesOutAndBadOnesEnded(*sink, *http, {0, "", about, "sqlstate_" + ToLower(state)}, 1);
  }
}

}  // namespace
}  // namespace hookswitch
