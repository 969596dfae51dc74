#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "core/config/config.h"
#include "core/message/composer.h"
#include "core/plugins/sink.h"
#include "core/sources/source.h"

namespace hookswitch {

/// Everything delivering needs of one config generation. Immutable but for the sinks, which take care of themselves.
struct DeliveryPlan {
  struct Lane {
    config::Sink config;         ///< policy: rate, concurrency, timeout, retry, fallback
    std::shared_ptr<Sink> sink;  ///< nullptr: its plugin is unavailable; deliveries wait
    std::string unavailable_because{};
    std::chrono::milliseconds settle{};  ///< the longest `settle` of a rule that sends to it
  };
  std::map<std::string, Lane, std::less<>> lanes;
  std::map<std::string, std::shared_ptr<const Source>, std::less<>> sources;  ///< by name, to read stored events again
  std::shared_ptr<const Composer> composer;
  std::string notify_problems_to;  ///< the sink that hears of what is no sink's problem; "" for none
  std::uint64_t keep_bodies = 0;   ///< bytes of each request and response that an attempt keeps
};

}  // namespace hookswitch
