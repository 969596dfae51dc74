#pragma once
#include <ostream>
#include <string>
#include <string_view>

#include "core/base/json.h"

/// What the admin API answers about events and deliveries, as people read it.
namespace hookswitch::cli {

void PrintEvents(std::ostream& out, const json::array& events);
void PrintDeliveries(std::ostream& out, const json::array& deliveries);
void PrintRefused(std::ostream& out, const json::array& refused);
void PrintEvent(std::ostream& out, const json::object& event);
void PrintDelivery(std::ostream& out, const json::object& delivery);
/// Of "replay" or "purge" by filter.
void PrintBulk(std::ostream& out, std::string_view verb, const json::object& answer);
/// " d-7e d-7f": the answer's "deliveries".
std::string JoinedIds(const json::object& answer);

}  // namespace hookswitch::cli
