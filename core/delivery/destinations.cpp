#include "core/delivery/destinations.h"

#include <algorithm>

namespace hookswitch {

template <class Change>
void Destinations::Alter(Key key, Destination& destination, Change change) {
  if (!destination.queue.empty()) turns_.erase({destination.Next(), key});
  change();
  if (!destination.queue.empty()) turns_.insert({destination.Next(), key});
}

bool Destinations::Admit(const Waiting& delivery, const config::Rate& pace, MonoTime now) {
  if (destinations_.size() >= check_idle_at_) ForgetIdle(now);
  Destination& destination = destinations_[delivery.key];
  bool admitted = false;
  Alter(delivery.key, destination, [&] {
    destination.bucket.SetRate(pace);
    admitted = destination.queue.empty() && destination.Next() <= now;
    if (admitted) {
      destination.bucket.Take(now);
    } else {
      destination.queue.insert({delivery.seq, delivery.ref});
    }
  });
  return admitted;
}

void Destinations::Hold(Key key, MonoTime until) {
  Destination& destination = destinations_[key];
  Alter(key, destination, [&] { destination.held_until = std::max(destination.held_until, until); });
}

void Destinations::Resume() {
  for (auto& [key, destination] : destinations_) {
    Alter(key, destination, [&destination = destination] { destination.held_until = MonoTime{}; });
  }
}

std::optional<Destinations::Waiting> Destinations::First(MonoTime now) const {
  if (Next() > now) return std::nullopt;
  const Key key = turns_.begin()->second;
  const auto& [seq, ref] = *destinations_.at(key).queue.begin();
  return Waiting{key, seq, ref};
}

void Destinations::Take(const Waiting& first, MonoTime now) {
  Drop(first);
  Destination& destination = destinations_.at(first.key);
  Alter(first.key, destination, [&] { destination.bucket.Take(now); });
}

void Destinations::Drop(const Waiting& first) {
  Destination& destination = destinations_.at(first.key);
  Alter(first.key, destination, [&] { destination.queue.erase({first.seq, first.ref}); });
}

void Destinations::ClearQueues() {
  for (auto& [key, destination] : destinations_) destination.queue.clear();
  turns_.clear();
}

// A destination with an empty queue, no hold and a full bucket has no state worth keeping.
void Destinations::ForgetIdle(MonoTime now) {
  std::erase_if(destinations_, [now](const auto& entry) {
    const Destination& destination = entry.second;
    return destination.queue.empty() && destination.held_until <= now && destination.bucket.Full(now);
  });
  check_idle_at_ = std::max<std::size_t>(64, destinations_.size() * 2);
}

}  // namespace hookswitch
