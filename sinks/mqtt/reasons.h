#pragma once
#include <string>

#include "client.h"
#include "hookswitch/sink.hpp"

namespace mqtt {

inline constexpr int kNoSubscribers = 0x10;

/// What an answer that is no success means: to a publication to `topic`, or if that is empty to CONNECT.
hsw::Outcome Failed(const Answer& answer, const std::string& topic);
/// The same where the broker accepts each connection and drops it at this publication, without a word. 3.1.1 has no
/// other way to refuse one (3.3.5, 4.8).
hsw::Outcome Dropped(const std::string& topic);

}  // namespace mqtt
