#include "core/http/request_check.h"

#include <curl/curl.h>

#include <memory>

#include "core/base/http_syntax.h"
#include "core/base/ip_address.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

bool ChangesFraming(std::string_view name) {
  return EqualsIgnoreCase(name, "Content-Length") || EqualsIgnoreCase(name, "Transfer-Encoding") ||
         EqualsIgnoreCase(name, "Connection") || EqualsIgnoreCase(name, "Upgrade") || EqualsIgnoreCase(name, "TE") ||
         EqualsIgnoreCase(name, "Trailer") || EqualsIgnoreCase(name, "Expect");
}

std::optional<RequestProblem> CheckUrl(const std::string& url) {
  const auto bad = [](std::string why) { return RequestProblem{"bad_url", std::move(why)}; };
  if (HasSpaceOrControl(url)) return bad("the URL holds a space or a control character");
  CURLU* parsed = curl_url();
  if (!parsed) return bad("out of memory");
  std::optional<RequestProblem> problem;
  char* scheme = nullptr;
  if (const CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url.c_str(), 0); code != CURLUE_OK) {
    problem = bad(std::string("the URL cannot be read: ") + curl_url_strerror(code));
  } else if (curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
             (std::string_view(scheme) != "https" && std::string_view(scheme) != "http")) {
    problem = bad("the URL must start with https:// or http://");
  }
  curl_free(scheme);
  curl_url_cleanup(parsed);
  return problem;
}

}  // namespace

std::optional<RequestProblem> CheckRequest(const HttpRequest& request) {
  if (!IsHttpToken(request.method)) return RequestProblem{"bad_request", "the method is not a word that HTTP allows"};
  for (const auto& [name, value] : request.headers) {
    if (!IsHttpToken(name)) return RequestProblem{"bad_request", "a header's name holds a character that HTTP forbids"};
    if (!IsHttpFieldValue(value)) {
      return RequestProblem{"bad_request", "the header " + name + " holds a line break or another control character"};
    }
    if (ChangesFraming(name))
      return RequestProblem{"bad_request", "the header " + name + " is the HTTP client's to set"};
  }
  return CheckUrl(request.url);
}

std::string PrivateHostOf(const std::string& url) {
  const std::unique_ptr<CURLU, void (*)(CURLU*)> parsed(curl_url(), &curl_url_cleanup);
  char* found = nullptr;
  if (!parsed || curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK ||
      curl_url_get(parsed.get(), CURLUPART_HOST, &found, 0) != CURLUE_OK) {
    return "";
  }
  std::string host = ToLower(found);
  curl_free(found);
  if (host.ends_with('.')) host.pop_back();  // fully qualified name
  const bool is_v6 = host.starts_with('[');
  const std::string address = is_v6 ? host.substr(1, host.find_first_of("]%") - 1) : host;
  // libcurl normalizes every form of an IPv4 address to four numbers.
  const bool is_address = is_v6 || host.find_first_not_of("0123456789.") == std::string::npos;
  const bool is_private =
      is_address ? !IsPublicAddress(std::string_view(address)) : host == "localhost" || host.ends_with(".localhost");
  return is_private ? host : "";
}

std::string_view PathAndQuery(std::string_view url) {
  const auto scheme = url.find("://");
  const auto start = url.find_first_of("/?#", scheme == std::string_view::npos ? 0 : scheme + 3);
  return start == std::string_view::npos ? std::string_view() : url.substr(start);
}

}  // namespace hookswitch
