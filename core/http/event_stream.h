#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <string_view>

#include "core/event/outcome.h"
#include "core/http/http_client.h"

namespace hookswitch {

/// Reads a stream of server-sent events (text/event-stream of the HTML standard), in pieces of any size.
class EventStreamParser {
 public:
  struct Message {
    std::string event = "message";
    std::string data;  ///< several lines are joined with '\n'
  };
  /// False ends the stream.
  using Take = std::function<bool(const Message&)>;

  /// Calls `take` for each message that is complete now. False: `take` ended the stream, or a line does not end within
  /// kMostLine bytes. A message without data is none.
  bool Read(std::string_view piece, const Take& take);
  /// Forgets a message that has only begun, as after a connection that was lost; keeps the id.
  void BeginAgain();
  /// The newest id, to resume from; "" if there was none.
  const std::string& last_id() const { return last_id_; }

  static constexpr std::size_t kMostLine = 16 << 20;

 private:
  bool ReadLine(std::string_view line, const Take& take);

  std::string line_;  ///< the one that is being read
  Message message_;
  std::string id_;  ///< of `message_`
  std::string last_id_;
  bool has_data_ = false;
  bool after_cr_ = false;  ///< the last line ended with CR: an LF that follows belongs to it
  bool at_start_ = true;
};

/// Receives the body of a response piece by piece, as long as it lasts: for streams that do not end by themselves.
/// `take` gets the pieces of a 200's body, and ends the exchange with false; any other response is returned with its
/// body.
///
/// Error "timeout": nothing came for `silence`, or no connection. No redirects. Blocks; `take` runs on this thread.
HttpResult ReceiveStream(const HttpClientOptions& options, HttpRequest request, std::chrono::seconds silence,
                         const std::function<bool(std::string_view piece)>& take);

}  // namespace hookswitch
