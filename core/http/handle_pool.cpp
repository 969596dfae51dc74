#include "core/http/handle_pool.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/http/transfer.h"

namespace hookswitch::curl {
namespace {

constexpr std::size_t kMaxIdleHandles = 256;
constexpr long kReceiveBuffer = 4096;
// Below the idle limit of usual load balancers (60 s), so that reused connections are rarely dead.
constexpr long kMaxIdleSeconds = 50;

bool Has(const HttpRequest& request, std::string_view name) {
  return std::any_of(request.headers.begin(), request.headers.end(),
                     [&](const auto& header) { return EqualsIgnoreCase(header.first, name); });
}

ListPtr MakeHeaders(const HttpRequest& request) {
  curl_slist* list = nullptr;
  const auto add = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list, line.c_str());
    HSW_CHECK(longer, "memory does not run out");
    list = longer;
  };
  // "Name:" removes a header that libcurl adds by default.
  add("Expect:");
  for (const char* name : {"Accept", "Content-Type"}) {
    if (!Has(request, name)) add(std::string(name) + ":");
  }
  for (const auto& [name, value] : request.headers) add(value.empty() ? name + ";" : name + ": " + value);
  return ListPtr(list);
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void SetBlob(CURL* easy, CURLoption option, const std::string& text) {
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, option, &blob);
}

}  // namespace

HandlePool::HandlePool(const HttpClientOptions& options) : options_(options), ca_file_(options.ca_file) {
  if (ca_file_.empty()) ca_file_ = Variable("CURL_CA_BUNDLE");
  if (ca_file_.empty()) {
    ca_file_ = Variable("SSL_CERT_FILE");
    ca_folder_ = Variable("SSL_CERT_DIR");
  }
}

Handle HandlePool::Take(const HttpRequest& request) {
  Handle handle;
  if (idle_.empty()) {
    handle.easy.reset(curl_easy_init());
    HSW_CHECK(handle.easy, "memory does not run out");
  } else {
    // Prefer the handle used last: its memory is in the cache.
    const auto ready =
        std::find_if(idle_.rbegin(), idle_.rend(), [&](const Handle& one) { return one.IsReadyFor(request); });
    const bool is_ready = ready != idle_.rend();
    if (is_ready) std::swap(*ready, idle_.back());
    handle = std::move(idle_.back());
    idle_.pop_back();
    if (is_ready) return handle;
    curl_easy_reset(handle.easy.get());
  }
  // Before its previous pool may be destroyed.
  const Pool pool = PoolOf(request.transport);
  curl_easy_setopt(handle.easy.get(), CURLOPT_SHARE, pool.get());
  handle.pool = pool;
  handle.transport = request.transport;
  Configure(handle, request);
  return handle;
}

void HandlePool::Return(Handle handle, CURLcode code) {
  // libcurl counts retries on dead reused connections over a handle's lifetime and fails at the sixth; only a reset
  // clears the count. Each retry opens a connection.
  long connects = 0;
  curl_easy_getinfo(handle.easy.get(), CURLINFO_NUM_CONNECTS, &connects);
  if (code != CURLE_OK || connects != 0) handle.url.clear();
  if (idle_.size() < kMaxIdleHandles) idle_.push_back(std::move(handle));
}

void HandlePool::DropEndedTransports() {
  if (std::erase_if(pools_, [](const auto& pool) { return pool.first.expired(); }) == 0) return;
  std::erase_if(idle_, [](const Handle& handle) { return handle.IsOfEndedTransport(); });
}

void HandlePool::Clear() {
  idle_.clear();
  pools_.clear();
}

Pool HandlePool::PoolOf(const std::shared_ptr<const Transport>& transport) {
  if (!transport) return nullptr;
  const auto known = pools_.find(transport);
  if (known != pools_.end()) return known->second;
  const Pool pool(curl_share_init(), [](CURLSH* share) { curl_share_cleanup(share); });
  HSW_CHECK(pool, "memory does not run out");
  curl_share_setopt(pool.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
  pools_.emplace(transport, pool);
  return pool;
}

void HandlePool::Configure(Handle& handle, const HttpRequest& request) const {
  CURL* easy = handle.easy.get();
  handle.method = request.method;
  handle.url = request.url;
  handle.headers = request.headers;
  handle.has_body = !request.body.empty();
  handle.public_only = request.public_only;
  curl_easy_setopt(easy, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options_.unix_socket.empty()) {
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options_.unix_socket.c_str());
  }
  const Transport* const transport = request.transport.get();
  Trust(easy, transport);
  if (transport && !transport->cert.empty()) {
    SetBlob(easy, CURLOPT_SSLCERT_BLOB, transport->cert);
    SetBlob(easy, CURLOPT_SSLKEY_BLOB, transport->key.Reveal());
  }
  curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  // libcurl allocates this buffer per exchange, 16 KB by default; responses of sinks are short.
  curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, kReceiveBuffer);
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  // Otherwise ending a transfer during a hanging DNS lookup would block this thread, and every sink.
  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, kMaxIdleSeconds);
  curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SetCallbacks(easy, request.public_only && !GoesByOwnProxy(request));
  if (!options_.user_agent.empty()) curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
  if (GoesByOwnProxy(request)) {
    curl_easy_setopt(easy, CURLOPT_PROXY, transport->proxy.Reveal().c_str());
    curl_easy_setopt(easy, CURLOPT_NOPROXY, "");  // NO_PROXY applies to the environment's proxies only
  } else if (request.public_only || !options_.use_proxies) {
    curl_easy_setopt(easy, CURLOPT_PROXY, "");  // stops libcurl from reading the environment
  }
  handle.list = MakeHeaders(request);
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, handle.list.get());
  if (request.method == "HEAD") {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method == "GET" && !handle.has_body) {
    curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    return;
  }
  if (SendsBody(request)) curl_easy_setopt(easy, CURLOPT_POST, 1L);
  if (request.method != "POST") curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

/// Sets the trusted certificates, for the destination and for a TLS proxy.
void HandlePool::Trust(CURL* easy, const Transport* transport) const {
  const bool own = transport && !transport->ca.empty();
  if (own) {
    SetBlob(easy, CURLOPT_CAINFO_BLOB, transport->ca);
    SetBlob(easy, CURLOPT_PROXY_CAINFO_BLOB, transport->ca);
  }
  // libcurl has the system's certificates in both options: a file and a folder.
  const auto set = [&](CURLoption option, CURLoption of_proxy, const char* path) {
    curl_easy_setopt(easy, option, path);
    curl_easy_setopt(easy, of_proxy, path);
  };
  const bool only = own || !options_.ca_file.empty();
  if (own) {
    set(CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO, nullptr);
  } else if (!ca_file_.empty()) {
    set(CURLOPT_CAINFO, CURLOPT_PROXY_CAINFO, ca_file_.c_str());
  }
  if (only) {
    set(CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH, nullptr);
  } else if (!ca_folder_.empty()) {
    set(CURLOPT_CAPATH, CURLOPT_PROXY_CAPATH, ca_folder_.c_str());
  }
}

}  // namespace hookswitch::curl
