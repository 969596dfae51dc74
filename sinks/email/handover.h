#pragma once
#include <curl/curl.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "replies.h"

namespace email {

/// Mail server and account.
struct Server {
  std::string url;  ///< "smtp://mail.example.com:587/what.we.say.in.EHLO"
  bool encrypted = true;
  std::string ca_file, username, password;
};

/// A complete mail.
struct Letter {
  std::string from;
  std::vector<std::string> to, headers;
  std::string text, html;
};

/// Result of handing a mail over.
struct Handed {
  Talk talk;
  std::optional<CURLcode> code;  ///< libcurl's code; empty on timeout
  std::string error;             ///< libcurl's message, or what it timed out waiting for
  bool body_sent = false;        ///< the server may have the whole mail
};

/// The outcome for a mail that was not accepted.
hsw::Outcome Failed(const Handed& handed);

/// One mail in transfer to a server, on its own thread. Each step has SMTP's timeout, which may be much longer than a
/// delivery's: ten minutes for the reply to the mail itself (RFC 5321, 4.5.3.2). Giving up earlier would send a mail
/// again that the server is about to accept, so callers may stop waiting and come back later.
class Handover {
 public:
  using Clock = std::chrono::steady_clock;

  Handover(const Server& server, Letter letter);
  /// Drops the connection; returns soon.
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// Blocks until it has ended, until `until`, or until `canceled`. True if it has ended. [any]
  bool Await(Clock::time_point until, const std::function<bool()>& canceled) const;
  bool HasEnded() const {
    return Await(Clock::time_point::min(), [] { return false; });
  }  ///< [any]
  /// The result; only after it has ended. [any]
  const Handed& Result() const { return handed_; }

  struct Doing {
    std::string waits_for;  ///< "a reply to RCPT"
    bool body_sent = false;
  };
  /// Its progress; only before it has ended. [any]
  Doing Now() const;

 private:
  void Run();
  void Drive(CURL* curl);
  void Stop();
  bool IsLate();
  bool IsConnecting() const;
  void IsActive();
  static int OnSaid(CURL* curl, curl_infotype type, char* data, std::size_t size, void* self);
  static int OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent);
  static curl_socket_t OnOpen(void* self, curlsocktype purpose, curl_sockaddr* address);
  static int OnClose(void* self, curl_socket_t socket);

  const Server server_;
  const Letter letter_;
  // Own thread only, until it has ended.
  CURL* curl_ = nullptr;
  Handed handed_;
  Clock::time_point active_ = Clock::now();  ///< last time that something was sent or received
  curl_off_t sent_ = 0;
  bool was_connecting_ = true;
  std::string late_;

  std::atomic<bool> stop_ = false;
  mutable std::mutex mu_;  ///< guards the following members
  mutable std::condition_variable changed_;
  bool ended_ = false;
  Doing doing_{"a connection", false};
  std::vector<curl_socket_t> sockets_;

  std::thread thread_;
};

}  // namespace email
