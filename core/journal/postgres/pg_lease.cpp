#include "core/journal/postgres/pg_lease.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/base/text.h"
#include "core/base/thread_name.h"
#include "core/journal/postgres/pg_rows.h"

namespace hookswitch::pg {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAskAgain{200};
/// How often it is asked for while another router has it.
constexpr milliseconds kAskEvery{900};
constexpr milliseconds kLeastPatience{500};

}  // namespace

Result<std::unique_ptr<Lease>> Lease::Open(const Place& place, Terms terms, const Clock& clock) {
  Place impatient = place;  // a renewal that hangs must leave time for another
  impatient.patience = std::clamp<milliseconds>(terms.length / 5, kLeastPatience, place.patience);
  std::unique_ptr<Lease> lease(new Lease(impatient, std::move(terms), clock));
  const auto asked = lease->Ask();
  if (!asked) return asked.error();
  if (*asked == Reply::kOurs) {
    if (lease->terms_.on_taken) lease->terms_.on_taken();
  } else {
    log::Info("journal_lease_awaited", {{"router", lease->Holder()}});
  }
  lease->thread_ = std::thread([raw = lease.get()] { raw->Run(); });
  return lease;
}

Result<Lease::Reply> Lease::Ask() {
  if (!connection_ || connection_->IsLost()) {
    auto opened = Connection::Open(place_);
    if (!opened) return std::move(opened).error();
    connection_ = std::move(*opened);
  }
  const MonoTime asked = clock_.Mono();
  const std::int64_t epoch = epoch_.load(std::memory_order_relaxed);
  SendRouter();
  if (epoch != 0) {
    connection_->Send(
        "UPDATE @lease SET expires = clock_timestamp() + make_interval(secs => $1 / 1000.0) "
        "WHERE name = 'journal' AND router = $2 AND epoch = $3 RETURNING epoch",
        Params().Add(terms_.length.count()).Add(terms_.router).Add(epoch));
  } else {
    connection_->Send(
        "INSERT INTO @lease AS l (name, router, instance, epoch, expires) "
        "VALUES('journal', $1, $2, 1, clock_timestamp() + make_interval(secs => $3 / 1000.0)) "
        "ON CONFLICT(name) DO UPDATE SET router = excluded.router, instance = excluded.instance, epoch = l.epoch + 1, "
        "expires = excluded.expires "
        "WHERE l.expires < clock_timestamp() OR (l.router = excluded.router AND l.instance = excluded.instance AND "
        "l.instance <> 0) RETURNING epoch",
        Params().Add(terms_.router).Add(terms_.instance).Add(terms_.length.count()));
  }
  const auto answers = connection_->Receive();
  if (!answers) return answers.error();
  if ((*answers)[0].rows() == 0) return Reply::kNameTaken;
  const std::int64_t reload = (*answers)[0].Int(kFirstRow, 0);
  if (reload_.value_or(reload) != reload && terms_.on_reload_asked) terms_.on_reload_asked();
  reload_ = reload;
  if ((*answers)[1].rows() == 0) return Reply::kAnothers;
  epoch_.store((*answers)[1].Int(kFirstRow, 0), std::memory_order_relaxed);
  valid_until_.store(asked + terms_.length, std::memory_order_release);
  return Reply::kOurs;
}

void Lease::Introduce(std::string version, std::string config, const std::vector<std::string>& sinks) {
  {
    MutexLock lock(mu_);
    version_ = std::move(version);
    config_ = std::move(config);
    sinks_ = Joined(sinks, "\n");
    has_card_ = true;
  }
  wake_.NotifyAll();
}

void Lease::SendRouter() {
  MutexLock lock(mu_);
  connection_->Send(
      "UPDATE @router SET seen = clock_timestamp(), version = $3, config = $4, sinks = $5 "
      "WHERE number = $1 AND instance = $2 RETURNING reload",
      Params()
          .Add(terms_.router)
          .Add(terms_.instance)
          .Add(std::string_view(version_))
          .Add(std::string_view(config_))
          .Add(std::string_view(sinks_)));
}

std::string Lease::Holder() {
  const auto found = connection_->Run(
      "SELECT convert_to(r.name, 'UTF8') FROM @lease l JOIN @router r ON r.number = l.router WHERE l.name = 'journal'");
  return found && found->rows() != 0 ? Text(*found, kFirstRow, 0) : "";
}

void Lease::Run() {
  NameThread("lease");
  bool failing = false;
  bool is_ours = epoch_.load(std::memory_order_relaxed) != 0;
  const auto pause = [&] { return is_ours ? terms_.length / 3 : std::min(kAskEvery, terms_.length / 3); };
  for (milliseconds rest = pause();;) {
    {
      MutexLock lock(mu_);
      const auto until = std::chrono::steady_clock::now() + rest;
      while (!ending_ && !has_card_ && std::chrono::steady_clock::now() < until) wake_.WaitUntil(mu_, until);
      if (ending_) return;
      has_card_ = false;
    }
    const auto answer = Ask();
    if (!answer) {
      if (!std::exchange(failing, true)) log::Warn("journal_lease_not_renewed", {{"reason", answer.error().message}});
      rest = std::min(pause(), kAskAgain);
      continue;
    }
    failing = false;
    if (*answer == Reply::kNameTaken || (*answer == Reply::kAnothers && is_ours)) {
      valid_until_.store({}, std::memory_order_release);
      if (terms_.on_lost) terms_.on_lost(*answer == Reply::kAnothers ? Holder() : "another of the same name");
      return;
    }
    if (*answer == Reply::kOurs && !std::exchange(is_ours, true)) {
      log::Info("journal_lease_taken", {{"epoch", epoch_.load(std::memory_order_relaxed)}});
      if (terms_.on_taken) terms_.on_taken();
    }
    rest = pause();
  }
}

void Lease::GiveUp() {
  {
    MutexLock lock(mu_);
    ending_ = true;
  }
  wake_.NotifyAll();
  if (!thread_.joinable()) return;
  thread_.join();
  valid_until_.store({}, std::memory_order_release);
  if (!connection_ || connection_->IsLost()) return;
  connection_->Send("UPDATE @lease SET expires = '-infinity' WHERE name = 'journal' AND router = $1 AND epoch = $2",
                    Params().Add(terms_.router).Add(epoch_.load(std::memory_order_relaxed)));
  connection_->Send(
      "UPDATE @router SET seen = clock_timestamp() - interval '1 day' WHERE number = $1 AND instance = $2",
      Params().Add(terms_.router).Add(terms_.instance));
  (void)connection_->Receive().has_value();
}

void Fence::Send(Connection& connection) const {
  connection.Send(
      "SELECT 1 / (SELECT count(*) FROM (SELECT 1 FROM @lease WHERE name = 'journal' AND router = $1 AND epoch = $2 "
      "FOR SHARE) ours)",
      Params().Add(router).Add(epoch));
}

}  // namespace hookswitch::pg
