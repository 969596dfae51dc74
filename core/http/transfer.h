#pragma once
#include <curl/curl.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "core/http/http_client.h"

/// One exchange of the HTTP client, as libcurl's callbacks see it. [thread: HTTP client]
namespace hookswitch::curl {

/// Not movable once attached, because libcurl holds pointers into it.
struct Transfer {
  HttpRequest request;
  std::chrono::milliseconds timeout{};
  HttpClient::Done done;
  std::size_t max_body = 0;  ///< of the response, in bytes
  /// Takes pieces of the body in place of `response`, or ends the exchange. May be empty.
  enum class Taken { kNo, kYes, kEnd };
  std::function<Taken(std::string_view piece)> take{};
  bool public_only = false;  ///< only public addresses are allowed
  HttpResponse response;     ///< what was received so far
  std::size_t header_bytes = 0;
  bool body_cut = false;
  bool headers_endless = false;
  std::string private_address;  ///< the address that a public_only request was blocked from
  char error[CURL_ERROR_SIZE] = "";
};

/// Whether to send a body, possibly an empty one.
bool SendsBody(const HttpRequest& request);
/// True if the request's transport names a proxy.
bool GoesByOwnProxy(const HttpRequest& request);

/// Sets the callbacks, whose context is the attached Transfer.
void SetCallbacks(CURL* easy, bool public_only);
/// Sets what changes with each request: the callbacks' context, deadline, body. `transfer` outlives the exchange.
void Attach(CURL* easy, Transfer& transfer);

/// True if bytes of the request may have reached the server.
bool MaybeSent(CURL* easy);
/// The result of an exchange that ended with `code`; takes the response out of `transfer`.
HttpResult ResultOf(CURL* easy, CURLcode code, Transfer& transfer);

/// Calls `done`, once.
void Finish(Transfer& transfer, HttpResult result);

}  // namespace hookswitch::curl
