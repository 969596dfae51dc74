#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"

namespace email {

/// What was said in an SMTP dialogue, in its order.
class Talk {
 public:
  struct Exchange {
    std::string verb;   ///< what it answers: "CONNECT" (the greeting), "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "." (the
                        ///< mail), …
    std::string reply;  ///< "550 5.1.1 no such user"; of one of several lines the last
  };

  /// A line that was sent.
  void Sent(std::string_view line);
  /// Lines as they come.
  void Received(std::string_view lines);

  /// What is waited for a reply to.
  const std::string& Verb() const { return verb_; }
  /// True when the server has the mail: it said so after the mail's end.
  bool WasTaken() const;
  /// What was answered last, QUIT aside.
  Exchange Last() const;
  /// The replies to the recipients, in their order.
  std::vector<std::string> ToRecipients() const;

 private:
  std::string verb_ = "CONNECT";
  std::vector<Exchange> exchanges_;
};

/// The reply's code: 550; 0 if it has none.
int CodeOf(std::string_view reply);

/// What a refusal means.
hsw::Outcome Refused(const Talk::Exchange& refused);

}  // namespace email
