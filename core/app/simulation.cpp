#include "core/app/simulation.h"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "core/admin/preview.h"
#include "core/app/simulated_sink.h"
#include "core/base/check.h"
#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/delivery/dispatcher.h"
#include "core/http/http_client.h"
#include "core/ingress/acceptor.h"
#include "core/journal/sqlite_journal.h"

namespace hookswitch {
namespace {

using std::chrono::milliseconds;

// Real time. Nothing here takes as long, unless a plugin hangs.
constexpr milliseconds kPatience = std::chrono::seconds(10);

/// A clock that moves only when it is told. [thread: any]
class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(WallTime start) : start_(start) {}

  WallTime Wall() const override { return start_ + std::chrono::floor<milliseconds>(Mono() - kBegan); }
  MonoTime Mono() const override { return MonoTime(MonoTime::duration(now_.load())); }

  MonoTime At(milliseconds from_start) const { return kBegan + from_start; }
  void MoveTo(MonoTime now) { now_ = now.time_since_epoch().count(); }

 private:
  static constexpr MonoTime kBegan{std::chrono::hours(1)};  // the epoch itself means "no time" in places
  const WallTime start_;
  std::atomic<MonoTime::rep> now_{kBegan.time_since_epoch().count()};
};

/// Answers every request at once, and sends none.
class AnsweringClient final : public HttpClient {
 public:
  void Send(HttpRequest, milliseconds, Done done) override {
    HttpResult result;
    result.response = HttpResponse{200, {}, std::string(kStandInAnswer)};
    done(std::move(result));
  }
  std::uint64_t Passes() override { return ++passes_; }

 private:
  std::atomic<std::uint64_t> passes_{0};
};

/// A request that never was on a connection.
class PostedEvent final : public Exchange {
 public:
  PostedEvent(std::string path, std::string_view body) : path_(std::move(path)), body_(body) {}

  ServedRequest View() const override { return {"POST", path_, "", body_, "127.0.0.1", headers_}; }
  const HeadContext* context() const override { return context_.get(); }
  void Complete(const Answer& answer) override EXCLUDES(mu_) {
    MutexLock lock(mu_);
    answer_ = answer;
    answered_.NotifyAll();
  }
  std::unique_ptr<BodyStream> Stream(const Answer&, std::size_t) override { Unreachable(); }

  void Admit(std::shared_ptr<const HeadContext> context) { context_ = std::move(context); }
  std::optional<Answer> Await() EXCLUDES(mu_) {
    const auto until = std::chrono::steady_clock::now() + kPatience;
    MutexLock lock(mu_);
    while (!answer_ && std::chrono::steady_clock::now() < until) answered_.WaitUntil(mu_, until);
    return answer_;
  }

 private:
  const std::string path_;
  const std::string body_;
  const std::vector<std::pair<std::string, std::string>> headers_{{"Content-Type", "application/json"}};
  std::shared_ptr<const HeadContext> context_;
  Mutex mu_;
  CondVar answered_;
  std::optional<Answer> answer_ GUARDED_BY(mu_);
};

/// Goes with the object, and all that is in it.
class JournalFolder {
 public:
  JournalFolder() {
    const auto parent = std::filesystem::temp_directory_path(failed_);
    if (failed_) return;
    std::string path = parent / "hookswitch-test-XXXXXX";
    if (::mkdtemp(path.data())) {
      path_ = std::move(path);
    } else {
      failed_ = {errno, std::generic_category()};
    }
  }
  ~JournalFolder() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  JournalFolder(const JournalFolder&) = delete;
  JournalFolder& operator=(const JournalFolder&) = delete;

  const std::string& path() const { return path_; }  ///< "": it could not be made
  std::string Reason() const { return failed_.message(); }

 private:
  std::string path_;
  std::error_code failed_;
};

/// Every source takes events from here: no secret, no signature, no address, no limit.
std::shared_ptr<const IngressSnapshot> OpenIngress(const Generation& generation) {
  auto snapshot = std::make_shared<IngressSnapshot>(*generation.MakeIngressSnapshot());
  for (auto& endpoint : snapshot->endpoints) {
    endpoint.config.auth.reset();
    endpoint.config.verify.reset();
    endpoint.config.allow_ips.clear();
    endpoint.config.rate_limit.reset();
  }
  return snapshot;
}

std::shared_ptr<const DeliveryPlan> SimulatedPlan(const Generation& generation,
                                                  const std::shared_ptr<SimulatedMessages>& messages) {
  auto plan = std::make_shared<DeliveryPlan>(*generation.MakeDeliveryPlan());
  for (auto& [name, lane] : plan->lanes) {
    lane.config.rate_limit = config::Rate{};  // 0: no limit, and none for the places behind the sink
    lane.config.notify_problems_to.clear();
    if (lane.sink) lane.sink = std::make_shared<SimulatedSink>(std::move(lane.sink), messages);
  }
  plan->notify_problems_to.clear();
  plan->keep_bodies = 0;
  return plan;
}

/// One router. Members in the order of construction, so that none outlives what it points to.
class Simulator {
 public:
  Simulator(const Generation& generation, WallTime start)
      : generation_(generation),
        clock_(std::make_shared<SimulatedClock>(start)),
        messages_(std::make_shared<SimulatedMessages>(clock_, start)) {}

  Status Open() {
    if (folder_.path().empty()) {
      return Error{ErrorCode::kUnavailable, "no folder can be made for its journal: " + folder_.Reason()};
    }
    SqliteOptions options;
    options.path = folder_.path() + "/journal.db";
    auto opened = OpenSqliteJournal(options, *clock_);
    if (!opened) return std::move(opened).error();
    journal_ = std::move(*opened);
    dispatcher_ = std::make_unique<Dispatcher>(*journal_, journal_->history(), http_, *clock_, metrics_);
    dispatcher_->Use(SimulatedPlan(generation_, messages_));
    HSW_TRY(dispatcher_->Start());
    acceptor_ = std::make_unique<Acceptor>(
        *journal_, *clock_, metrics_,
        [this](std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries,
               std::uint64_t ended_call) { dispatcher_->Accept(std::move(event), std::move(deliveries), ended_call); },
        [this](std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes,
               std::uint64_t ended_call) { dispatcher_->Revise(std::move(event), seq, changes, ended_call); });
    acceptor_->Use(OpenIngress(generation_));
    return Ok();
  }

  Result<Simulation> Run(std::span<const SimulatedEvent> events, MonoTime end) {
    Simulation simulation;
    for (;;) {
      const auto due = dispatcher_->AwaitIdle(kPatience);
      if (!due) return Error{ErrorCode::kUnavailable, "a plugin does not return"};
      const MonoTime next_due = Waiting() ? *due : MonoTime::max();
      const bool all_posted = simulation.answers.size() == events.size();
      if (!all_posted && clock_->At(events[simulation.answers.size()].at) < next_due) {
        const SimulatedEvent& event = events[simulation.answers.size()];
        clock_->MoveTo(clock_->At(event.at));
        auto answer = Post(event);
        if (!answer) return std::move(answer).error();
        simulation.answers.push_back(std::move(*answer));
      } else if (next_due != MonoTime::max() && (!all_posted || next_due <= end)) {
        clock_->MoveTo(next_due);
      } else {
        break;
      }
    }
    simulation.messages = messages_->Take();
    return simulation;
  }

  MonoTime At(milliseconds from_start) const { return clock_->At(from_start); }

 private:
  bool Waiting() const {
    return std::ranges::any_of(dispatcher_->Lanes(), [](const LaneStatus& lane) { return lane.pending > 0; });
  }

  Result<SimulatedAnswer> Post(const SimulatedEvent& event) {
    const auto& sources = generation_.config.sources;
    const auto source = std::ranges::find(sources, event.source, &config::Source::name);
    HSW_CHECK(source != sources.end(), "the caller names a source of the config");
    const auto posted = std::make_shared<PostedEvent>(source->path, event.body);
    HeadVerdict verdict = acceptor_->HandleHead(posted->View());
    if (verdict.answer) return SimulatedAnswer{verdict.answer->status, std::move(verdict.answer->body)};
    posted->Admit(std::move(verdict.context));
    acceptor_->Handle(Responder(posted));
    auto answer = posted->Await();
    if (!answer) return Error{ErrorCode::kUnavailable, "its journal does not store the event"};
    return SimulatedAnswer{answer->status, std::move(answer->body)};
  }

  const Generation& generation_;
  const JournalFolder folder_;
  const std::shared_ptr<SimulatedClock> clock_;
  Metrics metrics_;
  const std::shared_ptr<SimulatedMessages> messages_;
  AnsweringClient http_;
  std::unique_ptr<Journal> journal_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::unique_ptr<Acceptor> acceptor_;
};

}  // namespace

Result<Simulation> Simulate(const Generation& generation, WallTime start, std::span<const SimulatedEvent> events,
                            milliseconds last) {
  milliseconds settle{};
  for (const auto& rule : generation.config.rules) settle = std::max(settle, rule.settle);
  Simulator simulator(generation, start);
  HSW_TRY(simulator.Open());
  return simulator.Run(events, simulator.At(last + settle));
}

}  // namespace hookswitch
