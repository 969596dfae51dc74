#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/config/config.h"
#include "core/ingress/http_server.h"
#include "core/journal/journal.h"
#include "core/routing/route_table.h"
#include "core/sources/source.h"

namespace hookswitch {

/// Everything accepting needs of one config generation. Immutable.
struct IngressSnapshot {
  struct Endpoint {
    config::Source config;
    std::shared_ptr<const Source> source;
  };
  std::vector<Endpoint> endpoints;
  std::vector<config::Network> trusted_proxies;
  std::shared_ptr<const RouteTable> routes;
  std::set<std::string, std::less<>> updating_sinks{};  ///< those that change in place what they have sent
};

/// Told of every new event, after the commit and before the answer: what was stored and the deliveries that now wait
/// (none, if no rule wanted it). Duplicates and requests that are no calls are not told. On the thread that gives the
/// answer; must not block, for other answers wait behind it.
using DeliveriesAccepted =
    std::function<void(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries)>;

/// Told of every event that came again with other content, likewise: the event as it is now, and what that did to its
/// deliveries.
using EventRevised =
    std::function<void(std::shared_ptr<const CallEvent> event, EventSeq seq, const Accepted::Revised& changes)>;

/// The way of an event from request to answer: who sent it, what it says, who should hear, on disk, 200.
/// Safe from any thread. The references outlive it.
class Acceptor {
 public:
  Acceptor(Journal& journal, const Clock& clock, Metrics& metrics, DeliveriesAccepted accepted,
           EventRevised revised = nullptr);
  ~Acceptor();

  /// From the next request on. Requests under way end on the snapshot they began with. Before the first call everything
  /// is answered 404. Two endpoints with one path: the first one has it. Without `routes` no event is wanted by anyone.
  void Use(std::shared_ptr<const IngressSnapshot> snapshot);
  /// While draining every new request is answered 503 with Retry-After.
  void SetDraining(bool draining);
  /// How often the thread that gives the answers has gone round; asks it to. Stands still only while it hangs.
  std::uint64_t Passes();

  /// Whatever the head alone can decide: path, method, address, secret, rate. [thread: poller]
  HeadVerdict HandleHead(const ServedRequest& head);
  /// Only for requests that HandleHead let pass: it does not look at the sender again, and goes on with the snapshot
  /// that the sender was judged by. An event is answered when it is stored, from a thread of the Acceptor's own.
  /// Does not block. [thread: any]
  void Handle(Responder responder);
  /// As HttpServerOptions::judge_peer and on_unwanted want it: an address that no source's allow_ips has.
  PeerKind JudgePeer(std::string_view address) const;
  void UnwantedPeer(std::string_view address);
  /// Counts and records a request that the server refused by itself (HttpServerOptions::on_refused).
  void Refused(const ServedRequest& head, int status, std::string_view error, std::string_view detail);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookswitch
