#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/ip_address.h"
#include "core/base/sync.h"
#include "core/base/token_bucket.h"
#include "core/config/config.h"
#include "core/ingress/http_server.h"

/// Identifies the sender of a request and checks its secret.
namespace hookswitch {

/// Reads "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80"; an IPv4-mapped address is IPv4. Empty for
/// anything else.
std::optional<IpAddress> ParseSender(std::string_view text);

bool InNetwork(const IpAddress& address, const config::Network& network);
bool InAnyNetwork(const IpAddress& address, const std::vector<config::Network>& networks);

/// The sender's address: the peer or, if that is a trusted proxy, the right-most address of X-Forwarded-For that is not
/// one. Empty if an entry on the way is not an address ("unknown"): no list contains such a sender.
std::optional<IpAddress> SenderOf(const ServedRequest& request, const std::vector<config::Network>& trusted_proxies);

/// True if the request carries the secret where `auth` says, exactly once. Compares in constant time.
bool Authorized(const ServedRequest& request, const config::Auth& auth);

/// At most `max` per `per`, `burst` at once. [thread: any]
class RateLimiter {
 public:
  explicit RateLimiter(const config::Rate& rate) : rate_(rate), bucket_(rate) {}
  /// Zero and one token taken, or how long to wait before the next try.
  std::chrono::nanoseconds Take(MonoTime now);
  const config::Rate& rate() const { return rate_; }

 private:
  const config::Rate rate_;
  Mutex mu_;
  TokenBucket bucket_ GUARDED_BY(mu_);
};

}  // namespace hookswitch
