#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/base/clock.h"
#include "core/delivery/attempt.h"
#include "core/delivery/inbox.h"
#include "core/delivery/workers.h"
#include "core/http/http_client.h"

namespace hookswitch {

/// Moves attempts from worker to HTTP client and back to a worker, and reports each outcome to the inbox. Only a
/// request with a pace or an order is reported in between, because its lane decides when it is sent.
class AttemptRunner {
 public:
  /// Limit of Render and Interpret. They do no I/O: a call that takes this long hangs.
  static constexpr std::chrono::milliseconds kPureLimit = std::chrono::seconds(5);
  /// How long after the sink's timeout its Deliver is given up.
  static constexpr std::chrono::milliseconds kCallGrace = std::chrono::seconds(2);
  /// How long after its timeout a request is given up even if the HTTP client has not reported.
  static constexpr std::chrono::milliseconds kAnswerGrace = std::chrono::seconds(5);

  /// The references must outlive it.
  AttemptRunner(std::shared_ptr<Inbox> inbox, HttpClient& http, const Clock& clock);
  /// Afterwards nothing is sent or reported, whatever a thread that is stuck in a plugin still does.
  ~AttemptRunner();

  struct Run {
    std::shared_ptr<Attempt> attempt;
    std::uint64_t id = 0;      ///< number of the attempt, for reports
    std::uint64_t strand = 0;  ///< for calls into the plugin that may not overlap
  };

  // [thread: any]
  /// For HTTP sinks: prepares and renders. A request with a pace or an order is reported; any other is sent.
  void Start(Run run);
  /// Sends a reported request, unless the attempt was given up.
  void Send(Run run, HttpRequest request);
  /// For call sinks: prepares and calls the plugin on a thread of `workers`.
  void Call(Run run, Workers& workers, std::chrono::milliseconds limit);

  struct Overdue {
    std::uint64_t id = 0;
    Attempt::Stage stage{};  ///< that the job belongs to; the attempt may have left it
  };
  /// Abandons the jobs of `workers` that have run longer than their limit, and returns those of attempts.
  static std::vector<Overdue> TakeOverdue(Workers& workers);

  /// Threads for calls that must return at once, and for jobs that wait for the journal (id 0).
  Workers& workers() { return workers_; }

 private:
  struct Shared;
  static void Send(std::shared_ptr<Shared> shared, Run run, HttpRequest request);
  static void Interpret(const std::shared_ptr<Shared>& shared, Run run, HttpResult result);

  Workers workers_;
  const std::shared_ptr<Shared> shared_;
};

}  // namespace hookswitch
