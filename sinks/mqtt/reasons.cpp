#include "reasons.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>

namespace mqtt {
namespace {

/// What a rejection is about.
enum class About {
  kEvent,    ///< this event: its size or characters
  kTopic,    ///< its topic, or the account's permission for it
  kAccount,  ///< the credentials
  kBroker,   ///< the broker's abilities or address
  kLater,    ///< temporary: the same may pass later
};

constexpr int kAlways = 0, kConnecting = 1, kPublishing = 2;

struct Reason {
  int code, when;
  About about;
  std::string_view why, action;
};

constexpr std::string_view kCheckAccount = "check username and password, and that the account may publish to the topic";
constexpr std::string_view kOtherVersion = "set protocol to the other version";
constexpr std::string_view kNoAccount = "the account is wrong or may not do that";
constexpr std::string_view kUnreadable = "it cannot read the event or its topic";
constexpr std::string_view kOtherServer = "use another server";
constexpr std::string_view kTheNamedOne = "set server to the one that the broker's owner names";

// MQTT 5, 2.4 "Reason Code"; MQTT 3.1.1, 3.2.2.3 "Connect Return code" (those below 6). All others are temporary.
constexpr std::array kReasons = {
    Reason{1, kConnecting, About::kBroker, "it does not speak this version of MQTT", kOtherVersion},
    Reason{0x84, kConnecting, About::kBroker, "it does not speak this version of MQTT", kOtherVersion},
    Reason{2, kConnecting, About::kAccount, "it does not accept the client's name", "check client_id"},
    Reason{0x85, kConnecting, About::kAccount, "it does not accept the client's name", "check client_id"},
    Reason{4, kConnecting, About::kAccount, kNoAccount, kCheckAccount},
    Reason{5, kConnecting, About::kAccount, kNoAccount, kCheckAccount},
    Reason{0x86, kAlways, About::kAccount, kNoAccount, kCheckAccount},
    Reason{0x87, kConnecting, About::kAccount, kNoAccount, kCheckAccount},
    Reason{0x87, kPublishing, About::kTopic, kNoAccount, kCheckAccount},
    Reason{0x8A, kAlways, About::kAccount, "this client is banned", "ask who runs the broker"},
    Reason{0x8C, kAlways, About::kAccount, "it wants another way to authenticate", "ask who runs the broker"},
    Reason{0x90, kPublishing, About::kTopic, "it does not accept the topic", "check topic"},
    Reason{0x9A, kAlways, About::kBroker, "it keeps no messages", "set retain: false"},
    Reason{0x9B, kAlways, About::kBroker, "it does not offer QoS 1", "use another broker"},
    Reason{0x9C, kAlways, About::kBroker, kOtherServer, kTheNamedOne},
    Reason{0x9D, kAlways, About::kBroker, kOtherServer, kTheNamedOne},
    Reason{0x81, kConnecting, About::kBroker, "it cannot read what connects", kOtherVersion},
    Reason{0x82, kConnecting, About::kBroker, "it cannot read what connects", kOtherVersion},
    Reason{0x81, kPublishing, About::kEvent, kUnreadable, ""},
    Reason{0x82, kPublishing, About::kEvent, kUnreadable, ""},
    Reason{0x95, kAlways, About::kEvent, "the event is too large", ""},
    Reason{0x99, kAlways, About::kEvent, "it does not accept the payload's format", ""},
    Reason{0x8E, kAlways, About::kLater, "another client has taken over the connection",
           "give each client a client_id of its own"},
};

hsw::Outcome Refused(int reason, const std::string& topic) {
  const std::string code = "mqtt_" + std::to_string(reason);
  const int when = topic.empty() ? kConnecting : kPublishing;
  for (const Reason& known : kReasons) {
    if (known.code != reason || (known.when != kAlways && known.when != when)) continue;
    const std::string why = "the broker refuses: " + std::string(known.why), action(known.action);
    switch (known.about) {
      case About::kEvent: return hsw::Outcome::Rejected(code, why);
      case About::kTopic: return hsw::Outcome::Misconfigured(code, why, action).OfPlace(topic);
      case About::kAccount:
      case About::kBroker: return hsw::Outcome::Misconfigured(code, why, action).OfSink();
      case About::kLater: return hsw::Outcome::Retry(code, why).Action(action);
    }
  }
  return hsw::Outcome::Retry(
      code, "the broker refuses for now: reason " + std::to_string(reason) + ", " + mosquitto_reason_string(reason));
}

}  // namespace

hsw::Outcome Failed(const Answer& answer, const std::string& topic) {
  const bool connecting = topic.empty();
  if (answer.reason && *answer.reason != 0) return Refused(*answer.reason, topic);
  const auto retry = [&](const char* code, const std::string& reason) {
    auto outcome = hsw::Outcome::Retry(code, reason);
    if (answer.was_sent) outcome.MaybeDelivered();
    return outcome;
  };
  if (answer.canceled) return retry("canceled", "hookswitch was stopping");
  if (answer.timed_out) return retry("timeout", "the broker did not answer in time");
  switch (answer.error) {
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_PAYLOAD_SIZE: return hsw::Outcome::Rejected("too_large", "the event is larger than the broker takes");
    case MOSQ_ERR_TLS:
      return hsw::Outcome::Misconfigured("tls_failed", "no secure connection to the broker could be made",
                                         "check server's name and port, and ca_file: the broker's certificate must be "
                                         "signed by an authority that is trusted")
          .OfSink();
    case MOSQ_ERR_INVAL:
    case MOSQ_ERR_MALFORMED_UTF8:
      if (!connecting) return hsw::Outcome::Rejected("bad_topic", "no broker takes the topic that the event makes");
      return hsw::Outcome::Misconfigured("bad_settings", "libmosquitto does not accept the settings",
                                         "check server and ca_file")
          .OfSink();
    case MOSQ_ERR_EAI: return retry("dns_failed", "the broker's name was not found");
    case MOSQ_ERR_ERRNO:
      return retry("connect_failed", std::string("no connection to the broker: ") + std::strerror(errno));
    default: break;
  }
  return retry(connecting ? "connect_failed" : "connection_lost",
               std::string("no connection to the broker: ") + mosquitto_strerror(answer.error));
}

hsw::Outcome Dropped(const std::string& topic) {
  return hsw::Outcome::Misconfigured(
             "connection_dropped", "the broker takes connections and drops each at the publication to " + topic,
             "check that the account may publish to the topic, and the largest packet that the broker takes")
      .MaybeDelivered();
}

}  // namespace mqtt
