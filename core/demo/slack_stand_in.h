#pragma once
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/base/result.h"

namespace hookswitch::demo {

/// Stands in for Slack's incoming webhooks on a free port of 127.0.0.1: takes every message that is JSON, and asks for
/// a pause when it is told to.
class SlackStandIn {
 public:
  struct Request {
    std::string channel;  ///< that of the URL
    json::value message;  ///< null if `status` is not 200
    int status = 200;     ///< what is answered
    int retry_after = 0;  ///< seconds, with 429
  };
  /// [thread: server] Called for each request before it is answered. Must not block.
  using OnRequest = std::function<void(Request request)>;

  /// Errors: those of HttpServer::Start.
  static Result<std::unique_ptr<SlackStandIn>> Start(OnRequest on_request);
  virtual ~SlackStandIn() = default;

  // [thread: any]
  /// A webhook for messages to `channel` (letters, digits, '-').
  virtual std::string Url(std::string_view channel) const = 0;
  /// Answers the next request 429, with a Retry-After of so many seconds.
  virtual void AskForPause(int seconds) = 0;
};

}  // namespace hookswitch::demo
