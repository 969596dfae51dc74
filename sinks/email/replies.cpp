#include "replies.h"

#include <algorithm>
#include <charconv>

namespace email {
namespace {

constexpr std::size_t kMaxReplies = 200, kMaxReply = 300;

hsw::Outcome Refused(std::string_view error, const std::string& reply, bool body_sent) {
  const int code = CodeOf(reply);
  const std::string word = "smtp_" + std::to_string(code), said = ": " + reply;
  // RFC 5321, 4.2.1: 4yz may work later, 5yz will not.
  if (code < 500) return hsw::Outcome::Retry(word, "the mail server asks to try again later" + said);
  if (code == 530 || code == 534 || code == 535 || code == 538 ||
      error.find("uthentication") != std::string_view::npos) {
    return hsw::Outcome::Misconfigured(word, "the mail server does not accept the account" + said,
                                       "check username and password, and that the account may send by SMTP");
  }
  if (error.starts_with("MAIL failed")) {
    return hsw::Outcome::Misconfigured(word, "the mail server does not accept the sender" + said,
                                       "check from: many servers take only the account's own address");
  }
  if (error.starts_with("RCPT failed")) {
    return hsw::Outcome::Misconfigured(word, "the mail server accepts no recipient" + said,
                                       "check to: the addresses exist, and the server may send to them");
  }
  if (body_sent || error.starts_with("DATA failed")) {
    return hsw::Outcome::Rejected(word, "the mail server refuses the mail" + said);
  }
  return hsw::Outcome::Misconfigured(word, "the mail server refuses the connection" + said,
                                     "check server and security, and that this machine may send by it");
}

}  // namespace

int CodeOf(std::string_view reply) {
  int code = 0;
  std::from_chars(reply.data(), reply.data() + std::min<std::size_t>(reply.size(), 3), code);
  return code;
}

void Talk::Add(std::string_view lines) {
  while (!lines.empty()) {
    const auto end = lines.find('\n');
    auto line = lines.substr(0, end);
    lines = end == std::string_view::npos ? std::string_view() : lines.substr(end + 1);
    while (!line.empty() && static_cast<unsigned char>(line.back()) <= ' ') line.remove_suffix(1);
    const bool last_line = line.size() == 3 || (line.size() > 3 && line[3] == ' ');
    if (!last_line || CodeOf(line) == 0 || replies_.size() == kMaxReplies) continue;
    std::string clean;
    for (const char c : hsw::CutBytes(line, kMaxReply))
      clean += static_cast<unsigned char>(c) < ' ' || c == 0x7F ? ' ' : c;
    replies_.push_back(std::move(clean));
  }
}

std::string Talk::LastError() const {
  const auto last = std::find_if(replies_.rbegin(), replies_.rend(), [](const auto& r) { return CodeOf(r) >= 400; });
  return last == replies_.rend() ? "" : *last;
}

// Each recipient has a reply, and 354 asks for the mail then (RFC 5321, 4.1.1.4).
std::vector<std::string> Talk::ToRecipients(std::size_t count) const {
  const auto go = std::find_if(replies_.begin(), replies_.end(), [](const auto& r) { return CodeOf(r) == 354; });
  if (go == replies_.end() || go - replies_.begin() < static_cast<std::ptrdiff_t>(count)) return {};
  return {go - static_cast<std::ptrdiff_t>(count), go};
}

hsw::Outcome Failed(CURLcode code, std::string_view error, const Talk& talk, bool body_sent) {
  const std::string detail = error.empty() ? curl_easy_strerror(code) : std::string(error);
  const auto retry = [&](const char* word, const std::string& what) {
    auto outcome = hsw::Outcome::Retry(word, what + ": " + detail);
    if (body_sent) outcome.MaybeDelivered();
    return outcome;
  };
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST: return retry("dns_failed", "the mail server's name was not found");
    case CURLE_COULDNT_CONNECT: return retry("connect_failed", "no connection to the mail server could be made");
    case CURLE_OPERATION_TIMEDOUT: return retry("timeout", "the mail server did not answer in time");
    case CURLE_ABORTED_BY_CALLBACK: return retry("canceled", "hookswitch was stopping");
    case CURLE_PEER_FAILED_VERIFICATION:
      return hsw::Outcome::Misconfigured("bad_certificate", "the mail server's certificate is not trusted: " + detail,
                                         "check server's name, or set ca_file to the authority that signed it");
    case CURLE_SSL_CACERT_BADFILE:
      return hsw::Outcome::Misconfigured("bad_ca_file", "the trusted certificates cannot be read: " + detail,
                                         "check ca_file");
    case CURLE_SSL_CONNECT_ERROR: return retry("tls_failed", "no secure connection could be made");
    default: break;
  }
  if (const auto reply = talk.LastError(); !reply.empty()) return Refused(detail, reply, body_sent);
  switch (code) {
    case CURLE_USE_SSL_FAILED:
      return hsw::Outcome::Misconfigured("no_starttls", "the mail server does not offer STARTTLS: " + detail,
                                         "use security: tls with its TLS port, or another server");
    case CURLE_LOGIN_DENIED:
      return hsw::Outcome::Misconfigured("login_denied", "the mail server does not accept the account: " + detail,
                                         "check username and password");
    default: return retry("smtp_failed", "the mail could not be handed over");
  }
}

}  // namespace email
