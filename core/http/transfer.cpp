#include "core/http/transfer.h"

#include <sys/socket.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "core/base/ip_address.h"
#include "core/base/text.h"
#include "core/http/request_check.h"

namespace hookswitch::curl {
namespace {

constexpr std::size_t kMaxHeaders = 128;
constexpr std::size_t kMaxHeaderBytes = 32 * 1024;

std::size_t OnHeader(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line(data, size * count);
  if (line.substr(0, 5) == "HTTP/") {  // after a 1xx only the final response counts
    transfer.response.headers.clear();
    transfer.header_bytes = 0;
    return line.size();
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return line.size();
  transfer.header_bytes += line.size();
  if (transfer.header_bytes > kMaxHeaderBytes * 8) {
    transfer.headers_endless = true;
    return 0;
  }
  if (transfer.header_bytes <= kMaxHeaderBytes && transfer.response.headers.size() < kMaxHeaders) {
    transfer.response.headers.emplace_back(line.substr(0, colon), Trim(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t OnBody(char* data, std::size_t size, std::size_t count, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::size_t bytes = size * count;
  const auto taken = transfer.take ? transfer.take({data, bytes}) : Transfer::Taken::kNo;
  if (taken == Transfer::Taken::kYes) return bytes;
  if (taken == Transfer::Taken::kEnd) {
    transfer.body_cut = true;
    return 0;
  }
  const std::size_t room = transfer.max_body - transfer.response.body.size();
  transfer.response.body.append(data, std::min(room, bytes));
  if (bytes <= room) return bytes;
  transfer.body_cut = true;
  return 0;  // ends the transfer: the kept part is complete, and an endless response must not hold the slot
}

curl_socket_t OnOpenSocket(void* context, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.public_only && !IsPublicAddress(address->addr)) {
    transfer.private_address = ToText(address->addr);
    return CURL_SOCKET_BAD;
  }
  // libcurl's own sockets would be inherited by processes that a plugin starts.
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

/// For reused connections, which a request without public_only may have opened.
int OnReady(void* context, char* address, char*, int, int) {
  if (IsPublicAddress(std::string_view(address))) return CURL_PREREQFUNC_OK;
  static_cast<Transfer*>(context)->private_address = address;
  return CURL_PREREQFUNC_ABORT;
}

/// Detects two certificate failures that libcurl reports as generic TLS errors: the server rejected or required our
/// certificate (an alert, which with TLS 1.3 comes in place of the response), and a wrong signature in its chain (an
/// error of OpenSSL's inner libraries).
bool IsOfCertificate(std::string_view error) {
  constexpr std::string_view kWords[] = {"certificate", "unknown ca", "decrypt error", "handshake failure",
                                         "access denied"};
  constexpr std::string_view kInner[] = {
      ":asn1 encoding routines:", ":rsa routines:", ":x509 certificate routines:", ":digital envelope routines:"};
  const auto alert = error.find(" alert ");
  const auto has = [&](std::string_view word) { return error.find(word, alert) != std::string_view::npos; };
  if (alert != std::string_view::npos) return std::any_of(std::begin(kWords), std::end(kWords), has);
  return std::any_of(std::begin(kInner), std::end(kInner),
                     [&](std::string_view library) { return error.find(library) != std::string_view::npos; });
}

std::string_view WordFor(CURLcode code) {
  switch (static_cast<int>(code)) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY: return "dns_failed";
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED: return "connect_failed";
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS: return "certificate_problem";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_USE_SSL_FAILED: return "tls_failed";
    case CURLE_OPERATION_TIMEDOUT: return "timeout";
    case CURLE_URL_MALFORMAT: return "bad_url";
    case CURLE_UNSUPPORTED_PROTOCOL:  // an HTTP/0.9 response; bad schemes never get here
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING: return "bad_response";
    case CURLE_ABORTED_BY_CALLBACK: return "canceled";
    default: return "reset";
  }
}

/// The error word if the proxy caused the failure ("bad_proxy", "proxy_refused", "connect_failed"); else "".
std::string_view WordForProxy(CURL* easy, CURLcode code, std::string_view error) {
  if (error.starts_with("Unsupported proxy")) return "bad_proxy";
  long connect_status = 0;
  long proxy_error = CURLPX_OK;
  curl_easy_getinfo(easy, CURLINFO_HTTP_CONNECTCODE, &connect_status);
  curl_easy_getinfo(easy, CURLINFO_PROXY_ERROR, &proxy_error);
  if (code == CURLE_PROXY) {
    const bool refused =
        proxy_error == CURLPX_NO_AUTH || proxy_error == CURLPX_USER_REJECTED || proxy_error == CURLPX_REPLY_NOT_ALLOWED;
    return refused ? "proxy_refused" : "connect_failed";
  }
  if (connect_status < 300) return "";
  const bool later = connect_status == 408 || connect_status == 425 || connect_status == 429 || connect_status >= 500;
  return later ? "connect_failed" : "proxy_refused";
}

/// One of libcurl's timers; empty if the exchange did not get there.
std::optional<std::chrono::milliseconds> TimeOf(CURL* easy, CURLINFO timer) {
  curl_off_t us = 0;
  curl_easy_getinfo(easy, timer, &us);
  if (us <= 0) return {};
  return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::microseconds(us));
}

std::optional<std::chrono::milliseconds> ConnectTimeOf(CURL* easy, const Transfer& transfer) {
  long connections = 0;
  curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connections);
  if (connections == 0) return {};
  const bool is_tls = EqualsIgnoreCase(std::string_view(transfer.request.url).substr(0, 8), "https://");
  return TimeOf(easy, is_tls ? CURLINFO_APPCONNECT_TIME_T : CURLINFO_CONNECT_TIME_T);
}

std::string DetailOf(const Transfer& transfer, CURLcode code, bool maybe_sent) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return (maybe_sent ? "the request was sent, but no whole answer came within " : "no connection within ") +
           std::to_string(transfer.timeout.count()) + " ms";
  }
  std::string detail = transfer.error[0] ? transfer.error : curl_easy_strerror(code);
  const std::string_view secret = PathAndQuery(transfer.request.url);
  if (secret.size() > 1) {
    for (auto at = detail.find(secret); at != std::string::npos; at = detail.find(secret)) {
      detail.replace(at, secret.size(), "/***");
      if (secret == "/***") break;
    }
  }
  return ToUtf8(detail);
}

}  // namespace

bool SendsBody(const HttpRequest& request) {
  if (request.method == "HEAD") return false;
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
}

bool GoesByOwnProxy(const HttpRequest& request) {
  return request.transport && !request.transport->proxy.empty();
}

void SetCallbacks(CURL* easy, bool public_only) {
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
  if (public_only) curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &OnReady);
}

void Attach(CURL* easy, Transfer& transfer) {
  const HttpRequest& request = transfer.request;
  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.timeout.count()));
  curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.error);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
  curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  if (!SendsBody(request)) return;
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.c_str());
}

bool MaybeSent(CURL* easy) {
  curl_off_t ready_us = 0;
  long request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  // The request size alone would include a proxy's CONNECT.
  return ready_us > 0 && request_bytes > 0;
}

HttpResult ResultOf(CURL* easy, CURLcode code, Transfer& transfer) {
  HttpResult result;
  result.maybe_sent = MaybeSent(easy);
  result.connect = ConnectTimeOf(easy, transfer);
  result.first_byte = TimeOf(easy, CURLINFO_STARTTRANSFER_TIME_T);
  if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && transfer.body_cut)) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    transfer.response.is_cut = transfer.body_cut;
    // Only proxies respond with 407 (RFC 9110 15.5.8), and a response through TLS is not the proxy's.
    if (status == 407 && EqualsIgnoreCase(std::string_view(transfer.request.url).substr(0, 7), "http://")) {
      result.error = "proxy_refused";
      result.detail = "it answered 407: it asks for user and password";
      result.maybe_sent = false;
    } else {
      result.response = std::move(transfer.response);
    }
  } else if (!transfer.private_address.empty()) {
    result.error = "private_address";
    result.detail = transfer.private_address;
    result.maybe_sent = false;
  } else if (transfer.headers_endless) {
    result.error = "too_large";
    result.detail = "the answer's headers do not end";
  } else {
    const std::string_view at_proxy = WordForProxy(easy, code, transfer.error);
    const std::string_view word = IsOfCertificate(transfer.error) ? "certificate_problem" : WordFor(code);
    result.error = at_proxy.empty() ? word : at_proxy;
    result.detail = DetailOf(transfer, code, result.maybe_sent);
    // A server that rejects our certificate has not read the request.
    if (result.error == "certificate_problem") result.maybe_sent = false;
  }
  return result;
}

void Finish(Transfer& transfer, HttpResult result) {
  const auto done = std::move(transfer.done);
  done(std::move(result));
}

}  // namespace hookswitch::curl
