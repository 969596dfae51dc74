#include "core/ingress/acceptor.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/thread_name.h"
#include "core/ingress/agent_counts.h"
#include "core/ingress/event_answers.h"
#include "core/ingress/methods.h"
#include "core/ingress/prepared_event.h"
#include "core/ingress/refusals.h"
#include "core/ingress/sender.h"
#include "core/sources/stored_request.h"
#include "core/sources/verify/verifier.h"

namespace hookswitch {
namespace {

constexpr int kUnavailableRetrySeconds = 5;
constexpr std::chrono::minutes kUnwantedEvery{1};
constexpr std::size_t kUnwantedKept = 4096;

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

// A GET has no Content-Type; that of its query is this.
Headers WithQueryType(const Headers& headers) {
  Headers typed{{"Content-Type", "application/x-www-form-urlencoded"}};
  for (const auto& header : headers) {
    if (!EqualsIgnoreCase(header.first, "Content-Type")) typed.push_back(header);
  }
  return typed;
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
        calls(journal),
        agents(metrics),
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
    std::shared_ptr<const Verifier> verifier;         // nullptr: there is no signature to check
    std::optional<Counter> received, duplicate, revised, unmatched, not_a_call;
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

  /// Several of one request.
  struct List {
    std::vector<std::string> bodies;
    std::vector<PreparedEvent> prepared;
    std::vector<std::size_t> places;  ///< of each in `bodies`; others are no events
    std::vector<NewEvent> stored;
    std::vector<Accepted> accepted;
  };
  /// What was sent, between Handle and its response.
  struct PendingAppend : PreparedEvent {
    explicit PendingAppend(Responder the_responder) : responder(std::move(the_responder)) {}

    Responder responder;  ///< keeps the request and `endpoint` alive
    const Endpoint* endpoint = nullptr;
    MonoTime begin{};
    std::string headers;
    std::string query;           ///< of a GET: its body
    std::unique_ptr<List> list;  ///< then there is no single event
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
  CallsSoFar calls;
  AgentCounts agents;
  const Histogram seconds;
  const ReachProof reach;
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

  static SignedRequest Signed(const ServedRequest& request, std::string_view url) {
    return {request.method, url, request.headers, request.body};
  }

  // What the sender called.
  static std::string UrlOf(const ServedRequest& request, const Endpoint& endpoint) {
    return endpoint.what->config.public_url + std::string(request.target);
  }

  // The answer is the same for each fault, so that nobody learns how near a guess was.
  Answer NotVerified(const ServedRequest& request, const Endpoint& endpoint, const VerifyFault& fault) {
    Refuse(request, *endpoint.of, &endpoint, 401, ReasonOf(fault.kind), fault.detail);
    return ErrorAnswer(401, "unauthorized", "the signature of the request is missing, wrong or too old");
  }

  std::optional<Answer> OverRate(const ServedRequest& request, const Active& now, const Endpoint& endpoint) {
    if (!endpoint.limiter) return {};
    const auto wait = endpoint.limiter->Take(clock.Mono());
    if (wait.count() <= 0) return {};
    Answer answer = Refuse(request, now, &endpoint, 429, "rate_limited", "over the source's rate_limit");
    answer.retry_after_seconds =
        static_cast<int>(std::clamp<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1, 86'400));
    return answer;
  }

  Answer WrongMethod(const ServedRequest& request, const Active& now, const Endpoint& endpoint) {
    Answer answer = MethodNotAllowed(endpoint.what->config);
    (void)Refuse(request, now, &endpoint, answer.status, kWrongMethod, SendWith(endpoint.what->config));
    return answer;
  }

  /// The answer to whoever checks the way to this router, who is no sender.
  std::optional<Answer> ReachAnswer(const ServedRequest& request, const config::Source& source) {
    if (request.method != "GET") return {};
    std::string proof = reach.ProofFor(request.query, clock.Mono());
    if (proof.empty()) return {};
    Answer answer = TakesMethod(source, "GET") ? SkippedAnswer() : MethodNotAllowed(source);
    answer.headers.emplace_back(ReachProof::kHeader, std::move(proof));
    return answer;
  }

  /// The answer to a request whose body was too large to be kept, where a refusal would disable the sender's hook.
  Answer Skip(const ServedRequest& request, const Endpoint& endpoint) {
    (void)Refuse(request, *endpoint.of, &endpoint, 200, "too_large", "read away unread, because it is over max_body");
    return SkippedAnswer();
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

  void Prepare(PreparedEvent& what, const PendingAppend& request, const RawRequest& raw, Normalized normalized) {
    PrepareEvent(what, raw, request.headers, std::move(normalized), *request.endpoint->what,
                 *request.endpoint->of->snapshot, calls);
  }
  void HandleList(std::unique_ptr<PendingAppend> what, const RawRequest& raw, std::vector<std::string> bodies);
  void Push(PendingAppend* what, Result<Accepted> result);
  std::size_t Conclude(const Endpoint& endpoint, const PreparedEvent& what, const Accepted& accepted_as);
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
    if (endpoint.config.verify) made.verifier = MakeVerifier(*endpoint.config.verify);
    made.received =
        impl_->metrics.MakeCounter("hookswitch_events_received_total", "Events stored for the first time.", labels);
    made.duplicate = impl_->metrics.MakeCounter("hookswitch_events_duplicate_total",
                                                "Events seen before; nothing new was sent.", labels);
    made.revised = impl_->metrics.MakeCounter("hookswitch_events_revised_total",
                                              "Events that came again with other content, which was kept.", labels);
    made.unmatched =
        impl_->metrics.MakeCounter("hookswitch_events_unmatched_total", "Events that no rule wanted.", labels);
    made.not_a_call = impl_->metrics.MakeCounter("hookswitch_events_not_calls_total",
                                                 "Requests stored that are no step of a call.", labels);
    impl_->refusals.ShowSource(endpoint.config.name);
  }
  for (const std::string& agent : snapshot->agents) impl_->agents.Show(agent);
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

ReachProof::Challenge Acceptor::MakeChallenge() const {
  return impl_->reach.Make(impl_->clock.Mono());
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
  if (auto answer = impl.ReachAnswer(head, source)) return std::move(*answer);
  const bool is_handshake = AsksHandshake(source, head);
  if (!is_handshake && !TakesMethod(source, head.method)) return impl.WrongMethod(head, *now, *endpoint);
  if (!source.allow_ips.empty()) {
    const auto sender = SenderOf(head, now->snapshot->trusted_proxies);
    if (!sender || !InAnyNetwork(*sender, source.allow_ips)) {
      return impl.Refuse(head, *now, endpoint, 403, "forbidden", "this address is not in allow_ips of the source");
    }
  }
  // It proves nothing of the sender, so it has no secret.
  if (is_handshake) return HandshakeAnswer(source);
  if (source.auth && !Authorized(head, *source.auth)) {
    return impl.Refuse(head, *now, endpoint, 401, "unauthorized", "the source's secret is missing or wrong");
  }
  if (endpoint->verifier) {
    const std::string url = Impl::UrlOf(head, *endpoint);
    const auto fault = endpoint->verifier->CheckHead(Impl::Signed(head, url), impl.clock.Wall());
    if (fault) return impl.NotVerified(head, *endpoint, *fault);
    // Who has not signed uses up nothing of the sender's rate: it counts once the body is verified.
  } else if (auto answer = impl.OverRate(head, *now, *endpoint)) {
    return std::move(*answer);
  }
  HeadVerdict admitted{std::shared_ptr<const HeadContext>(now, endpoint)};
  admitted.max_body = source.max_body;
  admitted.drop_large = source.oversized == config::Oversized::kSkip;
  admitted.may_block = endpoint->what->source->CarriesOver();
  return admitted;
}

void Acceptor::Handle(Responder responder) {
  Impl& impl = *impl_;
  auto what = std::make_unique<Impl::PendingAppend>(std::move(responder));
  what->begin = impl.clock.Mono();
  what->endpoint = static_cast<const Impl::Endpoint*>(what->responder.context());
  const ServedRequest request = what->responder.request();
  // What was read away is not stored, and its signature cannot be checked.
  if (request.body_dropped) return what->responder.Complete(impl.Skip(request, *what->endpoint));
  const bool is_get = request.method == "GET";
  if (is_get && !request.body.empty()) {
    // A signature of it would say nothing of the query, which is the event.
    return what->responder.Complete(impl.Refuse(request, *what->endpoint->of, what->endpoint, 400, "invalid_request",
                                                "the event of a GET is its query"));
  }
  if (const Impl::Endpoint& endpoint = *what->endpoint; endpoint.verifier) {
    const std::string url = Impl::UrlOf(request, endpoint);
    const auto fault = endpoint.verifier->Check(Impl::Signed(request, url), impl.clock.Wall());
    if (fault) return what->responder.Complete(impl.NotVerified(request, endpoint, *fault));
    if (const auto answer = impl.OverRate(request, *endpoint.of, endpoint)) return what->responder.Complete(*answer);
  }
  const Source& source = *what->endpoint->what->source;
  if (is_get) what->query = BodyOfGet(what->endpoint->what->config, request.query);
  const Headers typed = is_get ? WithQueryType(request.headers) : Headers();
  const Headers kept = KeptOf(source, is_get ? typed : request.headers, request.query);
  what->headers = HeaderLines(kept);
  const RawRequest raw{is_get ? what->query : request.body, kept, impl.clock.Wall()};
  if (auto bodies = source.Split(raw)) return impl.HandleList(std::move(what), raw, std::move(*bodies));
  auto read = source.Normalize(raw);
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    return what->responder.Complete(impl.Refuse(request, *what->endpoint->of, what->endpoint, refusal->http_status,
                                                refusal->error, refusal->detail));
  }
  std::unique_lock<std::mutex> in_order;
  if (source.CarriesOver()) in_order = impl.calls.InOrder();
  impl.Prepare(*what, *what, raw, std::move(std::get<Normalized>(read)));
  // A raw pointer, because std::function must be copyable; the journal calls this exactly once.
  impl.journal.AppendThen(
      what->stored, [&impl, owned = what.get()](Result<Accepted> result) { impl.Push(owned, std::move(result)); });
  (void)what.release();
}

void Acceptor::Impl::Push(PendingAppend* what, Result<Accepted> result) {
  MutexLock lock(stored_mu);
  stored.push_back({std::unique_ptr<PendingAppend>(what), std::move(result)});
  if (std::exchange(asleep, false)) stored_changed.NotifyOne();
}

/// What cannot be read is refused alone; all else is stored in one step.
void Acceptor::Impl::HandleList(std::unique_ptr<PendingAppend> what, const RawRequest& raw,
                                std::vector<std::string> bodies) {
  what->list = std::make_unique<List>();
  List& list = *what->list;
  list.bodies = std::move(bodies);
  // The stored events borrow from these, which must stay where they are.
  list.prepared.reserve(list.bodies.size());
  const Endpoint& endpoint = *what->endpoint;
  std::unique_lock<std::mutex> in_order;
  if (endpoint.what->source->CarriesOver()) in_order = calls.InOrder();
  std::optional<Answer> refused;
  for (std::size_t i = 0; i < list.bodies.size(); ++i) {
    RawRequest item = raw;
    item.body = list.bodies[i];
    auto read = endpoint.what->source->Normalize(item);
    if (const auto* refusal = std::get_if<Refusal>(&read)) {
      Answer answer = Refuse(what->responder.request(), *endpoint.of, &endpoint, refusal->http_status, refusal->error,
                             "event " + std::to_string(i + 1) + ": " + refusal->detail);
      if (!refused) refused = std::move(answer);
      continue;
    }
    Prepare(list.prepared.emplace_back(), *what, item, std::move(std::get<Normalized>(read)));
    list.stored.push_back(list.prepared.back().stored);
    list.places.push_back(i);
  }
  if (list.prepared.empty() && refused) return what->responder.Complete(*refused);
  if (list.prepared.empty()) return what->responder.Complete(EventsAnswer({}, 0));
  journal.AppendAllThen(list.stored, [this, owned = what.get()](Result<std::vector<Accepted>> results) {
    if (!results) return Push(owned, std::move(results).error());
    owned->list->accepted = std::move(*results);
    Push(owned, Accepted{});
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

Answer Acceptor::Impl::AnswerTo(const PendingAppend& what, const Result<Accepted>& result) {
  const Endpoint& endpoint = *what.endpoint;
  if (!result) return JournalRefused(endpoint, result.error());
  JournalWorks();
  if (!what.list) return EventAnswer(*result, Conclude(endpoint, what, *result));
  const List& list = *what.list;
  std::vector<std::string_view> ids(list.bodies.size());
  std::size_t deliveries = 0;
  for (std::size_t i = 0; i < list.places.size(); ++i) {
    deliveries += Conclude(endpoint, list.prepared[i], list.accepted[i]);
    ids[list.places[i]] = list.accepted[i].id;
  }
  return EventsAnswer(ids, deliveries);
}

/// Counts and logs one event, and hands it to delivery; returns how many deliveries it has added.
std::size_t Acceptor::Impl::Conclude(const Endpoint& endpoint, const PreparedEvent& what, const Accepted& accepted_as) {
  const NewEvent& stored = what.stored;
  const std::vector<NewDelivery>& deliveries = what.deliveries;
  const bool ends_call = what.event && what.event->stage == Stage::kFinal;
  const std::uint64_t ended_call = ends_call ? stored.call_key : 0;
  if (accepted_as.revised) {
    endpoint.revised->Add();
    const auto& [added, canceled] = *accepted_as.revised;
    log::Info("event_revised", {{"id", accepted_as.id},
                                {"source", stored.source},
                                {"call_id", stored.call_id},
                                {"status", stored.status},
                                {"added", added.size()},
                                {"canceled", canceled.size()}});
    what.event->id = accepted_as.id;
    if (revised) revised(what.event, accepted_as.event, *accepted_as.revised, ended_call);
    return added.size();
  }
  if (accepted_as.duplicate) {
    endpoint.duplicate->Add();
    log::Debug("event_duplicate", {{"id", accepted_as.id}, {"source", stored.source}, {"call_id", stored.call_id}});
    return 0;
  }
  endpoint.received->Add();
  log::Info("event_accepted", {{"id", accepted_as.id},
                               {"source", stored.source},
                               {"call_id", stored.call_id},
                               {"agent", stored.agent},
                               {"status", stored.status},
                               {"deliveries", deliveries.size()}});
  if (what.event) {
    agents.Count(*what.event);
    if (what.routes.empty() || what.routes.front().rule == "unmatched") endpoint.unmatched->Add();
    what.event->id = accepted_as.id;
    if (accepted) accepted(what.event, StoredDeliveries(stored, accepted_as), ended_call);
  } else {
    endpoint.not_a_call->Add();
  }
  return deliveries.size();
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
      calls.Done(*what);
      if (what->list) {
        for (const PreparedEvent& each : what->list->prepared) calls.Done(each);
      }
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
