#pragma once
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/secret.h"

namespace hookswitch {

/// Result of one attempt. The default is a retry, so an unset outcome never loses an event.
struct Outcome {
  enum class Kind {
    kDelivered,
    kRetry,          ///< the same bytes may succeed later
    kRejected,       ///< this message can never succeed: dead at once, the lane stays open
    kMisconfigured,  ///< credential or destination is broken, see `scope`; does not count as a try
    kNext,           ///< this step worked; the delivery continues with another request, with `state`
  };
  Kind kind = Kind::kRetry;
  /// With kMisconfigured: what is broken.
  enum class Scope {
    kUnknown,  ///< the message, its place or the sink; decided by what else gets through
    kPlace,    ///< the place that it goes to: `place`, or the one in the request's Pace
    kSink,     ///< the credential or the whole destination
  };
  Scope scope = Scope::kUnknown;
  std::string place;  ///< with Scope::kPlace: its name for people; "": the one that the request named
  /// The receiver may have acted although this is not a success (the bytes were sent, no response came).
  bool may_have_been_delivered = false;
  /// The pause that the receiver asked for: applies to the whole lane or, if the request had one, to the destination
  /// with a pace of its own. Not a failure of this delivery.
  std::optional<std::chrono::milliseconds> retry_after;
  bool answered = false;  ///< set by hookswitch: the receiver, or a call sink, has judged this message
  bool ours = false;      ///< set by hookswitch: no attempt was made; says nothing about the sink
  /// Set by hookswitch, with `ours`: the cause has nothing to do with this delivery (the journal could not be read), so
  /// it is tried again soon, whatever the sink's schedule, and has not failed.
  bool soon = false;
  /// Set by hookswitch: the credentials in `state` that came with responses. Such a state is only kept in memory: after
  /// a restart the step that got them is repeated.
  std::vector<std::string> state_secrets{};
  std::size_t answer_bytes = 0;  ///< set by hookswitch: size of the response body
  int http_status = 0;           ///< 0: none was received
  std::string code;              ///< one stable word: "http_503", "invalid_blocks", "connect_failed"
  std::string reason;            ///< one sentence for people; no secret
  std::string action;            ///< what the operator should do; "" for nothing
  std::string remote_id;         ///< the receiver's id of what was created; ""
  std::string state;             ///< carried to the next step of this delivery
  std::string memory;            ///< kept per (sink, call) if `has_memory`
  bool has_memory = false;
};

/// "delivered", "retry", "rejected", "misconfigured", "next".
std::string_view ToString(Outcome::Kind kind);

/// A place behind a sink, and its rate limit.
struct Pace {
  std::string key;  ///< which place
  int max = 0;      ///< 0: no limit
  std::chrono::milliseconds per{1000};
  int burst = 1;
};

/// Trust, client certificate and proxy of one sink, where they differ from the defaults.
struct Transport {
  std::string ca;    ///< PEM: the authorities to trust in place of the system's; "": the system's
  std::string cert;  ///< PEM: the certificate to show, with its chain; "": none
  Secret key;        ///< PEM: of `cert`
  Secret proxy;      ///< a URL, for all requests; "": as the environment says
  bool empty() const { return ca.empty() && cert.empty() && key.empty() && proxy.empty(); }
  bool operator==(const Transport&) const = default;
};

/// An outbound HTTP request, fully formed: nothing is added but Content-Length, Host and User-Agent.
struct HttpRequest {
  std::string method = "POST";
  std::string url;  ///< may be a credential: never logged whole
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// Only for public addresses, and through no proxy but that of `transport`.
  bool public_only = false;
  std::optional<Pace> pace{};
  /// Requests of one sink with the same `order` are sent one at a time, in the order of acceptance; "": no such order.
  std::string order{};
  /// nullptr: the client's defaults. Requests share connections only with those that have the same object here.
  std::shared_ptr<const Transport> transport{};
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names as received
  std::string body;                                          ///< cut at the client's limit
  bool is_cut = false;                                       ///< the body was longer
};

}  // namespace hookswitch
