#include "core/ingress/acceptor.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <thread>
#include <utility>

#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/thread_name.h"
#include "core/ingress/refusals.h"
#include "core/ingress/sender.h"
#include "core/sources/stored_request.h"

namespace hookswitch {
namespace {

constexpr int kUnavailableRetrySeconds = 5;
constexpr std::chrono::minutes kUnwantedEvery{1};
constexpr std::size_t kUnwantedKept = 4096;

Digest KeyOf(std::string_view source, std::string_view key) {
  thread_local std::string text;
  text.assign(source);
  text += '\n';
  text += key;
  return DigestOf(text);
}

std::uint64_t CallKeyOf(std::string_view source, std::string_view call_id) {
  const Digest digest = KeyOf(source, call_id);
  std::uint64_t key = 0;
  for (std::size_t i = 0; i < 8; ++i) key = key << 8 | digest[i];
  return key == 0 ? 1 : key;  // 0 means no call
}

Answer AcceptedAnswer(std::string_view id, std::string_view what, std::string_view value) {
  Answer answer;
  answer.body.reserve(80);
  answer.body += R"({"ok":true,"id":")";
  answer.body += id;
  answer.body += R"(",")";
  answer.body += what;
  answer.body += R"(":)";
  answer.body += value;
  answer.body += '}';
  return answer;
}

/// Collapses repeated slashes and drops a trailing one.
std::string PlainPath(std::string_view path) {
  std::string plain;
  for (const char c : path) {
    if (c != '/' || !plain.ends_with('/')) plain += c;
  }
  if (plain.size() > 1 && plain.ends_with('/')) plain.pop_back();
  return plain;
}
bool IsPlain(std::string_view path) {
  return path.find("//") == path.npos && (path.size() < 2 || !path.ends_with('/'));
}

Answer RevisedAnswer(std::string_view id) {
  Answer answer = AcceptedAnswer(id, "duplicate", "true");
  answer.body.insert(answer.body.size() - 1, R"(,"revised":true)");
  return answer;
}

Answer RetryLater(int status, std::string_view error, std::string_view detail, int seconds) {
  Answer answer = ErrorAnswer(status, error, detail);
  answer.retry_after_seconds = seconds;
  return answer;
}

}  // namespace

struct Acceptor::Impl {
  Impl(Journal& journal_in, const Clock& clock_in, Metrics& metrics_in, DeliveriesAccepted accepted_in,
       EventRevised revised_in)
      : journal(journal_in),
        clock(clock_in),
        metrics(metrics_in),
        accepted(std::move(accepted_in)),
        revised(std::move(revised_in)),
        refusals(journal, clock, metrics),
        seconds(metrics.MakeLatency("hookswitch_accept_seconds",
                                    "From a request read whole to its answer, the durable write included.")),
        answers([this] { GiveAnswers(); }) {}

  ~Impl() {
    {
      MutexLock lock(stored_mu);
      stopping = true;
    }
    stored_changed.NotifyOne();
    answers.join();
  }

  struct Active;
  struct Endpoint : HeadContext {
    const Active* of = nullptr;
    const IngressSnapshot::Endpoint* what = nullptr;  // in the snapshot of `of`
    std::shared_ptr<RateLimiter> limiter;             // nullptr: no limit
    std::optional<Counter> received, duplicate, revised, unmatched;
  };
  struct Active {
    std::shared_ptr<const IngressSnapshot> snapshot;
    std::map<std::string, Endpoint, std::less<>> by_path;
    bool only_listed = false;  ///< every source has allow_ips

    const Endpoint* Find(std::string_view path) const {
      const auto found = by_path.find(IsPlain(path) ? path : PlainPath(path));
      return found == by_path.end() ? nullptr : &found->second;
    }
  };

  /// An event between Handle and its response.
  struct PendingAppend {
    explicit PendingAppend(Responder the_responder) : responder(std::move(the_responder)) {}

    Responder responder;  ///< keeps the request and `endpoint` alive
    const Endpoint* endpoint = nullptr;
    MonoTime begin{};
    std::string headers;
    std::shared_ptr<CallEvent> event;  ///< nullptr: not a call; `note` says why
    std::string note;
    std::vector<Route> routes;
    std::vector<NewDelivery> deliveries;
    NewEvent stored;  ///< borrows from the other members and the request
  };
  struct Stored {
    std::unique_ptr<PendingAppend> what;
    Result<Accepted> result;
  };

  Journal& journal;
  const Clock& clock;
  Metrics& metrics;
  const DeliveriesAccepted accepted;
  const EventRevised revised;
  Refusals refusals;
  const Histogram seconds;
  std::atomic<bool> draining{false};
  std::atomic<bool> journal_down{false};
  Mutex mu;
  // A copy under a lock: std::atomic<shared_ptr> of libstdc++ 12 is a spin lock inside.
  std::shared_ptr<const Active> active GUARDED_BY(mu) = std::make_shared<Active>();

  std::shared_ptr<const Active> Current() {
    MutexLock lock(mu);
    return active;
  }

  std::string SenderText(const ServedRequest& request, const Active& now) const {
    const auto sender = now.snapshot ? SenderOf(request, now.snapshot->trusted_proxies) : std::nullopt;
    return sender ? ToText(*sender) : std::string(request.peer);
  }

  Answer Refuse(const ServedRequest& request, const Active& now, const Endpoint* endpoint, int status,
                std::string_view error, std::string_view detail) {
    const std::string_view source = endpoint ? std::string_view(endpoint->what->config.name) : std::string_view();
    refusals.Note({source, SenderText(request, now), request.path, status, error, detail});
    return ErrorAnswer(status, error, detail);
  }

  Answer JournalRefused(const Endpoint& endpoint, const Error& error) {
    if (!journal_down.exchange(true)) {
      log::Error("journal_refuses", {{"reason", error.message}});
    }
    refusals.Count(endpoint.what->config.name, "unavailable");
    return RetryLater(503, "unavailable", "the event could not be stored now; send it again", kUnavailableRetrySeconds);
  }

  void JournalWorks() {
    if (journal_down.load(std::memory_order_relaxed) && journal_down.exchange(false))
      log::Info("journal_accepts_again");
  }

  static void Prepare(PendingAppend& what, const RawRequest& raw, Normalized normalized);
  Answer AnswerTo(const PendingAppend& what, const Result<Accepted>& result);
  void GiveAnswers();

  Mutex stored_mu;
  CondVar stored_changed;
  std::vector<Stored> stored GUARDED_BY(stored_mu);  ///< not yet answered
  bool asleep GUARDED_BY(stored_mu) = false;
  bool stopping GUARDED_BY(stored_mu) = false;
  bool asked GUARDED_BY(stored_mu) = false;  ///< a heartbeat was requested
  std::uint64_t passes GUARDED_BY(stored_mu) = 0;

  Mutex unwanted_mu;
  std::map<std::string, MonoTime, std::less<>> unwanted GUARDED_BY(unwanted_mu);  ///< last record
  std::thread answers;
};

Acceptor::Acceptor(Journal& journal, const Clock& clock, Metrics& metrics, DeliveriesAccepted accepted,
                   EventRevised revised)
    : impl_(std::make_unique<Impl>(journal, clock, metrics, std::move(accepted), std::move(revised))) {}
Acceptor::~Acceptor() = default;

void Acceptor::Use(std::shared_ptr<const IngressSnapshot> snapshot) {
  const auto before = impl_->Current();
  auto next = std::make_shared<Impl::Active>();
  for (const auto& endpoint : snapshot->endpoints) {
    const Labels labels{{"source", endpoint.config.name}};
    std::shared_ptr<RateLimiter> limiter;
    if (endpoint.config.rate_limit) {
      // A reload must not hand out a fresh burst.
      const Impl::Endpoint* same = before->Find(endpoint.config.path);
      limiter = same && same->limiter && same->limiter->rate() == *endpoint.config.rate_limit
                    ? same->limiter
                    : std::make_shared<RateLimiter>(*endpoint.config.rate_limit);
    }
    const auto [added, is_new] = next->by_path.try_emplace(PlainPath(endpoint.config.path));
    if (!is_new) continue;
    Impl::Endpoint& made = added->second;
    made.of = next.get();
    made.what = &endpoint;
    made.limiter = std::move(limiter);
    made.received =
        impl_->metrics.MakeCounter("hookswitch_events_received_total", "Events stored for the first time.", labels);
    made.duplicate = impl_->metrics.MakeCounter("hookswitch_events_duplicate_total",
                                                "Events seen before; nothing new was sent.", labels);
    made.revised = impl_->metrics.MakeCounter("hookswitch_events_revised_total",
                                              "Events that came again with other content, which was kept.", labels);
    made.unmatched =
        impl_->metrics.MakeCounter("hookswitch_events_unmatched_total", "Events that no rule wanted.", labels);
  }
  next->only_listed = !snapshot->endpoints.empty() &&
                      std::none_of(snapshot->endpoints.begin(), snapshot->endpoints.end(),
                                   [](const auto& endpoint) { return endpoint.config.allow_ips.empty(); });
  next->snapshot = std::move(snapshot);
  std::shared_ptr<const Impl::Active> old = std::move(next);
  {
    MutexLock lock(impl_->mu);
    impl_->active.swap(old);
  }
}

void Acceptor::SetDraining(bool draining) {
  impl_->draining.store(draining);
}

HeadVerdict Acceptor::HandleHead(const ServedRequest& head) {
  Impl& impl = *impl_;
  const auto now = impl.Current();
  const Impl::Endpoint* endpoint = now->Find(head.path);
  if (impl.draining.load(std::memory_order_relaxed)) {
    impl.refusals.Count(endpoint ? std::string_view(endpoint->what->config.name) : std::string_view(), "draining");
    return RetryLater(503, "draining", "the router is going down; send it again", kUnavailableRetrySeconds);
  }
  if (!endpoint) return impl.Refuse(head, *now, nullptr, 404, "not_found", "no source has this path");
  const config::Source& source = endpoint->what->config;
  if (head.method != "POST") {
    Answer answer = impl.Refuse(head, *now, endpoint, 405, "method_not_allowed", "send events with POST");
    answer.allow = "POST";
    return answer;
  }
  if (!source.allow_ips.empty()) {
    const auto sender = SenderOf(head, now->snapshot->trusted_proxies);
    if (!sender || !InAnyNetwork(*sender, source.allow_ips)) {
      return impl.Refuse(head, *now, endpoint, 403, "forbidden", "this address is not in allow_ips of the source");
    }
  }
  if (source.auth && !Authorized(head, *source.auth)) {
    return impl.Refuse(head, *now, endpoint, 401, "unauthorized", "the source's secret is missing or wrong");
  }
  if (endpoint->limiter) {
    const auto wait = endpoint->limiter->Take(impl.clock.Mono());
    if (wait.count() > 0) {
      Answer answer = impl.Refuse(head, *now, endpoint, 429, "rate_limited", "over the source's rate_limit");
      answer.retry_after_seconds =
          static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1, 86'400));
      return answer;
    }
  }
  return std::shared_ptr<const HeadContext>(now, endpoint);
}

void Acceptor::Handle(Responder responder) {
  Impl& impl = *impl_;
  auto what = std::make_unique<Impl::PendingAppend>(std::move(responder));
  what->begin = impl.clock.Mono();
  what->endpoint = static_cast<const Impl::Endpoint*>(what->responder.context());
  const ServedRequest request = what->responder.request();
  const Source& source = *what->endpoint->what->source;
  std::vector<std::pair<std::string, std::string>> kept;
  for (std::string_view name : source.KeptHeaders()) {
    for (const auto& header : request.headers) {
      if (EqualsIgnoreCase(header.first, name)) kept.push_back(header);
    }
  }
  const RawRequest raw{request.body, kept, impl.clock.Wall()};
  auto read = source.Normalize(raw);
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    return what->responder.Complete(impl.Refuse(request, *what->endpoint->of, what->endpoint, refusal->http_status,
                                                refusal->error, refusal->detail));
  }
  Impl::Prepare(*what, raw, std::move(std::get<Normalized>(read)));
  // A raw pointer, because std::function must be copyable; the journal calls this exactly once.
  impl.journal.AppendThen(what->stored, [&impl, owned = what.get()](Result<Accepted> result) {
    MutexLock lock(impl.stored_mu);
    impl.stored.push_back({std::unique_ptr<Impl::PendingAppend>(owned), std::move(result)});
    if (std::exchange(impl.asleep, false)) impl.stored_changed.NotifyOne();
  });
  (void)what.release();
}

PeerKind Acceptor::JudgePeer(std::string_view address) const {
  const auto now = impl_->Current();
  const auto peer = ParseSender(address);
  if (!peer || !now->snapshot) return PeerKind::kUnknown;
  if (InAnyNetwork(*peer, now->snapshot->trusted_proxies)) return PeerKind::kProxy;
  if (!now->only_listed) return PeerKind::kUnknown;
  const auto& endpoints = now->snapshot->endpoints;
  const bool listed = std::any_of(endpoints.begin(), endpoints.end(),
                                  [&](const auto& endpoint) { return InAnyNetwork(*peer, endpoint.config.allow_ips); });
  return listed ? PeerKind::kUnknown : PeerKind::kUnwanted;
}

void Acceptor::UnwantedPeer(std::string_view address) {
  const MonoTime now = impl_->clock.Mono();
  {
    MutexLock lock(impl_->unwanted_mu);
    auto& recorded = impl_->unwanted;
    if (recorded.size() >= kUnwantedKept)
      std::erase_if(recorded, [&](const auto& entry) { return now - entry.second >= kUnwantedEvery; });
    if (recorded.size() >= kUnwantedKept) return;
    const auto [found, is_new] = recorded.try_emplace(std::string(address), now);
    if (!is_new && now - found->second < kUnwantedEvery) return;
    found->second = now;
  }
  impl_->refusals.Note({"", address, "", 403, "forbidden", "closed at once: this address is in no source's allow_ips"});
}

void Acceptor::Impl::Prepare(PendingAppend& what, const RawRequest& raw, Normalized normalized) {
  what.headers = HeaderLines(raw.headers);
  const std::string& source = what.endpoint->what->config.name;
  NewEvent& stored = what.stored;
  stored.source = source;
  stored.headers = what.headers;
  stored.body = raw.body;
  stored.dedup = KeyOf(source, normalized.dedup_key);
  stored.received_at = raw.received_at;
  if (auto* call = std::get_if<CallEvent>(&normalized.what)) {
    stored.content = normalized.content;
    what.note = std::move(normalized.note);
    stored.note = what.note;
    what.event = std::make_shared<CallEvent>(std::move(*call));
    const CallEvent& event = *what.event;
    const IngressSnapshot& snapshot = *what.endpoint->of->snapshot;
    if (snapshot.routes) snapshot.routes->Match(event, what.routes);
    const bool ends_call = (TerminalStatuses() & Bit(event.status)) != 0;
    const bool ends_softly = event.status == CallStatus::kCallDisconnected;
    for (const Route& route : what.routes) {
      what.deliveries.push_back({.sink = route.sink,
                                 .rule = route.rule,
                                 .template_name = route.template_name,
                                 .hold = ends_softly ? route.settle : std::chrono::milliseconds(0),
                                 .newest_only = route.newest_only,
                                 .updates = snapshot.updating_sinks.contains(route.sink),
                                 .ends_call = ends_call});
    }
    stored.call_id = event.call_id;
    stored.agent = event.AgentLabel();
    stored.status = ToString(event.status);
    if (!event.call_id.empty()) stored.call_key = CallKeyOf(source, event.call_id);
    stored.deliveries = what.deliveries;
  } else {
    what.note = std::move(std::get<NotACall>(normalized.what).why);
    stored.note = what.note;
  }
}

Answer Acceptor::Impl::AnswerTo(const PendingAppend& what, const Result<Accepted>& result) {
  const Endpoint& endpoint = *what.endpoint;
  const NewEvent& stored = what.stored;
  const std::vector<NewDelivery>& deliveries = what.deliveries;
  if (!result) return JournalRefused(endpoint, result.error());
  JournalWorks();
  if (result->revised) {
    endpoint.revised->Add();
    const auto& [added, canceled] = *result->revised;
    log::Info("event_revised", {{"id", result->id},
                                {"source", stored.source},
                                {"call_id", stored.call_id},
                                {"status", stored.status},
                                {"added", added.size()},
                                {"canceled", canceled.size()}});
    what.event->id = result->id;
    if (revised) revised(what.event, result->event, *result->revised);
    return RevisedAnswer(result->id);
  }
  if (result->duplicate) {
    endpoint.duplicate->Add();
    log::Debug("event_duplicate", {{"id", result->id}, {"source", stored.source}, {"call_id", stored.call_id}});
    return AcceptedAnswer(result->id, "duplicate", "true");
  }
  endpoint.received->Add();
  log::Info("event_accepted", {{"id", result->id},
                               {"source", stored.source},
                               {"call_id", stored.call_id},
                               {"agent", stored.agent},
                               {"status", stored.status},
                               {"deliveries", deliveries.size()}});
  if (what.event) {
    if (what.routes.empty() || what.routes.front().rule == "unmatched") endpoint.unmatched->Add();
    what.event->id = result->id;
    if (accepted) accepted(what.event, StoredDeliveries(stored, *result));
  }
  return deliveries.empty() ? AcceptedAnswer(result->id, "skipped", "true")
                            : AcceptedAnswer(result->id, "deliveries", std::to_string(deliveries.size()));
}

// One thread for all responses: they come in batches, one per commit, and a thread per response would have to be woken.
void Acceptor::Impl::GiveAnswers() {
  NameThread("answers");
  std::vector<Stored> batch;
  for (;;) {
    batch.clear();
    {
      MutexLock lock(stored_mu);
      ++passes;
      while (stored.empty() && !stopping && !asked) {
        asleep = true;
        stored_changed.Wait(stored_mu);
      }
      asleep = false;
      asked = false;
      if (stored.empty() && stopping) return;
      batch.swap(stored);
    }
    for (Stored& one : batch) {
      const auto what = std::move(one.what);
      try {
        const Answer answer = AnswerTo(*what, one.result);
        seconds.Observe(std::chrono::duration<double>(clock.Mono() - what->begin).count());
        what->responder.Complete(answer);
      } catch (const std::exception& e) {
        log::Error("http_handler_failed", {{"server", "ingress"}, {"reason", e.what()}});
      }
    }
  }
}

std::uint64_t Acceptor::Passes() {
  MutexLock lock(impl_->stored_mu);
  impl_->asked = true;
  impl_->stored_changed.NotifyOne();
  return impl_->passes;
}

void Acceptor::Refused(const ServedRequest& head, int status, std::string_view error, std::string_view detail) {
  const auto now = impl_->Current();
  impl_->Refuse(head, *now, now->Find(head.path), status, error, detail);
}

}  // namespace hookswitch
