#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

#include "core/admin/preview.h"
#include "core/app/app.h"
#include "core/base/sync.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/cli/doctor_checks.h"
#include "core/delivery/test_message.h"
#include "core/http/request_check.h"
#include "core/ingress/reach_proof.h"

namespace hookswitch::cli {
namespace {

using std::chrono::milliseconds;
using Level = Finding::Level;

constexpr milliseconds kNetworkPatience{10'000};

/// The results of requests that are sent at the same time, in their order.
std::vector<HttpResult> SendAll(std::vector<HttpRequest> requests) {
  const auto client = MakeSinkClient();
  std::vector<HttpResult> results(requests.size());
  Mutex mu;
  CondVar changed;
  std::size_t left = requests.size();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    client->Send(std::move(requests[i]), kNetworkPatience, [&, i](HttpResult result) {
      MutexLock lock(mu);
      results[i] = std::move(result);
      --left;
      changed.NotifyOne();
    });
  }
  MutexLock lock(mu);
  while (left > 0) changed.Wait(mu);
  return results;
}

std::string HeaderOf(const HttpResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers) {
    if (EqualsIgnoreCase(key, name)) return value;
  }
  return {};
}

/// What to do when a connection fails with an error of HttpResult.
std::string HintFor(const std::string& error) {
  if (error == "dns_failed") return "correct the name, or this machine's name server (/etc/resolv.conf)";
  if (error == "connect_failed" || error == "timeout") return "correct host and port, or let a firewall pass it";
  if (error == "certificate_problem")
    return "renew the certificate there, or name its authority (a sink's tls.ca; apt install ca-certificates)";
  if (error == "tls_failed") return "no TLS 1.2 or later is spoken there: correct the port, or https";
  if (error == "proxy_refused" || error == "bad_proxy") return "correct the proxy, or its user and password";
  return "see what answers there: curl -v";
}

std::string Took(const HttpResult& result) {
  return result.first_byte ? " (" + std::to_string(result.first_byte->count()) + " ms)" : std::string();
}

/// Of a URL: "https://hooks.slack.com", without what may be secret; "" if it is none.
std::string OriginOf(std::string_view url) {
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view host = url.substr(scheme + 3);
  host = host.substr(0, host.find_first_of("/?# "));
  if (const auto user = host.rfind('@'); user != std::string_view::npos) host.remove_prefix(user + 1);
  return std::string(url.substr(0, scheme + 3)) + std::string(host);
}

/// How far our clock is behind that of a response's Date, as far as days. ParseRetryAfter knows HTTP's dates, as a
/// delay.
std::optional<milliseconds> Behind(const HttpResponse& response, WallTime now) {
  constexpr auto kDays = std::chrono::hours(72);
  const auto delay = ParseRetryAfter(HeaderOf(response, "Date"), now - kDays);
  if (!delay) return {};
  return *delay - std::chrono::duration_cast<milliseconds>(kDays);
}

std::optional<HttpRequest> RequestOf(const DeliveryPlan::Lane& lane, WallTime now) {
  for (const CallStatus status : kTestStatuses) {
    auto event = std::make_shared<const CallEvent>(TestEvent(status, now));
    ShownDelivery delivery{.event = event, .sink = lane.config.name, .rule = "test"};
    delivery.message = TestMessage(lane.config.name, *event);
    delivery.now = now;
    if (auto request = FirstRequest(lane.sink, std::move(delivery))) return request;
  }
  return {};
}

/// Connects and says why that failed; "" if it did not.
std::string Connect(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    return ::gai_strerror(error);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  std::string why = "no address";
  for (const addrinfo* one = found; one; one = one->ai_next) {
    const int fd = ::socket(one->ai_family, one->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, one->ai_protocol);
    if (fd < 0) continue;
    int error = ::connect(fd, one->ai_addr, one->ai_addrlen) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
      pollfd ready{fd, POLLOUT, 0};
      socklen_t size = sizeof error;
      error = ETIMEDOUT;
      if (::poll(&ready, 1, static_cast<int>(kNetworkPatience.count())) > 0)
        ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    ::close(fd);
    if (error == 0) return {};
    why = std::strerror(error);
  }
  return why;
}

/// "host:port" after "://"; the port "" if there is none.
std::pair<std::string, std::string> HostAndPort(const std::string& origin) {
  std::string host = origin.substr(origin.find("://") + 3);
  std::string port;
  if (const auto colon = host.rfind(':'); colon != std::string::npos && host.find(']', colon) == std::string::npos) {
    port = host.substr(colon + 1);
    host.erase(colon);
  }
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return {host, port};
}

Finding JudgeConnection(const std::string& check, const std::string& origin) {
  const auto [host, port] = HostAndPort(origin);
  const std::string why = Connect(host, port);
  if (why.empty()) return {Level::kOk, check, origin + " answers"};
  return {Level::kProblem, check, "no connection to " + origin + ": " + why,
          "correct host and port, or let a firewall pass it"};
}

}  // namespace

Finding JudgeReach(const std::string& url, const HttpResult& result, const std::string& proof) {
  const std::string check = "public_url";
  if (!result.response) {
    return {Level::kProblem, check, "no answer from " + url + " (" + result.error + ": " + result.detail + ')',
            HintFor(result.error) + "; if only this machine cannot reach itself there, ask from another one"};
  }
  const HttpResponse& response = *result.response;
  const std::string answered = url + " answers " + std::to_string(response.status);
  if (HeaderOf(response, ReachProof::kHeader) == proof && !proof.empty()) {
    return {Level::kOk, check, url + " reaches this router" + Took(result)};
  }
  const auto fails = [&](const std::string& text, const std::string& hint) {
    return Finding{Level::kProblem, check, text, hint};
  };
  switch (response.status) {
    case 401:
    case 403:
    case 407:
      return fails(answered + ": something before this router lets nobody in",
                   "let it pass this path without credentials: the router checks senders itself");
    case 404:
      return fails(answered + ": the path does not come through to this router, or it has not this config",
                   "compare public_url with the proxy's paths; hookswitch reload");
    case 405:
      return fails(
          answered + ", as a router does, but it is not this one",
          "point the name, or the proxy, to this router; a proxy must pass the query and the answer's headers");
    case 502:
    case 503:
    case 504:
      return fails(answered + ": a proxy there does not reach this router",
                   "have it pass requests on to server.listen");
    default: break;
  }
  if (response.status / 100 == 3) {
    return fails(answered + ", a redirect, which senders of webhooks do not follow",
                 "make public_url the place that it leads to");
  }
  return fails(answered + ", and it is not this router", "see what answers there: curl -v");
}

Findings CheckReach(const config::Config& config, const std::string& nonce, const std::string& proof) {
  std::vector<HttpRequest> requests;
  std::vector<std::string> urls;
  for (const auto& source : config.sources) {
    urls.push_back(config.server.public_url + source.path);
    HttpRequest request;
    request.method = "GET";
    request.url = urls.back() + '?' + std::string(ReachProof::kParameter) + '=' + nonce;
    requests.push_back(std::move(request));
  }
  const auto results = SendAll(std::move(requests));
  Findings findings;
  for (std::size_t i = 0; i < results.size(); ++i) findings.push_back(JudgeReach(urls[i], results[i], proof));
  return findings;
}

Destinations CheckDestinations(const DeliveryPlan& plan, const Clock& clock) {
  Destinations found;
  // By where and how: sinks to the same place are asked for once.
  std::map<std::pair<std::string, const Transport*>, std::vector<std::string>> sinks;
  std::vector<std::shared_ptr<const Transport>> transports;
  std::map<std::string, bool> public_only;
  for (const auto& [name, lane] : plan.lanes) {
    if (!lane.sink) continue;
    auto request = RequestOf(lane, clock.Wall());
    const std::string origin = request ? OriginOf(request->url) : std::string();
    if (origin.empty()) continue;
    if (!HasWebScheme(origin)) {
      if (!HostAndPort(origin).second.empty()) found.findings.push_back(JudgeConnection("sink " + name, origin));
      continue;
    }
    auto& same = sinks[{origin, request->transport.get()}];
    if (same.empty()) transports.push_back(request->transport);
    same.push_back(name);
    public_only[origin] = request->public_only;
  }
  std::vector<HttpRequest> requests;
  for (const auto& [place, names] : sinks) {
    HttpRequest request;
    request.method = "HEAD";
    request.url = place.first + '/';
    request.public_only = public_only[place.first];
    for (const auto& transport : transports) {
      if (transport.get() == place.second) request.transport = transport;
    }
    requests.push_back(std::move(request));
  }
  const auto results = SendAll(std::move(requests));
  std::size_t i = 0;
  for (const auto& [place, names] : sinks) {
    const HttpResult& result = results[i++];
    const std::string check = (names.size() == 1 ? "sink " : "sinks ") + Joined(names);
    if (!result.response) {
      found.findings.push_back({Level::kProblem, check,
                                "no answer from " + place.first + " (" + result.error + ": " + result.detail + ')',
                                HintFor(result.error)});
      continue;
    }
    found.findings.push_back({Level::kOk, check, place.first + " answers" + Took(result)});
    if (const auto behind = Behind(*result.response, clock.Wall())) found.behind.push_back(*behind);
  }
  return found;
}

}  // namespace hookswitch::cli
