#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/call_event.h"
#include "core/event/message.h"
#include "core/plugins/sink.h"

/// Deliveries that conformance checks pass to a plugin.
namespace hookswitch::conformance {

/// A delivery and what it borrows.
struct Sample {
  std::string name;
  CallEvent event;
  Message message;
  std::string memory, state;

  SinkDelivery Delivery(std::uint32_t step = 0) const;
};

Sample OrdinarySample();
/// An event of which nothing is known.
Sample EmptySample();
/// For sinks that skip successful calls.
Sample FailedSample();
/// Every kind of input that the host may pass.
std::vector<Sample> Samples();
/// An event whose texts and lists are as long as `bytes` of `unit` make them.
Sample FilledSample(std::string name, std::string_view unit, std::size_t bytes);
/// The host never passes this, but it must not end the process.
Sample InvalidSample();

/// `unit` again and again, at least `bytes` long.
std::string Repeated(std::string_view unit, std::size_t bytes);

}  // namespace hookswitch::conformance
