#pragma once
#include <algorithm>
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/sync.h"
#include "core/delivery/dispatcher.h"
#include "tests/fakes/memory_journal.h"

namespace hookswitch {

/// Lets a test wait for what another thread does. Bounded, so that a broken promise fails instead of hanging.
class Bell {
 public:
  void Ring() {
    MutexLock lock(mu_);
    ++rings_;
    cv_.NotifyAll();
  }
  /// True as soon as `holds` does; it is asked again after every Ring, and now and then for what rings no bell, without
  /// a lock held.
  bool Await(const std::function<bool()>& holds) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    for (;;) {
      std::uint64_t seen = 0;
      {
        MutexLock lock(mu_);
        seen = rings_;
      }
      if (holds()) return true;
      MutexLock lock(mu_);
      const auto now = std::chrono::steady_clock::now();
      if (now >= until) return false;
      if (rings_ == seen) cv_.WaitUntil(mu_, std::min(until, now + std::chrono::milliseconds(50)));
    }
  }

 private:
  Mutex mu_;
  CondVar cv_;
  std::uint64_t rings_ GUARDED_BY(mu_) = 0;
};

/// MemoryJournal that rings a bell at every record.
class BellJournal final : public Journal {
 public:
  explicit BellJournal(Bell& bell, std::shared_ptr<MemoryJournal::Disk> disk = MemoryJournal::MakeDisk())
      : inner(std::move(disk)), bell_(bell) {}
  Result<Accepted> Append(const NewEvent& event) override { return inner.Append(event); }
  void AppendAllThen(std::span<const NewEvent> events, AppendedAll done) override {
    inner.AppendAllThen(events, std::move(done));
  }
  void Record(AttemptRecord record) override {
    inner.Record(std::move(record));
    bell_.Ring();
  }
  void OnRecorded(Recorded recorded) override { inner.OnRecorded(std::move(recorded)); }
  void RecordRefused(RefusedRequest refused) override { inner.RecordRefused(std::move(refused)); }
  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq after, std::size_t limit) override {
    return inner.LoadPending(after, limit);
  }
  Result<std::vector<LaneDue>> LoadLanes() override { return inner.LoadLanes(); }
  Result<StoredEvent> Load(EventSeq event) override {
    ++loads;
    return inner.Load(event);
  }
  Result<std::string> LoadMemory(std::string_view sink, std::uint64_t call_key) override {
    return inner.LoadMemory(sink, call_key);
  }
  JournalStats Stats() override { return inner.Stats(); }
  bool OwnsPending() const override { return owns; }
  History& history() override { return inner; }

  MemoryJournal inner;
  std::atomic<int> loads{0};
  std::atomic<bool> owns{true};

 private:
  Bell& bell_;
};

/// An HTTP client whose answers the test gives.
class FakeHttp final : public HttpClient {
 public:
  explicit FakeHttp(Bell& bell) : bell_(bell) {}
  void Send(HttpRequest request, std::chrono::milliseconds, Done done) override {
    std::function<HttpResult(const HttpRequest&)> answer;
    {
      MutexLock lock(mu_);
      sent_.push_back(request.url + " " + request.body);
      if (!answer_) waiting_.emplace_back(std::move(request), std::move(done));
      answer = answer_;
    }
    if (answer) done(answer(request));
    bell_.Ring();
  }
  std::uint64_t Passes() override { return 0; }
  /// Answers every request at once from now on.
  void AnswerAll(std::function<HttpResult(const HttpRequest&)> answer) {
    MutexLock lock(mu_);
    answer_ = std::move(answer);
  }
  /// Answers the oldest waiting request to `url`; false if there is none.
  bool Answer(const std::string& url, HttpResult result) {
    Done done;
    {
      MutexLock lock(mu_);
      const auto found =
          std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& w) { return w.first.url == url; });
      if (found == waiting_.end()) return false;
      done = std::move(found->second);
      waiting_.erase(found);
    }
    done(std::move(result));
    return true;
  }
  /// "url body" of everything sent so far.
  std::vector<std::string> Sent() const {
    MutexLock lock(mu_);
    return sent_;
  }
  std::size_t CountSent(const std::string& url) const {
    MutexLock lock(mu_);
    return static_cast<std::size_t>(
        std::count_if(sent_.begin(), sent_.end(), [&](const auto& line) { return line.starts_with(url + " "); }));
  }

 private:
  Bell& bell_;
  mutable Mutex mu_;
  std::function<HttpResult(const HttpRequest&)> answer_ GUARDED_BY(mu_);
  std::vector<std::pair<HttpRequest, Done>> waiting_ GUARDED_BY(mu_);
  std::vector<std::string> sent_ GUARDED_BY(mu_);
};

inline HttpResult Answered(int status, std::vector<std::pair<std::string, std::string>> headers = {}) {
  HttpResult result;
  result.response = HttpResponse{status, std::move(headers), ""};
  return result;
}

/// A sink that posts the call id to "http://<name>" and reads 2xx as delivered, 400 as rejected, 401 as misconfigured,
/// 202 as one more step, and the rest as a failure. Tests replace its functions.
class FakeSink : public Sink {
 public:
  explicit FakeSink(Kind kind = Kind::kHttp, SinkAdvice advice = {}) : kind_(kind), advice_(advice) {
    advice_.concurrent_calls = true;
  }
  Kind kind() const override { return kind_; }
  SinkAdvice Advice() const override { return advice_; }
  std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) override {
    if (render) return render(delivery);
    HttpRequest request;
    request.url = "http://" + std::string(delivery.sink);
    request.body = delivery.event.call_id;
    if (delivery.step > 0) request.body += " step " + std::to_string(delivery.step) + " " + std::string(delivery.state);
    return request;
  }
  Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                    std::optional<std::chrono::milliseconds>) override {
    if (interpret) return interpret(delivery, response);
    Outcome outcome;
    outcome.code = "http_" + std::to_string(response.status);
    outcome.reason = "the answer was " + std::to_string(response.status) + " with hunter2";
    if (response.status == 202) {
      outcome.kind = Outcome::Kind::kNext;
      outcome.state = "left-by-" + std::to_string(delivery.step);
    } else if (response.status / 100 == 2) {
      outcome.kind = Outcome::Kind::kDelivered;
    } else if (response.status == 400) {
      outcome.kind = Outcome::Kind::kRejected;
    } else if (response.status == 401) {
      outcome.kind = Outcome::Kind::kMisconfigured;
      outcome.action = "make a new key";
      outcome.scope = Outcome::Scope::kSink;
    }
    return outcome;
  }
  Outcome Deliver(const SinkDelivery& delivery, std::chrono::milliseconds timeout,
                  const std::function<bool()>& canceled) override {
    return deliver(delivery, timeout, canceled);
  }
  void GiveUp(std::uint64_t instance) override { given_up.push_back(instance); }
  void Reopen() override {}
  std::string Mask(std::string_view said, std::size_t) const override {
    std::string text(said);
    for (auto at = text.find("hunter2"); at != std::string::npos; at = text.find("hunter2")) text.replace(at, 7, "***");
    return text;
  }

  std::function<std::variant<HttpRequest, Outcome>(const SinkDelivery&)> render;
  std::function<Outcome(const SinkDelivery&, const HttpResponse&)> interpret;
  std::function<Outcome(const SinkDelivery&, std::chrono::milliseconds, const std::function<bool()>&)> deliver;
  std::vector<std::uint64_t> given_up;  ///< read when the scheduler is still

 private:
  const Kind kind_;
  SinkAdvice advice_;
};

/// Reads a body as the call id; "bad" is refused, "summary" is no call.
class FakeSource final : public Source {
 public:
  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override {
    if (request.body == "bad") return Refusal{422, "missing_field", "id"};
    if (request.body == "summary") return Normalized{NotACall{"a summary"}, ""};
    CallEvent event;
    event.source = "bolna";
    event.call_id = request.body;
    event.received_at = request.received_at;
    return Normalized{std::move(event), std::string(request.body)};
  }
  std::span<const std::string_view> KeptHeaders() const override { return {}; }
};

}  // namespace hookswitch
