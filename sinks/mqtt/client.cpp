#include "client.h"

#include <mqtt_protocol.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <new>

namespace mqtt {
namespace {

constexpr int kKeepAliveSeconds = 120;
// Longest wait for the socket, and so for a cancellation.
constexpr auto kLook = std::chrono::milliseconds(100);

struct Properties {
  mosquitto_property* list = nullptr;
  ~Properties() { mosquitto_property_free_all(&list); }
};

}  // namespace

Client::Client(const Server& server, Clock::time_point deadline, const std::function<bool()>& canceled, Answer& answer)
    : mosq_(mosquitto_new(server.client_id.empty() ? nullptr : server.client_id.c_str(), true, this)),
      version5_(server.version5) {
  if (!mosq_) throw std::bad_alloc();
  mosquitto_int_option(mosq_, MOSQ_OPT_PROTOCOL_VERSION, version5_ ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
  if (!server.username.empty()) {
    mosquitto_username_pw_set(mosq_, server.username.c_str(),
                              server.password.empty() ? nullptr : server.password.c_str());
  }
  if (server.tls) {
    // Without a file: the system's CAs, as in every other sink.
    answer.error = mosquitto_tls_set(mosq_, server.ca_file.empty() ? nullptr : server.ca_file.c_str(),
                                     server.ca_file.empty() ? "/etc/ssl/certs" : nullptr, nullptr, nullptr, nullptr);
    if (answer.error != MOSQ_ERR_SUCCESS) return;
    mosquitto_tls_opts_set(mosq_, 1, "tlsv1.2", nullptr);
  }
  mosquitto_connect_v5_callback_set(
      mosq_, [](mosquitto*, void* self, int reason, int, const mosquitto_property*) { Self(self)->connack_ = reason; });
  mosquitto_disconnect_v5_callback_set(
      mosq_, [](mosquitto*, void* self, int reason, const mosquitto_property*) { Self(self)->disconnect_ = reason; });
  mosquitto_publish_v5_callback_set(mosq_,
                                    [](mosquitto*, void* self, int message, int reason, const mosquitto_property*) {
                                      if (message == Self(self)->message_) Self(self)->puback_ = reason;
                                    });
  answer.error = mosquitto_connect_async(mosq_, server.host.c_str(), server.port, kKeepAliveSeconds);
  if (answer.error != MOSQ_ERR_SUCCESS) return;
  if (!Work([this] { return connack_.has_value(); }, deadline, canceled, answer) && !connack_) return;
  answer.reason = connack_;
  connected_ = connack_ == 0;
  used_ = Clock::now();
}

Client::~Client() {
  if (connected_) {
    mosquitto_disconnect(mosq_);
    Loop(std::chrono::milliseconds(0));
  }
  mosquitto_destroy(mosq_);
}

// Like mosquitto_loop, but with poll: select is limited to 1,024 descriptors, and a router may have more.
int Client::Loop(std::chrono::milliseconds look) {
  const int socket = mosquitto_socket(mosq_);
  if (socket < 0) return MOSQ_ERR_NO_CONN;
  pollfd polled{socket, static_cast<short>(mosquitto_want_write(mosq_) ? POLLIN | POLLOUT : POLLIN), 0};
  const int ready = ::poll(&polled, 1, static_cast<int>(look.count()));
  if (ready < 0) return errno == EINTR ? MOSQ_ERR_SUCCESS : MOSQ_ERR_ERRNO;
  int error = MOSQ_ERR_SUCCESS;
  if (polled.revents & ~POLLOUT) error = mosquitto_loop_read(mosq_, 1);
  if (error == MOSQ_ERR_SUCCESS && (polled.revents & POLLOUT)) error = mosquitto_loop_write(mosq_, 1);
  return error == MOSQ_ERR_SUCCESS ? mosquitto_loop_misc(mosq_) : error;
}

bool Client::Work(const std::function<bool()>& done, Clock::time_point deadline, const std::function<bool()>& canceled,
                  Answer& answer) {
  while (!done()) {
    const auto now = Clock::now();
    answer.timed_out = now >= deadline;
    answer.canceled = canceled();
    if (answer.timed_out || answer.canceled) return false;
    answer.error = Loop(std::min(std::chrono::ceil<std::chrono::milliseconds>(deadline - now), kLook));
    if (answer.error != MOSQ_ERR_SUCCESS && !done()) {
      if (disconnect_ && *disconnect_ > 0x80) answer.reason = disconnect_;
      return false;
    }
  }
  answer.error = MOSQ_ERR_SUCCESS;
  return true;
}

Answer Client::Publish(const std::string& topic, std::string_view payload, bool is_text, bool retain,
                       std::uint32_t expire_s, const std::string& id, Clock::time_point deadline,
                       const std::function<bool()>& canceled) {
  Answer answer;
  puback_.reset();
  Properties properties;
  if (version5_) {
    if (is_text) mosquitto_property_add_byte(&properties.list, MQTT_PROP_PAYLOAD_FORMAT_INDICATOR, 1);
    mosquitto_property_add_string(&properties.list, MQTT_PROP_CONTENT_TYPE, "application/json");
    mosquitto_property_add_string_pair(&properties.list, MQTT_PROP_USER_PROPERTY, "delivery", id.c_str());
    if (expire_s > 0) {
      mosquitto_property_add_int32(&properties.list, MQTT_PROP_MESSAGE_EXPIRY_INTERVAL, expire_s);
    }
  }
  answer.error = mosquitto_publish_v5(mosq_, &message_, topic.c_str(), static_cast<int>(payload.size()), payload.data(),
                                      1, retain, properties.list);
  if (answer.error != MOSQ_ERR_SUCCESS) return answer;
  answer.was_sent = true;
  if (Work([this] { return puback_.has_value(); }, deadline, canceled, answer)) answer.reason = puback_;
  used_ = Clock::now();
  return answer;
}

}  // namespace mqtt
