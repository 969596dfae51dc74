#pragma once
#include <ostream>
#include <string>
#include <string_view>

#include "core/base/json.h"
#include "core/cli/printing.h"

/// What the admin API answers about sinks, events and deliveries, as people read it.
namespace hookswitch::cli {

void PrintEvents(std::ostream& out, const View& view, const json::array& events);
void PrintDeliveries(std::ostream& out, const View& view, const json::array& deliveries);
void PrintRefused(std::ostream& out, const View& view, const json::array& refused);
void PrintEvent(std::ostream& out, const View& view, const json::object& event);
void PrintDelivery(std::ostream& out, const View& view, const json::object& delivery);
void PrintSinks(std::ostream& out, const View& view, const json::array& sinks);
void PrintSink(std::ostream& out, const View& view, const json::object& sink);
/// Of "replay" or "purge" by filter.
void PrintBulk(std::ostream& out, std::string_view verb, const json::object& answer);
/// " d-7e d-7f": the answer's "deliveries".
std::string JoinedIds(const json::object& answer);

}  // namespace hookswitch::cli
