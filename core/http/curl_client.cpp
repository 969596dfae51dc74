#include <curl/curl.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/sync.h"
#include "core/base/thread_name.h"
#include "core/http/handle_pool.h"
#include "core/http/http_client.h"
#include "core/http/request_check.h"
#include "core/http/transfer.h"

namespace hookswitch {
namespace {

using curl::Finish;

/// An exchange and, once started, its handle.
struct InFlight {
  curl::Transfer transfer;
  curl::Handle handle;
};

class CurlClient final : public HttpClient {
 public:
  explicit CurlClient(const HttpClientOptions& options)
      : max_response_body_(options.max_response_body), handles_(options) {
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
    handles_.Clear();
    curl_multi_cleanup(multi_);
    curl_global_cleanup();
  }

  void Send(HttpRequest request, std::chrono::milliseconds timeout, Done done) override {
    auto exchange = std::make_unique<InFlight>();
    curl::Transfer& transfer = exchange->transfer;
    transfer.request = std::move(request);
    transfer.timeout = std::max(timeout, std::chrono::milliseconds(1));
    transfer.done = std::move(done);
    transfer.max_body = max_response_body_;
    bool wake = false;
    {
      MutexLock lock(mu_);
      queue_.push_back(std::move(exchange));
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

    std::vector<std::unique_ptr<InFlight>> fresh;
    while (TakeQueue(fresh)) {
      passes_.fetch_add(1, std::memory_order_relaxed);
      for (auto& exchange : fresh) Start(std::move(exchange));
      fresh.clear();
      int running = 0;
      curl_multi_perform(multi_, &running);
      if (Collect()) continue;  // a callback may have sent more
      // Yield once before sleeping: a producer that is about to send need not wake this thread.
      std::this_thread::yield();
      handles_.DropEndedTransports();
      if (MaySleep()) curl_multi_poll(multi_, nullptr, 0, 1000, nullptr);
    }
    CancelAll();
  }

  bool TakeQueue(std::vector<std::unique_ptr<InFlight>>& fresh) EXCLUDES(mu_) {
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

  void Start(std::unique_ptr<InFlight> exchange) {
    curl::Transfer& transfer = exchange->transfer;
    const HttpRequest& request = transfer.request;
    if (auto problem = CheckRequest(request)) {
      Finish(transfer, HttpResult{{}, std::string(problem->error), std::move(problem->detail), false});
      return;
    }
    const bool by_own_proxy = curl::GoesByOwnProxy(request);
    if (by_own_proxy && request.public_only) {
      if (std::string host = PrivateHostOf(request.url); !host.empty()) {
        Finish(transfer, HttpResult{{}, "private_address", std::move(host), false});
        return;
      }
    }
    transfer.public_only = request.public_only && !by_own_proxy;
    exchange->handle = handles_.Take(request);
    CURL* easy = exchange->handle.easy.get();
    curl::Attach(easy, transfer);
    const CURLMcode code = curl_multi_add_handle(multi_, easy);
    HSW_CHECK(code == CURLM_OK, "a fresh handle can always be added");
    in_flight_.emplace(easy, std::move(exchange));
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
    InFlight& exchange = *node.mapped();
    HttpResult result = curl::ResultOf(easy, code, exchange.transfer);
    curl_multi_remove_handle(multi_, easy);
    handles_.Return(std::move(exchange.handle), code);
    Finish(exchange.transfer, std::move(result));
  }

  void CancelAll() EXCLUDES(mu_) {
    while (!in_flight_.empty()) {
      auto node = in_flight_.extract(in_flight_.begin());
      InFlight& exchange = *node.mapped();
      CURL* easy = exchange.handle.easy.get();
      const bool maybe_sent = curl::MaybeSent(easy);
      curl_multi_remove_handle(multi_, easy);
      Finish(exchange.transfer, HttpResult{{}, "canceled", "hookswitch is stopping", maybe_sent});
    }
    for (;;) {
      std::vector<std::unique_ptr<InFlight>> waiting;
      {
        MutexLock lock(mu_);
        waiting.swap(queue_);
      }
      if (waiting.empty()) return;
      for (auto& exchange : waiting)
        Finish(exchange->transfer, HttpResult{{}, "canceled", "hookswitch is stopping", false});
    }
  }

  const std::size_t max_response_body_;
  CURLM* multi_ = nullptr;
  Mutex mu_;
  std::vector<std::unique_ptr<InFlight>> queue_ GUARDED_BY(mu_);
  bool stopping_ GUARDED_BY(mu_) = false;
  bool sleeping_ GUARDED_BY(mu_) = false;
  std::atomic<std::uint64_t> passes_{0};
  // Client thread only.
  std::unordered_map<CURL*, std::unique_ptr<InFlight>> in_flight_;
  curl::HandlePool handles_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<HttpClient> MakeCurlClient(const HttpClientOptions& options) {
  return std::make_unique<CurlClient>(options);
}

}  // namespace hookswitch
