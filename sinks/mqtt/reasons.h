#pragma once
#include "client.h"
#include "hookswitch/sink.hpp"

namespace mqtt {

inline constexpr int kNoSubscribers = 0x10;

/// What an answer that is no success means. `connecting`: it is one to CONNECT, whose codes are 3.1.1's below 0x80.
hsw::Outcome Failed(const Answer& answer, bool connecting);

}  // namespace mqtt
