#pragma once
#include <ostream>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/cli/printing.h"

/// Prints responses of the admin API about sinks, events and deliveries, for people.
namespace hookswitch::cli {

/// Why a delivery has its state: what holds it, else what went wrong; "-" for nothing.
std::string WhyOf(const json::object& delivery);
void PrintEvents(std::ostream& out, const View& view, const json::array& events);
void PrintDeliveries(std::ostream& out, const View& view, const json::array& deliveries);
void PrintRefused(std::ostream& out, const View& view, const json::array& refused);
void PrintEvent(std::ostream& out, const View& view, const json::object& event);
void PrintDelivery(std::ostream& out, const View& view, const json::object& delivery);
void PrintSinks(std::ostream& out, const View& view, const json::array& sinks);
void PrintSink(std::ostream& out, const View& view, const json::object& sink);
/// The outcome of a test message.
void PrintTest(std::ostream& out, const json::object& test);
/// The result of a "replay" or "purge" by filter.
void PrintBulk(std::ostream& out, std::string_view verb, const json::object& answer);
/// Of the response to a replay of events by filter.
void PrintEventReplay(std::ostream& out, const json::object& answer);
/// " d-7e d-7f": the response's "deliveries".
std::string JoinedIds(const json::object& answer);

}  // namespace hookswitch::cli
