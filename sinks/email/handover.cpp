#include "handover.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>
#include <stdexcept>
#include <utility>

namespace email {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

// Longest wait for the socket, and so for a shutdown.
constexpr milliseconds kLook{100};
constexpr seconds kConnect{30}, kGoodbye{1};
// RFC 5321, 4.5.3.2: 5 minutes for the greeting, MAIL and RCPT, 2 for DATA, 10 for the reply to the mail.
constexpr minutes kReply{5}, kData{2}, kMail{10};

struct Free {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
using Easy = std::unique_ptr<CURL, Free>;
using List = std::unique_ptr<curl_slist, Free>;
using Mime = std::unique_ptr<curl_mime, Free>;

struct FreeMulti {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

void Check(CURLcode code) {
  if (code != CURLE_OK) throw std::runtime_error("libcurl refuses an option");
}

List ListOf(const std::vector<std::string>& lines) {
  List list;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (!longer) throw std::bad_alloc();
    (void)list.release();
    list.reset(longer);
  }
  return list;
}

Mime BodyOf(CURL* curl, const Letter& letter) {
  const auto add = [&](curl_mime* to, const std::string& text, const char* type) {
    curl_mimepart* part = curl_mime_addpart(to);
    Check(curl_mime_data(part, text.data(), text.size()));
    Check(curl_mime_type(part, type));
    Check(curl_mime_encoder(part, "base64"));
  };
  Mime both(curl_mime_init(curl));
  add(both.get(), letter.text, "text/plain; charset=utf-8");
  add(both.get(), letter.html, "text/html; charset=utf-8");
  Mime mime(curl_mime_init(curl));
  curl_mimepart* part = curl_mime_addpart(mime.get());
  Check(curl_mime_subparts(part, both.get()));
  (void)both.release();  // now owned by the part
  Check(curl_mime_type(part, "multipart/alternative"));
  Check(curl_mime_headers(part, ListOf({"Content-Disposition: inline"}).release(), 1));
  return mime;
}

}  // namespace

hsw::Outcome Failed(const Handed& handed) {
  const std::string detail =
      handed.error.empty() && handed.code ? curl_easy_strerror(*handed.code) : std::string(handed.error);
  const auto retry = [&](const char* word, const std::string& what) {
    auto outcome = hsw::Outcome::Retry(word, what + ": " + detail);
    if (handed.body_sent) outcome.MaybeDelivered();
    return outcome;
  };
  if (!handed.code) return retry("timeout", "the mail server did not answer in time");
  switch (*handed.code) {
    case CURLE_COULDNT_RESOLVE_HOST: return retry("dns_failed", "the mail server's name was not found");
    case CURLE_COULDNT_CONNECT: return retry("connect_failed", "no connection to the mail server could be made");
    case CURLE_PEER_FAILED_VERIFICATION:
      return hsw::Outcome::Misconfigured("bad_certificate", "the mail server's certificate is not trusted: " + detail,
                                         "check server's name, or set ca_file to the authority that signed it")
          .OfSink();
    case CURLE_SSL_CACERT_BADFILE:
      return hsw::Outcome::Misconfigured("bad_ca_file", "the trusted certificates cannot be read: " + detail,
                                         "check ca_file")
          .OfSink();
    case CURLE_SSL_CONNECT_ERROR: return retry("tls_failed", "no secure connection could be made");
    default: break;
  }
  if (const auto last = handed.talk.Last(); last.verb == "RCPT") {
    // No recipient was accepted: a temporary reply decides, else the first one.
    const auto replies = handed.talk.ToRecipients();
    const auto later =
        std::find_if(replies.begin(), replies.end(), [](const auto& reply) { return CodeOf(reply) / 100 == 4; });
    const bool none = std::all_of(replies.begin(), replies.end(), [](const auto& r) { return CodeOf(r) >= 400; });
    if (none) return Refused({last.verb, later == replies.end() ? replies.front() : *later});
  } else if (CodeOf(last.reply) >= 400) {
    return Refused(last);
  }
  switch (*handed.code) {
    case CURLE_USE_SSL_FAILED:
      return hsw::Outcome::Misconfigured("no_starttls", "the mail server does not offer STARTTLS: " + detail,
                                         "use security: tls with its TLS port, or another server")
          .OfSink();
    case CURLE_LOGIN_DENIED:
      return hsw::Outcome::Misconfigured("login_denied", "the mail server does not accept the account: " + detail,
                                         "check username and password")
          .OfSink();
    default: return retry("smtp_failed", "the mail could not be handed over");
  }
}

Handover::Handover(const Server& server, Letter letter) : server_(server), letter_(std::move(letter)) {
  thread_ = std::thread([this] { Run(); });
}

Handover::~Handover() {
  Stop();
  thread_.join();
}

// libcurl waits for the replies to a mail and to QUIT without returning, and when told to stop it still completes the
// mail. So close the connection: everything that waits wakes up, and nothing more can be sent.
void Handover::Stop() {
  stop_ = true;
  const std::lock_guard lock(mu_);
  for (const curl_socket_t socket : sockets_) ::shutdown(socket, SHUT_RDWR);
}

bool Handover::Await(Clock::time_point until, const std::function<bool()>& canceled) const {
  std::unique_lock lock(mu_);
  while (!ended_ && Clock::now() < until) {
    changed_.wait_until(lock, std::min(until, Clock::now() + kLook));
    if (!ended_ && canceled()) return false;
  }
  return ended_;
}

Handover::Doing Handover::Now() const {
  const std::lock_guard lock(mu_);
  return doing_;
}

void Handover::Run() {
  try {
    const Easy easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    Drive(easy.get());
  } catch (const std::exception& failed) {
    handed_.code = CURLE_FAILED_INIT;
    handed_.error = failed.what();
  }
  const std::lock_guard lock(mu_);
  ended_ = true;
  changed_.notify_all();
}

void Handover::Drive(CURL* curl) {
  const auto set = [&](CURLoption option, auto value) { Check(curl_easy_setopt(curl, option, value)); };
  std::array<char, CURL_ERROR_SIZE> error{};
  set(CURLOPT_ERRORBUFFER, error.data());
  set(CURLOPT_URL, server_.url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
  set(CURLOPT_USE_SSL, static_cast<long>(server_.encrypted ? CURLUSESSL_ALL : CURLUSESSL_NONE));
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!server_.ca_file.empty()) set(CURLOPT_CAINFO, server_.ca_file.c_str());
  if (!server_.username.empty()) {
    set(CURLOPT_USERNAME, server_.username.c_str());
    set(CURLOPT_PASSWORD, server_.password.c_str());
  }
  const List recipients = ListOf(letter_.to), headers = ListOf(letter_.headers);
  set(CURLOPT_MAIL_FROM, letter_.from.c_str());
  set(CURLOPT_MAIL_RCPT, recipients.get());
  // One invalid address must not keep the mail from the other recipients.
  set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);
  set(CURLOPT_HTTPHEADER, headers.get());
  const Mime mime = BodyOf(curl, letter_);
  set(CURLOPT_MIMEPOST, mime.get());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_VERBOSE, 1L);
  set(CURLOPT_DEBUGFUNCTION, &OnSaid);
  set(CURLOPT_DEBUGDATA, this);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
  set(CURLOPT_XFERINFODATA, this);
  // libcurl's own timeouts (120 s for a reply) are not SMTP's; a hanging DNS lookup must not delay the end.
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(milliseconds(2 * kMail).count()));
  set(CURLOPT_SERVER_RESPONSE_TIMEOUT, static_cast<long>(seconds(2 * kMail).count()));
  set(CURLOPT_QUICK_EXIT, 1L);
  set(CURLOPT_FORBID_REUSE, 1L);

  set(CURLOPT_OPENSOCKETFUNCTION, &OnOpen);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_CLOSESOCKETFUNCTION, &OnClose);
  set(CURLOPT_CLOSESOCKETDATA, this);

  curl_ = curl;
  const std::unique_ptr<CURLM, FreeMulti> multi(curl_multi_init());
  if (!multi || curl_multi_add_handle(multi.get(), curl) != CURLM_OK) throw std::bad_alloc();
  for (int running = 1; running > 0;) {
    curl_multi_perform(multi.get(), &running);
    if (running > 0) curl_multi_poll(multi.get(), nullptr, 0, static_cast<int>(kLook.count()), nullptr);
    if (IsLate()) Stop();
  }
  int left = 0;
  const CURLMsg* message = curl_multi_info_read(multi.get(), &left);
  if (late_.empty()) {
    handed_.code = message ? message->data.result : CURLE_FAILED_INIT;
    handed_.error = error.data();
  } else {
    handed_.error = late_;
  }
  curl_multi_remove_handle(multi.get(), curl);
  handed_.body_sent = sent_ > 0;
}

/// True if there is nothing more to wait for; `late_` says why.
bool Handover::IsLate() {
  if (!late_.empty()) return true;
  const std::string& verb = handed_.talk.Verb();
  const Clock::duration limit = IsConnecting()   ? Clock::duration(kConnect)
                                : verb == "DATA" ? Clock::duration(kData)
                                : verb == "."    ? Clock::duration(kMail)
                                : verb == "QUIT" ? Clock::duration(kGoodbye)
                                                 : Clock::duration(kReply);
  if (stop_) {
    late_ = "nobody waited for it any more";
  } else if (Clock::now() >= active_ + limit) {
    const auto waited = std::chrono::duration_cast<seconds>(limit).count();
    const std::lock_guard lock(mu_);
    late_ = doing_.waits_for + " did not come in " + std::to_string(waited) + " s";
  }
  return !late_.empty();
}

bool Handover::IsConnecting() const {
  curl_off_t connected_us = 0;
  curl_easy_getinfo(curl_, CURLINFO_CONNECT_TIME_T, &connected_us);
  return handed_.talk.Verb() == "CONNECT" && connected_us == 0;
}

/// Notes activity: something was sent, received or begun.
void Handover::IsActive() {
  active_ = Clock::now();
  const std::string& verb = handed_.talk.Verb();
  std::string waits_for = "the reply to " + (verb == "." ? "the mail itself" : verb);
  if (verb == "CONNECT") waits_for = IsConnecting() ? "a connection" : "the greeting";
  const std::lock_guard lock(mu_);
  doing_ = {std::move(waits_for), sent_ > 0};
}

int Handover::OnSaid(CURL*, curl_infotype type, char* data, std::size_t size, void* self) {
  auto& me = *static_cast<Handover*>(self);
  if (type == CURLINFO_HEADER_OUT) {
    me.handed_.talk.Sent({data, size});
  } else if (type == CURLINFO_HEADER_IN) {
    me.handed_.talk.Received({data, size});
  } else {
    return 0;
  }
  me.IsActive();
  return 0;
}

/// libcurl calls this at least once a second, even while it waits internally. Returns 1 to abort.
int Handover::OnProgress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t sent) {
  auto& me = *static_cast<Handover*>(self);
  const bool connected = std::exchange(me.was_connecting_, me.IsConnecting()) && !me.was_connecting_;
  if (sent != me.sent_ || connected) {
    me.sent_ = sent;
    me.IsActive();
  }
  return me.IsLate() ? 1 : 0;
}

curl_socket_t Handover::OnOpen(void* self, curlsocktype, curl_sockaddr* address) {
  auto& me = *static_cast<Handover*>(self);
  const curl_socket_t socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  const std::lock_guard lock(me.mu_);
  if (socket != CURL_SOCKET_BAD) me.sockets_.push_back(socket);
  return socket;
}

int Handover::OnClose(void* self, curl_socket_t socket) {
  auto& me = *static_cast<Handover*>(self);
  const std::lock_guard lock(me.mu_);
  std::erase(me.sockets_, socket);
  return ::close(socket);
}

}  // namespace email
