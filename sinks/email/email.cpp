#include <curl/curl.h>

#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"
#include "layout.h"
#include "mime.h"
#include "replies.h"

namespace email {

struct Free {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  void operator()(curl_mime* mime) const { curl_mime_free(mime); }
};
using Easy = std::unique_ptr<CURL, Free>;
using List = std::unique_ptr<curl_slist, Free>;
using Mime = std::unique_ptr<curl_mime, Free>;

void Append(List& list, const std::string& line) {
  curl_slist* longer = curl_slist_append(list.get(), line.c_str());
  if (!longer) throw std::bad_alloc();
  (void)list.release();
  list.reset(longer);
}

/// Sends each message as a mail by SMTP, on a connection of its own.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host host)
      : host_(host),
        security_(config.String("security", "starttls")),
        url_(UrlOf(config.String("server"), security_)),
        username_(config.String("username")),
        password_(config.String("password")),
        ca_file_(config.String("ca_file")),
        from_(ParseAddress(config.String("from"))),
        thread_(config.String("thread", "none") == "call"),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 20'000))) {
    for (int i = 0; const auto to = config.Find("to." + std::to_string(i)); ++i) {
      to_.push_back(ParseAddress(*to));
      if (to_.back().address.empty()) throw std::invalid_argument("to is not an address");
    }
    if (from_.address.empty()) throw std::invalid_argument("from is not an address");
    curl_global_init(CURL_GLOBAL_DEFAULT);
  }

  static void Check(const hsw::Config& config, hsw::Report& report) {
    constexpr const char* kAddress = "must be an address: ops@example.com or Ops <ops@example.com>";
    if (ParseAddress(config.String("from")).address.empty()) report("/from", std::string("from ") + kAddress);
    for (int i = 0; const auto to = config.Find("to." + std::to_string(i)); ++i) {
      if (ParseAddress(*to).address.empty()) report("/to/" + std::to_string(i), std::string("to ") + kAddress);
    }
    if (config.Find("username").has_value() != config.Find("password").has_value()) {
      report(config.Find("username") ? "/username" : "/password", "username and password go together");
    }
    if (config.String("security") == "none" && config.Find("password")) {
      report("/security", "security: none would send the password in the clear: use starttls or tls");
    }
  }

  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery& delivery) const {
    Easy easy(curl_easy_init());
    if (!easy) throw std::bad_alloc();
    CURL* const curl = easy.get();
    Talk talk;
    std::array<char, CURL_ERROR_SIZE> error{};
    const auto set = [&](CURLoption option, auto value) {
      if (curl_easy_setopt(curl, option, value) != CURLE_OK) throw std::runtime_error("libcurl refuses an option");
    };
    set(CURLOPT_ERRORBUFFER, error.data());
    set(CURLOPT_URL, url_.c_str());
    set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(call.TimeoutMs()));
    set(CURLOPT_USE_SSL, static_cast<long>(security_ == "none" ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!ca_file_.empty()) set(CURLOPT_CAINFO, ca_file_.c_str());
    if (!username_.empty()) {
      set(CURLOPT_USERNAME, username_.c_str());
      set(CURLOPT_PASSWORD, password_.c_str());
    }
    set(CURLOPT_MAIL_FROM, from_.address.c_str());
    List recipients;
    const auto to = Recipients(delivery);
    for (const std::size_t i : to) Append(recipients, "<" + to_[i].address + ">");
    set(CURLOPT_MAIL_RCPT, recipients.get());
    // One address that has gone must not keep the mail from the others.
    set(CURLOPT_MAIL_RCPT_ALLLOWFAILS, 1L);

    const List headers = Headers(delivery);
    set(CURLOPT_HTTPHEADER, headers.get());
    const Mime mime = Body(curl, delivery.Message());
    set(CURLOPT_MIMEPOST, mime.get());

    set(CURLOPT_HEADERFUNCTION, &OnReply);
    set(CURLOPT_HEADERDATA, &talk);
    set(CURLOPT_NOPROGRESS, 0L);
    set(CURLOPT_XFERINFOFUNCTION, &OnProgress);
    set(CURLOPT_XFERINFODATA, &call);
    const CURLcode code = curl_easy_perform(curl);
    curl_off_t sent = 0;
    curl_easy_getinfo(curl, CURLINFO_SIZE_UPLOAD_T, &sent);
    if (code != CURLE_OK) return Failed(code, error.data(), talk, sent > 0);
    return Taken(delivery, to, talk);
  }

 private:
  /// The same for every attempt: who gets a mail twice, because an answer was lost, can tell.
  std::string MessageId(const hsw::Delivery& delivery) const {
    return "<" + std::string(hsw::View(delivery.Event().id)) + "." + std::string(delivery.Id()) +
           from_.address.substr(from_.address.rfind('@')) + ">";
  }

  /// Who still has to get the mail: everybody, or those of the step before whom the server wanted to hear of later.
  std::vector<std::size_t> Recipients(const hsw::Delivery& delivery) const {
    std::vector<std::size_t> all;
    const std::string wanted = "," + std::string(delivery.State()) + ",";
    for (std::size_t i = 0; i < to_.size(); ++i) {
      if (delivery.State().empty() || wanted.find("," + std::to_string(i) + ",") != std::string::npos) all.push_back(i);
    }
    if (all.empty()) throw hsw::Rejected("no_recipient", "the recipients have changed since the mail began to go out");
    return all;
  }

  hsw::Outcome Taken(const hsw::Delivery& delivery, const std::vector<std::size_t>& to, const Talk& talk) const {
    std::string later, said;
    const auto replies = talk.ToRecipients(to.size());
    for (std::size_t i = 0; i < replies.size(); ++i) {
      if (CodeOf(replies[i]) < 400) continue;
      if (CodeOf(replies[i]) >= 500) {
        // The reply names the recipient, and says what it likes.
        host_.Log(HSW_LOG_WARN, "a recipient was refused: smtp_" + std::to_string(CodeOf(replies[i])));
        continue;
      }
      later += (later.empty() ? "" : ",") + std::to_string(to[i]);
      said = replies[i];
    }
    auto outcome = later.empty() ? hsw::Outcome::Delivered().RemoteId(MessageId(delivery))
                                 : hsw::Outcome::Next(later).Reason("some recipients are to be tried again: " + said);
    if (thread_ && delivery.Memory().empty()) outcome.Memory(MessageId(delivery));
    return outcome;
  }

  static std::string UrlOf(const std::string& server, std::string_view security) {
    std::string url = (security == "tls" ? "smtps://" : "smtp://") + server;
    const bool has_port =
        server.find(':', server.rfind(']') == std::string::npos ? 0 : server.rfind(']')) != std::string::npos;
    if (!has_port) url += security == "tls" ? ":465" : security == "starttls" ? ":587" : ":25";
    return url;
  }

  List Headers(const hsw::Delivery& delivery) const {
    std::string to;
    for (const Address& address : to_) to += (to.empty() ? "" : ",\r\n ") + HeaderOf(address);
    List headers;
    Append(headers, "Date: " + HeaderDate(delivery.AcceptedUnixMs()));
    Append(headers, "From: " + HeaderOf(from_));
    Append(headers, "To: " + to);
    Append(headers, "Subject: " + HeaderText(hsw::Shorten(delivery.Message().Title(), 200)));
    Append(headers, "Message-ID: " + MessageId(delivery));
    // Its own Message-ID is remembered when it goes out in several steps, and when it is replayed.
    if (thread_ && !delivery.Memory().empty() && delivery.Memory() != MessageId(delivery)) {
      Append(headers, "In-Reply-To: " + std::string(delivery.Memory()));
      Append(headers, "References: " + std::string(delivery.Memory()));
    }
    // No answers by machines (RFC 3834).
    Append(headers, "Auto-Submitted: auto-generated");
    return headers;
  }

  Mime Body(CURL* curl, const hsw::Message& message) const {
    const auto check = [](CURLcode code) {
      if (code != CURLE_OK) throw std::bad_alloc();
    };
    const auto add = [&](curl_mime* to, const std::string& text, const char* type) {
      curl_mimepart* part = curl_mime_addpart(to);
      check(curl_mime_data(part, text.data(), text.size()));
      check(curl_mime_type(part, type));
      check(curl_mime_encoder(part, "base64"));
    };
    Mime both(curl_mime_init(curl));
    add(both.get(), PlainText(message, max_transcript_), "text/plain; charset=utf-8");
    add(both.get(), Html(message, max_transcript_), "text/html; charset=utf-8");
    Mime mime(curl_mime_init(curl));
    curl_mimepart* part = curl_mime_addpart(mime.get());
    check(curl_mime_subparts(part, both.get()));
    (void)both.release();  // belongs to the part now
    check(curl_mime_type(part, "multipart/alternative"));
    List inline_part;
    Append(inline_part, "Content-Disposition: inline");
    check(curl_mime_headers(part, inline_part.release(), 1));
    return mime;
  }

  static std::size_t OnReply(char* data, std::size_t size, std::size_t count, void* talk) {
    static_cast<Talk*>(talk)->Add(std::string_view(data, size * count));
    return size * count;
  }
  static int OnProgress(void* call, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<const hsw::Call*>(call)->Canceled() ? 1 : 0;
  }

  const hsw::Host host_;
  const std::string security_, url_, username_, password_, ca_file_;
  const Address from_;
  std::vector<Address> to_;
  const bool thread_;
  const std::size_t max_transcript_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["server", "from", "to"],
  "properties": {
    "server": {"type": "string", "pattern": "^([A-Za-z0-9.-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$", "description": "The mail server: host, or host:port. Without a port 587 for starttls, 465 for tls, 25 for none."},
    "security": {"type": "string", "enum": ["starttls", "tls", "none"], "default": "starttls", "description": "How the connection is encrypted: on port 587 usually starttls, on 465 tls. none is for a server on this machine."},
    "username": {"type": "string", "minLength": 1, "maxLength": 300, "description": "The account, where the server asks for one."},
    "password": {"type": "string", "minLength": 1, "maxLength": 1000, "x-secret": true, "description": "Its password."},
    "from": {"type": "string", "maxLength": 400, "description": "The sender: calls@example.com, or Calls <calls@example.com>."},
    "to": {"type": "array", "minItems": 1, "maxItems": 50, "items": {"type": "string", "maxLength": 400}, "description": "The recipients, each as from."},
    "thread": {"type": "string", "enum": ["none", "call"], "default": "none", "description": "call: later mails of a call are answers to its first."},
    "max_transcript": {"type": "integer", "default": 20000, "minimum": 0, "maximum": 1000000, "description": "Characters of the transcript that are shown; 0 leaves it out."},
    "ca_file": {"type": "string", "minLength": 1, "description": "PEM certificates to trust instead of the system's."}
  }
})";

}  // namespace email

HSW_CALL_SINK(email::Sink, "email", "1.0.0", "Email by SMTP: text and HTML, threads, STARTTLS and TLS", email::kSchema,
              .concurrency = 2, .concurrent_calls = true)
