#include "replies.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace email {
namespace {

constexpr std::size_t kMaxReplies = 200, kMaxReply = 300;

/// What a 5yz reply is about. Sender, recipients, account and server are the same for every mail of the sink.
enum class About { kMail, kSender, kRecipients, kAccount, kName, kServer, kLater, kUnknown };

struct Rule {
  std::string_view verb;      ///< "": any
  int code;                   ///< 0: any
  std::string_view enhanced;  ///< RFC 3463's code; a prefix if it ends in '.'; "": any
  std::string_view words;     ///< substring of the reply, any case; "": any
  About about;
};

// RFC 5321 4.2.2, RFC 3463, RFC 4954 (AUTH), RFC 7372 (5.7.20 to 5.7.26), RFC 1870 (SIZE), and what large providers say
// (support.google.com/a/answer/3726730, learn.microsoft.com "NDR error codes in Exchange Online", docs.aws.amazon.com
// "Amazon SES SMTP issues"). The first match counts.
constexpr std::array kRules = {
    // The mail's size or content.
    Rule{"", 0, "5.3.4", "", About::kMail},
    Rule{"", 0, "5.2.3", "", About::kMail},
    Rule{"", 0, "5.6.", "", About::kMail},
    Rule{"MAIL", 552, "", "", About::kMail},
    Rule{"RCPT", 552, "", "size", About::kMail},
    // A daily limit.
    Rule{"", 0, "5.4.5", "", About::kLater},
    Rule{"", 0, "5.1.90", "", About::kLater},
    Rule{"", 0, "5.7.232", "", About::kLater},
    Rule{"", 0, "5.7.233", "", About::kLater},
    Rule{"", 0, "", "sending quota", About::kLater},
    Rule{"", 0, "", "sending limit", About::kLater},
    // Our name in EHLO.
    Rule{"EHLO", 0, "", "", About::kName},
    Rule{"HELO", 0, "", "", About::kName},
    Rule{"", 0, "", "helo command", About::kName},
    Rule{"", 0, "", "helo name", About::kName},
    Rule{"", 0, "", "fully-qualified hostname", About::kName},
    // Our account.
    Rule{"AUTH", 0, "", "", About::kAccount},
    Rule{"", 530, "", "", About::kAccount},
    Rule{"", 534, "", "", About::kAccount},
    Rule{"", 535, "", "", About::kAccount},
    Rule{"", 538, "", "", About::kAccount},
    Rule{"", 0, "5.7.8", "", About::kAccount},
    Rule{"", 0, "5.7.9", "", About::kAccount},
    Rule{"", 0, "5.7.57", "", About::kAccount},
    Rule{"", 0, "5.7.139", "", About::kAccount},
    Rule{"", 0, "", "authentication required", About::kAccount},
    Rule{"", 0, "", "not authenticated", About::kAccount},
    // Whether the server relays for us.
    Rule{"CONNECT", 0, "", "", About::kServer},
    Rule{"STARTTLS", 0, "", "", About::kServer},
    Rule{"RCPT", 0, "", "relay", About::kServer},
    Rule{"", 0, "", "spamhaus", About::kServer},
    Rule{"", 0, "", "blacklist", About::kServer},
    Rule{"", 0, "", "blocklist", About::kServer},
    // Whether we may send as this sender.
    Rule{"", 0, "5.7.60", "", About::kSender},
    Rule{"", 0, "5.2.252", "", About::kSender},
    Rule{"", 0, "5.1.7", "", About::kSender},
    Rule{"", 0, "5.1.8", "", About::kSender},
    Rule{"", 0, "5.7.20", "", About::kSender},
    Rule{"", 0, "5.7.21", "", About::kSender},
    Rule{"", 0, "5.7.22", "", About::kSender},
    Rule{"", 0, "5.7.23", "", About::kSender},
    Rule{"", 0, "5.7.24", "", About::kSender},
    Rule{"", 0, "5.7.25", "", About::kSender},
    Rule{"", 0, "5.7.26", "", About::kSender},
    Rule{"", 0, "5.7.27", "", About::kSender},
    Rule{"", 0, "", "sendasdenied", About::kSender},
    Rule{"", 0, "", "address is not verified", About::kSender},
    Rule{"MAIL", 0, "", "", About::kSender},
    // The recipient.
    Rule{"RCPT", 0, "", "", About::kRecipients},
    Rule{"", 0, "5.1.", "", About::kRecipients},
    Rule{"", 0, "5.2.", "", About::kRecipients},
    Rule{"DATA", 554, "", "recipient", About::kRecipients},
    // At this stage only the content is new.
    Rule{".", 0, "", "", About::kMail},
};

bool Holds(std::string_view text, std::string_view words) {
  const auto same = [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + 32 : a) == b; };
  return std::search(text.begin(), text.end(), words.begin(), words.end(), same) != text.end();
}

/// "5.1.1" of "550 5.1.1 no such user"; "" if there is none.
std::string_view EnhancedOf(std::string_view reply) {
  if (reply.size() < 9 || reply[3] != ' ' || reply[5] != '.') return "";
  const auto rest = reply.substr(4);
  return rest.substr(0, rest.find_first_not_of("0123456789."));
}

About AboutOf(const Talk::Exchange& refused) {
  const auto enhanced = EnhancedOf(refused.reply);
  for (const Rule& rule : kRules) {
    if (!rule.verb.empty() && rule.verb != refused.verb) continue;
    if (rule.code != 0 && rule.code != CodeOf(refused.reply)) continue;
    const bool begins = rule.enhanced.ends_with('.');
    if (!rule.enhanced.empty() && (begins ? !enhanced.starts_with(rule.enhanced) : enhanced != rule.enhanced)) continue;
    if (!Holds(refused.reply, rule.words)) continue;
    return rule.about;
  }
  return About::kUnknown;
}

}  // namespace

int CodeOf(std::string_view reply) {
  int code = 0;
  std::from_chars(reply.data(), reply.data() + std::min<std::size_t>(reply.size(), 3), code);
  return code;
}

void Talk::Sent(std::string_view line) {
  // Lines after AUTH are responses to 334: base64, without a verb.
  const bool goes_on = !exchanges_.empty() && CodeOf(exchanges_.back().reply) == 334 && verb_ == "AUTH";
  if (!goes_on) verb_ = line.substr(0, line.find_first_of(" :\r\n"));
}

void Talk::Received(std::string_view lines) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    auto line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
    const bool last_line = line.size() == 3 || (line.size() > 3 && line[3] == ' ');
    if (!last_line || CodeOf(line) == 0 || exchanges_.size() == kMaxReplies) continue;
    std::string clean;
    for (const char c : hsw::CutBytes(line, kMaxReply)) {
      clean += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? ' ' : c;
    }
    exchanges_.push_back({verb_, std::move(clean)});
    if (verb_ == "DATA" && CodeOf(line) == 354) verb_ = ".";
  }
}

bool Talk::WasTaken() const {
  return std::any_of(exchanges_.begin(), exchanges_.end(),
                     [](const Exchange& e) { return e.verb == "." && CodeOf(e.reply) / 100 == 2; });
}

Talk::Exchange Talk::Last() const {
  const auto last =
      std::find_if(exchanges_.rbegin(), exchanges_.rend(), [](const auto& e) { return e.verb != "QUIT"; });
  return last == exchanges_.rend() ? Exchange{} : *last;
}

std::vector<std::string> Talk::ToRecipients() const {
  std::vector<std::string> replies;
  for (const Exchange& exchange : exchanges_) {
    if (exchange.verb == "RCPT") replies.push_back(exchange.reply);
  }
  return replies;
}

hsw::Outcome Refused(const Talk::Exchange& refused) {
  const int code = CodeOf(refused.reply);
  const std::string word = "smtp_" + std::to_string(code), said = ": " + refused.reply;
  const auto misconfigured = [&](const char* what, const char* action) {
    return hsw::Outcome::Misconfigured(word, what + said, action);
  };
  // RFC 5321, 4.2.1: 4yz is temporary, 5yz permanent.
  if (code < 500) return hsw::Outcome::Retry(word, "the mail server asks to try again later" + said);
  switch (AboutOf(refused)) {
    case About::kLater: return hsw::Outcome::Retry(word, "the mail server takes no more for now" + said);
    case About::kMail: return hsw::Outcome::Rejected(word, "the mail server refuses the mail" + said);
    case About::kAccount:
      return misconfigured("the mail server does not accept the account",
                           "check username and password, and that the account may send by SMTP")
          .OfSink();
    case About::kName:
      return misconfigured("the mail server does not accept the name of this machine",
                           "set helo to the full name that this machine has in the DNS")
          .OfSink();
    case About::kServer:
      return misconfigured("the mail server does not send for this machine",
                           "check server and security, and that this machine may send by it")
          .OfSink();
    case About::kSender:
      return misconfigured("the mail server does not accept the sender",
                           "check from: many servers take only the account's own address")
          .OfSink();
    case About::kRecipients:
      return misconfigured("the mail server accepts no recipient",
                           "check to: the addresses exist, and the server may send to them")
          .OfSink();
    case About::kUnknown: break;
  }
  return misconfigured("the mail server refuses to go on", "see what the server's log says of it");
}

}  // namespace email
