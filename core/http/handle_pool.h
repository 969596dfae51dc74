#pragma once
#include <curl/curl.h>

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/http/http_client.h"

/// libcurl's handles, configured for a request and reused. [thread: HTTP client]
namespace hookswitch::curl {

struct EasyDeleter {
  void operator()(CURL* easy) const { curl_easy_cleanup(easy); }
};
struct ListDeleter {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using TransportRef = std::weak_ptr<const Transport>;
/// Connection pool of one transport: from a common pool libcurl would reuse a tunnel opened with another user's
/// password.
using Pool = std::shared_ptr<CURLSH>;
using EasyPtr = std::unique_ptr<CURL, EasyDeleter>;
using ListPtr = std::unique_ptr<curl_slist, ListDeleter>;

/// A libcurl handle and the request it is configured for: the next request with the same URL and headers only needs a
/// new body.
struct Handle {
  Pool pool;  ///< outlives `easy`; nullptr: the pool of requests without a transport
  EasyPtr easy;
  TransportRef transport;
  std::string method;
  std::string url;  ///< "": not configured
  std::vector<std::pair<std::string, std::string>> headers;
  bool has_body = false;
  bool public_only = false;
  ListPtr list;  ///< list form of `headers`; libcurl reads it during the exchange

  bool IsReadyFor(const HttpRequest& request) const {
    return url == request.url && method == request.method && headers == request.headers &&
           has_body == !request.body.empty() && public_only == request.public_only &&
           IsSame(transport, request.transport);
  }
  bool IsOfEndedTransport() const { return transport.expired() && !IsSame(transport, {}); }

 private:
  static bool IsSame(const TransportRef& a, const TransportRef& b) { return !a.owner_before(b) && !b.owner_before(a); }
};

/// Handles between exchanges, and the connection pools of transports.
class HandlePool {
 public:
  explicit HandlePool(const HttpClientOptions& options);

  /// A handle with everything set that stays the same for requests of the same kind; see Attach for the rest.
  Handle Take(const HttpRequest& request);
  /// Keeps the handle of an exchange that ended with `code` for a later request.
  void Return(Handle handle, CURLcode code);
  /// A reload ends transports: drops their connections and copies of their keys.
  void DropEndedTransports();
  /// Drops all connections. No handle may be in use.
  void Clear();

 private:
  Pool PoolOf(const std::shared_ptr<const Transport>& transport);
  void Configure(Handle& handle, const HttpRequest& request) const;
  void Trust(CURL* easy, const Transport* transport) const;

  const HttpClientOptions options_;
  std::string ca_file_, ca_folder_;
  std::map<TransportRef, Pool, std::owner_less<>> pools_;
  std::vector<Handle> idle_;
};

}  // namespace hookswitch::curl
