#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/clock.h"
#include "core/base/metrics.h"
#include "core/base/secret.h"
#include "core/base/sync.h"
#include "core/config/config.h"
#include "core/ingress/http_server.h"

namespace hookswitch {

/// Exchanges a token for a cookie.
inline constexpr std::string_view kSignInPath = "/api/v1/session";

/// What an operation of the admin API needs of its caller, from the least to the most.
enum class Access {
  kPublic,  ///< nothing; nobody is checked
  kProbe,   ///< no token, but no wrong one either; the handler shows more to a caller with rights
  kAnyRight,
  kMetrics,
  kRead,
  kChange,
};

/// An admitted client and its rights.
struct Caller final : HeadContext {
  using Right = config::Admin::Right;

  std::string who;           ///< the token's name or the unix socket's user; "" for neither
  std::optional<Right> may;  ///< empty: only health checks
  enum class By {
    kPlace,  ///< needs no token, because of where it connects from
    kToken,
    kCookie,
  } by = By::kPlace;
  bool May(Right right) const { return may && *may >= right; }
};
std::string_view ToString(Caller::Right right);

/// Authenticates and authorizes requests to the admin API by their heads.
///
/// If the config has tokens, a request needs one (`Authorization: Bearer`) or a cookie that MakeCookie made for one. A
/// unix socket needs none: the permissions of its file decide who may connect. Without tokens, programs on this machine
/// are admitted. A request without a token must come directly: not through a proxy, which would lend its own address to
/// anybody, and not from another site's page in a browser. [thread: any] Does not block.
class AdminGuard {
 public:
  static constexpr std::chrono::hours kCookieLife{12};
  static constexpr std::chrono::milliseconds kWrongTokenDelay{100};

  AdminGuard(const config::Admin& admin, const Clock& clock, Metrics& metrics);

  /// Replaces the tokens; cookies made for removed tokens become invalid. Whether the tokens are others than before.
  bool Use(const config::Admin& admin) EXCLUDES(mu_);

  /// Returns a rejection of a request whose operation needs `needs`, or a Caller as context. Rejections are counted,
  /// and logged: at most a line a second for each peer.
  HeadVerdict Judge(const ServedRequest& head, Access needs) EXCLUDES(mu_);

  /// A Set-Cookie value that stands for the caller's token; empty if the request had no token, or the token is gone.
  std::optional<std::string> MakeCookie(const Caller& caller, bool secure) EXCLUDES(mu_);

 private:
  struct Refusal {
    std::string_view reason;  ///< in the metric and the log: "no_token", "wrong_token", "forbidden"
    std::string detail;
  };
  using Admission = std::variant<Caller, Refusal>;
  using Tokens = std::vector<config::Admin::Token>;

  Admission Admit(const ServedRequest& head) const EXCLUDES(mu_);
  Admission ByCookie(const ServedRequest& head, std::string_view cookie, const Tokens& tokens) const;
  Secret Sign(std::string_view what, const config::Admin::Token& token) const;
  HeadVerdict Refuse(const ServedRequest& head, const Refusal& refusal) EXCLUDES(mu_);
  /// How many rejections of `peer` were not logged since its last line; empty: this one is not logged either.
  std::optional<std::uint64_t> LineFor(std::string_view peer) EXCLUDES(mu_);

  struct Peer {
    MonoTime last_line{};
    std::uint64_t left_out = 0;
  };

  const Clock& clock_;
  const Secret key_;  ///< signs cookies; random, so they end with the process
  const Counter no_token_, wrong_token_, forbidden_;
  mutable Mutex mu_;
  std::shared_ptr<const Tokens> tokens_ GUARDED_BY(mu_);
  std::map<std::string, Peer, std::less<>> peers_ GUARDED_BY(mu_);
};

/// True if `host`, a Host header, is a loopback name: "localhost", "127.0.0.1:8001", "[::1]:8001".
bool IsLoopbackHost(std::string_view host);
/// True if `origin`, an Origin header, is that of the server that `host` names.
bool IsSameOrigin(std::string_view origin, std::string_view host);

}  // namespace hookswitch
