// Any bytes: the Bolna source neither throws nor crashes, and what it makes keeps the promises of CallEvent.
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/check.h"
#include "core/sources/source.h"
#include "tests/fuzz/event_promises.h"

using namespace hookswitch;

namespace {

std::shared_ptr<const Source> MakeBolna() {
  config::Source config;
  config.name = "bolna";
  config.type = "bolna";
  auto agents = std::make_shared<AgentMap>();
  (*agents)["a"] = {"billing", {"eu"}};
  return MakeSource(config, agents);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto source = MakeBolna();
  const RawRequest request{{reinterpret_cast<const char*>(data), size}, {}, WallTime{}};
  const auto first = source->Normalize(request);
  const auto second = source->Normalize(request);
  CheckPromises(first, second);
  if (const auto* normalized = std::get_if<Normalized>(&first)) {
    if (const auto* event = std::get_if<CallEvent>(&normalized->what)) {
      HSW_CHECK(!event->call_id.empty() && !event->raw_status.empty(), "an event without id or status is refused");
    }
  }
  return 0;
}
