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

/// Where mails are handed over, and who does it.
struct Server {
  std::string url;  ///< "smtp://mail.example.com:587/what.we.say.in.EHLO"
  bool encrypted = true;
  std::string ca_file, username, password;
};

/// A mail, whole.
struct Letter {
  std::string from;
  std::vector<std::string> to, headers;
  std::string text, html;
};

/// What came of handing a mail over.
struct Handed {
  Talk talk;
  std::optional<CURLcode> code;  ///< libcurl's; none where time was up
  std::string error;             ///< what libcurl says of it, or what was waited for in vain
  bool body_sent = false;        ///< the server may have all of the mail
};

/// What a mail that was not taken means.
hsw::Outcome Failed(const Handed& handed);

/// One mail on its way to a server, on a thread of its own. It gives each step the time that SMTP gives it, which may
/// be much longer than a delivery wants to wait: ten minutes for the reply to the mail itself (RFC 5321, 4.5.3.2).
/// Giving up earlier would send the mail again that the server is about to take. So whoever waits may come back.
class Handover {
 public:
  using Clock = std::chrono::steady_clock;

  Handover(const Server& server, Letter letter);
  /// Drops the connection where it is, which does not take long.
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// Waits until it has ended, `until` has come or `canceled` says so. True if it has ended. [any]
  bool Await(Clock::time_point until, const std::function<bool()>& canceled) const;
  bool HasEnded() const {
    return Await(Clock::time_point::min(), [] { return false; });
  }  ///< [any]
  /// What came of it. Only when it has ended. [any]
  const Handed& Result() const { return handed_; }

  struct Doing {
    std::string waits_for;  ///< "a reply to RCPT"
    bool body_sent = false;
  };
  /// What it is doing while it has not ended. [any]
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
  // Of the thread alone until it has ended.
  CURL* curl_ = nullptr;
  Handed handed_;
  Clock::time_point active_ = Clock::now();  ///< when something was sent or received last
  curl_off_t sent_ = 0;
  bool was_connecting_ = true;
  std::string late_;

  std::atomic<bool> stop_ = false;
  mutable std::mutex mu_;  ///< guards what follows
  mutable std::condition_variable changed_;
  bool ended_ = false;
  Doing doing_{"a connection", false};
  std::vector<curl_socket_t> sockets_;

  std::thread thread_;
};

}  // namespace email
