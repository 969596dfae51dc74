#pragma once
#include <string>

#include "client.h"
#include "hookswitch/sink.hpp"

namespace mqtt {

inline constexpr int kNoSubscribers = 0x10;

/// The outcome for a failed publication to `topic`, or, if that is empty, a failed CONNECT.
hsw::Outcome Failed(const Answer& answer, const std::string& topic);
/// The outcome if the broker accepts connections but drops each at this publication, without a reason. MQTT 3.1.1 has
/// no other way to reject one (3.3.5, 4.8).
hsw::Outcome Dropped(const std::string& topic);

}  // namespace mqtt
