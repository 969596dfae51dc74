#include "core/delivery/attempt.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/delivery/notice.h"

namespace hookswitch {
namespace {

std::vector<std::pair<std::string, std::string>> ParseHeaders(std::string_view text) {
using namespace std::chrono_literals;

  std::vector<std::pair<std::string, std::string>> headers;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    }
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  }
  return headers;
}

std::optional<std::chrono::milliseconds> RetryAfterOf(const HttpResponse& response, WallTime now) {
// A wait of so long is plainly one in milliseconds that was read as seconds, if something else is said as well.
constexpr std::chrono::milliseconds kHardlySeconds = std::chrono::hours(24);

  for (const auto& [name, value] : response.headers) {
  std::optional<std::chrono::milliseconds> asked, reset;
    if (EqualsIgnoreCase(name, "Retry-After") && !asked) asked = ParseRetryAfter(value, now);
    // Seconds until more is taken; the second one's draft is RateLimit header fields for HTTP, of the IETF.
    if (EqualsIgnoreCase(name, "X-RateLimit-Reset-After") || EqualsIgnoreCase(name, "RateLimit-Reset")) {
      reset = ParseRetryAfter(value, now);
    }
  }
  return asked && *asked >= kHardlySeconds && reset && *reset < *asked ? reset : asked;
}

Outcome Later(std::string code, std::string reason) {
  Outcome outcome;
  outcome.code = std::move(code);
  outcome.reason = std::move(reason);
  return outcome;
}

// Before the sink was asked.
Outcome Ours(std::string code, std::string reason) {
  Outcome outcome = Later(std::move(code), std::move(reason));
  outcome.ours = true;
  return outcome;
}

void AppendHeaders(std::string& text, const std::vector<std::pair<std::string, std::string>>& headers) {
  for (const auto& [name, value] : headers) text.append(name).append(": ").append(value).append(1, '\n');
}

Outcome::Kind KindOf(config::Verdict verdict) {
  switch (verdict) {
    case config::Verdict::kDelivered: return Outcome::Kind::kDelivered;
    case config::Verdict::kRetry: return Outcome::Kind::kRetry;
    case config::Verdict::kRejected: return Outcome::Kind::kRejected;
    case config::Verdict::kMisconfigured: return Outcome::Kind::kMisconfigured;
  }
  Unreachable();
}

std::string Sentence(std::string_view error) {
  if (error == "dns_failed") return "the host's name was not found";
  if (error == "connect_failed") return "no connection could be made";
  if (error == "tls_failed") return "no secure connection could be made";
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
  } else if (result.error == "bad_request") {
    outcome.kind = Outcome::Kind::kRejected;
  }
  return outcome;
}

}  // namespace

Attempt::Attempt(Facts facts, std::shared_ptr<const CallEvent> event)
    : facts_(std::move(facts)), id_(DeliveryId(facts_.delivery)), event_(std::move(event)) {}

Outcome Attempt::Hopeless(std::string code, std::string reason) {
  hopeless_ = true;
  Outcome outcome = Ours(std::move(code), std::move(reason));
  outcome.kind = Outcome::Kind::kRejected;
  return outcome;
}

std::optional<Outcome> Attempt::Read(Journal& journal) {
  auto stored = journal.Load(facts_.event_seq);
  if (!stored) {
    switch (stored.error().code) {
      case ErrorCode::kNotFound:
        return Hopeless("event_gone", "the event is no longer stored: " + stored.error().message);
      case ErrorCode::kInvalid:
        return Hopeless("event_damaged", "the stored event is damaged: " + stored.error().message);
      case ErrorCode::kUnavailable:
      case ErrorCode::kFull:
      case ErrorCode::kTooLarge:
      case ErrorCode::kUnsupported:
      case ErrorCode::kInternal: break;
    }
    return Ours("journal_unavailable", "the event could not be read now: " + stored.error().message);
  }
  CallEvent event;
  if (stored->source == kOwnSource) {
    auto notice = ReadNotice(stored->body);
    if (!notice) return Hopeless("event_unreadable", "this version does not read the notice");
    message_ = std::move(*notice);
    event.source = kOwnSource;
    event.source_title = kOwnSource;
  } else {
    const auto source = facts_.plan->sources.find(stored->source);
    if (source == facts_.plan->sources.end() || !source->second) {
      Outcome outcome = Ours("source_missing", "the source \"" + stored->source + "\" is no longer in the config");
      outcome.action = "add the source again, or purge the delivery";
      return outcome;
    }
    const auto headers = ParseHeaders(stored->headers);
    auto read = source->second->Normalize({stored->body, headers, stored->received_at});
    if (const auto* refusal = std::get_if<Refusal>(&read)) {
      return Hopeless("event_unreadable",
                      "the source no longer reads the event: " + refusal->error + " " + refusal->detail);
    }
    auto* call = std::get_if<CallEvent>(&std::get<Normalized>(read).what);
    if (!call) return Hopeless("event_unreadable", "the source no longer reads the event as a call");
    event = std::move(*call);
  }
  event.id = stored->id;
  event.received_at = stored->received_at;
  event_ = std::make_shared<const CallEvent>(std::move(event));
  return std::nullopt;
}

std::optional<Outcome> Attempt::Prepare(Journal& journal) {
  const CrashMarks::Inside inside(facts_.marks.get(), facts_.delivery);
  journal_ = &journal;
  // A notice's message is read with it.
  if (!event_ || event_->source == kOwnSource) {
    if (auto failed = Read(journal)) return failed;
  }
  if (facts_.call_key != 0) {
    auto memory = journal.LoadMemory(facts_.sink_name, facts_.call_key);
    if (!memory)
      return Ours("journal_unavailable", "the sink's memory could not be read now: " + memory.error().message);
    memory_ = std::move(*memory);
  }
  if (event_->source != kOwnSource) message_ = facts_.plan->composer->Compose(*event_, facts_.template_name);
  if (!facts_.story.empty()) message_.text = facts_.story + (message_.text.empty() ? "" : "\n\n") + message_.text;
  return std::nullopt;
}

std::optional<std::string> Attempt::RawBody() const {
  if (!journal_ || event_->source == kOwnSource) return std::nullopt;
  auto stored = journal_->Load(facts_.event_seq);
  if (!stored) return std::nullopt;
  return std::move(stored->body);
}

SinkDelivery Attempt::View() const {
  return {.event = *event_,
          .message = message_,
          .id = id_,
          .sink = facts_.sink_name,
          .rule = facts_.rule,
          .attempt = facts_.number,
          .step = facts_.step,
          .state = facts_.state,
          .memory = memory_,
          .now = facts_.now,
          .raw_body = [this] { return RawBody(); }};
}

std::string Attempt::Kept(std::string text) const {
  // Masked before it is cut: half a secret is not recognized.
  text = facts_.sink->Mask(std::move(text));
  if (text.size() > facts_.plan->keep_bodies) {
    std::size_t end = facts_.plan->keep_bodies;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
    text.resize(end);
    text += "... (cut)";
  }
  if (!IsUtf8(text)) text = ToUtf8(text);
  return text;
}

std::variant<HttpRequest, Outcome> Attempt::Render() {
  const CrashMarks::Inside inside(facts_.marks.get(), facts_.delivery);
  auto rendered = facts_.sink->Render(View());
  if (const auto* request = std::get_if<HttpRequest>(&rendered); request && facts_.plan->keep_bodies > 0) {
    std::string text;
    text.reserve(request->body.size() + 512);
    text.append(request->method).append(1, ' ').append(request->url).append(1, '\n');
    AppendHeaders(text, request->headers);
    text.append(1, '\n').append(request->body);
    request_ = Kept(std::move(text));
  }
  return rendered;
}

Outcome Attempt::Interpret(const HttpResult& result, WallTime now) {
  if (!result.response) return FromTransport(result);
  const HttpResponse& response = *result.response;
  const auto retry_after = RetryAfterOf(response, now);
  const CrashMarks::Inside inside(facts_.marks.get(), facts_.delivery);
  Outcome outcome = facts_.sink->Interpret(View(), response, retry_after);
  outcome.answered = true;
  outcome.answer_bytes = response.body.size();
  if (outcome.http_status == 0) outcome.http_status = response.status;
  Classify(outcome);
  // A sink cannot forget the pause that the other side asked for.
  if (outcome.kind == Outcome::Kind::kRetry && !outcome.retry_after) outcome.retry_after = retry_after;
  if (facts_.plan->keep_bodies > 0) {
    std::string text;
    text.reserve(response.body.size() + 512);
    text.append("HTTP ").append(std::to_string(response.status)).append(1, '\n');
    AppendHeaders(text, response.headers);
    text.append(1, '\n').append(response.body);
    response_ = Kept(std::move(text));
  }
  return outcome;
}

// The operator knows better than the plugin what this server means.
void Attempt::Classify(Outcome& outcome) const {
  const auto lane = facts_.plan->lanes.find(facts_.sink_name);
  if (lane == facts_.plan->lanes.end() || lane->second.config.classify.empty()) return;
  const config::Classify& classify = lane->second.config.classify;
  const std::string status = std::to_string(outcome.http_status);
  auto found = classify.find(status);
  if (found == classify.end()) found = classify.find(status.substr(0, 1) + "xx");
  if (found == classify.end() || outcome.kind == KindOf(found->second)) return;
  // A step that worked leads to the next one.
  if (outcome.kind == Outcome::Kind::kNext && found->second == config::Verdict::kDelivered) return;
  outcome.kind = KindOf(found->second);
  outcome.reason += (outcome.reason.empty() ? "" : " ") + std::string("(as the sink's classify says)");
}

Outcome Attempt::Deliver() {
  const CrashMarks::Inside inside(facts_.marks.get(), facts_.delivery);
  Outcome outcome = facts_.sink->Deliver(View(), facts_.timeout, [this] { return canceled(); });
  outcome.answered = true;
  return outcome;
}

  if (outcome.retry_after && *outcome.retry_after >= kHardlySeconds && retry_after && *retry_after > 0ms) {
    outcome.retry_after = std::min(*outcome.retry_after, *retry_after);
  }
}  // namespace hookswitch
