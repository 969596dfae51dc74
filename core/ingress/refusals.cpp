#include "core/ingress/refusals.h"

#include "core/base/log.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {
constexpr int kRecordsPerSecond = 10;
constexpr std::size_t kShownPath = 200;

// Every reason that a refused request can have. Those of a source come last.
constexpr std::string_view kReasons[] = {
    "draining",          "method_not_allowed",   "forbidden",        "unauthorized",
    "rate_limited",      "unavailable",          "invalid_request",  "length_required",
    "too_large",         "unsupported_encoding", "invalid_encoding", "timeout",
    "invalid_json",      "not_an_object",        "missing_field",    "wrong_type",
    "signature_missing", "signature_wrong",      "signature_expired"};
// Those of a request whose path is no source's, or was not read.
constexpr std::string_view kReasonsWithoutSource[] = {"draining", "not_found", "forbidden", "invalid_request",
                                                      "timeout"};
}  // namespace

Refusals::Refusals(Journal& journal, const Clock& clock, Metrics& metrics)
    : journal_(journal), clock_(clock), metrics_(metrics) {
  MutexLock lock(mu_);
  for (const std::string_view reason : kReasonsWithoutSource) KindOf("", reason);
}

Refusals::Kind& Refusals::KindOf(std::string_view source, std::string_view error) {
  auto key = std::make_pair(std::string(source), std::string(error));
  auto found = kinds_.find(key);
  if (found == kinds_.end()) {
    Counter counter =
        metrics_.MakeCounter("hookswitch_requests_refused_total",
                             "Requests answered 4xx or 503, or skipped because they are too large, by reason.",
                             {{"source", key.first}, {"reason", key.second}});
    found = kinds_.emplace(std::move(key), Kind{counter}).first;
  }
  return found->second;
}

void Refusals::ShowSource(std::string_view source) {
  MutexLock lock(mu_);
  for (const std::string_view reason : kReasons) KindOf(source, reason);
}

void Refusals::Count(std::string_view source, std::string_view error) {
  MutexLock lock(mu_);
  KindOf(source, error).counter.Add();
}

void Refusals::Note(const Refused& refused) {
  const auto& [source, peer, path, status, error, detail] = refused;
  bool write_line = false;
  bool record = false;
  std::uint64_t repeated = 0;
  {
    const MonoTime now = clock_.Mono();
    MutexLock lock(mu_);
    Kind& kind = KindOf(source, error);
    kind.counter.Add();
    if (kind.second == MonoTime{} || now - kind.second >= std::chrono::seconds(1)) {
      kind.second = now;
      kind.records = 0;
      repeated = std::exchange(kind.unlogged, 0);
      write_line = true;
    } else {
      ++kind.unlogged;
    }
    record = kind.records++ < kRecordsPerSecond;
  }
  if (!write_line && !record) return;
  // The path may be any text; it is logged because it shows a wrong URL in the sender's settings.
  const std::string asked = ToUtf8(path.substr(0, kShownPath));
  if (write_line) {
    log::Warn("request_refused", {{"source", source},
                                  {"peer", peer},
                                  {"path", asked},
                                  {"status", status},
                                  {"reason", error},
                                  {"detail", detail},
                                  {"repeated", repeated}});
  }
  if (record) {
    journal_.RecordRefused({clock_.Wall(), std::string(source), std::string(peer), status, std::string(error),
                            std::string(detail), asked});
  }
}

}  // namespace hookswitch
