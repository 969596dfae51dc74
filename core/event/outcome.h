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

/// What came of one attempt. A default Outcome is a retry: silence never loses an event.
struct Outcome {
  enum class Kind {
    kDelivered,
    kRetry,          ///< the same bytes may succeed later
    kRejected,       ///< this message can never succeed: dead at once, the lane stays open
    kMisconfigured,  ///< credential or destination is broken, see `scope`: burns no tries
    kNext,           ///< this step worked; another request of the same delivery follows, with `state`
  };
  Kind kind = Kind::kRetry;
  /// With kMisconfigured: what is broken.
  enum class Scope {
    kUnknown,  ///< the message, its place or the sink: what else gets through decides
    kPlace,    ///< the place that it goes to, named by `place` or by the request's Pace
    kSink,     ///< the credential or the whole destination
  };
  Scope scope = Scope::kUnknown;
  std::string place;  ///< with Scope::kPlace: which, for people; "": the one that the request named
  /// The other side may have acted although this is not a success (the bytes were sent, no answer came).
  bool may_have_been_delivered = false;
  /// The other side asked for a pause: applies to the whole lane or, if the request had one, to the destination with a
  /// pace of its own, in full, and is not a failure of this delivery.
  std::optional<std::chrono::milliseconds> retry_after;
  bool answered = false;  ///< set by hookswitch: the other side, or a call sink, has judged this message
  bool ours = false;      ///< set by hookswitch: the attempt was not made, and says nothing of the sink
  /// Set by hookswitch, with `ours`: nothing that has to do with this delivery stood in its way (the journal could not
  /// be read), so it is tried again soon, whatever the sink's schedule, and has not failed.
  bool soon = false;
  /// Set by hookswitch: the credentials in `state`, which answers brought. Such a state is kept in memory and not
  /// stored: after a restart the step that got them is made again.
  std::vector<std::string> state_secrets{};
  std::size_t answer_bytes = 0;  ///< set by hookswitch: of the answer's body
  int http_status = 0;           ///< 0: none was received
  std::string code;              ///< one stable word: "http_503", "invalid_blocks", "connect_failed"
  std::string reason;            ///< one sentence for people; no secret
  std::string action;            ///< what the operator should do; "" for nothing
  std::string remote_id;         ///< the other side's id of what was made; ""
  std::string state;             ///< carried to the next step of this delivery
  std::string memory;            ///< kept per (sink, call) if `has_memory`
  bool has_memory = false;
};

/// "delivered", "retry", "rejected", "misconfigured", "next".
std::string_view ToString(Outcome::Kind kind);

/// One of the places that a sink writes to, and its pace.
struct Pace {
  std::string key;  ///< which place
  int max = 0;      ///< 0: no limit
  std::chrono::milliseconds per{1000};
  int burst = 1;
};

/// How the requests of one sink travel, where that is not the way of all others.
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
  /// To be sent to public addresses only, and through no proxy but that of `transport`.
  bool public_only = false;
  std::optional<Pace> pace{};
  /// Requests of one sink with the same `order` are sent one at a time, in the order of acceptance; "": no such order.
  std::string order{};
  /// nullptr: as the client does. Requests share connections with those that have the same object here, and no others.
  std::shared_ptr<const Transport> transport{};
};

struct HttpResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names as received
  std::string body;                                          ///< cut at the client's limit
  bool is_cut = false;                                       ///< the body goes on
};

}  // namespace hookswitch
