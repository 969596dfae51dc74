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

/// Everything that delivery needs from one config generation. Immutable; the sinks in it are thread-safe.
struct DeliveryPlan {
  struct Lane {
    config::Sink config;         ///< policy: rate, concurrency, timeout, retry, fallback
    std::shared_ptr<Sink> sink;  ///< nullptr: its plugin is unavailable; deliveries wait
    std::string unavailable_reason{};
    std::chrono::milliseconds settle{};  ///< the longest `settle` of the rules that send to it
  };
  std::map<std::string, Lane, std::less<>> lanes;
  std::map<std::string, std::shared_ptr<const Source>, std::less<>> sources;  ///< by name; re-read stored events
  std::shared_ptr<const Composer> composer;
  std::string notify_problems_to;  ///< the sink that gets notices not about a single sink; "" for none
  std::uint64_t keep_bodies = 0;   ///< bytes of each request and response to record
};

}  // namespace hookswitch
