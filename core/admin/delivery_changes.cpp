#include "core/admin/delivery_changes.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/log.h"

namespace hookswitch {
namespace {

constexpr std::size_t kPage = 1000;
// Deliveries changed in one commit; accepting events waits for it.
constexpr std::size_t kStep = 250;
constexpr std::size_t kShown = 100;

std::vector<DeliverySeq> NumbersOf(std::span<const PendingDelivery> deliveries) {
  std::vector<DeliverySeq> numbers;
  for (const auto& delivery : deliveries) numbers.push_back(delivery.seq);
  return numbers;
}

}  // namespace

Result<std::vector<DeliverySeq>> DeliveryChanges::ReplayEvent(EventSeq event, std::span<const Route> routes) {
  // Neither held nor superseded by other deliveries of the call: the operator wants this one now.
  std::vector<NewDelivery> wanted;
  for (const Route& route : routes) {
    wanted.push_back({.sink = route.sink, .rule = route.rule, .template_name = route.template_name});
  }
  MutexLock lock(mu_);
  auto added = history_.AddDeliveries(event, wanted, clock_.Wall());
  if (!added) return std::move(added).error();
  std::vector<DeliverySeq> numbers = NumbersOf(*added);
  router_.Accept(std::move(*added));
  return numbers;
}

EventReplayResult DeliveryChanges::ReplayEvents(const BulkTurn&, std::span<const EventSeq> events, bool dry_run) {
  HSW_CHECK(bulk_runs_, "the caller has the turn");
  EventReplayResult result;
  for (const EventSeq event : events) {
    result.end = ReplayOne(event, dry_run, result);
    if (!result.end) break;
  }
  return result;
}

Status DeliveryChanges::ReplayOne(EventSeq event, bool dry_run, EventReplayResult& result) {
  const auto stored = journal_.Load(event);
  if (!stored && stored.error().code == ErrorCode::kUnavailable) return stored.error();
  const EventReading reading = stored ? router_.Read(*stored) : EventReading();
  if (!reading.call) {
    ++result.not_a_call;
    return Ok();
  }
  const auto& routes = reading.explanation.routes;
  if (routes.empty()) {
    ++result.no_rule;
    return Ok();
  }
  if (!dry_run) {
    const auto added = ReplayEvent(event, routes);
    // Retention may have removed the event since it was read.
    if (!added && added.error().code != ErrorCode::kNotFound) return added.error();
    if (!added) {
      ++result.not_a_call;
      return Ok();
    }
    const std::size_t shown = std::min(added->size(), kShown - result.first.size());
    result.first.insert(result.first.end(), added->begin(), added->begin() + static_cast<std::ptrdiff_t>(shown));
  }
  ++result.changed;
  for (const Route& route : routes) ++result.by_sink[std::string(route.sink)];
  return Ok();
}

Result<bool> DeliveryChanges::Replay(DeliverySeq delivery) {
  MutexLock lock(mu_);
  const Match match{delivery};
  auto revived = ReplayChunk({&match, 1});
  if (!revived) return std::move(revived).error();
  if (bulk_runs_ && !revived->empty()) replayed_.insert(delivery);
  return !revived->empty();
}

BulkResult DeliveryChanges::Replay(const BulkTurn&, const BulkRequest& request, const Holds& holds) {
  return Apply(request, holds, &DeliveryChanges::ReplayChunk);
}

BulkResult DeliveryChanges::Purge(const BulkTurn&, const BulkRequest& request, const Holds& holds) {
  return Apply(request, holds, &DeliveryChanges::PurgeChunk);
}

BulkResult DeliveryChanges::Apply(const BulkRequest& request, const Holds& holds, Change change) {
  HSW_CHECK(bulk_runs_, "the caller has the turn");
  BulkResult result;
  if (auto matches = List(request.filter, holds); !matches) {
    result.end = std::move(matches).error();
  } else {
    result.matched = matches->size();
    const std::span<const Match> all(*matches);
    if (request.dry_run) {
      for (const Match& match : all.first(std::min(all.size(), kShown))) result.first.push_back(match.seq);
    } else {
      ApplyTo(all, change, result);
    }
  }
  return result;
}

void DeliveryChanges::EndBulk() {
  MutexLock lock(mu_);
  replayed_.clear();
  bulk_runs_ = false;
}

void DeliveryChanges::ApplyTo(std::span<const Match> all, Change change, BulkResult& result) {
  for (std::size_t begin = 0; begin < all.size(); begin += kStep) {
    MutexLock lock(mu_);
    auto changed = (this->*change)(all.subspan(begin, std::min(kStep, all.size() - begin)));
    if (!changed) {
      result.end = std::move(changed).error();
      return;
    }
    result.changed += changed->size();
    const std::size_t shown = std::min(changed->size(), kShown - result.first.size());
    result.first.insert(result.first.end(), changed->begin(), changed->begin() + static_cast<std::ptrdiff_t>(shown));
  }
}

Result<std::vector<DeliveryChanges::Match>> DeliveryChanges::List(const DeliveryFilter& filter, const Holds& holds) {
  const DeliveryFilter wide = holds.Widened(filter);
  std::vector<Match> matches;
  DeliverySeq before = 0;
  do {
    auto page = history_.ListDeliveries(wide, before, kPage);
    if (!page) return std::move(page).error();
    for (const auto& delivery : page->items) {
      if (!Holds::Fits(filter.states, delivery, holds.Of(delivery))) continue;
      matches.push_back({delivery.seq, IsOpen(delivery.state)});
    }
    before = page->next;
  } while (before != 0);
  std::ranges::reverse(matches);
  return matches;
}

Result<std::vector<DeliverySeq>> DeliveryChanges::ReplayChunk(std::span<const Match> chunk) {
  std::vector<DeliverySeq> numbers;
  for (const Match& match : chunk) numbers.push_back(match.seq);
  auto revived = history_.Revive(numbers, clock_.Wall());
  if (!revived) return std::move(revived).error();
  numbers = NumbersOf(*revived);
  if (!numbers.empty()) router_.Accept(std::move(*revived));
  return numbers;
}

Result<std::vector<DeliverySeq>> DeliveryChanges::PurgeChunk(std::span<const Match> chunk) {
  std::vector<DeliverySeq> waiting;
  std::vector<DeliverySeq> ended;
  for (const Match& match : chunk) {
    // Deliveries replayed since the list was made are left alone.
    if (!replayed_.contains(match.seq)) (match.waits ? waiting : ended).push_back(match.seq);
  }
  std::vector<DeliverySeq> released;
  if (!waiting.empty()) released = router_.Release(std::move(waiting));
  std::vector<DeliverySeq> all = std::move(ended);
  all.insert(all.end(), released.begin(), released.end());
  if (all.empty()) return all;
  std::ranges::sort(all);
  auto canceled = history_.Cancel(all, "purged by the operator");
  if (!canceled) PutBack(released);
  return canceled;
}

void DeliveryChanges::PutBack(std::span<const DeliverySeq> deliveries) {
  std::vector<PendingDelivery> back;
  for (const DeliverySeq seq : deliveries) {
    auto found = journal_.LoadPending(seq - 1, 1);
    if (!found) {
      log::Error("purge_not_undone", {{"reason", found.error().message}, {"deliveries", deliveries.size()}});
      break;
    }
    if (!found->empty() && found->front().seq == seq) back.push_back(std::move(found->front()));
  }
  if (!back.empty()) router_.Accept(std::move(back));
}

}  // namespace hookswitch
