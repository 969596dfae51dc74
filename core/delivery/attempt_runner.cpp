#include "core/delivery/attempt_runner.h"

#include <utility>
#include <variant>

#include "core/delivery/closable_ref.h"

namespace hookswitch {
namespace {

// Two, so that a plugin that hangs in Render leaves a thread for the other sinks; more while several are slow.
constexpr std::size_t kThreads = 2;
constexpr std::size_t kMostThreads = 16;

// A job's id is the attempt's and the stage that the job is for.
constexpr Workers::JobId kStages = 4;
static_assert(static_cast<Workers::JobId>(Attempt::Stage::kReturned) < kStages);
Workers::JobId JobOf(std::uint64_t id, Attempt::Stage stage) {
  return id * kStages + static_cast<Workers::JobId>(stage);
}

}  // namespace

/// What jobs and responses use that may outlive the runner.
struct AttemptRunner::Shared {
  Shared(std::shared_ptr<Inbox> the_inbox, Workers::Queue the_workers, HttpClient& the_http, const Clock& the_clock)
      : inbox(std::move(the_inbox)), workers(std::move(the_workers)), http(the_http), clock(the_clock) {}

  template <class What>
  void Report(const Run& run, What what) const {
    inbox->Report({run.attempt->facts().delivery.seq, run.id, std::move(what)});
  }

  const std::shared_ptr<Inbox> inbox;
  const Workers::Queue workers;
  ClosableRef<HttpClient> http;
  ClosableRef<const Clock> clock;
};

AttemptRunner::AttemptRunner(std::shared_ptr<Inbox> inbox, HttpClient& http, const Clock& clock)
    : workers_(clock, kThreads, kMostThreads),
      shared_(std::make_shared<Shared>(std::move(inbox), workers_.queue(), http, clock)) {}

AttemptRunner::~AttemptRunner() {
  shared_->http.Close();
  shared_->clock.Close();
}

// The attempt may hold the last reference to a replaced sink, whose plugin may be slow to destroy: so `run` is always
// moved into the next job, and released on a worker.

void AttemptRunner::Start(Run run) {
  const auto job = JobOf(run.id, Attempt::Stage::kPreparing);
  const std::uint64_t strand = run.strand;
  workers_.Post(job, strand, kPureLimit, [shared = shared_, run = std::move(run)]() mutable {
    if (auto failed = run.attempt->Prepare()) return shared->Report(run, std::move(*failed));
    auto rendered = run.attempt->Render();
    auto* request = std::get_if<HttpRequest>(&rendered);
    if (!request) return shared->Report(run, std::move(std::get<Outcome>(rendered)));
    if (request->pace || !request->order.empty()) return shared->Report(run, std::move(*request));
    Send(std::move(shared), std::move(run), std::move(*request));
  });
}

void AttemptRunner::Send(Run run, HttpRequest request) {
  Send(shared_, std::move(run), std::move(request));
}

void AttemptRunner::Send(std::shared_ptr<Shared> shared, Run run, HttpRequest request) {
  if (auto late = run.attempt->LeaseOver()) return shared->Report(run, std::move(*late));
  shared->http.With([&](HttpClient& http) {
    const auto now = shared->clock.With([](const Clock& clock) { return clock.Mono(); });
    if (!now || !run.attempt->BeginSending(*now)) return false;
    const auto timeout = run.attempt->facts().timeout;
    // The scheduler keeps the attempt for as long as it wants the response.
    http.Send(std::move(request), timeout,
              [shared, attempt = std::weak_ptr(run.attempt), id = run.id, strand = run.strand](HttpResult result) {
                Interpret(shared, {attempt.lock(), id, strand}, std::move(result));
              });
    return true;
  });
}

void AttemptRunner::Interpret(const std::shared_ptr<Shared>& shared, Run run, HttpResult result) {
  const auto now = shared->clock.With([](const Clock& clock) { return clock.Wall(); });
  if (!now || !run.attempt) return;
  run.attempt->EndSending(result);
  // Without a response the plugin is not asked, and need not be waited for.
  const auto job = JobOf(run.id, Attempt::Stage::kInterpreting);
  const std::uint64_t strand = result.response ? run.strand : 0;
  shared->workers.Post(job, strand, kPureLimit,
                       [shared, run = std::move(run), result = std::move(result), now = *now]() mutable {
                         shared->Report(run, run.attempt->Interpret(result, now));
                       });
}

void AttemptRunner::Call(Run run, Workers& workers, std::chrono::milliseconds limit) {
  const auto job = JobOf(run.id, Attempt::Stage::kPreparing);
  workers.Post(job, 0, limit, [shared = shared_, run = std::move(run)] {
    auto failed = run.attempt->Prepare();
    if (!failed) failed = run.attempt->LeaseOver();
    shared->Report(run, failed ? std::move(*failed) : run.attempt->Deliver());
  });
}

std::vector<AttemptRunner::Overdue> AttemptRunner::TakeOverdue(Workers& workers) {
  std::vector<Overdue> overdue;
  for (const Workers::JobId job : workers.TakeOverdue()) {
    if (job != 0) overdue.push_back({job / kStages, static_cast<Attempt::Stage>(job % kStages)});
  }
  return overdue;
}

}  // namespace hookswitch
