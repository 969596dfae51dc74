#pragma once
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/json.h"
#include "core/delivery/delivery_plan.h"
#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/event/outcome.h"
#include "core/plugins/control_calls.h"
#include "core/plugins/sink.h"
#include "core/routing/route_table.h"

/// What a sink would send, without sending it: `hookswitch preview`, POST /api/v1/explain, a delivery's message.
namespace hookswitch {

/// Stands in for the response of any service, so that what follows it can be shown.
inline constexpr std::string_view kStandInAnswer =
    R"({"ok":true,"id":"1","channel":"C0EXAMPLE","ts":"1700000000.000100","file_id":"F0EXAMPLE",)"
    R"("upload_url":"https://files.slack.com/upload/example","result":{"message_id":1}})";

/// A delivery to show.
struct ShownDelivery {
  std::shared_ptr<const CallEvent> event;  ///< not nullptr
  Message message{};
  std::string body{};  ///< as the platform posted it
  std::string id = "d-0";
  std::string sink, rule;
  std::string memory{};  ///< what the sink keeps of the call
  std::uint32_t attempt = 1;
  WallTime now{};
};

/// One of these, secrets masked:
/// - {"method","url","headers","body"} and, for each further step, "then":[{…,"after"}], where "after" stands in for
///   the response to the step before;
/// - {"to","writes"}: what a call sink would write, and where to; {"event"} if its plugin has no preview;
/// - {"not_sent"}: why nothing would be sent.
///
/// Calls the plugin's functions without I/O. Blocks; a plugin that has not returned after `patience` is left behind,
/// and the sink continues with a new instance. [thread: any]
json::object Preview(const std::shared_ptr<Sink>& sink, ShownDelivery delivery,
                     std::chrono::milliseconds patience = plugins::kControlLimit);

/// The request that the sink would begin with, secrets and all; of a call sink what its preview says, whose URL may be
/// any text. Empty: none, or not known. Calls the plugin as Preview does.
std::optional<HttpRequest> FirstRequest(const std::shared_ptr<Sink>& sink, ShownDelivery delivery,
                                        std::chrono::milliseconds patience = plugins::kControlLimit);

/// {"sink","rule"} and what Preview says, for the sink that `plan` has under the delivery's name.
json::object PreviewBy(const DeliveryPlan& plan, ShownDelivery delivery);

/// PreviewBy for each of `routes`, whose messages are composed by `plan`.
json::array PreviewAll(const DeliveryPlan& plan, const std::shared_ptr<const CallEvent>& event, std::string_view body,
                       std::span<const Route> routes, WallTime now);

}  // namespace hookswitch
