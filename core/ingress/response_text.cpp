#include "core/ingress/response_text.h"

#include <Poco/Net/HTTPResponse.h>

#include <charconv>
#include <cstddef>

namespace hookswitch {
namespace {

void AppendNumber(std::string& out, std::size_t number, int base = 10) {
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number, base).ptr);
}

}  // namespace

void AppendResponse(std::string& out, const Answer& answer,
                    const std::vector<std::pair<std::string, std::string>>& headers, const ResponseForm& form) {
  out += "HTTP/1.1 ";
  AppendNumber(out, static_cast<std::size_t>(answer.status));
  out += ' ';
  out += Poco::Net::HTTPResponse::getReasonForStatus(static_cast<Poco::Net::HTTPResponse::HTTPStatus>(answer.status));
  out += "\r\nContent-Type: ";
  out += answer.content_type;
  if (form.is_stream) {
    if (form.http11) out += "\r\nTransfer-Encoding: chunked";
  } else if (answer.status != 204) {  // RFC 9110 8.6
    out += "\r\nContent-Length: ";
    AppendNumber(out, answer.body.size());
  }
  if (answer.retry_after_seconds > 0) {
    out += "\r\nRetry-After: ";
    AppendNumber(out, static_cast<std::size_t>(answer.retry_after_seconds));
  }
  if (!answer.allow.empty()) {
    out += "\r\nAllow: ";
    out += answer.allow;
  }
  for (const auto* list : {&headers, &answer.headers}) {
    for (const auto& [name, value] : *list) {
      out += "\r\n";
      out += name;
      out += ": ";
      out += value;
    }
  }
  if (!form.keep_alive) {
    out += "\r\nConnection: close";
  } else if (!form.http11) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  if (!form.is_stream && !form.is_head) out += answer.body;
}

void AppendChunk(std::string& out, std::string_view piece) {
  AppendNumber(out, piece.size(), 16);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

}  // namespace hookswitch
