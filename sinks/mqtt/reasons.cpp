#include "reasons.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace mqtt {
namespace {

constexpr const char* kCheckAccount = "check username and password, and that the account may publish to the topic";

// MQTT 5, 2.4 "Reason Code"; MQTT 3.1.1, 3.2.2.3 "Connect Return code" (those below 6).
hsw::Outcome Refused(int reason, bool connecting) {
  const std::string code = "mqtt_" + std::to_string(reason);
  const auto misconfigured = [&](const char* why, const char* action) {
    return hsw::Outcome::Misconfigured(code, std::string("the broker refuses: ") + why, action);
  };
  if (connecting && (reason == 1 || reason == 0x84)) {
    return misconfigured("it does not speak this version of MQTT", "set protocol to the other version");
  }
  if (connecting && (reason == 2 || reason == 0x85)) {
    return misconfigured("it does not accept the client's name", "check client_id");
  }
  if (reason == 0x87 || reason == 0x86 || (connecting && (reason == 4 || reason == 5))) {
    return misconfigured("the account is wrong or may not do that", kCheckAccount);
  }
  switch (reason) {
    case 0x8A: return misconfigured("this client is banned", "ask who runs the broker");
    case 0x8C: return misconfigured("it wants another way to authenticate", "ask who runs the broker");
    case 0x90: return misconfigured("it does not accept the topic", "check topic");
    case 0x9A: return misconfigured("it keeps no messages", "set retain: false");
    case 0x9B: return misconfigured("it does not offer QoS 1", "use another broker");
    case 0x9C:
    case 0x9D: return misconfigured("use another server", "set server to the one that the broker's owner names");
    case 0x95: return hsw::Outcome::Rejected(code, "the broker finds the event too large");
    case 0x99: return hsw::Outcome::Rejected(code, "the broker does not accept the payload's format");
    default: break;
  }
  return hsw::Outcome::Retry(
      code, "the broker refuses for now: reason " + std::to_string(reason) + ", " + mosquitto_reason_string(reason));
}

}  // namespace

hsw::Outcome Failed(const Answer& answer, bool connecting) {
  if (answer.reason && *answer.reason != 0) return Refused(*answer.reason, connecting);
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
                                         "signed by an authority that is trusted");
    case MOSQ_ERR_INVAL:
      return hsw::Outcome::Misconfigured("bad_settings", "libmosquitto does not accept the settings",
                                         "check server and ca_file");
    case MOSQ_ERR_EAI: return retry("dns_failed", "the broker's name was not found");
    case MOSQ_ERR_ERRNO:
      return retry("connect_failed", std::string("no connection to the broker: ") + std::strerror(errno));
    default: break;
  }
  return retry(connecting ? "connect_failed" : "connection_lost",
               std::string("no connection to the broker: ") + mosquitto_strerror(answer.error));
}

}  // namespace mqtt
