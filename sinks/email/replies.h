#pragma once
#include <curl/curl.h>

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
  /// All replies that are errors, with "; " between.
  std::string Refusals() const;

 private:
  std::vector<std::string> errors_;
};

/// What a mail that did not go out means. `error` is libcurl's sentence, `body_sent` says that the server may have all
/// of the mail.
hsw::Outcome Failed(CURLcode code, std::string_view error, const Talk& talk, bool body_sent);

}  // namespace email
