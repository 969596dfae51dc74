#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"

namespace email {

/// Transcript of an SMTP dialogue.
class Talk {
 public:
  struct Exchange {
    std::string verb;   ///< what it answers: "CONNECT" (the greeting), "EHLO", "AUTH", "MAIL", "RCPT", "DATA", "." (the
                        ///< mail), …
    std::string reply;  ///< "550 5.1.1 no such user"; the last line of a multi-line reply
  };

  /// Adds a line that was sent.
  void Sent(std::string_view line);
  /// Adds received bytes.
  void Received(std::string_view lines);

  /// The command whose reply is pending.
  const std::string& Verb() const { return verb_; }
  /// True if the server accepted the mail after its end.
  bool WasTaken() const;
  /// The last reply, except to QUIT.
  Exchange Last() const;
  /// The replies to the recipients, in order.
  std::vector<std::string> ToRecipients() const;

 private:
  std::string verb_ = "CONNECT";
  std::vector<Exchange> exchanges_;
};

/// The reply's code, such as 550; 0 if none.
int CodeOf(std::string_view reply);

/// The outcome for a rejection.
hsw::Outcome Refused(const Talk::Exchange& refused);

}  // namespace email
