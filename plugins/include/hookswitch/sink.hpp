// C++ wrapper of hookswitch/sink.h: header-only, C++20, standard library only.
//
// A sink is a class; one macro at the end of one .cpp file makes it a plugin:
//
//   class Webhook {
//    public:
//     Webhook(const hsw::Config& config, hsw::Host) : url_(config.String("url")) {}
//     void Render(const hsw::Delivery& delivery, hsw::Request& request) {
//       request.Url(url_);
//       request.Header("Content-Type", "application/json");
//       request.Body(delivery.EventJson());
//     }
//    private:
//     std::string url_;
//   };
//   HSW_HTTP_SINK(Webhook, "webhook", "1.0.0", "POSTs the event as JSON", R"({"type": "object", …})")
//
// Optional members: hsw::Outcome Interpret(const hsw::Delivery&, const hsw::Response&) (without it: hsw::FromHttp),
// static void Check(const hsw::Config&, hsw::Report&), void Reopen(), hsw::Options Advise() const. A call sink has,
// instead of Render and Interpret, hsw::Outcome Deliver(const hsw::Call&, const hsw::Delivery&) and is made a plugin by
// HSW_CALL_SINK; it may have void Preview(const hsw::Delivery&, hsw::Request&) for `hookswitch preview`. A member with
// one of these names and another signature does not compile.
//
// Exceptions become outcomes and never cross the ABI: hsw::Rejected and hsw::Misconfigured as they are named, any other
// one a retry with its text. One thrown by the constructor rejects the config with its text.
#pragma once
#include <charconv>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <exception>
#include <limits>
#include <new>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "hookswitch/sink.h"

namespace hsw {

inline std::string_view View(hsw_str text) {
  return text.size ? std::string_view(text.data, text.size) : std::string_view();
}
inline hsw_str Str(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::optional<std::string_view> Maybe(hsw_str text) {
  if (!text.data) return {};
  return std::string_view(text.data, text.size);
}

// Text.

/// How many code points UTF-8 `text` holds.
inline std::size_t CodePoints(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  return count;
}

/// True if `text` matches `glob` as names in rules do: `*` is any run of bytes, `?` any one byte.
inline bool GlobMatch(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, behind_star = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      behind_star = t;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == text[t])) {
      ++g, ++t;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      t = ++behind_star;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

/// The longest prefix of UTF-8 `text` with at most `count` code points.
inline std::string_view CutCodePoints(std::string_view text, std::size_t count) {
  if (text.size() <= count) return text;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0) != 0x80 && count-- == 0) break;
  }
  return text.substr(0, i);
}

/// The longest prefix of UTF-8 `text` of at most `bytes` bytes that ends between code points.
inline std::string_view CutBytes(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0) == 0x80) --bytes;
  return text.substr(0, bytes);
}

/// Appends UTF-8 `text` as a JSON string with its quotes.
inline void AppendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        out += "\\u00";
        out += kHex[c >> 4];
        out += kHex[c & 15];
    }
  }
  out.append(text, plain, text.size() - plain);
  out += '"';
}

inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {  // ASCII only
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    if (lower(a[i]) != lower(b[i])) return false;
  }
  return true;
}

// Outcomes.

/// The outcome of an attempt. Created by the static functions, refined by the chained ones. Texts that are too long are
/// cut.
class Outcome {
 public:
  static Outcome Delivered() { return Outcome(HSW_DELIVERED, "", ""); }
  /// The same request may succeed later.
  static Outcome Retry(std::string code, std::string reason) {
    return Outcome(HSW_RETRY, std::move(code), std::move(reason));
  }
  /// This message can never succeed.
  static Outcome Rejected(std::string code, std::string reason) {
    return Outcome(HSW_REJECTED, std::move(code), std::move(reason));
  }
  /// Credential or destination is broken; `action` tells the operator what to do. Add OfPlace or OfSink if you know
  /// which.
  static Outcome Misconfigured(std::string code, std::string reason, std::string action) {
    return Outcome(HSW_MISCONFIGURED, std::move(code), std::move(reason)).Action(std::move(action));
  }
  /// This step worked; Render is called again with step + 1 and `state`, of at most HSW_MOST_STATE bytes.
  static Outcome Next(std::string state) {
    Outcome outcome(HSW_NEXT, "", "");
    outcome.state_ = std::move(state);
    return outcome;
  }

  Outcome& Code(std::string code) {
    code_ = std::move(code);
    return *this;
  }
  Outcome& Reason(std::string reason) {
    reason_ = std::move(reason);
    return *this;
  }
  Outcome& Action(std::string action) {
    action_ = std::move(action);
    return *this;
  }
  Outcome& RemoteId(std::string id) {
    remote_id_ = std::move(id);
    return *this;
  }
  Outcome& RetryAfterMs(std::uint32_t ms) {
    retry_after_ms_ = ms;
    return *this;
  }
  /// The receiver may have acted although this is not a success.
  Outcome& MaybeDelivered() {
    flags_ |= HSW_MAYBE_DELIVERED;
    return *this;
  }
  /// Keeps `memory`, of at most HSW_MOST_STATE bytes, for this sink and call.
  Outcome& Memory(std::string memory) {
    flags_ |= HSW_MEMORY_SET;
    memory_ = std::move(memory);
    return *this;
  }

  /// With Misconfigured: the place that this delivery goes to is broken, and other places may work. `place` names it;
  /// empty: the one that Request::Pace named.
  Outcome& OfPlace(std::string place = {}) {
    scope_ = HSW_SCOPE_PLACE;
    place_ = std::move(place);
    return *this;
  }
  /// With Misconfigured: the credential, or all that the sink sends to; no delivery can get through.
  Outcome& OfSink() {
    scope_ = HSW_SCOPE_SINK;
    return *this;
  }

  std::uint32_t status() const { return status_; }

  void CopyTo(hsw_outcome* out) const {
    out->status = status_;
    out->flags = flags_;
    out->retry_after_ms = retry_after_ms_;
    Put(out->code, code_);
    Put(out->reason, reason_);
    Put(out->action, action_);
    Put(out->remote_id, remote_id_);
    if (status_ == HSW_NEXT) out->set_state(out, Str(state_));
    if (flags_ & HSW_MEMORY_SET) out->set_memory(out, Str(memory_));
    out->scope = scope_;
    Put(out->place, place_);
  }

 private:
  Outcome(std::uint32_t status, std::string code, std::string reason)
      : status_(status), code_(std::move(code)), reason_(std::move(reason)) {}
  template <std::size_t N>
  static void Put(char (&slot)[N], std::string_view text) {
    const auto cut = CutBytes(text, N - 1);
    if (!cut.empty()) std::memcpy(slot, cut.data(), cut.size());
    slot[cut.size()] = '\0';
  }

  std::uint32_t status_, flags_ = 0, retry_after_ms_ = 0, scope_ = HSW_SCOPE_UNKNOWN;
  std::string code_, reason_, action_, remote_id_, state_, memory_, place_;
};

/// Thrown by Render, Interpret or Deliver: this message can never succeed.
struct Rejected : std::runtime_error {
  Rejected(std::string code, const std::string& reason) : std::runtime_error(reason), code(std::move(code)) {}
  std::string code;
};
/// Thrown by Render, Interpret or Deliver: credential or destination is broken. `outcome` says the same as a value, to
/// be refined before it is thrown: Misconfigured e(…); e.outcome.OfSink(); throw e;
struct Misconfigured : std::runtime_error {
  Misconfigured(std::string code, const std::string& reason, std::string action)
      : std::runtime_error(reason), outcome(Outcome::Misconfigured(std::move(code), reason, std::move(action))) {}
  explicit Misconfigured(Outcome refined) : std::runtime_error("misconfigured"), outcome(std::move(refined)) {}
  Outcome outcome;
};

/// The host's functions for plugins (hsw_tools). Cheap to copy; valid as long as the library is loaded. [thread: any]
class Tools {
 public:
  explicit Tools(const hsw_tools* raw) : raw_(raw) {}
  std::string Base64(std::string_view bytes) const { return Encoded(HSW_BASE64, bytes); }
  std::string Base64Url(std::string_view bytes) const { return Encoded(HSW_BASE64_URL, bytes); }  ///< not padded
  std::string Percent(std::string_view text) const { return Encoded(HSW_PERCENT, text); }  ///< for a part of a URL
  std::string Form(std::string_view text) const { return Encoded(HSW_FORM, text); }  ///< a name or value of a form
  std::string Hex(std::string_view bytes) const { return Encoded(HSW_HEX, bytes); }
  /// Decodes base64 in either alphabet, with or without padding; empty if invalid.
  std::optional<std::string> FromBase64(std::string_view text) const {
    return Made([&](char* out, std::size_t size) { return raw_->from_base64(Str(text), out, size); });
  }
  /// The bytes of an HMAC.
  std::string HmacSha1(std::string_view key, std::string_view text) const { return Mac(HSW_SHA1, key, text); }
  std::string HmacSha256(std::string_view key, std::string_view text) const { return Mac(HSW_SHA256, key, text); }
  std::string HmacSha512(std::string_view key, std::string_view text) const { return Mac(HSW_SHA512, key, text); }
  /// "2026-03-04T09:30:00.123Z"; "" if the year does not have four digits.
  std::string UtcText(std::int64_t unix_ms) const {
    return Made([&](char* out, std::size_t size) { return raw_->utc_text(unix_ms, out, size); }).value_or("");
  }

 private:
  template <class Make>
  static std::optional<std::string> Made(Make make) {
    std::string text(120, '\0');  // enough for most
    std::size_t size = make(text.data(), text.size() + 1);
    if (size == HSW_NONE) return {};
    if (size > text.size()) {
      text.resize(size);
      size = make(text.data(), text.size() + 1);
    }
    text.resize(size);
    return text;
  }
  std::string Encoded(std::uint32_t coding, std::string_view bytes) const {
    return Made([&](char* out, std::size_t size) { return raw_->encode(coding, Str(bytes), out, size); }).value_or("");
  }
  std::string Mac(std::uint32_t hash, std::string_view key, std::string_view text) const {
    return Made([&](char* out, std::size_t size) { return raw_->hmac(hash, Str(key), Str(text), out, size); })
        .value_or("");
  }

  const hsw_tools* raw_;
};

// Views of the host's data, borrowed until the call returns.

class Config {
 public:
  explicit Config(const hsw_config* raw) : raw_(raw) {}
  std::string_view Name() const { return View(raw_->name); }  ///< the sink's name in the config
  std::string_view Json() const { return View(raw_->json); }  ///< the whole config as a JSON object
  std::string Timezone() const { return raw_->timezone ? raw_->timezone : "UTC"; }
  hsw::Tools Tools() const { return hsw::Tools(raw_->tools); }

  /// The scalar at a dotted key ("tls.ca", "ids.0"); empty if there is none.
  std::optional<std::string_view> Find(std::string_view key) const {
    for (const hsw_pair& pair : std::span(raw_->values, raw_->value_count)) {
      if (View(pair.name) == key) return View(pair.value);
    }
    return {};
  }
  /// All scalars: dotted key and text.
  std::span<const hsw_pair> Values() const { return {raw_->values, raw_->value_count}; }
  std::string String(std::string_view key, std::string_view otherwise = {}) const {
    return std::string(Find(key).value_or(otherwise));
  }
  std::int64_t Int(std::string_view key, std::int64_t otherwise = 0) const {
    const auto text = Find(key);
    std::int64_t number = otherwise;
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
  }
  bool Bool(std::string_view key, bool otherwise = false) const {
    const auto text = Find(key);
    return text ? *text == "true" : otherwise;
  }

 private:
  const hsw_config* raw_;
};

/// Collects the problems that Check finds.
class Report {
 public:
  Report(hsw_report report, void* context) : report_(report), context_(context) {}
  /// Reports that the value at `pointer` (RFC 6901: "/webhook_url") is invalid; `problem` must not quote a secret.
  void operator()(std::string_view pointer, std::string_view problem) { report_(context_, Str(pointer), Str(problem)); }

 private:
  hsw_report report_;
  void* context_;
};

/// Cheap to copy; valid as long as the library is loaded. [thread: any]
class Host {
 public:
  explicit Host(const hsw_host* raw) : raw_(raw) {}
  void Log(std::uint32_t level, std::string_view text) const { raw_->log(raw_->host, level, Str(text)); }
  const void* Service(const char* id) const { return raw_->service(raw_->host, id); }

 private:
  const hsw_host* raw_;
};

class Message {
 public:
  explicit Message(const hsw_message* raw) : raw_(raw) {}
  std::uint32_t Severity() const { return raw_->severity; }
  std::string_view Title() const { return View(raw_->title); }
  std::span<const hsw_pair> Fields() const { return {raw_->fields, raw_->field_count}; }
  std::string_view Text() const { return View(raw_->text); }
  std::string_view Transcript() const { return View(raw_->transcript); }
  std::span<const hsw_pair> Links() const { return {raw_->links, raw_->link_count}; }
  std::optional<std::int64_t> AtUnixMs() const {
    if (raw_->at_unix_ms == std::numeric_limits<std::int64_t>::min()) return {};
    return raw_->at_unix_ms;
  }

 private:
  const hsw_message* raw_;
};

class Delivery {
 public:
  explicit Delivery(const hsw_delivery* raw) : raw_(raw) {}
  std::string_view Id() const { return View(raw_->id); }  ///< the same for every attempt: an idempotency key
  std::string_view Sink() const { return View(raw_->sink); }
  std::string_view Rule() const { return View(raw_->rule); }
  std::uint32_t Attempt() const { return raw_->attempt; }
  std::uint32_t Step() const { return raw_->step; }
  std::string_view State() const { return View(raw_->state); }
  std::string_view Memory() const { return View(raw_->memory); }
  std::int64_t AcceptedUnixMs() const { return raw_->accepted_unix_ms; }
  const hsw_event& Event() const { return *raw_->event; }
  /// "live", "ended" (the platform may say more about the call) or "final".
  std::string_view Stage() const { return View(raw_->event->stage); }
  std::string_view Sentiment() const { return View(raw_->event->sentiment); }  ///< in lower case; "" when unknown
  /// Whether the call reached its goal, as the platform judges it; empty when unknown.
  std::optional<bool> Success() const {
    if (raw_->event->success < 0) return {};
    return raw_->event->success != 0;
  }
  hsw::Message Message() const { return hsw::Message(raw_->message); }
  /// The normalized event, one line; values of its `data` have the types that the platform gave them.
  std::string_view EventJson() const { return View(raw_->event_json(raw_)); }
  /// Start of this attempt; Render must use no other clock.
  std::int64_t NowUnixMs() const { return raw_->now_unix_ms; }
  /// One value of the normalized event, by RFC 6901 pointer ("/agent/id"): strings unchanged, the rest as JSON; empty
  /// if there is none or it is null.
  std::optional<std::string_view> Value(std::string_view pointer) const {
    return Maybe(raw_->event_value(raw_, Str(pointer)));
  }
  /// Renders `text` as a template over the event, "{{agent}} called {{to}}", with the names and sections of rule
  /// templates; does not escape. Empty if it is not a valid template.
  std::optional<std::string_view> Expand(std::string_view text) const { return Maybe(raw_->expand(raw_, Str(text))); }
  /// True if `name`, from a config whose schema marks it with "x-hookswitch-ref", matches this delivery's rule, agent
  /// (by id or name) or one of the agent's tags; globs work as in rules. The host expands groups of statuses in the
  /// config, so compare statuses directly.
  bool RuleIs(std::string_view name) const { return GlobMatch(name, Rule()); }
  bool AgentIs(std::string_view name) const {
    return GlobMatch(name, View(Event().agent)) || GlobMatch(name, Value("/agent/id").value_or(""));
  }
  bool HasTag(std::string_view name) const {
    for (int i = 0;; ++i) {
      const auto tag = Value("/agent/tags/" + std::to_string(i));
      if (!tag) return false;
      if (GlobMatch(name, *tag)) return true;
    }
  }
  /// The body as the platform posted it; empty if it cannot be read now, and for the router's own notices.
  std::optional<std::string_view> RawBody() const { return Maybe(raw_->raw_body(raw_)); }

 private:
  const hsw_delivery* raw_;
};

/// Starts as a POST with no URL, headers or body.
class Request {
 public:
  explicit Request(hsw_request* raw) : raw_(raw) {}
  void Method(std::string_view method) { raw_->set_method(raw_->host, Str(method)); }
  void Url(std::string_view url) { raw_->set_url(raw_->host, Str(url)); }
  void Header(std::string_view name, std::string_view value) { raw_->add_header(raw_->host, Str(name), Str(value)); }
  void Body(std::string_view body) { raw_->set_body(raw_->host, Str(body)); }
  /// Sends only to public addresses, and through no proxy except the one set for this sink.
  void PublicOnly() { raw_->public_only(raw_->host); }
  /// Sends to the place `key`, at most `max` requests per `per_ms`, `burst` at once; a Retry-After in the response
  /// pauses only that place. A rate_limit in the config overrides the three numbers.
  void Pace(std::string_view key, std::uint32_t max, std::uint32_t per_ms, std::uint32_t burst) {
    raw_->pace(raw_->host, Str(key), max, per_ms, burst);
  }
  /// Orders requests that change the same remote thing `key`: one at a time per key, in order of the events'
  /// acceptance, also across calls and retries. Needs the option `.ordered = true`.
  void Order(std::string_view key) { raw_->order(raw_->host, Str(key)); }

 private:
  hsw_request* raw_;
};

class Response {
 public:
  explicit Response(const hsw_response* raw) : raw_(raw) {}
  int Status() const { return raw_->status; }
  std::uint32_t RetryAfterMs() const { return raw_->retry_after_ms; }
  /// At most HSW_MOST_ANSWER bytes; if IsCut(), only the beginning of the body.
  std::string_view Body() const { return View(raw_->body); }
  bool IsCut() const { return raw_->body_cut != 0; }
  /// One value of a JSON body, by RFC 6901 pointer ("/error"): strings unchanged, the rest as JSON; empty if there is
  /// none, it is null, or the body is not JSON.
  std::optional<std::string_view> Json(std::string_view pointer) const { return Maybe(raw_->json(raw_, Str(pointer))); }
  /// The first header with that name (any case), or "".
  std::string_view Header(std::string_view name) const {
    for (const hsw_pair& header : std::span(raw_->headers, raw_->header_count)) {
      if (EqualsIgnoreCase(View(header.name), name)) return View(header.value);
    }
    return {};
  }

 private:
  const hsw_response* raw_;
};

class Call {
 public:
  explicit Call(const hsw_call* raw) : raw_(raw) {}
  std::int64_t TimeoutMs() const { return raw_->timeout_ms; }
  bool Canceled() const { return raw_->canceled(raw_) != 0; }

 private:
  const hsw_call* raw_;
};

/// Default meaning of an HTTP status. 2xx: delivered. 408, 425, 429 and 5xx except 501 and 505: retry. 401, 402, 407
/// and redirects: misconfigured, the whole sink. 403, 404, 405, 406, 410, 415, 421, 426, 451, 501 and 505:
/// misconfigured with unknown scope, because a firewall may send these for one text and a server for a wrong URL.
/// Others, such as 400, 413 and 422: rejected.
inline Outcome FromHttp(const Response& response) {
  const int status = response.Status();
  const std::string code = "http_" + std::to_string(status);
  const std::string reason = "the server answered HTTP " + std::to_string(status);
  if (status >= 200 && status < 300) return Outcome::Delivered();
  if (status >= 300 && status < 400) {
    return Outcome::Misconfigured(code, reason + ", a redirect, and redirects are not followed",
                                  "configure the URL that the redirect leads to")
        .OfSink();
  }
  switch (status) {
    case 401:
    case 402:
    case 407: return Outcome::Misconfigured(code, reason, "check the credential of this sink").OfSink();
    case 403: return Outcome::Misconfigured(code, reason, "check the credential of this sink");
    case 404:
    case 405:
    case 410: return Outcome::Misconfigured(code, reason, "check the URL of this sink");
    case 406:
    case 415:
    case 421:
    case 426:
    case 451:
    case 501:
    case 505: return Outcome::Misconfigured(code, reason, "check the URL of this sink, and what its server takes");
    default: break;
  }
  if (status == 408 || status == 425 || status == 429 || status >= 500) {
    auto outcome = Outcome::Retry(code, reason).RetryAfterMs(response.RetryAfterMs());
    if (status >= 500) outcome.MaybeDelivered();
    return outcome;
  }
  return Outcome::Rejected(code, reason);
}

/// The plugin's flags and advice; rates and concurrency apply unless the config sets them.
struct Options {
  std::uint32_t rate_max = 0, rate_per_ms = 1000, rate_burst = 1, concurrency = 0;
  bool concurrent_calls = false;
  bool ordered = false;  ///< Render uses Request::Order
  bool updates = false;  ///< from Advise: a later delivery of a call updates in place what an earlier one sent
};

// Adapters from the class to the C functions.

namespace detail {

// Detects members of a sink's class, and whether they have the signature that the host calls.

template <class T>
concept Renders = requires(T& t, const Delivery& d, Request& r) {
  { t.Render(d, r) } -> std::same_as<void>;
};
template <class T>
concept Interprets = requires(T& t, const Delivery& d, const Response& r) {
  Outcome{t.Interpret(d, r)};
};
template <class T>
concept Delivers = requires(T& t, const Call& c, const Delivery& d) {
  Outcome{t.Deliver(c, d)};
};
template <class T>
concept Previews = requires(T& t, const Delivery& d, Request& r) {
  { t.Preview(d, r) } -> std::same_as<void>;
};
template <class T>
concept Checks = requires(const Config& c, Report& r) {
  { T::Check(c, r) } -> std::same_as<void>;
};
template <class T>
concept Advises = requires(const T& t) {
  Options{t.Advise()};
};
template <class T>
concept Reopens = requires(T& t) {
  { t.Reopen() } -> std::same_as<void>;
};

// Whether T has any member of a name, also private, static or overloaded: combined with a base that has the name, the
// lookup is ambiguous. A final class cannot be a base, so there only members whose address can be taken are found.
#define HSW_HAS_MEMBER(name)              \
  struct With##name {                     \
    int name;                             \
  };                                      \
  template <class T>                      \
  struct Beside##name : T, With##name {}; \
  template <class T>                      \
  constexpr bool Has##name() {            \
    if constexpr (std::is_final_v<T>) {   \
      return requires {                   \
        &T::name;                         \
      };                                  \
    } else {                              \
      return !requires {                  \
        &Beside##name<T>::name;           \
      };                                  \
    }                                     \
  }
HSW_HAS_MEMBER(Interpret)
HSW_HAS_MEMBER(Preview)
HSW_HAS_MEMBER(Check)
HSW_HAS_MEMBER(Advise)
HSW_HAS_MEMBER(Reopen)
#undef HSW_HAS_MEMBER

/// Fails to compile if a member would silently be ignored.
template <class T>
constexpr void RefuseMisfits() {
  static_assert(Interprets<T> || !HasInterpret<T>(),
                "Interpret does not fit; public, it is: hsw::Outcome Interpret(const hsw::Delivery&, const "
                "hsw::Response&)");
  static_assert(Previews<T> || !HasPreview<T>(),
                "Preview does not fit; public, it is: void Preview(const hsw::Delivery&, hsw::Request&)");
  static_assert(Checks<T> || !HasCheck<T>(),
                "Check does not fit; public, it is: static void Check(const hsw::Config&, hsw::Report&)");
  static_assert(Advises<T> || !HasAdvise<T>(), "Advise does not fit; public, it is: hsw::Options Advise() const");
  static_assert(Reopens<T> || !HasReopen<T>(), "Reopen does not fit; public, it is: void Reopen()");
  static_assert(!(Renders<T> && Delivers<T>),
                "a sink has Render (HSW_HTTP_SINK) or Deliver (HSW_CALL_SINK); the other would never be called");
  static_assert(Renders<T> || !Interprets<T>, "Interpret is for HTTP sinks; Deliver returns what came of it");
  static_assert(!Renders<T> || !Previews<T>, "Preview is for call sinks; of an HTTP sink, Render is what is shown");
}

template <class Body>
bool Guard(hsw_outcome* out, Body body) noexcept {
  try {
    try {
      body();
      return true;
    } catch (const Rejected& e) {
      Outcome::Rejected(e.code, e.what()).CopyTo(out);
    } catch (const Misconfigured& e) {
      e.outcome.CopyTo(out);
    } catch (const std::exception& e) {
      Outcome::Retry("exception", e.what()).CopyTo(out);
    } catch (...) {
      Outcome::Retry("exception", "the plugin threw something that is not a std::exception").CopyTo(out);
    }
  } catch (...) {
    // Out of memory while describing a failure: the pre-filled retry stands.
  }
  return false;
}

template <class T>
struct Shims {
  static T* Self(hsw_instance* self) { return reinterpret_cast<T*>(self); }

  static void Check(const hsw_config* config, hsw_report report, void* context) noexcept {
    try {
      Report to(report, context);
      if constexpr (Checks<T>) T::Check(Config(config), to);
    } catch (const std::exception& e) {
      report(context, Str(""), Str(e.what()));
    } catch (...) {
      report(context, Str(""), Str("the plugin's check threw something that is not a std::exception"));
    }
  }
  static hsw_instance* Create(const hsw_host* host, const hsw_config* config, char* error, std::size_t size) noexcept {
    auto refuse = [&](std::string_view why) {
      const auto cut = CutBytes(why, size ? size - 1 : 0);
      if (!cut.empty()) std::memcpy(error, cut.data(), cut.size());
      if (size) error[cut.size()] = '\0';
      return nullptr;
    };
    try {
      return reinterpret_cast<hsw_instance*>(new T(Config(config), Host(host)));
    } catch (const std::exception& e) {
      return refuse(e.what());
    } catch (...) {
      return refuse("the plugin threw something that is not a std::exception");
    }
  }
  static void Destroy(hsw_instance* self) noexcept { delete Self(self); }

  static int Render(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request, hsw_outcome* out) noexcept {
    return Guard(out,
                 [&] {
                   Request to(request);
                   Self(self)->Render(Delivery(delivery), to);
                 })
               ? 0
               : 1;
  }
  static void Interpret(hsw_instance* self, const hsw_delivery* delivery, const hsw_response* response,
                        hsw_outcome* out) noexcept {
    (void)self, (void)delivery;
    Guard(out, [&] {
      const Response from(response);
      if constexpr (Interprets<T>) {
        const Delivery of(delivery);
        Outcome(Self(self)->Interpret(of, from)).CopyTo(out);
      } else {
        FromHttp(from).CopyTo(out);
      }
    });
  }
  static void Deliver(hsw_instance* self, const hsw_call* call, const hsw_delivery* delivery,
                      hsw_outcome* out) noexcept {
    Guard(out, [&] { Self(self)->Deliver(Call(call), Delivery(delivery)).CopyTo(out); });
  }
  static int Preview(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request,
                     hsw_outcome* out) noexcept {
    const bool made = Guard(out, [&] {
      Request to(request);
      if constexpr (Previews<T>) {
        Self(self)->Preview(Delivery(delivery), to);
      }
    });
    return made ? 0 : 1;
  }
  static void Advise(hsw_instance* self, hsw_advice* advice) noexcept {
    if constexpr (Advises<T>) {
      const Options options = Self(self)->Advise();
      advice->rate_max = options.rate_max;
      advice->rate_per_ms = options.rate_per_ms;
      advice->rate_burst = options.rate_burst;
      advice->concurrency = options.concurrency;
      advice->updates = options.updates ? 1 : 0;
    }
  }
  static void Reopen(hsw_instance* self) noexcept {
    (void)self;
    try {
      if constexpr (Reopens<T>) Self(self)->Reopen();
    } catch (...) {
      // There is no way to report the error; the next delivery will fail and report it.
    }
  }
};

template <class T>
hsw_sink Describe(std::uint32_t kind, const char* id, const char* version, const char* summary, const char* schema,
                  const Options& options) {
  RefuseMisfits<T>();
  using S = Shims<T>;
  hsw_sink sink{};
  sink.size = sizeof sink;
  sink.abi_major = HSW_ABI_MAJOR;
  sink.abi_minor = 3;  // the lowest host minor that has everything this header uses
  sink.kind = kind;
  if (options.concurrent_calls) sink.flags |= HSW_SINK_CONCURRENT;
  if (options.ordered) sink.flags |= HSW_SINK_ORDERED;
  sink.id = id;
  sink.version = version;
  sink.summary = summary;
  sink.config_schema = schema;
  sink.rate_max = options.rate_max;
  sink.rate_per_ms = options.rate_per_ms;
  sink.rate_burst = options.rate_burst;
  sink.concurrency = options.concurrency;
  sink.check = S::Check;
  sink.create = S::Create;
  sink.destroy = S::Destroy;
  if constexpr (Renders<T>) {
    sink.render = S::Render;
    sink.interpret = S::Interpret;
  }
  if constexpr (Delivers<T>) sink.deliver = S::Deliver;
  sink.reopen = S::Reopen;
  if constexpr (Advises<T>) sink.advise = S::Advise;
  if constexpr (Previews<T>) sink.preview = S::Preview;
  return sink;
}

}  // namespace detail
}  // namespace hsw

#define HSW_DEFINE_SINK(Class, kind, id, version, summary, schema, ...)                              \
  extern "C" HSW_EXPORT const hsw_sink* hsw_sink_entry(std::uint32_t, std::uint32_t) {               \
    static const hsw_sink sink =                                                                     \
        hsw::detail::Describe<Class>(kind, id, version, summary, schema, hsw::Options{__VA_ARGS__}); \
    return &sink;                                                                                    \
  }

/// Defines the entry point for the HTTP sink `Class`. Use once per library, outside any namespace. Options may follow
/// the schema:
/// HSW_HTTP_SINK(Slack, "slack", "1.0.0", "…", kSchema, .rate_max = 1, .rate_burst = 3)
#define HSW_HTTP_SINK(Class, id, version, summary, schema, ...)                             \
  static_assert(hsw::detail::Renders<Class>,                                                \
                #Class " needs, public: void Render(const hsw::Delivery&, hsw::Request&)"); \
  HSW_DEFINE_SINK(Class, HSW_KIND_HTTP, id, version, summary, schema __VA_OPT__(, ) __VA_ARGS__)

/// Defines the entry point for the call sink `Class`.
#define HSW_CALL_SINK(Class, id, version, summary, schema, ...)                                         \
  static_assert(hsw::detail::Delivers<Class>,                                                           \
                #Class " needs, public: hsw::Outcome Deliver(const hsw::Call&, const hsw::Delivery&)"); \
  HSW_DEFINE_SINK(Class, HSW_KIND_CALL, id, version, summary, schema __VA_OPT__(, ) __VA_ARGS__)
