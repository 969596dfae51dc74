#include <curl/curl.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "handover.h"
#include "helo.h"
#include "hookswitch/sink.hpp"
#include "hookswitch/text.hpp"
#include "layout.h"
#include "mime.h"
#include "replies.h"

namespace email {

using Clock = Handover::Clock;

// Most mails in flight: an unresponsive server must not get one mail after the other.
constexpr std::size_t kMostOnTheWay = 8;
// Reserve for ending a call.
constexpr std::chrono::milliseconds kEnd{100};

/// A subject must be one line.
std::string Subject(const hsw::Message& message) {
  return hsw::Escaped(
      hsw::Shorten(message.Title(), 200), std::string_view::npos, "",
      [](std::string_view code_point, bool, std::string& out) { out += code_point == "\n" ? " " : code_point; });
}

/// Mails in flight by delivery: every attempt waits for the same handover, so that a slow server gets the mail once.
/// [thread: any]
class OnTheWay {
 public:
  using Start = std::function<std::shared_ptr<Handover>()>;

  /// The handover of `key`; begins one with `start` if there is none. nullptr if there are too many until `until`.
  std::shared_ptr<Handover> Find(const std::string& key, Clock::time_point until, const std::function<bool()>& canceled,
                                 const Start& start) {
    for (;;) {
      std::shared_ptr<Handover> other;
      {
        const std::lock_guard lock(mu_);
        if (const auto found = mails_.find(key); found != mails_.end()) return found->second;
        ForgetEnded();
        if (mails_.size() < kMostOnTheWay) return mails_.emplace(key, start()).first->second;
        other = mails_.begin()->second;
      }
      if (Clock::now() >= until || canceled()) return nullptr;
      other->Await(std::min(until, Clock::now() + std::chrono::milliseconds(100)), canceled);
    }
  }
  void Forget(const std::string& key) {
    std::shared_ptr<Handover> last;  // destroyed after unlocking
    const std::lock_guard lock(mu_);
    if (const auto found = mails_.find(key); found != mails_.end()) {
      last = std::move(found->second);
      mails_.erase(found);
    }
  }

 private:
  /// Drops results of deliveries that no attempt came back for, once there is no more room.
  void ForgetEnded() {
    if (mails_.size() < kMostOnTheWay) return;
    std::erase_if(mails_, [](const auto& mail) { return mail.second->HasEnded(); });
  }

  std::mutex mu_;
  std::map<std::string, std::shared_ptr<Handover>> mails_;
};

/// Sends each message as a mail by SMTP, on its own connection.
class Sink {
 public:
  Sink(const hsw::Config& config, hsw::Host host)
      : host_(host),
        from_(ParseAddress(config.String("from"))),
        thread_(config.String("thread", "none") == "call"),
        max_transcript_(static_cast<std::size_t>(config.Int("max_transcript", 20'000))) {
    for (int i = 0; const auto to = config.Find("to." + std::to_string(i)); ++i) {
      to_.push_back(ParseAddress(*to));
      if (to_.back().address.empty()) throw std::invalid_argument("to is not an address");
    }
    if (from_.address.empty()) throw std::invalid_argument("from is not an address");
    const auto security = config.String("security", "starttls");
    const auto helo = config.Find("helo");
    server_.url = UrlOf(config.String("server"), security, helo ? std::string(*helo) : DefaultHelo());
    server_.encrypted = security != "none";
    server_.ca_file = config.String("ca_file");
    server_.username = config.String("username");
    server_.password = config.String("password");
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

  hsw::Outcome Deliver(const hsw::Call& call, const hsw::Delivery& delivery) {
    const auto until = Clock::now() + std::max(std::chrono::milliseconds(call.TimeoutMs()) - kEnd, kEnd);
    const auto canceled = [&call] { return call.Canceled(); };
    const auto to = Recipients(delivery);
    const std::string key = MessageId(delivery) + " " + std::string(delivery.State());
    const auto handover = on_the_way_.Find(
        key, until, canceled, [&] { return std::make_shared<Handover>(server_, MakeLetter(delivery, to)); });
    if (!handover) {
      return hsw::Outcome::Retry("too_many_on_the_way", "the mail server has not answered the mails before this one");
    }
    if (handover->Await(until, canceled)) {
      on_the_way_.Forget(key);
      return OutcomeOf(delivery, to, handover->Result());
    }
    const auto doing = handover->Now();
    auto outcome = hsw::Outcome::Retry(
        "timeout", "the mail server takes its time: " + doing.waits_for + " is waited for, and the next try waits on");
    if (call.Canceled()) {
      on_the_way_.Forget(key);
      outcome = hsw::Outcome::Retry("canceled", "hookswitch was stopping");
    }
    if (doing.body_sent) outcome.MaybeDelivered();
    return outcome;
  }

  void Preview(const hsw::Delivery& delivery, hsw::Request& request) const {
    std::string to;
    for (const Address& address : to_) to += (to.empty() ? "" : ", ") + Readable(address);
    request.Url(server_.url.substr(0, server_.url.rfind('/')));
    request.Body("From: " + Readable(from_) + "\nTo: " + to + "\nSubject: " + Subject(delivery.Message()) + "\n\n" +
                 PlainText(delivery.Message(), max_transcript_));
  }

 private:
  static std::string Readable(const Address& address) {
    return address.name.empty() ? address.address : address.name + " <" + address.address + ">";
  }

  /// The same for every attempt, so that receivers can recognize a mail sent twice because a reply was lost.
  std::string MessageId(const hsw::Delivery& delivery) const {
    return "<" + std::string(hsw::View(delivery.Event().id)) + "." + std::string(delivery.Id()) +
           from_.address.substr(from_.address.rfind('@')) + ">";
  }

  /// The remaining recipients: all, or those that the server deferred in the previous step.
  std::vector<std::size_t> Recipients(const hsw::Delivery& delivery) const {
    std::vector<std::size_t> all;
    const std::string wanted = "," + std::string(delivery.State()) + ",";
    for (std::size_t i = 0; i < to_.size(); ++i) {
      if (delivery.State().empty() || wanted.find("," + std::to_string(i) + ",") != std::string::npos) all.push_back(i);
    }
    if (all.empty()) throw hsw::Rejected("no_recipient", "the recipients have changed since the mail began to go out");
    return all;
  }

  Letter MakeLetter(const hsw::Delivery& delivery, const std::vector<std::size_t>& to) const {
    Letter letter{from_.address,
                  {},
                  Headers(delivery),
                  PlainText(delivery.Message(), max_transcript_),
                  Html(delivery.Message(), max_transcript_)};
    for (const std::size_t i : to) letter.to.push_back("<" + to_[i].address + ">");
    return letter;
  }

  std::vector<std::string> Headers(const hsw::Delivery& delivery) const {
    std::string to;
    for (const Address& address : to_) to += (to.empty() ? "" : ",\r\n ") + HeaderOf(address);
    std::vector<std::string> headers{"Date: " + HeaderDate(delivery.AcceptedUnixMs()), "From: " + HeaderOf(from_),
                                     "To: " + to, "Subject: " + HeaderText(Subject(delivery.Message())),
                                     "Message-ID: " + MessageId(delivery)};
    // Its own Message-ID stays the same over several steps and when it is replayed.
    if (thread_ && !delivery.Memory().empty() && delivery.Memory() != MessageId(delivery)) {
      headers.push_back("In-Reply-To: " + std::string(delivery.Memory()));
      headers.push_back("References: " + std::string(delivery.Memory()));
    }
    // Suppresses automatic replies (RFC 3834).
    headers.push_back("Auto-Submitted: auto-generated");
    return headers;
  }

  hsw::Outcome OutcomeOf(const hsw::Delivery& delivery, const std::vector<std::size_t>& to,
                         const Handed& handed) const {
    if (handed.talk.WasTaken()) return Taken(delivery, to, handed.talk);
    auto outcome = Failed(handed);
    if (to.size() == to_.size() || outcome.status() != HSW_MISCONFIGURED) return outcome;
    // The other recipients already have the mail, so permanent rejections of these do not matter.
    host_.Log(HSW_LOG_WARN, "recipients that were to be tried again were refused: " + handed.talk.Last().reply);
    return hsw::Outcome::Delivered().RemoteId(MessageId(delivery)).Reason("without some recipients, who were refused");
  }

  hsw::Outcome Taken(const hsw::Delivery& delivery, const std::vector<std::size_t>& to, const Talk& talk) const {
    std::string later, said;
    const auto replies = talk.ToRecipients();
    for (std::size_t i = 0; i < std::min(replies.size(), to.size()); ++i) {
      if (CodeOf(replies[i]) < 400) continue;
      if (CodeOf(replies[i]) >= 500) {
        // The reply contains the recipient and arbitrary text.
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

  /// libcurl sends the URL's path as the name in EHLO.
  static std::string UrlOf(const std::string& server, std::string_view security, const std::string& helo) {
    std::string url = (security == "tls" ? "smtps://" : "smtp://") + server;
    const bool has_port =
        server.find(':', server.rfind(']') == std::string::npos ? 0 : server.rfind(']')) != std::string::npos;
    if (!has_port) url += security == "tls" ? ":465" : security == "starttls" ? ":587" : ":25";
    url += '/';
    for (const char c : helo) url += c == '[' ? "%5B" : c == ']' ? "%5D" : std::string(1, c);
    return url;
  }

  const hsw::Host host_;
  Server server_;
  const Address from_;
  std::vector<Address> to_;
  const bool thread_;
  const std::size_t max_transcript_;
  OnTheWay on_the_way_;
};

constexpr const char* kSchema = R"({
  "type": "object",
  "additionalProperties": false,
  "required": ["server", "from", "to"],
  "properties": {
    "server": {"type": "string", "pattern": "^([A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(:[0-9]{1,5})?$", "description": "The mail server: host, or host:port. Without a port 587 for starttls, 465 for tls, 25 for none."},
    "security": {"type": "string", "enum": ["starttls", "tls", "none"], "default": "starttls", "description": "How the connection is encrypted: on port 587 usually starttls, on 465 tls. none is for a server on this machine."},
    "username": {"type": "string", "minLength": 1, "maxLength": 300, "description": "The account, where the server asks for one."},
    "password": {"type": "string", "minLength": 1, "maxLength": 1000, "x-secret": true, "examples": ["example-secret"], "description": "Its password."},
    "helo": {"type": "string", "pattern": "^([A-Za-z0-9._-]{1,255}|\\[(IPv6:)?[0-9A-Fa-f:.]{2,45}\\])$", "description": "How this machine names itself to the server: its full name in the DNS, or [address]. Without it the host name, else its address."},
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
