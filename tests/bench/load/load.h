#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace hookswitch::bench {

/// Calls with an id of their own each, made from one payload: "SALT-0000-4000-8000-NUMBER" stands in for every
/// "@call_id@".
class Payload {
 public:
  Payload(std::string_view text, std::uint32_t salt);
  /// The body for call `number`, valid until the next call.
  const std::string& Make(std::uint64_t number);
  /// The number of the first of our ids in `text`, or empty.
  std::optional<std::uint64_t> NumberIn(std::string_view text) const;

 private:
  std::string prefix_;
  std::string body_;
  std::vector<std::size_t> places_;
};

struct LoadOptions {
  std::uint16_t port = 0;  ///< on 127.0.0.1
  std::string path = "/";
  int connections = 64;
  double rate = 0;  ///< requests a second on a schedule; 0: each connection sends as soon as it is answered
  std::chrono::milliseconds warm_up{500};  ///< answers to requests sent in this time are not counted
  std::chrono::milliseconds duration{4000};
  std::uint64_t first_number = 0;  ///< of the payloads sent
  std::uint64_t requests = 0;      ///< ends after so many, however long it takes, all of them counted; 0: by `duration`
  int pid = 0;                     ///< whose CPU time is measured; 0: nobody's
};

struct LoadResult {
  double seconds = 0;
  std::uint64_t answered = 0, unanswered = 0, reconnects = 0;
  std::map<int, std::uint64_t> by_status;
  std::vector<std::uint32_t>
      latencies_us;  ///< sorted. On a schedule from when a request was due, not from when it was sent
  double cpu_us_per_request = 0;
  std::uint64_t fewest = 0, most = 0;  ///< answers on the connection with the fewest and the most: 0 means one starved
};

/// Posts calls from one thread over keep-alive connections; times with the clock's own precision (no millisecond
/// waits). `sent` hears of each request before its first byte leaves. Errors: kUnavailable (nobody listens).
Result<LoadResult> RunLoad(
    const LoadOptions& options, Payload& payload,
    const std::function<void(std::uint64_t number, std::chrono::steady_clock::time_point due)>& sent);

/// The value below which `percent` of the sorted values lie; 0 without values.
std::uint32_t Percentile(const std::vector<std::uint32_t>& sorted, double percent);

}  // namespace hookswitch::bench
