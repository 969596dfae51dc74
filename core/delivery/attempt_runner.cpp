#include "core/delivery/attempt_runner.h"

#include <utility>
#include <variant>

#include "core/delivery/closable_ref.h"

namespace hookswitch {
namespace {

// Two, so that a plugin that hangs in Render leaves a thread for the other sinks; more while several are slow.
constexpr std::size_t kThreads = 2;
constexpr std::size_t kMostThreads = 16;

}  // namespace

/// What jobs and responses use that may outlive the runner.
struct AttemptRunner::Links {
  Links(std::shared_ptr<Inbox> the_inbox, Workers::Queue the_workers, HttpClient& the_http, const Clock& the_clock)
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
      links_(std::make_shared<Links>(std::move(inbox), workers_.queue(), http, clock)) {}

AttemptRunner::~AttemptRunner() {
  links_->http.Close();
  links_->clock.Close();
}

// The attempt may hold the last reference to a replaced sink, whose plugin may be slow to destroy. So each step moves
// `run` on, and it ends on a worker.

void AttemptRunner::Start(Run run) {
  const std::uint64_t id = run.id, strand = run.strand;
  workers_.Post(id, strand, kPureLimit, [links = links_, run = std::move(run)]() mutable {
    if (auto failed = run.attempt->Prepare()) return links->Report(run, std::move(*failed));
    auto rendered = run.attempt->Render();
    auto* request = std::get_if<HttpRequest>(&rendered);
    if (!request) return links->Report(run, std::move(std::get<Outcome>(rendered)));
    if (request->pace || !request->order.empty()) return links->Report(run, std::move(*request));
    Send(std::move(links), std::move(run), std::move(*request));
  });
}

void AttemptRunner::Send(Run run, HttpRequest request) {
  Send(links_, std::move(run), std::move(request));
}

void AttemptRunner::Send(std::shared_ptr<Links> links, Run run, HttpRequest request) {
  links->http.With([&](HttpClient& http) {
    const auto now = links->clock.With([](const Clock& clock) { return clock.Mono(); });
    if (!now || !run.attempt->HandOver(*now)) return false;
    const auto timeout = run.attempt->facts().timeout;
    // The scheduler keeps the attempt for as long as it wants the response.
    http.Send(std::move(request), timeout,
              [links, attempt = std::weak_ptr(run.attempt), id = run.id, strand = run.strand](HttpResult result) {
                Interpret(links, {attempt.lock(), id, strand}, std::move(result));
              });
    return true;
  });
}

void AttemptRunner::Interpret(const std::shared_ptr<Links>& links, Run run, HttpResult result) {
  const auto now = links->clock.With([](const Clock& clock) { return clock.Wall(); });
  if (!now || !run.attempt) return;
  run.attempt->ExchangeEnded();
  // Without a response the plugin is not asked, and need not be waited for.
  const std::uint64_t id = run.id, strand = result.response ? run.strand : 0;
  links->workers.Post(id, strand, kPureLimit,
                      [links, run = std::move(run), result = std::move(result), now = *now]() mutable {
                        links->Report(run, run.attempt->Interpret(result, now));
                      });
}

void AttemptRunner::Call(Run run, Workers& workers, std::chrono::milliseconds limit) {
  const std::uint64_t id = run.id;
  workers.Post(id, 0, limit, [links = links_, run = std::move(run)] {
    auto failed = run.attempt->Prepare();
    links->Report(run, failed ? std::move(*failed) : run.attempt->Deliver());
  });
}

}  // namespace hookswitch
