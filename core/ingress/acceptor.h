#pragma once
#include <functional>
#include <memory>
#include <string>
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
};

/// Told, after the commit and before the answer, what was stored: the deliveries that now wait.
using DeliveriesAccepted =
    std::function<void(std::shared_ptr<const CallEvent> event, std::vector<PendingDelivery> deliveries)>;

/// The way of an event from request to answer: who sent it, what it says, who should hear, on disk, 200.
/// Safe from any thread. The references outlive it.
class Acceptor {
 public:
  Acceptor(Journal& journal, const Clock& clock, Metrics& metrics, DeliveriesAccepted accepted);
  ~Acceptor();

  /// From the next request on. Requests under way end on the snapshot they began with.
  void Use(std::shared_ptr<const IngressSnapshot> snapshot);
  /// While draining every request is answered 503 with Retry-After.
  void SetDraining(bool draining);

  std::optional<Answer> HandleHead(const ServedRequest& head);
  Answer Handle(const ServedRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hookswitch
