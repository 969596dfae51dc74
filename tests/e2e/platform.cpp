#include "tests/e2e/platform.h"

#include "core/base/text.h"

namespace hookswitch::e2e {
namespace {

using Mono = std::chrono::steady_clock;

// Platforms wait longer; here a second try soon finds more of what can go wrong.
constexpr milliseconds kBeforeNextTry{40};
constexpr double kRepeated = 0.05;

std::string BodyOf(LedgerEvent event, const json::value& transcript = nullptr) {
  return Call(
      CallId(event.call),
      {{"status", event.last ? "completed" : "call-disconnected"}, {"transcript", transcript}, {"summary", nullptr}});
}

}  // namespace

Platform::Platform(Ledger& ledger, int senders, double calls_per_second, std::uint64_t seed)
    : ledger_(ledger), between_calls_(static_cast<std::int64_t>(1e6 * senders / calls_per_second)), working_(senders) {
  for (int i = 0; i < senders; ++i) {
    senders_.emplace_back([this, own = seed + static_cast<std::uint64_t>(i)] { Work(own); });
  }
}

Platform::~Platform() {
  (void)Finish(milliseconds(0));
}

void Platform::Aim(std::vector<std::uint16_t> ports) {
  MutexLock lock(mu_);
  ports_ = std::move(ports);
  changed_.NotifyAll();
}

bool Platform::Finish(milliseconds timeout) {
  const auto deadline = Mono::now() + timeout;
  bool done = false;
  {
    MutexLock lock(mu_);
    finishing_ = true;
    changed_.NotifyAll();
    while (working_ > 0 && Mono::now() < deadline) changed_.WaitUntil(mu_, deadline);
    done = working_ == 0;
    giving_up_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& sender : senders_) sender.join();
  senders_.clear();
  return done;
}

void Platform::Pause(Mono::time_point until, const bool& unless) {
  MutexLock lock(mu_);
  while (!unless && Mono::now() < until) changed_.WaitUntil(mu_, until);
}

std::uint16_t Platform::WaitForPort() {
  MutexLock lock(mu_);
  while (ports_.empty() && !giving_up_) changed_.Wait(mu_);
  return giving_up_ ? 0 : ports_[turn_++ % ports_.size()];
}

void Platform::Work(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto perhaps = [&] { return std::uniform_real_distribution<>()(random) < kRepeated; };
  Sender sender;
  const auto finishing = [this] {
    MutexLock lock(mu_);
    return finishing_;
  };
  for (;;) {
    const auto begun = Mono::now();
    const auto owed = TakeOwed();
    if (!owed && finishing()) break;
    if (owed) {
      if (!PostUntilAnswered(sender, *owed)) ledger_.Wrong("a big call was not answered to the end");
      continue;
    }
    const std::size_t call = next_call_++;
    bool answered = true;
    for (const bool last : {false, true}) {
      answered = answered && PostUntilAnswered(sender, {call, last});
      if (answered && perhaps()) answered = PostUntilAnswered(sender, {call, last});
    }
    if (!answered) {
      ledger_.Wrong("call " + std::to_string(call) + " was not answered to the end");
      break;
    }
    Pause(begun + between_calls_, finishing_);
  }
  MutexLock lock(mu_);
  --working_;
  changed_.NotifyAll();
}

std::optional<LedgerEvent> Platform::TakeOwed() {
  MutexLock lock(mu_);
  if (owed_.empty()) return {};
  const LedgerEvent event = owed_.back();
  owed_.pop_back();
  return event;
}

bool Platform::PostUntilAnswered(Sender& sender, LedgerEvent event) {
  const std::string body = BodyOf(event);
  for (;;) {
    const std::uint16_t port = WaitForPort();
    if (port == 0) return false;
    if (port != sender.port) {
      sender.client.reset();
      sender.port = port;
    }
    if (PostOnce(sender, event, body).status == 200) return true;
    Pause(Mono::now() + kBeforeNextTry, giving_up_);
  }
}

RawAnswer Platform::PostOnce(Sender& sender, LedgerEvent event, const std::string& body) {
  if (!sender.client) sender.client.emplace(sender.port);
  if (sender.client->Connected()) sender.client->Send(fakes::RequestBytes("POST", "/bolna/webhook", body));
  RawAnswer answer = sender.client->Receive();
  if (answer.status == 0 || EqualsIgnoreCase(answer.Header("connection"), "close")) sender.client.reset();
  if (answer.status == 200) {
    json::error_code error;
    const json::value value = json::parse(answer.body, error);
    const json::object* object = error ? nullptr : value.if_object();
    const json::value* id = object == nullptr ? nullptr : object->if_contains("id");
    ledger_.Answered(event, id != nullptr && id->is_string() ? std::string(id->get_string()) : std::string(),
                     object != nullptr && object->contains("duplicate"));
    return answer;
  }
  if (answer.status == 503 && answer.Header("retry-after").empty()) ledger_.Wrong("a 503 without Retry-After");
  if (answer.status != 0 && answer.status != 503) ledger_.Wrong("answered " + std::to_string(answer.status));
  ledger_.NotAnswered(answer.status == 0 ? answer.error : std::to_string(answer.status));
  return answer;
}

RawAnswer Platform::PostBig(std::size_t bytes) {
  Sender sender;
  sender.port = WaitForPort();
  const LedgerEvent event{next_call_++, true};
  RawAnswer answer = PostOnce(sender, event, BodyOf(event, json::value("user: " + std::string(bytes, 'x'))));
  if (answer.status != 200) {
    MutexLock lock(mu_);
    owed_.push_back(event);
  }
  return answer;
}

}  // namespace hookswitch::e2e
