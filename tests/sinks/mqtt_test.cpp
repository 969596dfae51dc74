// The mqtt sink against Debian's mosquitto.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <mosquitto.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/json.h"
#include "tests/e2e/process.h"
#include "tests/http/raw_server.h"
#include "tests/http/tls_server.h"
#include "tests/sinks/free_port.h"
#include "tests/sinks/load_sink.h"
#include "tests/sinks/scripted_broker.h"

namespace hookswitch {
namespace {

using test::ScriptedBroker;
using testing::HasSubstr;

/// mosquitto with further lines of its config.
class Broker {
 public:
  explicit Broker(const std::string& lines = "allow_anonymous true\n", int port = 0) {
    // Another program may take a free port first.
    for (int tries = 0; tries < 5; ++tries) {
      port_ = port != 0 ? port : test::FreePort();
      e2e::WriteFile(dir_ / "mosquitto.conf", "user root\nlistener " + std::to_string(port_) + " 127.0.0.1\n" + lines);
      child_ = std::make_unique<e2e::Child>(
          std::vector<std::string>{"/usr/sbin/mosquitto", "-c", dir_ / "mosquitto.conf", "-v"});
      if (child_->WaitForLine("running", std::chrono::seconds(10))) return;
    }
    ADD_FAILURE() << "the broker did not start";
  }
  int Port() const { return port_; }
  std::string Address() const { return "localhost:" + std::to_string(port_); }
  void Stop() { child_.reset(); }

 private:
  e2e::TempDir dir_;
  int port_ = 0;
  std::unique_ptr<e2e::Child> child_;
};

struct Published {
  std::string topic, payload;
  int qos = -1;
  bool retained = false;
};

/// Hears everything that is published from its construction on.
class Subscriber {
 public:
  explicit Subscriber(const Broker& broker) : mosq_(mosquitto_new(nullptr, true, this)) {
    mosquitto_subscribe_callback_set(
        mosq_, [](mosquitto*, void* self, int, int, const int*) { static_cast<Subscriber*>(self)->ready_ = true; });
    mosquitto_message_callback_set(mosq_, [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Subscriber*>(self)->got_.push_back(
          {message->topic,
           {static_cast<const char*>(message->payload), static_cast<std::size_t>(message->payloadlen)},
           message->qos,
           message->retain});
    });
    EXPECT_EQ(mosquitto_connect(mosq_, "127.0.0.1", broker.Port(), 60), MOSQ_ERR_SUCCESS);
    mosquitto_subscribe(mosq_, nullptr, "#", 1);
    LoopUntil([this] { return ready_; });
  }
  ~Subscriber() { mosquitto_destroy(mosq_); }
  std::vector<Published> Await(std::size_t count) {
    LoopUntil([&] { return got_.size() >= count; });
    return got_;
  }

 private:
  template <class Done>
  void LoopUntil(Done done) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done() && std::chrono::steady_clock::now() < until) mosquitto_loop(mosq_, 100, 1);
  }
  mosquitto* mosq_;
  bool ready_ = false;
  std::vector<Published> got_;
};

class MqttSink : public testing::Test {
 protected:
  MqttSink() {
    event_.id = "01JD0000000000000000000000";
    event_.source = "bolna";
    event_.call_id = "call-1";
    event_.agent_name = "Maya / front+desk#";
  }
  std::shared_ptr<Sink> Make(const std::string& server, const json::object& more = {}) {
    json::object config{{"server", server}, {"topic", "calls/{source}/{agent}/{call_id}"}};
    for (const auto& [key, value] : more) config[key] = value;
    EXPECT_EQ(test::ProblemsOf("mqtt", ToText(config)), "");
    auto sink = test::LoadSink("mqtt", ToText(config));
    EXPECT_TRUE(sink) << sink.error().message;
    return sink ? *sink : nullptr;
  }
  Outcome Deliver(Sink& sink, std::chrono::milliseconds timeout = std::chrono::seconds(10)) {
    SinkDelivery delivery{event_, message_, "d-7f", "ops", "all", 1, 0, "", ""};
    delivery.raw_body = [] { return std::string("{\"raw\": true}"); };
    return sink.Deliver(delivery, timeout, [] { return false; });
  }
  Outcome Deliver(const std::string& server, const json::object& more = {}) { return Deliver(*Make(server, more)); }
  std::string CertificateFile() {
    e2e::WriteFile(dir_ / "cert.pem", certificate_.Pem() + certificate_.KeyPem());
    return dir_ / "cert.pem";
  }

  CallEvent event_;
  Message message_;
  e2e::TempDir dir_;
  Certificate certificate_ = Certificate::For("localhost");
};

TEST_F(MqttSink, PublishesTheEventAsJsonWithQos1) {
  const Broker broker;
  Subscriber subscriber(broker);
  auto sink = Make(broker.Address());
  for (int i = 0; i < 3; ++i) {
    const auto outcome = Deliver(*sink);
    ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
    EXPECT_EQ(outcome.reason, "");
  }
  const auto got = subscriber.Await(3);
  ASSERT_EQ(got.size(), 3U);
  EXPECT_EQ(got[0].topic, "calls/bolna/Maya _ front_desk_/call-1");
  EXPECT_EQ(got[0].qos, 1);
  EXPECT_FALSE(got[0].retained);
  EXPECT_EQ(json::parse(got[0].payload).at("call_id"), "call-1");
}

TEST_F(MqttSink, ACallCannotNameATopicOfTheBroker) {
  const Broker broker;
  Subscriber subscriber(broker);
  event_.agent_name = "$SYS";
  ASSERT_EQ(Deliver(broker.Address(), {{"topic", "{agent}/{status}"}}).kind, Outcome::Kind::kDelivered);
  const auto got = subscriber.Await(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].topic, "_SYS/unknown");
}

TEST_F(MqttSink, SpeaksTheOldVersionTooAndSendsTheRawBody) {
  const Broker broker;
  Subscriber subscriber(broker);
  ASSERT_EQ(Deliver(broker.Address(), {{"protocol", "3.1.1"}, {"body", "raw"}, {"topic", "raw"}}).kind,
            Outcome::Kind::kDelivered);
  const auto got = subscriber.Await(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].payload, "{\"raw\": true}");
}

TEST_F(MqttSink, RetainsWhereToldAndSaysThatNobodyListens) {
  const Broker broker;
  const auto outcome = Deliver(broker.Address(), {{"retain", true}, {"expire_after_s", 600}});
  ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered);
  EXPECT_EQ(outcome.reason, "the broker has no subscriber for the topic");
  Subscriber late(broker);
  const auto got = late.Await(1);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_TRUE(got[0].retained);
}

TEST_F(MqttSink, ABrokerThatHasRestartedIsConnectedToAgain) {
  Broker broker;
  auto sink = Make(broker.Address());
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  const int port = broker.Port();
  broker.Stop();
  const auto failed = Deliver(*sink);
  EXPECT_EQ(failed.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(failed.code, "connect_failed");
  const Broker again("allow_anonymous true\n", port);
  EXPECT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
}

TEST_F(MqttSink, ABrokerThatRestartsBetweenTwoEventsCostsNoAttempt) {
  Broker broker;
  auto sink = Make(broker.Address());
  ASSERT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
  const int port = broker.Port();
  broker.Stop();
  const Broker again("allow_anonymous true\n", port);
  EXPECT_EQ(Deliver(*sink).kind, Outcome::Kind::kDelivered);
}

TEST_F(MqttSink, AccountsAndTopicsAreChecked) {
  const std::string passwords = dir_ / "passwords", rights = dir_ / "rights";
  ASSERT_EQ(e2e::RunProgram({"/usr/bin/mosquitto_passwd", "-b", "-c", passwords, "calls", "s3cret"}).exit_code, 0);
  e2e::WriteFile(rights, "user calls\ntopic write ok/#\n");
  const Broker broker("allow_anonymous false\npassword_file " + passwords + "\nacl_file " + rights + "\n");
  EXPECT_EQ(Deliver(broker.Address(), {{"username", "calls"}, {"password", "s3cret"}, {"topic", "ok/a"}}).kind,
            Outcome::Kind::kDelivered);
  for (const char* protocol : {"5", "3.1.1"}) {
    const auto wrong = Deliver(broker.Address(), {{"username", "calls"}, {"password", "x"}, {"protocol", protocol}});
    EXPECT_EQ(wrong.kind, Outcome::Kind::kMisconfigured) << wrong.code;
    EXPECT_THAT(wrong.action, HasSubstr("username and password"));
  }
  const auto denied = Deliver(broker.Address(), {{"username", "calls"}, {"password", "s3cret"}, {"topic", "other"}});
  EXPECT_EQ(denied.kind, Outcome::Kind::kMisconfigured);
  EXPECT_EQ(denied.code, "mqtt_135");
}

TEST_F(MqttSink, AReasonIsAboutTheEventItsTopicOrTheSink) {
  using Kind = Outcome::Kind;
  using Scope = Outcome::Scope;
  struct Reason {
    bool connecting;
    int code;
    Kind kind;
    Scope scope;
  };
  std::vector<Reason> reasons;
  for (const int code : {0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C, 0x9C, 0x9D, 0x81, 0x82}) {
    reasons.push_back({true, code, Kind::kMisconfigured, Scope::kSink});
  }
  for (const int code : {0x80, 0x83, 0x88, 0x89, 0x97, 0x9F}) reasons.push_back({true, code, Kind::kRetry, {}});
  for (const int code : {0x87, 0x90}) reasons.push_back({false, code, Kind::kMisconfigured, Scope::kPlace});
  for (const int code : {0x80, 0x83, 0x91, 0x97}) reasons.push_back({false, code, Kind::kRetry, {}});
  reasons.push_back({false, 0x99, Kind::kRejected, {}});
  for (const Reason& reason : reasons) {
    SCOPED_TRACE((reason.connecting ? "CONNECT " : "PUBLISH ") + std::to_string(reason.code));
    const ScriptedBroker broker(reason.connecting ? reason.code : 0, [&](const auto&) { return reason.code; });
    const auto outcome = Deliver(broker.Address());
    EXPECT_EQ(ToString(outcome.kind), ToString(reason.kind)) << outcome.reason;
    EXPECT_EQ(outcome.code, "mqtt_" + std::to_string(reason.code));
    EXPECT_TRUE(outcome.scope == reason.scope);
    EXPECT_EQ(outcome.place, reason.scope == Scope::kPlace ? "calls/bolna/Maya _ front_desk_/call-1" : "");
  }
}

TEST_F(MqttSink, ABrokerThatDropsEachConnectionAtAPublicationDoesNotWantIt) {
  const ScriptedBroker broker(0, [](const auto&) { return std::nullopt; });
  const auto outcome = Deliver(broker.Address());
  EXPECT_EQ(outcome.kind, Outcome::Kind::kMisconfigured) << outcome.reason;
  EXPECT_EQ(outcome.code, "connection_dropped");
  EXPECT_TRUE(outcome.scope == Outcome::Scope::kUnknown) << "its size, or the right to the topic";
  EXPECT_TRUE(outcome.may_have_been_delivered);
  EXPECT_EQ(broker.connections(), 2) << "the first may have been an accident";
}

TEST_F(MqttSink, NoTopicHasACharacterThatBrokersRefuse) {
  const Broker broker;
  Subscriber subscriber(broker);
  std::size_t count = 0;
  const auto sink = Make(broker.Address(), {{"topic", "a/{agent}"}});
  for (const char* bad : {"\xEF\xBF\xBE", "\xEF\xBF\xBF", "\xEF\xB7\x90", "\xEF\xB7\xAF", "\xF0\x9F\xBF\xBE",
                          "\xC2\x85", "\x01", "\x7F", "+", "#", "/"}) {
    event_.agent_name = "x" + std::string(bad) + "\xC3\xBC";
    const auto outcome = Deliver(*sink);
    ASSERT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.code;
    EXPECT_EQ(subscriber.Await(++count).back().topic, "a/x_\xC3\xBC");
  }
}

TEST_F(MqttSink, EncryptsAndTrustsOnlyWhatItKnows) {
  const std::string file = CertificateFile();
  const Broker broker("allow_anonymous true\ncertfile " + file + "\nkeyfile " + file + "\n");
  EXPECT_EQ(Deliver(broker.Address(), {{"tls", true}, {"ca_file", file}}).kind, Outcome::Kind::kDelivered);
  const auto stranger = Deliver(broker.Address(), {{"tls", true}});
  EXPECT_EQ(stranger.kind, Outcome::Kind::kMisconfigured) << stranger.reason;
  EXPECT_EQ(stranger.code, "tls_failed");
  const auto other_name = Deliver("127.0.0.1:" + std::to_string(broker.Port()), {{"tls", true}, {"ca_file", file}});
  EXPECT_EQ(other_name.kind, Outcome::Kind::kMisconfigured) << other_name.reason;
}

TEST_F(MqttSink, WorksBesideAThousandOtherConnections) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit wanted{std::max<rlim_t>(before.rlim_cur, 2048), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &wanted), 0);
  std::vector<int> others;
  while (others.size() < 1100) others.push_back(::dup(0));
  const Broker broker;
  const auto outcome = Deliver(broker.Address());
  for (const int fd : others) ::close(fd);
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(outcome.kind, Outcome::Kind::kDelivered) << outcome.reason;
}

TEST_F(MqttSink, WhatTheBrokerFindsTooLargeIsRejected) {
  const Broker broker("allow_anonymous true\nmax_packet_size 400\n");
  event_.error = std::string(1000, 'x');
  EXPECT_EQ(Deliver(broker.Address()).kind, Outcome::Kind::kRejected);
}

TEST_F(MqttSink, ABrokerThatDoesNotAnswerIsGivenUpInTime) {
  RawServer silent([](RawConnection& connection) { connection.AwaitClose(); });
  auto sink = Make("127.0.0.1:" + std::to_string(silent.port()));
  const auto start = std::chrono::steady_clock::now();
  const auto outcome = Deliver(*sink, std::chrono::milliseconds(500));
  EXPECT_EQ(outcome.kind, Outcome::Kind::kRetry);
  EXPECT_EQ(outcome.code, "timeout");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(3));
}

TEST(MqttConfig, IsCheckedBeforeTheFirstEvent) {
  const auto problems = [](const json::object& more) {
    json::object config{{"server", "localhost"}, {"topic", "calls"}};
    for (const auto& [key, value] : more) config[key] = value;
    return test::ProblemsOf("mqtt", ToText(config));
  };
  EXPECT_EQ(problems({}), "");
  for (const char* topic : {"a/#", "a/+/b", "$SYS/x", "a/{agnt}", "a/{agent", "a\nb", "a\xEF\xBF\xBE", "a\xC2\x85"}) {
    EXPECT_THAT(problems({{"topic", topic}}), testing::StartsWith("/topic: topic ")) << topic;
  }
  EXPECT_THAT(problems({{"password", "x"}}), HasSubstr("needs username"));
  EXPECT_THAT(problems({{"ca_file", "/x"}}), HasSubstr("needs tls"));
  EXPECT_THAT(problems({{"expire_after_s", 5}, {"protocol", "3.1.1"}}), HasSubstr("needs protocol 5"));
}

}  // namespace
}  // namespace hookswitch
