#pragma once
#include <string>

#include "hookswitch/sink.hpp"

namespace slack {

/// Meaning of an error response for the delivery, and what a bot may do about it.
struct BotError {
  hsw::Outcome outcome;
  std::string code, reason, action;
  bool is_layout = false;        ///< the blocks were rejected: the text alone may pass
  bool is_about_update = false;  ///< the message exists and cannot be changed
  bool is_about_thread = false;  ///< the message to change or reply to is gone, or does not accept replies
};

/// Parses a Web API response: {"ok":false,"error":"word"} with any status, 429 with Retry-After, or an HTML page.
BotError ReadError(const hsw::Response& response);
/// The same for an upload URL, whose responses have a status but no word.
BotError ReadUploadError(const hsw::Response& response);

}  // namespace slack
