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

/// Where a token is given for a cookie.
inline constexpr std::string_view kSignInPath = "/api/v1/session";

/// Who asks, and what for it may.
struct Caller final : HeadContext {
  using Right = config::Admin::Right;

  std::string who;           ///< the token's name, or the unix socket's user; "" for a program that needed neither
  std::optional<Right> may;  ///< empty: nothing but health
  enum class By {
    kPlace,  ///< where it comes from needs no token
    kToken,
    kCookie,
  } by = By::kPlace;
  bool May(Right right) const { return may && *may >= right; }
};
std::string_view ToString(Caller::Right right);

/// Decides who may ask the admin API for what, from the head of a request.
///
/// Where the config has tokens, a request needs one (`Authorization: Bearer`), or a cookie that MakeCookie gave for
/// one. A unix socket needs none: its file says who may connect. Without tokens programs on this machine are answered.
/// Who gives no token must come directly: neither through a proxy, which would lend its own address to anybody, nor
/// from another site's page in somebody's browser. Safe from any thread; does not block.
class AdminGuard {
 public:
  static constexpr std::chrono::hours kCookieLife{12};
  static constexpr std::chrono::milliseconds kWrongTokenDelay{100};

  AdminGuard(const config::Admin& admin, const Clock& clock, Metrics& metrics);

  /// Takes the tokens of `admin` from now on; cookies of those that are gone are worth nothing any more.
  void Use(const config::Admin& admin) EXCLUDES(mu_);

  /// An answer, or a Caller. Refusals are counted, and logged: at most a line a second for each peer.
  HeadVerdict Judge(const ServedRequest& head) EXCLUDES(mu_);

  /// The value of a Set-Cookie header that stands for the caller's token; empty if he brought none.
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
  /// How many refusals of `peer` were left out since its last line; empty: this one is left out too.
  std::optional<std::uint64_t> LineFor(std::string_view peer) EXCLUDES(mu_);

  struct Peer {
    MonoTime last_line{};
    std::uint64_t left_out = 0;
  };

  const Clock& clock_;
  const Secret key_;  ///< of cookies: random, so that they end with the process
  const Counter no_token_, wrong_token_, forbidden_;
  mutable Mutex mu_;
  std::shared_ptr<const Tokens> tokens_ GUARDED_BY(mu_);
  std::map<std::string, Peer, std::less<>> peers_ GUARDED_BY(mu_);
};

/// True for the value of a Host header that names this machine to itself: "localhost", "127.0.0.1:8001", "[::1]:8001".
bool IsLoopbackHost(std::string_view host);
/// True if a page from `origin` (the header) asks the server that it came from.
bool IsSameOrigin(std::string_view origin, std::string_view host);

}  // namespace hookswitch
