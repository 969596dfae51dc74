#include "core/ingress/sender.h"

#include <algorithm>

#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/text.h"

namespace hookswitch {
namespace {

std::string_view WithoutPort(std::string_view text) {
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    const auto rest = end == text.npos ? std::string_view() : text.substr(end + 1);
    return end == text.npos || (!rest.empty() && rest.front() != ':') ? std::string_view() : text.substr(1, end - 1);
  }
  const auto colon = text.find(':');
  return colon != text.npos && text.find(':', colon + 1) == text.npos ? text.substr(0, colon) : text;
}

// The only value of the parameter, decoded; empty if it is missing, repeated or malformed.
std::optional<std::string> QueryValue(std::string_view query, std::string_view name, bool plus_is_space) {
  std::optional<std::string> found;
  std::string key;
  while (const auto parameter = TakeParameter(query)) {
    if (!PercentDecodeStrict(parameter->name, true, key) || key != name) continue;
    std::string value;
    if (found || !parameter->value || !PercentDecodeStrict(*parameter->value, plus_is_space, value)) return {};
    found = std::move(value);
  }
  return found;
}

std::optional<std::string_view> OnlyHeader(const ServedRequest& request, std::string_view name) {
  std::optional<std::string_view> found;
  for (const auto& [key, value] : request.headers) {
    if (!EqualsIgnoreCase(key, name)) continue;
    if (found) return {};
    found = value;
  }
  return found;
}

}  // namespace

std::optional<IpAddress> ParseSender(std::string_view text) {
  const auto address = ParseIpAddress(WithoutPort(Trim(text)));
  if (!address) return {};
  return Unmapped(*address);
}

bool InNetwork(const IpAddress& address, const config::Network& network) {
  if (network.address.size != address.size) return false;
  for (int bit = 0; bit < network.bits; bit += 8) {
    const auto at = static_cast<std::size_t>(bit / 8);
    const int kept = std::min(8, network.bits - bit);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - kept));
    if ((address.bytes[at] & mask) != (network.address.bytes[at] & mask)) return false;
  }
  return true;
}

bool InAnyNetwork(const IpAddress& address, const std::vector<config::Network>& networks) {
  return std::any_of(networks.begin(), networks.end(),
                     [&](const auto& network) { return InNetwork(address, network); });
}

std::optional<IpAddress> SenderOf(const ServedRequest& request, const std::vector<config::Network>& trusted_proxies) {
  const auto peer = ParseSender(request.peer);
  if (!peer || trusted_proxies.empty() || !InAnyNetwork(*peer, trusted_proxies)) return peer;
  // Each proxy appends its client's address, so nothing to the left of the right-most untrusted one can be trusted.
  auto sender = peer;
  for (auto header = request.headers.rbegin(); header != request.headers.rend(); ++header) {
    if (!EqualsIgnoreCase(header->first, "X-Forwarded-For")) continue;
    std::string_view rest = header->second;
    for (bool more = true; more;) {
      const auto comma = rest.rfind(',');
      more = comma != rest.npos;
      const auto hop = ParseSender(more ? rest.substr(comma + 1) : rest);
      if (!hop) return std::nullopt;
      sender = hop;
      if (!InAnyNetwork(*hop, trusted_proxies)) return sender;
      if (more) rest = rest.substr(0, comma);
    }
  }
  return sender;
}

bool Authorized(const ServedRequest& request, const config::Auth& auth) {
  switch (auth.place) {
    case config::Auth::Place::kHeader: {
      const auto value = OnlyHeader(request, auth.name);
      return value && auth.secret.Equals(*value);
    }
    case config::Auth::Place::kBearer: {
      const auto value = OnlyHeader(request, "Authorization");
      constexpr std::string_view kScheme = "Bearer ";
      return value && value->size() > kScheme.size() && EqualsIgnoreCase(value->substr(0, kScheme.size()), kScheme) &&
             auth.secret.Equals(Trim(value->substr(kScheme.size())));
    }
    case config::Auth::Place::kQuery: {
      // Platforms disagree on whether '+' in a URL typed into their form is a blank; neither reading gives a secret
      // away.
      const auto literal = QueryValue(request.query, auth.name, false);
      const auto form = QueryValue(request.query, auth.name, true);
      const bool as_literal = literal && auth.secret.Equals(*literal);
      const bool as_form = form && auth.secret.Equals(*form);
      return as_literal || as_form;
    }
  }
  return false;
}

std::chrono::nanoseconds RateLimiter::Take(MonoTime now) {
  MutexLock lock(mu_);
  if (!bucket_.Ready(now)) return bucket_.Next() - now;
  bucket_.Take(now);
  return {};
}

}  // namespace hookswitch
