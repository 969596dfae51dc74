#pragma once
#include <gtest/gtest.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

#include "core/ingress/http_server.h"
#include "tests/ingress/raw_client.h"

namespace hookswitch::testing {

/// Lets handlers wait until the test opens it.
class Gate {
 public:
  void Enter() {
    std::unique_lock lock(mu_);
    ++inside_;
    cv_.notify_all();
    cv_.wait_for(lock, std::chrono::seconds(10), [this] { return open_; });
  }
  bool AwaitInside(int count) {
    std::unique_lock lock(mu_);
    return cv_.wait_for(lock, std::chrono::seconds(10), [&] { return inside_ >= count; });
  }
  void Open() {
    std::lock_guard lock(mu_);
    open_ = true;
    cv_.notify_all();
  }

 private:
  std::mutex mu_;
  std::condition_variable cv_;
  int inside_ = 0;
  bool open_ = false;
};

/// A server on loopback whose handler the test sets.
class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    options.listen = {"127.0.0.1", 0};
    options.name = "test";
    handler = [](Responder responder) {
      Answer answer;
      answer.body = responder.request().body;
      responder.Complete(answer);
    };
  }
  const std::string& Start() {
    auto started = HttpServer::Start(
        options, head, [this](Responder responder) { handler(std::move(responder)); }, metrics);
    if (!started) {
      ADD_FAILURE() << started.error().message;
    } else {
      server = std::move(*started);
      address = server->Address();
    }
    return address;
  }
  /// Waits until so many connections are open.
  void AwaitOpen(int count) {
    const std::string line = "hookswitch_http_connections{server=\"test\"} " + std::to_string(count) + "\n";
    while (metrics.Text().find(line) == std::string::npos) std::this_thread::yield();
  }
  int RefusedConnections() {
    return static_cast<int>(
        metrics.MakeCounter("hookswitch_http_connections_refused_total", "", {{"server", "test"}}).Value());
  }

  Metrics metrics;
  HttpServerOptions options;
  HeadHandler head;
  RequestHandler handler;
  std::unique_ptr<HttpServer> server;
  std::string address;
};

}  // namespace hookswitch::testing
