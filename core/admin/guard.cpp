#include "core/admin/guard.h"

#include <openssl/rand.h>

#include <algorithm>
#include <charconv>

#include "core/admin/answers.h"
#include "core/base/check.h"
#include "core/base/encoding.h"
#include "core/base/log.h"
#include "core/base/sha256.h"
#include "core/base/text.h"
#include "core/config/scalars.h"

namespace hookswitch {
namespace {

using Right = Caller::Right;

constexpr std::string_view kCookie = "hookswitch";
constexpr std::string_view kMainToken = "admin.token";  // stands for it where other tokens have their names
constexpr std::size_t kMostPeers = 1000;
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kShownPath = 200;
constexpr std::chrono::seconds kLineEvery{1};

// Headers that proxies add to the requests they forward.
constexpr std::string_view kProxyHeaders[] = {"Forwarded",           "Via",
                                              "X-Real-IP",           "X-Client-IP",
                                              "X-Cluster-Client-IP", "True-Client-IP",
                                              "CF-Connecting-IP",    "Fastly-Client-IP",
                                              "Fly-Client-IP",       "X-Original-Forwarded-For",
                                              "X-ProxyUser-IP"};
constexpr std::string_view kForwardedStart = "X-Forwarded-";

std::string_view ProxyHeaderIn(const ServedRequest& head) {
  for (const auto& [name, value] : head.headers) {
    const std::string_view start = std::string_view(name).substr(0, kForwardedStart.size());
    const bool is_one =
        EqualsIgnoreCase(start, kForwardedStart) ||
        std::ranges::any_of(kProxyHeaders, [&name = name](auto known) { return EqualsIgnoreCase(name, known); });
    if (is_one) return name;
  }
  return {};
}

// What shows that a request without a token did not come directly; "" if nothing does.
std::string WhyIndirect(const ServedRequest& head) {
  if (const std::string_view header = ProxyHeaderIn(head); !header.empty()) {
    return "it came through a proxy (" + std::string(header) + "); such a request needs a token (admin.token)";
  }
  const std::string_view site = head.Header("Sec-Fetch-Site");
  const bool own_page = site.empty() || site == "same-origin" || site == "none";
  const std::string_view origin = head.Header("Origin");
  if (!own_page || (!origin.empty() && !IsSameOrigin(origin, head.Header("Host")))) {
    return "it came from another site's page in a browser";
  }
  return {};
}

std::string_view Before(std::string_view text, char separator) {
  return text.substr(0, text.find(separator));
}

// The value of our cookie among the browser's (RFC 6265 4.2.1); "" if it is absent.
std::string_view CookieIn(const ServedRequest& head) {
  for (const auto& [name, value] : head.headers) {
    if (!EqualsIgnoreCase(name, "Cookie")) continue;
    for (std::string_view rest = value; !rest.empty();) {
      const std::string_view pair = Before(rest, ';');
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      const std::string_view trimmed = Trim(pair);
      if (Before(trimmed, '=') == kCookie && trimmed.size() > kCookie.size()) return trimmed.substr(kCookie.size() + 1);
    }
  }
  return {};
}

// The token in an Authorization header; "" if there is none.
std::string_view BearerIn(std::string_view authorization) {
  constexpr std::string_view kBearer = "Bearer ";
  if (!EqualsIgnoreCase(authorization.substr(0, kBearer.size()), kBearer)) return {};
  return Trim(authorization.substr(kBearer.size()));
}

std::vector<config::Admin::Token> AllTokens(const config::Admin& admin) {
  std::vector<config::Admin::Token> tokens = admin.tokens;
  if (!admin.token.empty()) tokens.push_back({std::string(kMainToken), admin.token, Right::kChange});
  return tokens;
}

// Takes equally long with and without a match.
const config::Admin::Token* Find(const std::vector<config::Admin::Token>& tokens, std::string_view given) {
  const config::Admin::Token* found = nullptr;
  for (const auto& token : tokens) {
    if (token.token.Equals(given)) found = &token;
  }
  return found;
}

Secret RandomKey() {
  std::string key(kKeyBytes, '\0');
  HSW_CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(key.data()), static_cast<int>(key.size())) == 1,
            "the system has random numbers");
  return Secret(std::move(key));
}

bool IsReading(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

// Empty: any.
std::optional<Right> RightFor(Access needs) {
  switch (needs) {
    case Access::kPublic:
    case Access::kProbe:
    case Access::kAnyRight: return {};
    case Access::kMetrics: return Right::kMetrics;
    case Access::kRead: return Right::kRead;
    case Access::kChange: return Right::kChange;
  }
  Unreachable();
}

Counter RefusedCounter(Metrics& metrics, const char* reason) {
  return metrics.MakeCounter("hookswitch_admin_refused_total",
                             "Requests to the admin listener without the right to what they asked for.",
                             {{"reason", reason}});
}

}  // namespace

std::string_view ToString(Caller::Right right) {
  switch (right) {
    case Right::kMetrics: return "metrics";
    case Right::kRead: return "read";
    case Right::kChange: return "change";
  }
  Unreachable();
}

bool IsLoopbackHost(std::string_view host) {
  const bool bracketed = host.starts_with('[');
  const auto end = bracketed ? host.find(']') : host.find(':');
  if (bracketed && end == std::string_view::npos) return false;
  const std::string_view name = bracketed ? host.substr(1, end - 1) : host.substr(0, end);
  std::string_view port = host.substr(std::min(bracketed ? end + 1 : end, host.size()));
  if (!port.empty()) {
    if (port.front() != ':') return false;
    port.remove_prefix(1);
    std::uint16_t number = 0;
    const auto [read, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error != std::errc() || read != port.data() + port.size()) return false;
  }
  const bool is_v6 = name.find(':') != std::string_view::npos;
  return is_v6 == bracketed && config::IsLoopback(name);
}

bool IsSameOrigin(std::string_view origin, std::string_view host) {
  for (const auto& [scheme, port] :
       {std::pair<std::string_view, std::string_view>{"http://", ":80"}, {"https://", ":443"}}) {
    if (!origin.starts_with(scheme)) continue;
    origin.remove_prefix(scheme.size());
    // A browser omits the scheme's default port in both; a proxy may add it.
    for (std::string_view* text : {&origin, &host}) {
      if (text->ends_with(port)) text->remove_suffix(port.size());
    }
    return !origin.empty() && EqualsIgnoreCase(origin, host);
  }
  return false;
}

AdminGuard::AdminGuard(const config::Admin& admin, const Clock& clock, Metrics& metrics)
    : clock_(clock),
      key_(RandomKey()),
      no_token_(RefusedCounter(metrics, "no_token")),
      wrong_token_(RefusedCounter(metrics, "wrong_token")),
      forbidden_(RefusedCounter(metrics, "forbidden")),
      tokens_(std::make_shared<const Tokens>(AllTokens(admin))) {}

bool AdminGuard::Use(const config::Admin& admin) {
  auto tokens = std::make_shared<const Tokens>(AllTokens(admin));
  MutexLock lock(mu_);
  const bool are_others = *tokens != *tokens_;
  tokens_ = std::move(tokens);
  return are_others;
}

HeadVerdict AdminGuard::Judge(const ServedRequest& head, Access needs) {
  const auto admitted = [](Caller caller) { return HeadVerdict(std::make_shared<const Caller>(std::move(caller))); };
  if (needs == Access::kPublic) return admitted({});
  Admission admission = Admit(head);
  if (const auto* refusal = std::get_if<Refusal>(&admission)) {
    // Probes send no token, and any Host. A wrong token is a guess, here as elsewhere.
    if (needs == Access::kProbe && refusal->reason != "wrong_token") return admitted({});
    return Refuse(head, *refusal);
  }
  Caller& caller = std::get<Caller>(admission);
  const auto right = RightFor(needs);
  if (!right || caller.May(*right)) return admitted(std::move(caller));
  return Refuse(head, {"forbidden", "the token \"" + caller.who + "\" may not do this: it is one for \"" +
                                        std::string(ToString(*caller.may)) + "\" (admin.tokens[].may)"});
}

AdminGuard::Admission AdminGuard::Admit(const ServedRequest& head) const {
  std::shared_ptr<const Tokens> tokens;
  {
    MutexLock lock(mu_);
    tokens = tokens_;
  }
  const std::string_view authorization = head.Header("Authorization");
  if (!tokens->empty() && !authorization.empty()) {
    const config::Admin::Token* token = Find(*tokens, BearerIn(authorization));
    if (!token) return Refusal{"wrong_token", "the token is not one of this router's (admin.token)"};
    Caller caller;
    caller.who = token->name;
    caller.may = token->may;
    caller.by = Caller::By::kToken;
    return caller;
  }
  const bool on_socket = head.peer == "unix";
  if (!tokens->empty() && !on_socket) {
    const std::string_view cookie = CookieIn(head);
    if (!cookie.empty()) return ByCookie(head, cookie, *tokens);
    return Refusal{"no_token", "send the admin.token of the config as \"Authorization: Bearer …\""};
  }
  if (!on_socket && !IsLoopbackHost(head.Header("Host"))) {
    return Refusal{"forbidden",
                   "without an admin.token only programs on this machine are answered, under a loopback name"};
  }
  if (std::string why = WhyIndirect(head); !why.empty()) return Refusal{"forbidden", std::move(why)};
  Caller caller;
  caller.who = head.user;
  caller.may = Right::kChange;
  return caller;
}

AdminGuard::Admission AdminGuard::ByCookie(const ServedRequest& head, std::string_view cookie,
                                           const Tokens& tokens) const {
  const Refusal wrong{"wrong_token",
                      "the cookie is not one of this router's, or its time is over: give the token again"};
  const auto dot = cookie.rfind('.');
  if (dot == std::string_view::npos) return wrong;
  const std::string_view what = cookie.substr(0, dot);
  const std::string_view until = Before(what, '.');
  const std::string_view name = what.substr(std::min(until.size() + 1, what.size()));
  const auto token = std::ranges::find(tokens, name, &config::Admin::Token::name);
  if (token == tokens.end() || !Sign(what, *token).Equals(cookie.substr(dot + 1))) return wrong;
  std::int64_t seconds = 0;
  std::from_chars(until.data(), until.data() + until.size(), seconds);
  if (clock_.Mono().time_since_epoch() >= std::chrono::seconds(seconds)) return wrong;
  // A browser adds the cookie by itself, so the request must come from our own page; a change must prove it by its
  // Origin.
  const std::string_view origin = head.Header("Origin");
  const std::string_view site = head.Header("Sec-Fetch-Site");
  const bool from_own_page = !origin.empty() && IsSameOrigin(origin, head.Header("Host"));
  const bool elsewhere = (!origin.empty() && !from_own_page) || site == "cross-site" || site == "same-site";
  if (elsewhere || (!IsReading(head.method) && !from_own_page)) {
    return Refusal{
        "forbidden",
        "with a cookie a change needs an Origin that is its Host: a proxy between has to leave both as they are"};
  }
  Caller caller;
  caller.who = token->name;
  caller.may = token->may;
  caller.by = Caller::By::kCookie;
  return caller;
}

Secret AdminGuard::Sign(std::string_view what, const config::Admin::Token& token) const {
  // The key includes the token: a cookie becomes invalid with its token.
  return Secret(Hex(HmacSha256(key_.Reveal() + token.token.Reveal(), what)));
}

std::optional<std::string> AdminGuard::MakeCookie(const Caller& caller, bool secure) {
  if (caller.by != Caller::By::kToken) return {};
  std::shared_ptr<const Tokens> tokens;
  {
    MutexLock lock(mu_);
    tokens = tokens_;
  }
  const auto token = std::ranges::find(*tokens, caller.who, &config::Admin::Token::name);
  if (token == tokens->end()) return {};
  const auto until = std::chrono::floor<std::chrono::seconds>(clock_.Mono().time_since_epoch() + kCookieLife);
  const std::string what = std::to_string(until.count()) + '.' + token->name;
  return std::string(kCookie) + '=' + what + '.' + Sign(what, *token).Reveal() +
         "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(std::chrono::seconds(kCookieLife).count()) +
         (secure ? "; Secure" : "");
}

HeadVerdict AdminGuard::Refuse(const ServedRequest& head, const Refusal& refusal) {
  const bool is_wrong = refusal.reason == "wrong_token";
  const bool is_forbidden = refusal.reason == "forbidden";
  (is_wrong ? wrong_token_ : is_forbidden ? forbidden_ : no_token_).Add();
  if (const auto left_out = LineFor(head.peer)) {
    log::Warn("admin_refused", {{"peer", head.peer},
                                {"user", head.user},
                                {"method", head.method},
                                {"path", ToUtf8(head.path.substr(0, kShownPath))},
                                {"reason", refusal.reason},
                                {"detail", refusal.detail},
                                {"repeated", *left_out}});
  }
  Answer answer = Refused(is_forbidden ? 403 : 401, is_forbidden ? "forbidden" : "unauthorized", refusal.detail);
  if (!is_forbidden) answer.headers.emplace_back("WWW-Authenticate", "Bearer");
  return {std::move(answer), is_wrong ? kWrongTokenDelay : std::chrono::milliseconds(0)};
}

std::optional<std::uint64_t> AdminGuard::LineFor(std::string_view peer) {
  const MonoTime now = clock_.Mono();
  MutexLock lock(mu_);
  auto found = peers_.find(peer);
  if (found == peers_.end()) {
    if (peers_.size() >= kMostPeers) {
      std::erase_if(peers_, [&](const auto& entry) { return now - entry.second.last_line >= kLineEvery; });
    }
    // Too many peers at once: the others share one entry.
    found = peers_.try_emplace(peers_.size() < kMostPeers ? std::string(peer) : std::string()).first;
  }
  Peer& known = found->second;
  if (known.last_line != MonoTime{} && now - known.last_line < kLineEvery) {
    ++known.left_out;
    return {};
  }
  known.last_line = now;
  return std::exchange(known.left_out, 0);
}

}  // namespace hookswitch
