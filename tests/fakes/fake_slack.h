#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/json.h"
#include "core/base/result.h"

namespace hookswitch::fakes {

/// How the stand-in answers from now on.
struct SlackBehaviour {
  enum class Mode {
    kOk,           ///< posts what Slack would post, refuses what Slack would refuse
    kSlow,         ///< kOk after `delay`
    kRateLimited,  ///< 429 with Retry-After
    kStatus,       ///< `status` and `word`
    kDrop,         ///< resets the connection; the message is not posted
    kDropAfter,    ///< posts the message, then resets the connection instead of answering
    kHang,         ///< never answers; the message is not posted
    kEndless,      ///< posts the message, then answers 200 with a body that never ends: `word` again each `delay`
  };
  Mode mode = Mode::kOk;
  std::chrono::milliseconds delay{0};
  int status = 500;
  std::string word = "rollup_error";
  std::string retry_after = "1";  ///< the header's value; "" leaves the header out
  int times = 0;                  ///< after so many requests back to kOk; 0: until told otherwise
  double per_second = 0;          ///< messages a second and path that are let through, one at once; 0: no limit
};

/// A stand-in for Slack's incoming webhooks: checks each message against Slack's limits (slack_rules.h), answers in
/// Slack's words, remembers what it was sent. Safe from any thread.
///
/// Message paths: /services/T…/B…/…, /workflows/…, /triggers/…. The same can be done over HTTP:
///   POST /_control {"mode": "ok|slow|rate_limited|status|drop|drop_after|hang|endless", "path", "delay_ms", "status",
///   "word",
///                   "retry_after", "times", "per_second"}      absent keys take their defaults
///   GET /_messages (posted; ?all=1 every request), GET /_stats, POST /_reset (forgets messages and behaviours)
class FakeSlack {
 public:
  struct Request {
    std::string path;
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::chrono::system_clock::time_point received;
    std::chrono::steady_clock::time_point received_mono;
    int answered = 0;     ///< status; 0 if no whole answer was sent
    bool posted = false;  ///< a person would see the message
    std::string problem;  ///< why it was refused (CheckSlackRequest), or ""
  };
  struct Options {
    std::uint16_t port = 0;                          ///< 0 picks a free one
    std::size_t keep = 1'000'000;                    ///< requests remembered; older ones are forgotten
    std::function<void(const Request&)> on_request;  ///< called for each, on the server's thread
    /// Why a message is refused although it is within Slack's limits: as CheckSlackRequest says it, "" if it is not. On
    /// the server's thread.
    std::function<std::string(const Request&)> refuses = {};
  };

  /// Starts on 127.0.0.1. Errors: kUnavailable (the port cannot be bound).
  static Result<std::unique_ptr<FakeSlack>> Start(Options options);
  /// Starts on a free port; ends the process if there is none.
  FakeSlack();
  ~FakeSlack();

  std::uint16_t Port() const;
  /// "http://127.0.0.1:PORT" and `path`.
  std::string Url(std::string_view path = "/services/T0/B0/x1") const;

  /// For every path without a behaviour of its own, or for one path.
  void Behave(SlackBehaviour behaviour);
  void Behave(std::string_view path, SlackBehaviour behaviour);
  /// Refuses connections until ComeBack.
  void GoDown();
  void ComeBack();
  /// Forgets messages and behaviours.
  void Reset();

  /// The messages that were posted, in order; only those to `path` if it is given.
  std::vector<Request> Posted(std::string_view path = {}) const;
  /// Every request to a message path, refused ones too.
  std::vector<Request> Requests() const;
  std::size_t PostedCount() const;
  std::size_t RequestCount() const;
  /// Waits until that many messages are posted, requests are seen; false if `timeout` passes first.
  [[nodiscard]] bool WaitForPosted(std::size_t count,
                                   std::chrono::milliseconds timeout = std::chrono::seconds(20)) const;
  [[nodiscard]] bool WaitForRequests(std::size_t count,
                                     std::chrono::milliseconds timeout = std::chrono::seconds(20)) const;

 private:
  struct Impl;
  explicit FakeSlack(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookswitch::fakes
