#include "core/journal/commit_queue.h"

#include <memory>

namespace hookswitch {
namespace {

constexpr std::size_t kMaxRefusedWaiting = 1000;
constexpr std::size_t kMaxActionsWaiting = 1000;
// Changes in one batch that count as load: with commit_every, some thousand events per second, or a machine that does
// not keep up. Below that, waiting would only add latency.
constexpr std::size_t kLoad = 16;

Error Closed() {
  return {ErrorCode::kUnavailable, "the journal is closed"};
}

/// Gathers the results of a list for its caller. They come one after the other, on one thread.
struct ListResult {
  AppendedAll done;
  std::size_t missing = 0;
  std::vector<Accepted> accepted{};
  std::optional<Error> error{};

  void Add(Result<Accepted> result) {
    if (!result) {
      if (!error) error = std::move(result).error();
    } else {
      accepted.push_back(std::move(*result));
    }
    if (--missing != 0) return;
    if (error) {
      done(std::move(*error));
    } else {
      done(std::move(accepted));
    }
  }
};

}  // namespace

Result<Accepted> CommitQueue::Append(const NewEvent& event, std::uint64_t sum) {
  Result<Accepted> result = Accepted{};
  const auto done = [&result](Result<Accepted> stored) { result = std::move(stored); };
  const auto batch = Enqueue({.event = &event, .sum = sum, .done = done}, /*blocks=*/true);
  if (batch) AwaitBatch(*batch);
  return result;
}

void CommitQueue::AppendThen(const NewEvent& event, std::uint64_t sum, std::function<void(Result<Accepted>)> done) {
  Enqueue({.event = &event, .sum = sum, .done = std::move(done)}, /*blocks=*/false);
}

void CommitQueue::AppendAllThen(std::span<const NewEvent> events, std::span<const std::uint64_t> sums,
                                AppendedAll done) {
  if (events.empty()) return done(std::vector<Accepted>());
  auto list = std::make_shared<ListResult>(ListResult{.done = std::move(done), .missing = events.size()});
  list->accepted.reserve(events.size());
  bool wake = false;
  bool taken = false;
  {
    MutexLock lock(mu_);
    taken = !ended_;
    for (std::size_t i = 0; taken && i < events.size(); ++i) {
      appends_.push_back({.event = &events[i],
                          .sum = sums[i],
                          .done = [list](Result<Accepted> result) { list->Add(std::move(result)); },
                          .others = i == 0 ? events.size() - 1 : 0});
    }
    if (taken) wake = std::exchange(asleep_, false) || (resting_ && appends_.size() >= events_enough_);
  }
  if (wake) work_.NotifyOne();
  if (!taken) list->done(Closed());
}

std::optional<std::uint64_t> CommitQueue::Enqueue(AppendRequest request, bool blocks) {
  std::optional<std::uint64_t> batch;
  bool wake = false;
  {
    MutexLock lock(mu_);
    if (!ended_) {
      appends_.push_back(std::move(request));
      has_waiter_ = has_waiter_ || blocks;
      batch = filling_;
      wake = std::exchange(asleep_, false) || (resting_ && appends_.size() == events_enough_);
    }
  }
  if (wake) work_.NotifyOne();
  if (!batch) request.done(Closed());
  return batch;
}

void CommitQueue::Record(AttemptRecord record) {
  bool wake;
  {
    MutexLock lock(mu_);
    if (ended_) return;
    records_.push_back(std::move(record));
    wake = std::exchange(asleep_, false);
  }
  if (wake) work_.NotifyOne();
}

void CommitQueue::OnRecorded(Recorded recorded) {
  MutexLock lock(mu_);
  on_recorded_ = std::move(recorded);
}

// Does not wake the writer: a flood of rejected requests must not become a flood of commits.
void CommitQueue::RecordRefused(RefusedRequest refused) {
  MutexLock lock(mu_);
  if (refused_.size() < kMaxRefusedWaiting) refused_.push_back(std::move(refused));
}

void CommitQueue::RecordAction(OperatorAction action) {
  std::uint64_t batch;
  bool wake;
  {
    MutexLock lock(mu_);
    if (ended_) return;
    actions_.push_back(std::move(action));
    has_waiter_ = true;
    batch = filling_;
    wake = std::exchange(asleep_, false);
  }
  if (wake) work_.NotifyOne();
  AwaitBatch(batch);
}

Status CommitQueue::Execute(Change change) {
  Command command{.change = change};
  std::uint64_t batch;
  bool wake;
  {
    MutexLock lock(mu_);
    if (ended_) return Closed();
    commands_.push_back(&command);
    has_waiter_ = true;
    batch = filling_;
    wake = std::exchange(asleep_, false);
  }
  if (wake) work_.NotifyOne();
  AwaitBatch(batch);
  if (command.error) return std::move(*command.error);
  return Ok();
}

void CommitQueue::AwaitBatch(std::uint64_t number) {
  MutexLock lock(mu_);
  while (completed_ < number) batch_completed_.Wait(mu_);
}

void CommitQueue::Close() {
  {
    MutexLock lock(mu_);
    closing_ = true;
  }
  work_.NotifyAll();
}

bool CommitQueue::IsIdle() const {
  return appends_.empty() && records_.empty() && actions_.empty() && commands_.empty();
}

bool CommitQueue::Take(Batch& batch, bool more, std::chrono::milliseconds rest) {
  batch.appends.clear();
  batch.refused.clear();
  batch.commands.clear();
  batch.recorded.clear();
  batch.quarantined.clear();
  MutexLock lock(mu_);
  if (IsIdle() && !closing_ && !more) {
    asleep_ = true;
    work_.WaitUntil(mu_, std::chrono::steady_clock::now() + rest);
    asleep_ = false;
  }
  if (under_load_) {
    const auto soonest = last_taken_ + commit_every_;
    resting_ = true;
    while (!closing_ && appends_.size() < events_enough_ && std::chrono::steady_clock::now() < soonest) {
      work_.WaitUntil(mu_, soonest);
    }
    resting_ = false;
  }
  last_taken_ = std::chrono::steady_clock::now();
  const bool gave_up = batch.is_last_try && batch.is_unwritable;
  if (closing_ && IsIdle() && refused_.empty() && ((batch.records.empty() && batch.actions.empty()) || gave_up)) {
    ended_ = true;
    return false;
  }
  batch.is_last_try = closing_;
  batch.number = filling_++;
  batch.has_waiter = std::exchange(has_waiter_, false);
  batch.appends.swap(appends_);
  batch.refused.swap(refused_);
  batch.commands.swap(commands_);
  for (AttemptRecord& record : records_) batch.records.push_back(std::move(record));
  records_.clear();
  for (OperatorAction& action : actions_) {
    if (batch.actions.size() < kMaxActionsWaiting) batch.actions.push_back(std::move(action));
  }
  actions_.clear();
  under_load_ = batch.appends.size() + batch.records.size() >= kLoad;
  return true;
}

void CommitQueue::Complete(Batch& batch) {
  // A command may make a delivery pending again that a record of the same batch has ended: the scheduler must learn of
  // the end before the command's caller enqueues the delivery again.
  const bool records_first = !batch.commands.empty();
  if (records_first) ReportRecorded(batch);
  for (AppendRequest& request : batch.appends) {
    if (request.error) {
      request.done(std::move(*request.error));
    } else {
      request.done(std::move(request.accepted));
    }
  }
  {
    MutexLock lock(mu_);
    completed_ = batch.number;
  }
  if (batch.has_waiter) batch_completed_.NotifyAll();
  if (!records_first) ReportRecorded(batch);
}

void CommitQueue::ReportRecorded(const Batch& batch) {
  if (batch.recorded.empty() && batch.quarantined.empty()) return;
  Recorded recorded;
  {
    MutexLock lock(mu_);
    recorded = on_recorded_;
  }
  if (!recorded) return;
  for (const auto& [delivery, fallback] : batch.recorded) recorded(delivery, fallback, true);
  for (const DeliverySeq delivery : batch.quarantined) recorded(delivery, 0, false);
}

}  // namespace hookswitch
