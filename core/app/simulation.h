#pragma once
#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "core/app/generation.h"
#include "core/base/clock.h"
#include "core/base/result.h"

/// A config's sources, rules, journal, lanes and plugins at work, without a network and without waiting.
namespace hookswitch {

/// An event as its platform posts it.
struct SimulatedEvent {
  std::chrono::milliseconds at{};  ///< from the start
  std::string source;              ///< one of the config
  std::string body;
};

/// What the sender of an event is answered; `body` is JSON.
struct SimulatedAnswer {
  int status = 0;
  std::string body;
};

/// What a sink sends of one delivery.
struct SimulatedMessage {
  std::chrono::milliseconds at{};  ///< from the start
  std::string sink, rule;
  std::string text;      ///< the bodies of its requests, or what a call sink would write; secrets masked
  std::string not_sent;  ///< why it sends nothing; "": it does
};

struct Simulation {
  std::vector<SimulatedAnswer> answers;    ///< one for each event
  std::vector<SimulatedMessage> messages;  ///< in order of time
};

/// Posts `events`, which are in order of time, to a router of `generation` that starts at `start` with an empty journal
/// in a temporary folder. Its clock jumps to whatever is next: an event, or a delivery that is due; of both at the same
/// time the delivery goes first. Ends when nothing waits any more, or the longest `settle` of the rules after `last`.
///
/// Every destination works, answers at once and has no rate limit; nobody asks for the sources' secrets; there are no
/// notices. What a call sink would write is taken from its plugin's preview, and is the event where there is none.
///
/// Blocks; starts threads, which end with it. Errors: kUnavailable (no temporary folder or journal; a plugin hangs).
Result<Simulation> Simulate(const Generation& generation, WallTime start, std::span<const SimulatedEvent> events,
                            std::chrono::milliseconds last);

}  // namespace hookswitch
