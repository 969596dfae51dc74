#pragma once
#include <mosquitto.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace mqtt {

using Clock = std::chrono::steady_clock;

struct Server {
  std::string host;
  int port = 1883;
  bool tls = false;
  std::string ca_file, username, password, client_id;
  bool version5 = true;  ///< else 3.1.1
};

/// Result of connecting or publishing.
struct Answer {
  int error = MOSQ_ERR_SUCCESS;  ///< libmosquitto's code for local errors
  std::optional<int> reason;     ///< the broker's reason code; 0: success
  bool timed_out = false, canceled = false;
  bool was_sent = false;  ///< the broker may have received the publication
};

/// One connection to a broker, driven by its caller, without its own thread. Nothing keeps it alive between
/// publications, so it records its last use.
class Client {
 public:
  /// Connects, at most until `deadline`; then check Connected() and, on failure, `answer`.
  Client(const Server& server, Clock::time_point deadline, const std::function<bool()>& canceled, Answer& answer);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  bool Connected() const { return connected_; }
  Clock::time_point used() const { return used_; }
  /// Publishes with QoS 1 and blocks until the broker's acknowledgement. `is_text`: the payload is UTF-8.
  Answer Publish(const std::string& topic, std::string_view payload, bool is_text, bool retain, std::uint32_t expire_s,
                 const std::string& id, Clock::time_point deadline, const std::function<bool()>& canceled);

 private:
  /// Runs the connection until `done`; false on failure, with the reason in `answer`.
  bool Work(const std::function<bool()>& done, Clock::time_point deadline, const std::function<bool()>& canceled,
            Answer& answer);
  /// Polls the socket once and handles what is ready; returns libmosquitto's error.
  int Loop(std::chrono::milliseconds look);
  static Client* Self(void* self) { return static_cast<Client*>(self); }

  mosquitto* mosq_ = nullptr;
  const bool version5_;
  bool connected_ = false;
  std::optional<int> connack_, disconnect_;
  int message_ = 0;
  std::optional<int> puback_;
  Clock::time_point used_{};
};

}  // namespace mqtt
