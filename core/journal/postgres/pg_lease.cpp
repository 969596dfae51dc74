#include "core/journal/postgres/pg_lease.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/thread_name.h"
#include "core/journal/postgres/pg_rows.h"

namespace hookswitch::pg {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAskAgain{200};
/// Beyond the length of the lease: what the other router's last renewal may take to be over.
constexpr milliseconds kPatience{1000};
constexpr milliseconds kLeastPatience{500};

}  // namespace

Result<std::unique_ptr<Lease>> Lease::Take(const Place& place, Terms terms, const Clock& clock) {
  Place impatient = place;  // a renewal that hangs must leave time for another
  impatient.patience = std::clamp<milliseconds>(terms.length / 5, kLeastPatience, place.patience);
  std::unique_ptr<Lease> lease(new Lease(impatient, std::move(terms), clock));
  const auto give_up = std::chrono::steady_clock::now() + lease->terms_.length + kPatience;
  for (bool told = false;; told = true) {
    std::string holder;
    const auto taken = lease->TryTake(holder);
    if (!taken) return taken.error();
    if (*taken) break;
    if (!told) log::Info("journal_lease_awaited", {{"router", holder}});
    if (std::chrono::steady_clock::now() > give_up) {
      return Error{ErrorCode::kUnavailable, "the router \"" + holder +
                                                "\" works on it; stop that one, or give this one a journal (or a "
                                                "schema) of its own"};
    }
    std::this_thread::sleep_for(kAskAgain);
  }
  lease->thread_ = std::thread([raw = lease.get()] { raw->Run(); });
  return lease;
}

Result<bool> Lease::TryTake(std::string& holder) {
  if (!connection_ || connection_->IsLost()) {
    auto opened = Connection::Open(place_);
    if (!opened) return std::move(opened).error();
    connection_ = std::move(*opened);
  }
  const MonoTime asked = clock_.Mono();
  connection_->Send(
      "INSERT INTO @lease AS l (name, router, instance, epoch, expires) "
      "VALUES('journal', $1, $2, 1, clock_timestamp() + make_interval(secs => $3 / 1000.0)) "
      "ON CONFLICT(name) DO UPDATE SET router = excluded.router, instance = excluded.instance, epoch = l.epoch + 1, "
      "expires = excluded.expires "
      "WHERE l.expires < clock_timestamp() OR (l.router = excluded.router AND l.instance = excluded.instance AND "
      "l.instance <> 0) RETURNING epoch",
      Params().Add(terms_.router).Add(terms_.instance).Add(terms_.length.count()));
  connection_->Send(
      "SELECT convert_to(r.name, 'UTF8') FROM @lease l JOIN @router r ON r.number = l.router WHERE l.name = 'journal'");
  const auto answers = connection_->Receive();
  if (!answers) return answers.error();
  if ((*answers)[1].rows() != 0) holder = Text((*answers)[1], kFirstRow, 0);
  if ((*answers)[0].rows() == 0) return false;
  epoch_ = (*answers)[0].Int(kFirstRow, 0);
  valid_until_.store(asked + terms_.length, std::memory_order_release);
  return true;
}

Result<bool> Lease::Renew() {
  if (!connection_ || connection_->IsLost()) {
    auto opened = Connection::Open(place_);
    if (!opened) return std::move(opened).error();
    connection_ = std::move(*opened);
  }
  const MonoTime asked = clock_.Mono();
  const auto renewed = connection_->Run(
      "UPDATE @lease SET expires = clock_timestamp() + make_interval(secs => $1 / 1000.0) "
      "WHERE name = 'journal' AND router = $2 AND epoch = $3",
      Params().Add(terms_.length.count()).Add(terms_.router).Add(epoch_));
  if (!renewed) return renewed.error();
  if (renewed->Changed() == 0) return false;
  valid_until_.store(asked + terms_.length, std::memory_order_release);
  return true;
}

void Lease::Run() {
  NameThread("lease");
  const milliseconds pause = terms_.length / 3;
  bool failing = false;
  for (milliseconds rest = pause;;) {
    {
      MutexLock lock(mu_);
      const auto until = std::chrono::steady_clock::now() + rest;
      while (!ending_ && std::chrono::steady_clock::now() < until) wake_.WaitUntil(mu_, until);
      if (ending_) return;
    }
    const auto renewed = Renew();
    if (!renewed) {
      if (!std::exchange(failing, true)) log::Warn("journal_lease_not_renewed", {{"reason", renewed.error().message}});
      rest = std::min(pause, kAskAgain);
      continue;
    }
    failing = false;
    rest = pause;
    if (*renewed) continue;
    valid_until_.store({}, std::memory_order_release);
    std::string holder;
    const auto found = connection_->Run(
        "SELECT convert_to(r.name, 'UTF8') FROM @lease l JOIN @router r ON r.number = l.router WHERE l.name = "
        "'journal'");
    if (found && found->rows() != 0) holder = Text(*found, kFirstRow, 0);
    if (terms_.on_lost) terms_.on_lost(holder);
    return;
  }
}

Lease::~Lease() {
  {
    MutexLock lock(mu_);
    ending_ = true;
  }
  wake_.NotifyAll();
  if (!thread_.joinable()) return;
  thread_.join();
  if (!connection_ || connection_->IsLost()) return;
  (void)connection_
      ->Run("UPDATE @lease SET expires = '-infinity' WHERE name = 'journal' AND router = $1 AND epoch = $2",
            Params().Add(terms_.router).Add(epoch_))
      .has_value();
}

void Fence::Send(Connection& connection) const {
  connection.Send(
      "SELECT 1 / (SELECT count(*) FROM (SELECT 1 FROM @lease WHERE name = 'journal' AND router = $1 AND epoch = $2 "
      "FOR SHARE) ours)",
      Params().Add(router).Add(epoch));
}

}  // namespace hookswitch::pg
