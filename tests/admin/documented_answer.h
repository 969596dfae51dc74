#pragma once
#include <string>
#include <string_view>

#include "core/ingress/http_server.h"
#include "tests/admin/api_document.h"

namespace hookswitch {

/// `answer`, after ExpectDocumented.
inline Answer Documented(std::string_view method, std::string_view target, std::string_view body, Answer answer) {
  SeenResponse seen{answer.status, answer.content_type, answer.headers, answer.body};
  if (answer.retry_after_seconds > 0) {
    seen.headers.emplace_back("Retry-After", std::to_string(answer.retry_after_seconds));
  }
  ExpectDocumented(method, target, body, seen);
  return answer;
}

}  // namespace hookswitch
