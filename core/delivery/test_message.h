#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "core/base/clock.h"
#include "core/delivery/delivery_plan.h"
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/event/outcome.h"
#include "core/http/http_client.h"
#include "core/plugins/crash_marks.h"

namespace hookswitch {

/// The calls that a test is about: one with the status of most calls; then, for a sink that takes only calls that went
/// wrong, one of those.
inline constexpr CallStatus kTestStatuses[] = {CallStatus::kCompleted, CallStatus::kFailed};
/// A call that says that it is a test, and the message about it.
CallEvent TestEvent(CallStatus status, WallTime now);
Message TestMessage(const std::string& sink, const CallEvent& event);

/// What became of a test message.
struct TestResult {
  Outcome outcome;  ///< of the last step; `action` says what to do about a failure, as far as that is known
  std::chrono::milliseconds latency{};  ///< of all steps
  std::string request, response;        ///< of the last step, secrets masked; "" if there was none
};

/// Sends one message through `lane`'s sink, which is not nullptr, as a delivery of a call that has ended: rendered,
/// sent with the sink's timeout and read by its plugin, step by step. It says that it is a test, in its title and in
/// its event (source "hookswitch", meta.test).
///
/// Goes past the lane: sent whatever the lane's state and pace, counted nowhere, not retried and not stored. A plugin
/// that hangs is given up as in a delivery. Blocks, for up to the sink's timeout and some seconds for each step.
/// `marks` may be nullptr. [thread: any]
TestResult SendTestMessage(const DeliveryPlan::Lane& lane, HttpClient& http, const Clock& clock,
                           std::shared_ptr<CrashMarks> marks);

}  // namespace hookswitch
