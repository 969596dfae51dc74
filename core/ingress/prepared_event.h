#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/sync.h"
#include "core/event/call_event.h"
#include "core/ingress/acceptor.h"
#include "core/journal/journal.h"
#include "core/routing/route_table.h"
#include "core/sources/source.h"

namespace hookswitch {

/// An event that is read and routed, on its way to the journal. Stays where it is: `stored` borrows from the rest.
struct PreparedEvent {
  std::shared_ptr<CallEvent> event;  ///< nullptr: not a call; `note` says why
  std::string note;
  std::vector<Route> routes;
  std::vector<NewDelivery> deliveries;
  std::string headers_with_carried, carry;  ///< of a source that carries over
  NewEvent stored;
};

/// What calls have said so far, of sources that carry over: in the journal, and in events that are not committed yet.
/// [thread: any]
class CallsSoFar {
 public:
  explicit CallsSoFar(Journal& journal) : journal_(journal) {}

  /// Hold it from Apply until the journal has queued the event: each event stores what its call has said up to it, so
  /// a later one must not be stored first. Done does not wait for it.
  [[nodiscard]] std::unique_lock<std::mutex> InOrder() { return std::unique_lock(order_); }
  /// Takes what a final event lacks from the earlier ones of its call; any other adds to what the call has said. Blocks
  /// while it reads the journal.
  void Apply(PreparedEvent& what) EXCLUDES(mu_);
  /// The event of Apply is committed, or will never be.
  void Done(const PreparedEvent& what) EXCLUDES(mu_);

 private:
  struct Uncommitted {
    std::string said;
    int events = 0;
  };

  std::string SaidBefore(std::uint64_t call_key) EXCLUDES(mu_);

  Journal& journal_;
  std::mutex order_;
  Mutex mu_;
  std::unordered_map<std::uint64_t, Uncommitted> uncommitted_ GUARDED_BY(mu_);
};

/// Fills `what`, which must be empty. `headers`: what is stored beside the body; it, `raw.body`, `endpoint` and
/// `snapshot` must outlive `what`. If the source carries over: within calls.InOrder(), and after the commit, or without
/// one, calls.Done(what) is due.
void PrepareEvent(PreparedEvent& what, const RawRequest& raw, std::string_view headers, Normalized normalized,
                  const IngressSnapshot::Endpoint& endpoint, const IngressSnapshot& snapshot, CallsSoFar& calls);

}  // namespace hookswitch
