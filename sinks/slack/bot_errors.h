#pragma once
#include <string>

#include "hookswitch/sink.hpp"

namespace slack {

/// What an answer that is no success means for the delivery, and what a bot may do about it.
struct BotError {
  hsw::Outcome outcome;
  std::string code, reason, action;
  bool is_layout = false;        ///< the blocks were refused: the text alone may pass
  bool is_about_update = false;  ///< the message is there and cannot be changed
  bool is_about_thread = false;  ///< what was to be changed or replied to is gone, or takes no replies
};

/// Reads an answer of the Web API: {"ok":false,"error":"word"} with any status, 429 with Retry-After, or a server's
/// page.
BotError ReadError(const hsw::Response& response);
/// The same of the place that a file's bytes go to, which has a status and no word.
BotError ReadUploadError(const hsw::Response& response);

}  // namespace slack
