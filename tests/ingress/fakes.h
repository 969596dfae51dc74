#pragma once
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/sync.h"
#include "core/ingress/http_server.h"
#include "core/journal/journal.h"
#include "core/sources/source.h"

namespace hookswitch::testing {

/// Stands still until it is moved.
class StillClock final : public Clock {
 public:
  WallTime Wall() const override { return WallTime(std::chrono::milliseconds(1'772'614'923'114)) + Passed(); }
  MonoTime Mono() const override { return MonoTime(std::chrono::hours(1)) + Passed(); }
  void Advance(std::chrono::milliseconds by) {
    MutexLock lock(mu_);
    passed_ += by;
  }

 private:
  std::chrono::milliseconds Passed() const {
    MutexLock lock(mu_);
    return passed_;
  }
  mutable Mutex mu_;
  std::chrono::milliseconds passed_ GUARDED_BY(mu_){0};
};

/// Keeps events in memory; refuses while `refuse` holds an error.
class MemoryJournal final : public Journal {
 public:
  struct Stored {
    std::string source, headers, body, call_id, agent, status, note;
    Digest dedup{};
    WallTime received_at{};
    std::uint64_t call_key = 0;
    std::vector<std::array<std::string, 3>> deliveries;
    std::string config{};  ///< the kept text of the one it names
  };

  Result<Accepted> Append(const NewEvent& event) override {
    MutexLock lock(mu_);
    if (refuse_) return *refuse_;
    return Add(event);
  }
  void AppendAllThen(std::span<const NewEvent> events, AppendedAll done) override {
    const auto append = [&]() -> Result<std::vector<Accepted>> {
      MutexLock lock(mu_);
      if (refuse_) return *refuse_;
      std::vector<Accepted> accepted;
      for (const NewEvent& event : events) accepted.push_back(Add(event));
      return accepted;
    };
    done(append());
  }
  void RecordRefused(RefusedRequest refused) override {
    MutexLock lock(mu_);
    refused_.push_back(std::move(refused));
  }
  void Record(AttemptRecord) override {}
  void OnRecorded(Recorded) override {}
  Result<std::vector<PendingDelivery>> LoadPending(DeliverySeq, std::size_t) override {
    return std::vector<PendingDelivery>();
  }
  Result<std::vector<LaneDue>> LoadLanes() override { return std::vector<LaneDue>(); }
  Result<StoredEvent> Load(EventSeq) override { return Error{ErrorCode::kNotFound, "not kept"}; }
  Result<std::string> LoadMemory(std::string_view, std::uint64_t) override { return std::string(); }
  JournalStats Stats() override { return {}; }
  History& history() override {
    ADD_FAILURE() << "ingress reads no history";
    std::abort();
  }

  void RefuseWith(std::optional<Error> error) {
    MutexLock lock(mu_);
    refuse_ = std::move(error);
  }
  /// What any event that comes again does from now on.
  void ReviseWith(std::optional<Accepted::Revised> revision) {
    MutexLock lock(mu_);
    revision_ = std::move(revision);
  }
  std::vector<Stored> events() {
    MutexLock lock(mu_);
    return events_;
  }
  std::vector<RefusedRequest> refused() {
    MutexLock lock(mu_);
    return refused_;
  }

 private:
  Accepted Add(const NewEvent& event) REQUIRES(mu_) {
    Accepted accepted;
    if (const auto found = seen_.find(event.dedup); found != seen_.end()) {
      accepted.event = found->second;
      accepted.id = "E" + std::to_string(found->second);
      accepted.duplicate = true;
      accepted.revised = revision_;
      return accepted;
    }
    Stored stored{std::string(event.source),
                  std::string(event.headers),
                  std::string(event.body),
                  std::string(event.call_id),
                  std::string(event.agent),
                  std::string(event.status),
                  std::string(event.note),
                  event.dedup,
                  event.received_at,
                  event.call_key,
                  {}};
    for (const NewDelivery& delivery : event.deliveries) {
      stored.deliveries.push_back(
          {std::string(delivery.sink), std::string(delivery.rule), std::string(delivery.template_name)});
    }
    if (event.config) stored.config = event.config->text;
    accepted.first_delivery = stored.deliveries.empty() ? 0 : next_delivery_;
    next_delivery_ += static_cast<DeliverySeq>(stored.deliveries.size());
    events_.push_back(std::move(stored));
    accepted.event = static_cast<EventSeq>(events_.size());
    accepted.id = "E" + std::to_string(accepted.event);
    seen_[event.dedup] = accepted.event;
    return accepted;
  }

  Mutex mu_;
  std::optional<Error> refuse_ GUARDED_BY(mu_);
  std::optional<Accepted::Revised> revision_ GUARDED_BY(mu_);
  std::vector<Stored> events_ GUARDED_BY(mu_);
  std::vector<RefusedRequest> refused_ GUARDED_BY(mu_);
  std::map<Digest, EventSeq> seen_ GUARDED_BY(mu_);
  DeliverySeq next_delivery_ GUARDED_BY(mu_) = 100;
};

/// A request without a connection.
class AskedExchange final : public Exchange {
 public:
  AskedExchange(const ServedRequest& request, std::shared_ptr<const HeadContext> context)
      : request_(request), context_(std::move(context)) {}
  ServedRequest View() const override { return request_; }
  const HeadContext* context() const override { return context_.get(); }
  void Complete(const Answer& answer) override {
    context_ = nullptr;
    answer_.set_value(answer);
  }
  std::unique_ptr<BodyStream> Stream(const Answer& head, std::size_t) override {
    Complete(head);
    return nullptr;
  }
  Answer Await() {
    auto answer = answer_.get_future();
    EXPECT_EQ(answer.wait_for(std::chrono::seconds(10)), std::future_status::ready);
    return answer.get();
  }

 private:
  const ServedRequest request_;
  std::shared_ptr<const HeadContext> context_;
  std::promise<Answer> answer_;
};

/// "call <id> <status>" is an event, "note" is none, anything else is refused. After "list" each line is an event.
class WordSource final : public Source {
 public:
  explicit WordSource(std::string name) : name_(std::move(name)) {}
  std::variant<Normalized, Refusal> Normalize(const RawRequest& request) const override {
    Normalized normalized;
    normalized.dedup_key = std::string(request.body);
    if (request.body == "note") {
      normalized.what = NotACall{"a note, longer than what a string keeps within itself"};
      return normalized;
    }
    if (!request.body.starts_with("call ")) return Refusal{422, "missing_field", "id is missing"};
    const auto blank = request.body.find(' ', 5);
    CallEvent event;
    event.source = name_;
    event.call_id = std::string(request.body.substr(5, blank - 5));
    event.status = ParseStatus(request.body.substr(blank + 1)).value_or(CallStatus::kUnknown);
    event.agent_id = "agent-1";
    event.received_at = request.received_at;
    normalized.what = std::move(event);
    return normalized;
  }
  std::optional<std::vector<std::string>> Split(const RawRequest& request) const override {
    if (!request.body.starts_with("list")) return {};
    std::vector<std::string> lines;
    for (auto at = request.body.find('\n'); at != request.body.npos;) {
      const auto next = request.body.find('\n', at + 1);
      lines.emplace_back(request.body.substr(at + 1, next == request.body.npos ? next : next - at - 1));
      at = next;
    }
    return lines;
  }
  bool ReadsForms() const override { return true; }
  std::span<const std::string_view> KeptHeaders() const override {
    static constexpr std::array<std::string_view, 1> kNames{"x-event"};
    return kNames;
  }

 private:
  const std::string name_;
};

}  // namespace hookswitch::testing
