#include "core/ingress/response_text.h"

#include <Poco/Net/HTTPResponse.h>

#include <algorithm>
#include <charconv>
#include <cstddef>

#include "core/base/text.h"

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
  } else if (answer.status != 204 && answer.status != 304) {  // RFC 9110 8.6: of a 304 it would be that of the 200
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
  const auto append = [&](const std::string& name, const std::string& value) {
    out += "\r\n";
    out += name;
    out += ": ";
    out += value;
  };
  for (const auto& [name, value] : headers) {
    const auto is_same = [&name = name](const auto& own) { return EqualsIgnoreCase(own.first, name); };
    if (std::ranges::none_of(answer.headers, is_same)) append(name, value);
  }
  for (const auto& [name, value] : answer.headers) append(name, value);
  if (!form.keep_alive) {
    out += "\r\nConnection: close";
  } else if (!form.http11) {
    out += "\r\nConnection: keep-alive";
  }
  out += "\r\n\r\n";
  if (!form.is_stream && !form.is_head && answer.status != 304) out += answer.body;
}

void AppendChunk(std::string& out, std::string_view piece) {
  AppendNumber(out, piece.size(), 16);
  out += "\r\n";
  out += piece;
  out += "\r\n";
}

}  // namespace hookswitch
