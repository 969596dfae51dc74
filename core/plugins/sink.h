#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>

#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/event/outcome.h"

namespace hookswitch {

/// Limit of steps per delivery, more than any protocol needs: a plugin that always asks for another step must not block
/// its lane for ever.
inline constexpr std::uint32_t kMostSteps = 16;

/// Tracks whether a call is inside a sink, for a watchdog on another thread.
///
/// The caller calls Enter before it calls the sink. A sink that makes the call wait for its turn calls StepOut
/// meanwhile.
class SinkCall {
 public:
  /// Instance number for sinks with a single instance.
  static constexpr std::uint64_t kOnly = 1;

  /// The call is about to enter the plugin. False: it was given up, and must not enter. [thread: the call's]
  bool Enter(std::uint64_t instance = kOnly) {
    std::uint64_t before = where_;
    while (before != kGivenUp && !where_.compare_exchange_weak(before, instance)) {
    }
    return before != kGivenUp;
  }
  /// The call has left the plugin. False: it was given up. [thread: the call's]
  bool StepOut() { return Enter(kOutside); }

  /// GiveUp's result when the call is not inside.
  static constexpr std::uint64_t kOutside = 0;
  /// Returns the instance that the call is inside, or kOutside. Later Enter calls fail. [thread: any]
  std::uint64_t GiveUp() {
    const std::uint64_t before = where_.exchange(kGivenUp);
    return before == kGivenUp ? kOutside : before;
  }

 private:
  static constexpr std::uint64_t kGivenUp = ~std::uint64_t{0};
  std::atomic<std::uint64_t> where_{kOutside};
};

/// One attempt as a sink sees it. Everything is borrowed until the call returns.
struct SinkDelivery {
  const CallEvent& event;
  const Message& message;
  std::string_view id;    ///< "d-7f"
  std::string_view sink;  ///< the sink's name
  std::string_view rule;
  std::uint32_t attempt = 1;
  std::uint32_t step = 0;
  std::string_view state, memory;
  WallTime now{};  ///< start of the attempt
  /// Reads the body as the platform posted it, blocking; empty on failure or if there is none. May be null: no body.
  std::function<std::optional<std::string>()> raw_body{};
  /// Renders `text` as a template of the event; empty if it is not a valid template. May be null.
  std::optional<std::string> (*expand)(const CallEvent& event, std::string_view text) = nullptr;
  DeliverySeq seq = 0;       ///< number in `id`; 0: none, as in a preview
  SinkCall* call = nullptr;  ///< may be null: not watched
};

/// Limits and abilities of a sink, as advised by its plugin.
struct SinkAdvice {
  int rate_max = 0;  ///< 0: no limit
  std::chrono::milliseconds rate_per{1000};
  int rate_burst = 1;
  int concurrency = 0;  ///< 0: no advice
  bool concurrent_calls = false;
  bool ordered = false;  ///< its requests may name an `order`
  bool updates = false;  ///< a later delivery of a call updates in place what an earlier one sent
};

/// One configured sink. Implemented by plugins (PluginHost) and by tests.
///
/// Render, Interpret and Deliver may be called concurrently; unless Advice().concurrent_calls, the implementation
/// serializes the calls into the plugin. Nothing here throws. [thread: any]
class Sink {
 public:
  virtual ~Sink() = default;
  enum class Kind { kHttp, kCall };
  virtual Kind kind() const = 0;
  virtual SinkAdvice Advice() const = 0;

  /// HTTP sinks: the request to send, or an outcome without one. No I/O.
  virtual std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) = 0;
  /// HTTP sinks: turns the response into an outcome. No I/O. `retry_after` is the parsed Retry-After header.
  virtual Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                            std::optional<std::chrono::milliseconds> retry_after) = 0;
  /// Call sinks: delivers, blocking up to `timeout`. `canceled` may be called from any thread.
  virtual Outcome Deliver(const SinkDelivery& delivery, std::chrono::milliseconds timeout,
                          const std::function<bool()>& canceled) = 0;
  /// Call sinks: what Deliver would write and, as URL, where to; or an outcome if nothing. Empty if the plugin has no
  /// preview. No I/O.
  virtual std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery&) { return std::nullopt; }
  /// A call into this instance (see SinkCall) never returned: waiting and later calls use a new instance.
  virtual void GiveUp(std::uint64_t /*instance*/) {}
  /// After a reload that keeps this sink: reopen files. May run during Deliver. Blocks a few seconds at most.
  virtual void Reopen() = 0;
  /// `text` with every secret of the sink's config, in any encoding, replaced by "***"; cut to about `most` bytes. A
  /// secret that begins before the cut is recognized however far it extends.
  virtual std::string Mask(std::string_view text, std::size_t most = std::string_view::npos) const = 0;
};

}  // namespace hookswitch
