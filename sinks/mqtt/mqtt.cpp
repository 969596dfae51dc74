#include <charconv>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "client.h"
#include "hookswitch/sink.hpp"
#include "reasons.h"
#include "topic.h"

namespace mqtt {

// Well below the keep-alive, after which the broker drops the connection.
constexpr std::chrono::seconds kIdle{45};
constexpr int kMostDropped = 2;

/// Publishes each event to an MQTT broker with QoS 1.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host)
      : topic_(config.String("topic")),
        raw_(config.String("body") == "raw"),
        retain_(config.Bool("retain")),
        expire_s_(static_cast<std::uint32_t>(config.Int("expire_after_s"))) {
    server_.tls = config.Bool("tls");
    server_.host = config.String("server");
    server_.port = server_.tls ? 8883 : 1883;
    if (const auto colon = server_.host.rfind(':'); colon != std::string::npos && server_.host.back() != ']') {
      std::from_chars(server_.host.data() + colon + 1, server_.host.data() + server_.host.size(), server_.port);
      server_.host.resize(colon);
    }
    if (server_.host.starts_with('[')) server_.host = server_.host.substr(1, server_.host.size() - 2);
    server_.ca_file = config.String("ca_file");
    server_.username = config.String("username");
    server_.password = config.String("password");
    server_.client_id = config.String("client_id");
    server_.version5 = config.String("protocol", "5") == "5";
    mosquitto_lib_init();
  }
  ~Sink() {
    client_.reset();
    mosquitto_lib_cleanup();
  }
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;

  static void Check(const hsw::Config& config, hsw::Report& report) {
    if (const auto problem = ProblemWithTopic(config.String("topic")); !problem.empty()) {
      report("/topic", "topic " + problem);
    }
    if (config.Find("password") && !config.Find("username")) report("/password", "password needs username");
    if (config.Find("ca_file") && !config.Bool("tls")) report("/ca_file", "ca_file needs tls: true");
    if (config.Int("expire_after_s") > 0 && config.String("protocol", "5") != "5") {
      report("/expire_after_s", "expire_after_s needs protocol 5");
    }
  }

  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery& delivery) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(call.TimeoutMs()) - std::chrono::milliseconds(50);
    const auto canceled = [&call] { return call.Canceled(); };
    if (client_ && Clock::now() - client_->used() > kIdle) client_.reset();
    const std::string topic = TopicFor(topic_, delivery);
    const auto body = raw_ ? delivery.RawBody() : delivery.EventJson();
    if (!body) return hsw::Outcome::Retry("no_raw_body", "the platform's body could not be read now");
    for (int dropped = 0;;) {
      const bool was_open = client_ != nullptr;
      Answer answer;
      if (!client_) {
        client_ = std::make_unique<Client>(server_, deadline, canceled, answer);
        if (!client_->Connected()) {
          client_.reset();
          return Failed(answer, "");
        }
      }
      answer =
          client_->Publish(topic, *body, !raw_, retain_, expire_s_, std::string(delivery.Id()), deadline, canceled);
      if (answer.reason && *answer.reason < 0x80) {
        auto outcome = hsw::Outcome::Delivered();
        if (*answer.reason == kNoSubscribers) outcome.Reason("the broker has no subscriber for the topic");
        return outcome;
      }
      // Drop the connection, or libmosquitto would resend the unacknowledged publication by itself.
      if (!answer.reason || answer.error != MOSQ_ERR_SUCCESS) client_.reset();
      const bool ends =
          answer.error == MOSQ_ERR_CONN_LOST || answer.error == MOSQ_ERR_NO_CONN || answer.error == MOSQ_ERR_ERRNO;
      if (answer.reason || answer.timed_out || answer.canceled || !ends) return Failed(answer, topic);
      // The broker may have restarted since the last use. If it accepts new connections but drops each at this
      // publication, it rejects the publication.
      if (!was_open && ++dropped == kMostDropped) return Dropped(topic);
    }
  }

  void Preview(const hsw::Delivery& delivery, hsw::Request& request) const {
    request.Url((server_.tls ? "mqtts://" : "mqtt://") + server_.host + ":" + std::to_string(server_.port) + " " +
                TopicFor(topic_, delivery));
    request.Body(raw_ ? delivery.RawBody().value_or("(what the platform posted)") : delivery.EventJson());
  }

 private:
  Server server_;
  const std::string topic_;
  const bool raw_, retain_;
  const std::uint32_t expire_s_;
  std::unique_ptr<Client> client_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["server", "topic"],
  "properties": {
    "server": {"type": "string", "pattern": "^([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$", "description": "The broker: host, or host:port. Without a port 1883, with tls 8883."},
    "topic": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "Where to publish. {agent}, {status}, {source} and {call_id} become the call's."},
    "tls": {"type": "boolean", "default": false, "description": "Encrypt the connection."},
    "ca_file": {"type": "string", "minLength": 1, "description": "PEM certificates to trust instead of the system's."},
    "username": {"type": "string", "minLength": 1, "maxLength": 1000, "description": "The account, where the broker asks for one."},
    "password": {"type": "string", "minLength": 1, "maxLength": 1000, "x-secret": true, "examples": ["example-secret"], "description": "Its password."},
    "client_id": {"type": "string", "minLength": 1, "maxLength": 200, "description": "What the connection calls itself; one at a time may. Without it a random one."},
    "body": {"type": "string", "enum": ["event", "raw"], "default": "event", "description": "event: the normalized event as JSON; raw: what the platform posted."},
    "retain": {"type": "boolean", "default": false, "description": "The broker keeps the newest of each topic for those who subscribe later."},
    "expire_after_s": {"type": "integer", "minimum": 1, "maximum": 4000000000, "description": "The broker drops it when nobody has fetched it for so many seconds."},
    "protocol": {"type": "string", "enum": ["5", "3.1.1"], "default": "5", "description": "MQTT's version, in quotes. A 3.1.1 broker does not say why it refuses, or that it does."}
  }
})";

}  // namespace mqtt

HSW_CALL_SINK(mqtt::Sink, "mqtt", "1.0.0", "MQTT: publishes events as JSON with QoS 1", mqtt::kSchema, .concurrency = 1)
