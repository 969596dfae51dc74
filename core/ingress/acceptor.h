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
#include "core/ingress/reach_proof.h"
#include "core/journal/journal.h"
#include "core/routing/route_table.h"
#include "core/sources/source.h"

namespace hookswitch {

/// What accepting needs of one config generation. Immutable.
struct IngressSnapshot {
  struct Endpoint {
    config::Source config;
    std::shared_ptr<const Source> source;
  };
  std::vector<Endpoint> endpoints;
  std::vector<config::Network> trusted_proxies;
  std::shared_ptr<const RouteTable> routes;
  std::set<std::string, std::less<>> updating_sinks{};  ///< sinks that update sent messages in place
  std::shared_ptr<const KeptConfig> config{};           ///< stored with what it accepts; nullptr: unknown
  std::vector<std::string> agents{};                    ///< whose counts are shown before anything comes from them
};

/// Called for every new event, after the commit and before the response, with the deliveries that are now pending (none
/// if no rule matched). `ended_call`: the key of the call whose final event this is, so that nothing is held for it any
/// more; 0: none. Not called for duplicates and requests that are not calls. Runs on the thread that responds; must not
/// block, because other responses wait for it.
using DeliveriesAccepted = std::function<void(std::shared_ptr<const CallEvent> event,
                                              std::vector<PendingDelivery> deliveries, std::uint64_t ended_call)>;

/// Called likewise for every event that came again with different content: the event as it is now, and the changes to
/// its deliveries.
using EventRevised = std::function<void(std::shared_ptr<const CallEvent> event, EventSeq seq,
                                        const Accepted::Revised& changes, std::uint64_t ended_call)>;

/// Takes an event from request to response: checks the sender, normalizes, routes, stores, responds. The references
/// outlive it. [thread: any]
class Acceptor {
 public:
  Acceptor(Journal& journal, const Clock& clock, Metrics& metrics, DeliveriesAccepted accepted,
           EventRevised revised = nullptr);
  ~Acceptor();

  /// Applies from the next request on; requests in progress finish with their snapshot. Before the first call all are
  /// answered 404. If two endpoints share a path, the first one gets it. Without `routes` no event matches.
  void Use(std::shared_ptr<const IngressSnapshot> snapshot);
  /// What a GET on a source's path proves beside its 405. [thread: any]
  ReachProof::Challenge MakeChallenge() const;
  /// While draining, every new request is answered 503 with Retry-After.
  void SetDraining(bool draining);
  /// Heartbeat: passes of the thread that responds. Requests another one, so the number grows unless the thread hangs.
  std::uint64_t Passes();

  /// [thread: poller] Checks what the head alone decides: path, method, address, secret, rate, a signature that is
  /// missing or too old.
  HeadVerdict HandleHead(const ServedRequest& head);
  /// Serves a request that HandleHead admitted, with the snapshot that it was admitted with. Responds when the event is
  /// stored, from the Acceptor's own thread; a request that the source rejects is answered at once. Blocks only to read
  /// what a call has said so far, of a source that carries over.
  void Handle(Responder responder);
  /// [thread: poller] For HttpServerOptions::judge_peer and on_unwanted. If every source has allow_ips, an address in
  /// none of them is unwanted.
  PeerKind JudgePeer(std::string_view address) const;
  void UnwantedPeer(std::string_view address);
  /// Counts and records a request that the server itself rejected (HttpServerOptions::on_refused).
  void Refused(const ServedRequest& head, int status, std::string_view error, std::string_view detail);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookswitch
