#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/ingress/http_server.h"

/// Responses as HTTP/1.1 writes them.
namespace hookswitch {

/// What a response's bytes depend on beside the answer.
struct ResponseForm {
  bool http11 = true;      ///< of the request
  bool keep_alive = true;  ///< whether the connection stays open
  bool is_head = false;    ///< the request's method is HEAD: the body is left out
  bool is_stream = false;  ///< the body is sent later, in chunks if the client knows them
};

/// Appends the head, with `headers` before those of the answer, which take the place of their namesakes, and the body.
void AppendResponse(std::string& out, const Answer& answer,
                    const std::vector<std::pair<std::string, std::string>>& headers, const ResponseForm& form);

/// Appends a chunk of a body; `piece` must not be empty.
void AppendChunk(std::string& out, std::string_view piece);
/// Ends a body of chunks.
inline constexpr std::string_view kLastChunk = "0\r\n\r\n";

}  // namespace hookswitch
