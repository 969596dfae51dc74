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

/// How many requests one delivery may have: more than any exchange needs; a plugin that always asks for one more would
/// keep its lane for ever.
inline constexpr std::uint32_t kMostSteps = 16;

/// Where a call into a sink is, for whoever watches it from another thread.
///
/// The caller enters before it calls the sink. A sink that makes the call wait for its turn steps out meanwhile.
class SinkCall {
 public:
  /// The instance of a sink that has only one.
  static constexpr std::uint64_t kOnly = 1;

  /// [thread: the call's] The plugin is entered next. False: the call was given up, and must not enter.
  bool Enter(std::uint64_t instance = kOnly) {
    std::uint64_t before = where_;
    while (before != kGivenUp && !where_.compare_exchange_weak(before, instance)) {
    }
    return before != kGivenUp;
  }
  /// [thread: the call's]
  void StepOut() { (void)Enter(kOutside); }
  /// [thread: any] The instance that the call is inside; 0: none, and it will not enter any more.
  std::uint64_t GiveUp() {
    const std::uint64_t before = where_.exchange(kGivenUp);
    return before == kGivenUp ? kOutside : before;
  }

 private:
  static constexpr std::uint64_t kOutside = 0, kGivenUp = ~std::uint64_t{0};
  std::atomic<std::uint64_t> where_{kOutside};
};

/// One attempt at one delivery, as a sink sees it. Borrowed until the call returns.
struct SinkDelivery {
  const CallEvent& event;
  const Message& message;
  std::string_view id;    ///< "d-7f"
  std::string_view sink;  ///< the sink's name
  std::string_view rule;
  std::uint32_t attempt = 1;
  std::uint32_t step = 0;
  std::string_view state, memory;
  WallTime now{};  ///< when the attempt began
  /// Reads the body as the platform posted it; empty if that fails or there is none. May be null: there is none.
  std::function<std::optional<std::string>()> raw_body{};
  /// Makes a template's text of the event; empty if it is no template. May be null: none is.
  std::optional<std::string> (*expand)(const CallEvent& event, std::string_view text) = nullptr;
  DeliverySeq seq = 0;       ///< what `id` spells; 0: none, as in a preview
  SinkCall* call = nullptr;  ///< may be null: nobody watches
};

/// What a sink may take at once, advised by its plugin.
struct SinkAdvice {
  int rate_max = 0;  ///< 0: no limit
  std::chrono::milliseconds rate_per{1000};
  int rate_burst = 1;
  int concurrency = 0;  ///< 0: no advice
  bool concurrent_calls = false;
  bool ordered = false;  ///< its requests may name an `order`
  bool updates = false;  ///< a later delivery of a call changes in place what an earlier one made
};

/// One configured sink, ready to be used. Implemented by plugins (PluginHost) and by tests.
///
/// Threads: if Advice().concurrent_calls, Render, Interpret and Deliver may run at the same time; else the
/// implementation takes care that the plugin sees one call at a time. Nothing here throws.
class Sink {
 public:
  virtual ~Sink() = default;
  enum class Kind { kHttp, kCall };
  virtual Kind kind() const = 0;
  virtual SinkAdvice Advice() const = 0;

  /// HTTP sinks: the request to send, or what came of the delivery without one. Pure.
  virtual std::variant<HttpRequest, Outcome> Render(const SinkDelivery& delivery) = 0;
  /// HTTP sinks: what the answer means. Pure. `retry_after` is the parsed Retry-After header.
  virtual Outcome Interpret(const SinkDelivery& delivery, const HttpResponse& response,
                            std::optional<std::chrono::milliseconds> retry_after) = 0;
  /// Call sinks: does it, blocking up to `timeout`. `canceled` may be asked from any thread.
  virtual Outcome Deliver(const SinkDelivery& delivery, std::chrono::milliseconds timeout,
                          const std::function<bool()>& canceled) = 0;
  /// Call sinks: what Deliver would write and, as URL, where to; or why nothing. Empty where the plugin does not tell.
  /// Pure.
  virtual std::optional<std::variant<HttpRequest, Outcome>> Preview(const SinkDelivery&) { return std::nullopt; }
  /// A call into this instance (see SinkCall) never returned: calls that wait for it, and later ones, go to a new one.
  virtual void GiveUp(std::uint64_t /*instance*/) {}
  /// The operator reloads and this sink stays: reopen files. May run during Deliver. Takes a few seconds at most.
  virtual void Reopen() = 0;
  /// `text` with every secret of this sink's config replaced by "***", whatever its spelling, or about the first `most`
  /// bytes of that. What begins in them is seen whole, however far it goes on.
  virtual std::string Mask(std::string_view text, std::size_t most = std::string_view::npos) const = 0;
};

}  // namespace hookswitch
