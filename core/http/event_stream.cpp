#include "core/http/event_stream.h"

#include <curl/curl.h>

#include <utility>

#include "core/http/handle_pool.h"
#include "core/http/request_check.h"
#include "core/http/transfer.h"

namespace hookswitch {
namespace {

constexpr long kConnectSeconds = 10;

struct CurlGlobal {
  CurlGlobal() { curl_global_init(CURL_GLOBAL_DEFAULT); }
  ~CurlGlobal() { curl_global_cleanup(); }
};

}  // namespace

bool EventStreamParser::Read(std::string_view piece, const Take& take) {
  while (!piece.empty()) {
    if (std::exchange(after_cr_, false) && piece.front() == '\n') {
      piece.remove_prefix(1);
      continue;
    }
    const auto end = piece.find_first_of("\r\n");
    line_ += piece.substr(0, end);
    if (line_.size() > kMostLine) return false;
    if (end == std::string_view::npos) return true;
    after_cr_ = piece[end] == '\r';
    piece.remove_prefix(end + 1);
    const std::string line = std::exchange(line_, {});
    if (!ReadLine(line, take)) return false;
  }
  return true;
}

bool EventStreamParser::ReadLine(std::string_view line, const Take& take) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (std::exchange(at_start_, false) && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.empty()) {
    last_id_ = id_;
    const Message message = std::exchange(message_, {});
    return !std::exchange(has_data_, false) || take(message);
  }
  const auto colon = line.find(':');
  const std::string_view field = line.substr(0, colon);
  std::string_view value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (field == "event") message_.event = value.empty() ? "message" : value;
  if (field == "id" && value.find('\0') == std::string_view::npos) id_ = value;
  if (field == "data") {
    if (std::exchange(has_data_, true)) message_.data += '\n';
    message_.data += value;
  }
  return true;
}

void EventStreamParser::BeginAgain() {
  line_.clear();
  message_ = {};
  id_ = last_id_;
  has_data_ = after_cr_ = false;
  at_start_ = true;
}

HttpResult ReceiveStream(const HttpClientOptions& options, HttpRequest request, std::chrono::seconds silence,
                         const std::function<bool(std::string_view piece)>& take) {
  if (const auto problem = CheckRequest(request)) return {{}, std::string(problem->error), problem->detail, false};
  const CurlGlobal global;
  curl::HandlePool handles(options);
  curl::Transfer transfer;
  transfer.request = std::move(request);
  transfer.max_body = options.max_response_body;
  const curl::Handle handle = handles.Take(transfer.request);
  CURL* easy = handle.easy.get();
  curl::Attach(easy, transfer);  // without a deadline
  curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, static_cast<long>(silence.count()));
  transfer.take = [&](std::string_view piece) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status == 200) return take(piece) ? curl::Transfer::Taken::kYes : curl::Transfer::Taken::kEnd;
    return curl::Transfer::Taken::kNo;
  };
  const CURLcode code = curl_easy_perform(easy);
  HttpResult result = curl::ResultOf(easy, code, transfer);
  if (result.error == "timeout") result.detail = "nothing came for " + std::to_string(silence.count()) + " s";
  return result;
}

}  // namespace hookswitch
