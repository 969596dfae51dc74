#pragma once
#include <curl/curl.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "hookswitch/sink.hpp"

namespace email {

/// What the server said, one reply a line: "550 5.1.1 no such user".
class Talk {
 public:
  /// Lines as they come; of a reply of several lines the last counts.
  void Add(std::string_view lines);
  /// The last reply that is an error, or "".
  std::string LastError() const;
  /// Of a mail that was taken: the replies to its `count` recipients, in their order; fewer if they are not known.
  std::vector<std::string> ToRecipients(std::size_t count) const;

 private:
  std::vector<std::string> replies_;
};

/// The reply's code: 550; 0 if it has none.
int CodeOf(std::string_view reply);

/// What a mail that did not go out means. `error` is libcurl's sentence, `body_sent` says that the server may have all
/// of the mail.
hsw::Outcome Failed(CURLcode code, std::string_view error, const Talk& talk, bool body_sent);

}  // namespace email
