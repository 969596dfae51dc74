#include "tests/e2e/poster.h"

#include <memory>
#include <optional>

#include "core/base/text.h"
#include "tests/e2e/router.h"

namespace hookswitch::e2e {

void Poster::Go(std::uint16_t port, std::size_t count) {
  Join();
  stop_ = false;
  end_ = next_ + count;
  {
    MutexLock lock(mu_);
    working_ = connections_;
  }
  for (int i = 0; i < connections_; ++i) threads_.emplace_back([this, port] { Work(port); });
}

void Poster::Join() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Poster::WaitForAccepted(std::size_t count) {
  MutexLock lock(mu_);
  while (accepted_.size() < count && working_ > 0) changed_.Wait(mu_);
}

void Poster::Work(std::uint16_t port) {
  std::optional<RawClient> client;
  bool broken = false;
  while (!stop_ && !broken) {
    std::size_t number = next_;
    while (number < end_ && !next_.compare_exchange_weak(number, number + 1)) {
    }
    if (number >= end_) break;
    if (!client) client.emplace(port);
    RawAnswer answer;
    if (client->Connected()) {
      client->Send(fakes::RequestBytes("POST", "/bolna/webhook", body ? body(number) : Call(CallId(number))));
    }
    answer = client->Receive();
    broken = answer.status == 0;
    if (EqualsIgnoreCase(answer.Header("connection"), "close")) client.reset();
    MutexLock lock(mu_);
    if (answer.status == 200) {
      accepted_.insert(number);
    } else {
      ++others_[answer.status == 0 ? answer.error : std::to_string(answer.status)];
    }
    changed_.NotifyAll();
  }
  MutexLock lock(mu_);
  --working_;
  changed_.NotifyAll();
}

}  // namespace hookswitch::e2e
