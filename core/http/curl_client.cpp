#include <curl/curl.h>
#include <signal.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/ip_address.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/thread_name.h"
#include "core/http/http_client.h"
#include "core/http/request_check.h"

namespace hookswitch {
namespace {

constexpr std::size_t kMaxHeaders = 128;
constexpr std::size_t kMaxHeaderBytes = 32 * 1024;
constexpr std::size_t kMaxIdleHandles = 256;
constexpr long kReceiveBuffer = 4096;
// Below the idle limit of usual load balancers (60 s), so that reused connections are rarely dead.
constexpr long kMaxIdleSeconds = 50;

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

/// One exchange in flight. Not movable, because libcurl holds pointers into it.
struct Transfer {
  HttpRequest request;
  std::chrono::milliseconds timeout{};
  HttpClient::Done done;
  HttpResponse response;
  std::size_t header_bytes = 0;
  std::size_t max_body = 0;
  bool body_cut = false;
  bool headers_endless = false;
  bool public_only = false;     ///< only public addresses are allowed
  std::string private_address;  ///< the address that a public_only request was blocked from
  Handle handle;
  char error[CURL_ERROR_SIZE] = "";
};

void Finish(Transfer& transfer, HttpResult result) {
  const auto done = std::move(transfer.done);
  done(std::move(result));
}

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

/// Whether to send a body, possibly an empty one.
bool SendsBody(const HttpRequest& request) {
  if (request.method == "HEAD") return false;
  return !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
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

bool MaybeSent(CURL* easy) {
  curl_off_t ready_us = 0;
  long request_bytes = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &ready_us);
  curl_easy_getinfo(easy, CURLINFO_REQUEST_SIZE, &request_bytes);
  // The request size alone would include a proxy's CONNECT.
  return ready_us > 0 && request_bytes > 0;
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

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

void SetBlob(CURL* easy, CURLoption option, const std::string& text) {
  curl_blob blob{const_cast<char*>(text.data()), text.size(), CURL_BLOB_COPY};
  curl_easy_setopt(easy, option, &blob);
}

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(const HttpClientOptions& options) : options_(options), ca_file_(options.ca_file) {
    if (ca_file_.empty()) ca_file_ = Variable("CURL_CA_BUNDLE");
    if (ca_file_.empty()) {
      ca_file_ = Variable("SSL_CERT_FILE");
      ca_folder_ = Variable("SSL_CERT_DIR");
    }
    // Thread-safe and reference-counted since 7.84 (curl.se/libcurl/c/curl_global_init.html).
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi_ = curl_multi_init();
    HSW_CHECK(multi_, "memory does not run out");
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, 256L);
    thread_ = std::thread([this] { Run(); });
  }

  ~CurlClient() override {
    {
      MutexLock lock(mu_);
      stopping_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    idle_.clear();
    pools_.clear();
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
  }

  void Send(HttpRequest request, std::chrono::milliseconds timeout, Done done) override {
    auto transfer = std::make_unique<Transfer>();
    transfer->request = std::move(request);
    transfer->timeout = std::max(timeout, std::chrono::milliseconds(1));
    transfer->done = std::move(done);
    transfer->max_body = options_.max_response_body;
    bool wake = false;
    {
      MutexLock lock(mu_);
      queue_.push_back(std::move(transfer));
      wake = std::exchange(sleeping_, false);
    }
    if (wake) curl_multi_wakeup(multi_);
  }

  std::uint64_t Passes() override {
    // Read before the wake-up: if the requested pass were counted already, the next caller might see the same number.
    const std::uint64_t passes = passes_.load(std::memory_order_relaxed);
    curl_multi_wakeup(multi_);
    return passes;
  }

 private:
  void Run() {
    NameThread("http-client");
    // OpenSSL writes without MSG_NOSIGNAL; a closed connection must not raise SIGPIPE.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);

    std::vector<std::unique_ptr<Transfer>> fresh;
    while (TakeQueue(fresh)) {
      passes_.fetch_add(1, std::memory_order_relaxed);
      for (auto& transfer : fresh) Start(std::move(transfer));
      fresh.clear();
      int running = 0;
      curl_multi_perform(multi_, &running);
      if (Collect()) continue;  // a callback may have sent more
      // Yield once before sleeping: a producer that is about to send need not wake this thread.
      std::this_thread::yield();
      DropEndedTransports();
      if (MaySleep()) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    CancelAll();
  }

  bool TakeQueue(std::vector<std::unique_ptr<Transfer>>& fresh) EXCLUDES(mu_) {
    MutexLock lock(mu_);
    sleeping_ = false;
    fresh.swap(queue_);
    if (!stopping_) return true;
    fresh.swap(queue_);
    return false;
  }

  /// Whether the loop may sleep; after true, Send and the destructor wake it.
  bool MaySleep() EXCLUDES(mu_) {
    MutexLock lock(mu_);
    sleeping_ = queue_.empty() && !stopping_;
    return sleeping_;
  }

  void Start(std::unique_ptr<Transfer> transfer) {
    if (auto problem = CheckRequest(transfer->request)) {
      Finish(*transfer, HttpResult{{}, std::string(problem->error), std::move(problem->detail), false});
      return;
    }
    if (GoesByOwnProxy(transfer->request) && transfer->request.public_only) {
      if (std::string host = PrivateHostOf(transfer->request.url); !host.empty()) {
        Finish(*transfer, HttpResult{{}, "private_address", std::move(host), false});
        return;
      }
    }
    transfer->public_only = transfer->request.public_only && !GoesByOwnProxy(transfer->request);
    transfer->handle = TakeHandle(transfer->request);
    CURL* easy = transfer->handle.easy.get();
    Point(easy, *transfer);
    const CURLMcode code = curl_multi_add_handle(multi_, easy);
    HSW_CHECK(code == CURLM_OK, "a fresh handle can always be added");
    in_flight_.emplace(easy, std::move(transfer));
  }

  static bool GoesByOwnProxy(const HttpRequest& request) {
    return request.transport && !request.transport->proxy.empty();
  }

  /// A reload ends transports: drop their connections and copies of their keys.
  void DropEndedTransports() {
    if (std::erase_if(pools_, [](const auto& pool) { return pool.first.expired(); }) == 0) return;
    std::erase_if(idle_, [](const Handle& handle) { return handle.IsOfEndedTransport(); });
  }

  Pool PoolOf(const std::shared_ptr<const Transport>& transport) {
    if (!transport) return nullptr;
    const auto known = pools_.find(transport);
    if (known != pools_.end()) return known->second;
    const Pool pool(curl_share_init(), [](CURLSH* share) { curl_share_cleanup(share); });
    HSW_CHECK(pool, "memory does not run out");
    curl_share_setopt(pool.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
    pools_.emplace(transport, pool);
    return pool;
  }

  Handle TakeHandle(const HttpRequest& request) {
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

  /// Sets everything that stays the same for requests of the same kind.
  void Configure(Handle& handle, const HttpRequest& request) const {
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
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &OnHeader);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &OnBody);
    if (!options_.user_agent.empty()) curl_easy_setopt(easy, CURLOPT_USERAGENT, options_.user_agent.c_str());
    if (GoesByOwnProxy(request)) {
      curl_easy_setopt(easy, CURLOPT_PROXY, transport->proxy.Reveal().c_str());
      curl_easy_setopt(easy, CURLOPT_NOPROXY, "");  // NO_PROXY applies to the environment's proxies only
    } else if (request.public_only || !options_.use_proxies) {
      curl_easy_setopt(easy, CURLOPT_PROXY, "");  // stops libcurl from reading the environment
    }
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, &OnOpenSocket);
    if (request.public_only && !GoesByOwnProxy(request)) curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, &OnReady);
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
  void Trust(CURL* easy, const Transport* transport) const {
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

  /// Sets what changes per request: callbacks, deadline, body.
  static void Point(CURL* easy, Transfer& transfer) {
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

  bool Collect() {
    bool any = false;
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      any = true;
      const CURLcode code = message->data.result;
      End(message->easy_handle, code);
    }
    return any;
  }

  void End(CURL* easy, CURLcode code) {
    auto node = in_flight_.extract(easy);
    HSW_CHECK(!node.empty(), "every handle in the multi is in in_flight_");
    Transfer& transfer = *node.mapped();
    HttpResult result;
    result.maybe_sent = MaybeSent(easy);
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
    curl_multi_remove_handle(multi_, easy);
    // libcurl counts retries on dead reused connections over a handle's lifetime and fails at the sixth; only a reset
    // clears the count. Each retry opens a connection.
    long connects = 0;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    if (code != CURLE_OK || connects != 0) transfer.handle.url.clear();
    if (idle_.size() < kMaxIdleHandles) idle_.push_back(std::move(transfer.handle));
    Finish(transfer, std::move(result));
  }

  void CancelAll() EXCLUDES(mu_) {
    while (!in_flight_.empty()) {
      auto node = in_flight_.extract(in_flight_.begin());
      Transfer& transfer = *node.mapped();
      const bool maybe_sent = MaybeSent(transfer.handle.easy.get());
      curl_multi_remove_handle(multi_, transfer.handle.easy.get());
      Finish(transfer, HttpResult{{}, "canceled", "hookswitch is stopping", maybe_sent});
    }
    for (;;) {
      std::vector<std::unique_ptr<Transfer>> waiting;
      {
        MutexLock lock(mu_);
        waiting.swap(queue_);
      }
      if (waiting.empty()) return;
      for (auto& transfer : waiting) Finish(*transfer, HttpResult{{}, "canceled", "hookswitch is stopping", false});
    }
  }

  const HttpClientOptions options_;
  std::string ca_file_, ca_folder_;
  CURLM* multi_ = nullptr;
  Mutex mu_;
  std::vector<std::unique_ptr<Transfer>> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  bool sleeping_ GUARDED_BY(mu_) = false;
  std::atomic<std::uint64_t> passes_{0};
  // Client thread only.
  std::unordered_map<CURL*, std::unique_ptr<Transfer>> in_flight_;
  std::map<TransportRef, Pool, std::owner_less<>> pools_;
  std::vector<Handle> idle_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<HttpClient> MakeCurlClient(const HttpClientOptions& options) {
  return std::make_unique<CurlClient>(options);
}

}  // namespace hookswitch
