#include <algorithm>
#include <array>
#include <string_view>

#include "core/base/ip_address.h"
#include "core/base/text.h"
#include "core/cli/doctor_checks.h"
#include "core/ingress/sender.h"

namespace hookswitch::cli {
namespace {

// Bolna: the addresses that webhooks come from; the last two are newer (bolna.ai/docs, "Webhooks").
constexpr std::array<const char*, 3> kBolnaAddresses = {"13.203.39.153", "13.126.9.249", "13.202.133.53"};

void FindMissingAddresses(const config::Source& source, Findings& findings) {
  if (source.type != "bolna" || source.allow_ips.empty()) return;
  std::vector<std::string> missing;
  for (const char* address : kBolnaAddresses) {
    if (!InAnyNetwork(*ParseIpAddress(address), source.allow_ips)) missing.emplace_back(address);
  }
  // With none of them the list is not about Bolna's own machines: something stands between.
  if (missing.empty() || missing.size() == kBolnaAddresses.size()) return;
  findings.push_back({Finding::Level::kProblem, "source " + source.name,
                      "allow_ips lacks addresses that Bolna also posts from: " + Joined(missing),
                      "add them: what comes from there is answered 403, and lost"});
}

/// Of a host, which more of a URL may follow.
bool IsLoopback(std::string_view host) {
  return host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]") || host == "::1";
}

/// Why a proxy must stand before the listener; "" if that is not known.
std::string WhyProxy(const config::Server& server) {
  if (server.public_url.empty()) return "";
  if (server.public_url.starts_with("https://")) return "public_url is https, which the listener does not speak";
  const std::string_view public_host = std::string_view(server.public_url).substr(sizeof "http://" - 1);
  if (IsLoopback(server.listen.host) && !IsLoopback(public_host)) {
    return "server.listen is on loopback, and public_url is not";
  }
  return "";
}

void FindProxy(const config::Config& config, Findings& findings) {
  const std::string why = WhyProxy(config.server);
  if (why.empty() || !config.server.trusted_proxies.empty()) return;
  std::vector<std::string> listed;
  for (const auto& source : config.sources) {
    if (!source.allow_ips.empty()) listed.push_back(source.name);
  }
  const std::string text = "there is a proxy before this router (" + why + "), and server.trusted_proxies is empty";
  if (listed.empty()) {
    findings.push_back({Finding::Level::kWarning, "proxy", text + ": every sender has the proxy's address",
                        "name the proxy's address in trusted_proxies, and have it set X-Forwarded-For"});
  } else {
    findings.push_back({Finding::Level::kProblem, "proxy",
                        text + ": allow_ips of " + Joined(listed) + " sees the proxy's address, not the sender's",
                        "name the proxy's address in trusted_proxies, and have it set X-Forwarded-For"});
  }
}

}  // namespace

Findings FindMistakes(const config::Config& config) {
  Findings findings;
  for (const auto& source : config.sources) FindMissingAddresses(source, findings);
  FindProxy(config, findings);
  return findings;
}

}  // namespace hookswitch::cli
