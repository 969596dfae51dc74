#pragma once
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/sync.h"
#include "core/journal/journal.h"

namespace hookswitch {

/// Counts, logs and records rejected requests. A flood of them costs little: per (source, reason) at most one log line
/// a second, with the number of those left out, and ten records a second for the inspector. [thread: any]
class Refusals {
 public:
  Refusals(Journal& journal, const Clock& clock, Metrics& metrics);

  /// Counts of this source are shown from now on, at 0 where nothing was rejected.
  void ShowSource(std::string_view source);

  struct Refused {
    std::string_view source;  ///< "" if the path belongs to none
    std::string_view peer, path;
    int status = 0;
    std::string_view error, detail;
  };
  void Note(const Refused& refused);
  /// Only counts: for rejections that our own state causes (draining, journal not writable), not the request.
  void Count(std::string_view source, std::string_view error);

 private:
  struct Kind {
    Counter counter;
    MonoTime second{};  // when the current second of this kind began
    int records = 0;    // in that second
    std::uint64_t unlogged = 0;
  };
  Kind& KindOf(std::string_view source, std::string_view error) REQUIRES(mu_);

  Journal& journal_;
  const Clock& clock_;
  Metrics& metrics_;
  Mutex mu_;
  std::map<std::pair<std::string, std::string>, Kind> kinds_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
