#include "core/delivery/attempt.h"

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/delivery/notice.h"
#include "core/http/retry_after.h"
#include "core/message/text_template.h"
#include "core/plugins/credentials.h"
#include "core/sources/stored_request.h"

namespace hookswitch {
namespace {

using namespace std::chrono_literals;

Outcome Later(std::string code, std::string reason) {
  Outcome outcome;
  outcome.code = std::move(code);
  outcome.reason = std::move(reason);
  return outcome;
}

// A retry before the sink was called.
Outcome Ours(std::string code, std::string reason) {
  Outcome outcome = Later(std::move(code), std::move(reason));
  outcome.ours = true;
  return outcome;
}

Outcome JournalUnavailable(std::string reason) {
  Outcome outcome = Ours("journal_unavailable", std::move(reason));
  outcome.soon = true;
  return outcome;
}

Outcome JournalGone() {
  return JournalUnavailable("hookswitch was stopping");
}

Outcome GivenUp() {
  return Ours("given_up", "the attempt was given up before it began");
}

/// The first line, the headers and an empty line, credentials hidden.
std::string Head(std::string line, const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) {
    line.append(1, '\n').append(name).append(": ").append(plugins::ShownHeader(name, value));
  }
  return line.append("\n\n");
}

std::string Sentence(std::string_view error) {
  if (error == "dns_failed") return "the host's name was not found";
  if (error == "connect_failed") return "no connection could be made";
  if (error == "tls_failed") return "no secure connection could be made";
  if (error == "certificate_problem") return "a certificate was not accepted";
  if (error == "proxy_refused") return "the proxy does not let it through";
  if (error == "bad_proxy") return "the proxy's URL cannot be used";
  if (error == "timeout") return "the deadline passed";
  if (error == "reset") return "the connection ended before the answer was whole";
  if (error == "bad_response") return "the answer is not HTTP";
  if (error == "too_large") return "the answer's headers are too large";
  if (error == "private_address") return "the URL leads to an address that is not public";
  if (error == "bad_url") return "the sink made a URL that cannot be used";
  if (error == "bad_request") return "the sink made a request that HTTP cannot carry";
  if (error == "canceled") return "hookswitch was stopping";
  return std::string(error);
}

Outcome FromTransport(const HttpResult& result) {
  Outcome outcome = Later(result.error, Sentence(result.error));
  if (!result.detail.empty()) outcome.reason += ": " + result.detail;
  outcome.may_have_been_delivered = result.maybe_sent;
  if (result.error == "bad_url") {
    outcome.kind = Outcome::Kind::kMisconfigured;
    outcome.action = "correct the URL in the sink's config and reload";
  } else if (result.error == "private_address") {
    outcome.kind = Outcome::Kind::kMisconfigured;
    outcome.action = "use a public address, or allow private ones in the sink's config";
  } else if (result.error == "certificate_problem") {
    outcome.kind = Outcome::Kind::kMisconfigured;
    outcome.scope = Outcome::Scope::kSink;
    outcome.action =
        "tls.ca of the sink (else CURL_CA_BUNDLE, SSL_CERT_FILE or the system) must hold the authority of the "
        "destination's certificate, tls.cert and tls.key what it asks of its clients; if they do, the destination has "
        "to renew its certificate";
  } else if (result.error == "proxy_refused") {
    outcome.kind = Outcome::Kind::kMisconfigured;
    outcome.scope = Outcome::Scope::kSink;
    outcome.action =
        "correct user and password of the proxy (the sink's proxy, or the environment's), or have it allow the "
        "destination";
  } else if (result.error == "bad_proxy") {
    outcome.kind = Outcome::Kind::kMisconfigured;
    outcome.scope = Outcome::Scope::kSink;
    outcome.action = "correct the sink's proxy, or http_proxy, https_proxy or all_proxy in the environment";
  } else if (result.error == "bad_request") {
    outcome.kind = Outcome::Kind::kRejected;
  }
  return outcome;
}

}  // namespace

Trigger Attempt::Facts::trigger() const {
  if (delivery.is_replay) return Trigger::kManual;
  return delivery.attempts == 0 ? Trigger::kFirst : Trigger::kAutomatic;
}

Attempt::Attempt(Facts facts, std::shared_ptr<const CallEvent> event)
    : facts_(std::move(facts)),
      id_(facts_.unstored ? facts_.unstored->id : DeliveryId(facts_.delivery.seq)),
      event_(std::move(event)) {
  Learn(facts_.state_secrets);
}

void Attempt::Learn(std::vector<std::string> credentials) {
  if (credentials.empty()) return;
  learned_.insert(learned_.end(), std::make_move_iterator(credentials.begin()),
                  std::make_move_iterator(credentials.end()));
  learned_masker_.emplace(learned_);
}

std::string Attempt::Mask(std::string_view text, std::size_t most) const {
  // Longer than any encoding of a learned secret, so that none is cut before it is masked.
  constexpr std::size_t kMargin = 16 * 1024;
  if (!learned_masker_) return facts_.sink->Mask(text, most);
  const std::size_t enough = most > std::string_view::npos - kMargin ? most : most + kMargin;
  return learned_masker_->Mask(facts_.sink->Mask(text, enough), most);
}

void Attempt::MaskTexts(Outcome& outcome) const {
  for (std::string* text : {&outcome.reason, &outcome.action, &outcome.remote_id, &outcome.place}) {
    if (!text->empty()) *text = Mask(*text);
  }
}

Outcome Attempt::Hopeless(std::string code, std::string reason) {
  hopeless_ = true;
  Outcome outcome = Ours(std::move(code), std::move(reason));
  outcome.kind = Outcome::Kind::kRejected;
  return outcome;
}

std::optional<Outcome> Attempt::Read() {
  auto stored = facts_.journal->With([&](Journal& journal) { return journal.Load(facts_.delivery.event); });
  if (!stored) return JournalGone();
  if (*stored) return Understand(**stored);
  const Error& error = stored->error();
  switch (error.code) {
    case ErrorCode::kNotFound: return Hopeless("event_gone", "the event is no longer stored: " + error.message);
    case ErrorCode::kInvalid: return Hopeless("event_damaged", "the stored event is damaged: " + error.message);
    case ErrorCode::kUnavailable:
    case ErrorCode::kFull:
    case ErrorCode::kTooLarge:
    case ErrorCode::kUnsupported:
    case ErrorCode::kInternal: break;
  }
  return JournalUnavailable("the event could not be read now: " + error.message);
}

std::optional<Outcome> Attempt::Understand(const StoredEvent& stored) {
  const CrashMarks::Inside inside(facts_.marks.get(), Preparing());
  if (stored.source == kOwnSource) return UnderstandNotice(stored);
  const auto source = facts_.plan->sources.find(stored.source);
  if (source == facts_.plan->sources.end() || !source->second) {
    Outcome outcome = Ours("source_missing", "the source \"" + stored.source + "\" is no longer in the config");
    outcome.action = "add the source again, or purge the delivery";
    return outcome;
  }
  auto read = ReadAgain(*source->second, {stored.id, stored.headers, stored.body, stored.received_at});
  if (const auto* refusal = std::get_if<Refusal>(&read)) {
    return Hopeless("event_unreadable",
                    "the source no longer reads the event: " + refusal->error + " " + refusal->detail);
  }
  auto* call = std::get_if<CallEvent>(&read);
  if (!call) return Hopeless("event_unreadable", "the source no longer reads the event as a call");
  event_ = std::make_shared<const CallEvent>(std::move(*call));
  return std::nullopt;
}

std::optional<Outcome> Attempt::UnderstandNotice(const StoredEvent& stored) {
  auto notice = ReadNotice(stored.body);
  if (!notice) return Hopeless("event_unreadable", "this version does not read the notice");
  message_ = std::move(*notice);
  event_ = std::make_shared<const CallEvent>(NoticeEvent(stored.id, stored.received_at));
  return std::nullopt;
}

CrashMarks::Where Attempt::Preparing() const {
  return {.call = PluginCall::kPrepare, .delivery = facts_.delivery.seq, .sink = facts_.route.sink, .delivery_id = id_};
}

std::optional<Outcome> Attempt::Prepare() {
  if (facts_.unstored) {
    message_ = facts_.unstored->message;
    return std::nullopt;
  }
  // A notice's message is read with its event.
  if (!event_ || event_->source == kOwnSource) {
    if (auto failed = Read()) return failed;
  }
  if (facts_.delivery.call_key != 0) {
    auto memory = facts_.journal->With(
        [&](Journal& journal) { return journal.LoadMemory(facts_.route.sink, facts_.delivery.call_key); });
    if (!memory) return JournalGone();
    if (!*memory) return JournalUnavailable("the sink's memory could not be read now: " + memory->error().message);
    memory_ = std::move(**memory);
  }
  const CrashMarks::Inside inside(facts_.marks.get(), Preparing());
  if (event_->source != kOwnSource) message_ = facts_.plan->composer->Compose(*event_, facts_.route.template_name);
  AddStory(message_, facts_.story);
  return std::nullopt;
}

std::optional<Outcome> Attempt::LeaseOver() const {
  if (!facts_.journal) return std::nullopt;
  const auto owns = facts_.journal->With([](Journal& journal) { return journal.OwnsPending(); });
  if (!owns) return JournalGone();
  if (*owns) return std::nullopt;
  return Ours("lease_over", "the lease of the journal was over before it was sent");
}

std::optional<std::string> Attempt::RawBody() const {
  if (facts_.unstored) return facts_.unstored->raw_body;
  if (event_->source == kOwnSource) return std::nullopt;
  auto stored = facts_.journal->With([&](Journal& journal) { return journal.Load(facts_.delivery.event); });
  if (!stored || !*stored) return std::nullopt;
  return std::move((*stored)->body);
}

bool Attempt::BeginSending(MonoTime now) {
  MutexLock lock(mu_);
  if (canceled()) return false;
  stage_ = Stage::kSending;
  sending_since_ = now;
  return true;
}

void Attempt::EndSending(const HttpResult& result) {
  MutexLock lock(mu_);
  times_ = {result.connect, result.first_byte};
  stage_ = Stage::kInterpreting;
}

Attempt::Stage Attempt::stage() const {
  MutexLock lock(mu_);
  return stage_;
}

MonoTime Attempt::sending_since() const {
  MutexLock lock(mu_);
  return sending_since_;
}

Attempt::Times Attempt::times() const {
  MutexLock lock(mu_);
  return times_;
}

void Attempt::PluginReturned() {
  MutexLock lock(mu_);
  if (call_.StepOut()) stage_ = Stage::kReturned;
}

// An abandoned thread may have moved the attempt on in the meantime: what another thread does now is not overdue.
Attempt::GaveUp Attempt::GiveUp(Stage stage) {
  MutexLock lock(mu_);
  if (stage_ != stage) return GaveUp::kMovedOn;
  Cancel();
  const std::uint64_t instance = call_.GiveUp();
  if (instance == SinkCall::kOutside) return GaveUp::kOutside;
  facts_.sink->GiveUp(instance);
  return GaveUp::kInside;
}

bool Attempt::GiveUpSending() {
  return GiveUp(Stage::kSending) != GaveUp::kMovedOn;
}

SinkDelivery Attempt::View() const {
  return {.event = *event_,
          .message = message_,
          .id = id_,
          .sink = facts_.route.sink,
          .rule = facts_.route.rule,
          .attempt = facts_.number(),
          .step = facts_.delivery.step,
          .state = facts_.state,
          .memory = memory_,
          .now = facts_.now,
          .raw_body = [this] { return RawBody(); },
          .expand = message::Expand,
          .seq = facts_.delivery.seq,
          .call = &call_};
}

// Masks before cutting, because half a secret is not recognized; skips what will not be kept.
std::string Attempt::Kept(std::string_view head, std::string_view body) const {
  const std::size_t most = facts_.plan->keep_bodies;
  std::string text = Mask(head, most + 1);
  if (text.size() <= most) text += Mask(body, most + 1 - text.size());
  if (text.size() > most) {
    std::size_t end = most;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
    text += "... (cut)";
  }
  if (!IsUtf8(text)) text = ToUtf8(text);
  return text;
}

std::variant<HttpRequest, Outcome> Attempt::Render() {
  if (!call_.Enter()) return GivenUp();
  auto rendered = facts_.sink->Render(View());
  PluginReturned();
  if (const auto* request = std::get_if<HttpRequest>(&rendered)) {
    if (facts_.plan->keep_bodies > 0) {
      request_ = Kept(Head(request->method + ' ' + request->url, request->headers), request->body);
    }
  } else {
    MaskTexts(std::get<Outcome>(rendered));
  }
  return rendered;
}

Outcome Attempt::Interpret(const HttpResult& result, WallTime now) {
  if (!result.response) {
    Outcome outcome = FromTransport(result);
    MaskTexts(outcome);
    return outcome;
  }
  const HttpResponse& response = *result.response;
  const auto retry_after = RetryAfterOf(response, now);
  if (!call_.Enter()) return GivenUp();
  Outcome outcome = facts_.sink->Interpret(View(), response, retry_after);
  PluginReturned();
  outcome.answered = true;
  outcome.answer_bytes = response.body.size();
  if (outcome.http_status == 0) outcome.http_status = response.status;
  Classify(outcome);
  HonourRetryAfter(outcome, retry_after);
  LearnFrom(response, outcome);
  MaskTexts(outcome);
  if (facts_.plan->keep_bodies > 0) {
    response_ = Kept(Head("HTTP " + std::to_string(response.status), response.headers), response.body);
  }
  return outcome;
}

void Attempt::LearnFrom(const HttpResponse& response, Outcome& outcome) {
  // If the response is neither quoted nor used by a next step, only its kept beginning can leak.
  const bool goes_on = outcome.kind == Outcome::Kind::kNext;
  const bool is_quoted = goes_on || !outcome.reason.empty() || !outcome.action.empty();
  auto found = plugins::CredentialsIn(response, is_quoted ? response.body.size() : facts_.plan->keep_bodies);
  Learn(std::move(found));
  if (goes_on) FindStateSecrets(outcome);
}

void Attempt::FindStateSecrets(Outcome& outcome) {
  Learn(plugins::UrlsIn(outcome.state));
  std::copy_if(learned_.begin(), learned_.end(), std::back_inserter(outcome.state_secrets),
               [&](const std::string& secret) { return outcome.state.find(secret) != std::string::npos; });
}

// The operator's `classify` overrides the plugin's verdict.
void Attempt::Classify(Outcome& outcome) const {
  const auto lane = facts_.plan->lanes.find(facts_.route.sink);
  if (lane == facts_.plan->lanes.end() || lane->second.config.classify.empty()) return;
  const config::Classify& classify = lane->second.config.classify;
  const std::string status = std::to_string(outcome.http_status);
  auto found = classify.find(status);
  if (found == classify.end()) found = classify.find(status.substr(0, 1) + "xx");
  if (found == classify.end() || outcome.kind == found->second) return;
  // A successful step leads to the next one.
  if (outcome.kind == Outcome::Kind::kNext && found->second == Outcome::Kind::kDelivered) return;
  outcome.kind = found->second;
  outcome.reason += (outcome.reason.empty() ? "" : " ") + std::string("(as the sink's classify says)");
}

Outcome Attempt::Deliver() {
  if (!call_.Enter()) return GivenUp();
  Outcome outcome = facts_.sink->Deliver(View(), facts_.timeout, [this] { return canceled(); });
  PluginReturned();
  outcome.answered = true;
  if (outcome.kind == Outcome::Kind::kNext) FindStateSecrets(outcome);
  return outcome;
}

}  // namespace hookswitch
