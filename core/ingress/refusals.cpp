#include "core/ingress/refusals.h"

#include "core/base/log.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {
constexpr int kRecordsPerSecond = 10;
constexpr std::size_t kShownPath = 200;
}  // namespace

Refusals::Kind& Refusals::KindOf(std::string_view source, std::string_view error) {
  auto key = std::make_pair(std::string(source), std::string(error));
  auto found = kinds_.find(key);
  if (found == kinds_.end()) {
    Counter counter =
        metrics_.MakeCounter("hookswitch_requests_refused_total", "Requests answered 4xx or 503, by reason.",
                             {{"source", key.first}, {"reason", key.second}});
    found = kinds_.emplace(std::move(key), Kind{counter}).first;
  }
  return found->second;
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
