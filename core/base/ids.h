#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace hookswitch {

/// Number of an event in the journal: 1, 2, 3, … in order of acceptance; never reused.
using EventSeq = std::int64_t;
/// Number of a delivery in the journal; never reused.
using DeliverySeq = std::int64_t;

/// An event's public id: a ULID (26 characters, Crockford base 32, github.com/ulid/spec) of the time of receipt, the
/// journal's 16-bit `salt` and the EventSeq. Ids sort by time, and contain their row's key, so no index is needed.
std::string EventId(WallTime received, std::uint16_t salt, EventSeq seq);
/// The EventSeq inside an event id; empty if `id` is not one. Accepts any case; I, L and O do not count as digits.
std::optional<EventSeq> EventSeqOf(std::string_view id);

/// A delivery's public id: "d-" and its DeliverySeq in hex. The same for every attempt, so receivers can use it as an
/// idempotency key.
std::string DeliveryId(DeliverySeq seq);
std::optional<DeliverySeq> DeliverySeqOf(std::string_view id);

/// The first 16 bytes of SHA-256.
using Digest = std::array<std::uint8_t, 16>;
Digest DigestOf(std::string_view text);

}  // namespace hookswitch
