#include "core/ingress/event_answers.h"

namespace hookswitch {

Answer EventAnswer(const Accepted& accepted, std::size_t deliveries) {
  Answer answer;
  answer.body.reserve(80);
  answer.body += R"({"ok":true,"id":")";
  answer.body += accepted.id;
  if (accepted.revised) {
    answer.body += R"(","duplicate":true,"revised":true})";
  } else if (accepted.duplicate) {
    answer.body += R"(","duplicate":true})";
  } else if (deliveries == 0) {
    answer.body += R"(","skipped":true})";
  } else {
    answer.body += R"(","deliveries":)";
    answer.body += std::to_string(deliveries);
    answer.body += '}';
  }
  return answer;
}

Answer SkippedAnswer() {
  Answer answer;
  answer.body = R"({"ok":true,"skipped":true})";
  return answer;
}

Answer EventsAnswer(std::span<const std::string_view> ids, std::size_t deliveries) {
  Answer answer;
  answer.body.reserve(64 + ids.size() * 32);
  answer.body += R"({"ok":true,"ids":[)";
  for (const std::string_view id : ids) {
    if (!answer.body.ends_with('[')) answer.body += ',';
    if (id.empty()) {
      answer.body += "null";
    } else {
      answer.body.append(1, '"').append(id).append(1, '"');
    }
  }
  answer.body += R"(],"deliveries":)";
  answer.body += std::to_string(deliveries);
  answer.body += '}';
  return answer;
}

Answer RetryLater(int status, std::string_view error, std::string_view detail, int seconds) {
  Answer answer = ErrorAnswer(status, error, detail);
  answer.retry_after_seconds = seconds;
  return answer;
}

}  // namespace hookswitch
