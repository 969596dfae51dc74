#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"

namespace hookswitch {

/// The place of an event in the journal: 1, 2, 3, … in the order of acceptance; never reused.
using EventSeq = std::int64_t;
/// The place of a delivery in the journal; never reused.
using DeliverySeq = std::int64_t;

/// An event's public id: a ULID (26 characters, Crockford base 32, github.com/ulid/spec) of the time of acceptance, a
/// journal's own 16 bits of `salt` and its EventSeq. So ids sort by time, and an id leads to its row without an index.
std::string EventId(WallTime received, std::uint16_t salt, EventSeq seq);
/// The EventSeq inside an event id, or empty if `id` is not one (any case; I, L and O are not read as digits).
std::optional<EventSeq> EventSeqOf(std::string_view id);

/// A delivery's public id: "d-" and its DeliverySeq in hex. It is the same for every attempt, so it serves receivers as
/// an idempotency key.
std::string DeliveryId(DeliverySeq seq);
std::optional<DeliverySeq> DeliverySeqOf(std::string_view id);

/// The first 16 bytes of SHA-256: equal keys mean the same happening.
using Digest = std::array<std::uint8_t, 16>;
Digest DigestOf(std::string_view text);

}  // namespace hookswitch
