/* The hookswitch sink ABI, version 1.2. C11 and C++; depends on nothing.
 *
 * A sink is a shared library that exports one symbol, hsw_sink_entry. It turns deliveries into requests (HTTP sinks) or
 * performs them itself (call sinks). share/doc/hookswitch/plugins/README.md, where hookswitch is installed, is a walk
 * through it.
 *
 * Rules that hold everywhere
 * - Strings are (data, size), UTF-8, not NUL-terminated unless a comment says so; data may be NULL when size is 0.
 * - Each side frees its own memory. A pointer handed to a function is valid until that function returns, unless a
 * comment says otherwise; copy what you keep.
 * - No C++ exception and no longjmp may cross from one side to the other.
 * - A struct starts with `size`, its sizeof as compiled by the side that fills it in. Read no field beyond it. Structs
 * grow by appending; later fields are marked ("since 1.1"). A plugin whose hsw_sink.abi_minor is at least that minor
 * always has them.
 * - Thread tags: [control] one thread at a time for all instances of a library, never during [deliver] calls of the
 * same instance unless said so; [deliver] any thread, one call at a time per instance unless HSW_SINK_CONCURRENT is
 * set; [any] any thread, at any time.
 */
#ifndef HOOKSWITCH_SINK_H
#define HOOKSWITCH_SINK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HSW_ABI_MAJOR 1u /* other majors are rejected */
#define HSW_ABI_MINOR 3u /* grows when structs or services are appended */

typedef struct hsw_str {
  const char* data;
  size_t size;
} hsw_str;

/* ---- what came of an attempt ------------------------------------------------------------------------------------- */

enum {
  HSW_RETRY = 0,         /* the same request may succeed later (pre-filled: an unset outcome loses no event) */
  HSW_DELIVERED = 1,     /* done */
  HSW_REJECTED = 2,      /* this message can never succeed; it becomes a dead letter, others go on */
  HSW_MISCONFIGURED = 3, /* credential or destination is broken: `scope` says which; not counted as a failed try.
                          * Deliveries to the same place wait until a probe succeeds or the operator resumes; the whole
                          * sink waits only while nothing gets through. A delivery that repeatedly gets this outcome,
                          * while others get through, ends as with HSW_REJECTED */
  HSW_NEXT = 4           /* this step succeeded; render is called again with step + 1 and the `state` set here; at most
                          * 16 steps, a further one rejects the delivery */
};

enum {
  HSW_MAYBE_DELIVERED = 1u, /* flag: the receiver may have acted although this is not a success */
  HSW_MEMORY_SET = 2u       /* flag: keep `memory` for this sink and call, and pass it to its later deliveries */
};

/* Since 1.2. With HSW_MISCONFIGURED: what is broken. */
enum {
  HSW_SCOPE_UNKNOWN =
      0, /* pre-filled: it may be this message, its place or the sink; the host decides by what gets through */
  HSW_SCOPE_PLACE = 1, /* the place of this delivery, such as a channel, a topic or a recipient: see `place` */
  HSW_SCOPE_SINK = 2   /* the credential, or every destination of the sink: no delivery can get through */
};

/* Since 1.2. Most bytes of a state or a memory; a longer one is a fault of the plugin. */
#define HSW_MOST_STATE (64u * 1024u)

/* Owned and pre-filled by the host; the plugin fills it in. All strings are NUL-terminated and cut to fit. */
typedef struct hsw_outcome hsw_outcome;
struct hsw_outcome {
  uint32_t size;
  uint32_t status;         /* HSW_RETRY … HSW_NEXT; an unknown value counts as HSW_RETRY */
  uint32_t flags;          /* HSW_MAYBE_DELIVERED | HSW_MEMORY_SET */
  uint32_t retry_after_ms; /* with HSW_RETRY: the receiver asked for this pause; it applies to the whole sink, or to the
                            * place that the request named with `pace`; 0: none */
  char code[64];           /* one stable word, for logs and the history: "invalid_blocks" */
  char reason[512];        /* one sentence for people; never a secret */
  char action[512];        /* what the operator should do; "" for nothing */
  char remote_id[256];     /* the receiver's id for the message; "" */
  char state[1024];        /* with HSW_NEXT: carried to the next step, stored durably before it */
  char memory[1024];       /* with HSW_MEMORY_SET */

  uint32_t scope;  /* Since 1.2. With HSW_MISCONFIGURED: HSW_SCOPE_UNKNOWN … HSW_SCOPE_SINK */
  char place[256]; /* Since 1.2. With HSW_SCOPE_PLACE: its name, for people and to identify it; no secret. "":
                    * the place that the request named with `pace` */

  /* Since 1.2. Set `state`, `memory` (and HSW_MEMORY_SET) if they may not fit into the members: up to HSW_MOST_STATE
   * bytes, copied at once, used instead of the members. A longer state rejects the delivery as "plugin_fault"; a longer
   * memory is dropped and logged. */
  void (*set_state)(hsw_outcome* outcome, hsw_str state);
  void (*set_memory)(hsw_outcome* outcome, hsw_str memory);
  void* host; /* the host's; do not touch */
};

/* ---- what is delivered ------------------------------------------------------------------------------------------- */

enum { HSW_INFO = 0, HSW_SUCCESS = 1, HSW_WARNING = 2, HSW_ERROR = 3 };

typedef struct hsw_pair {
  hsw_str name;
  hsw_str value;
} hsw_pair;

/* The message: plain text, no markup, not cut, not escaped. Escape and cut for your medium. */
typedef struct hsw_message {
  uint32_t size;
  uint32_t severity;      /* HSW_INFO … HSW_ERROR */
  hsw_str title;          /* never empty */
  const hsw_pair* fields; /* label and value, in order */
  size_t field_count;
  hsw_str text;          /* free text; may be empty */
  hsw_str transcript;    /* to be shown verbatim; may be empty */
  const hsw_pair* links; /* label and URL */
  size_t link_count;
  int64_t at_unix_ms; /* when it happened; INT64_MIN when unknown */
} hsw_message;

typedef struct hsw_event {
  uint32_t size;
  hsw_str id;      /* ours */
  hsw_str source;  /* the source's name in the config */
  hsw_str call_id; /* the platform's */
  hsw_str agent;   /* name, else id, else empty */
  hsw_str status;  /* "completed" */

  /* Since 1.3. */
  hsw_str stage;     /* "live", "ended" (the platform may say more about the call) or "final" */
  hsw_str sentiment; /* in lower case; empty when unknown */
  int32_t success;   /* whether the call reached its goal: 1, 0, or -1 when unknown */
} hsw_event;

typedef struct hsw_delivery hsw_delivery;
struct hsw_delivery {
  uint32_t size;
  uint32_t attempt; /* 1 for the first */
  uint32_t step;    /* 0 for the first request of a delivery */
  hsw_str id;       /* the same for every attempt: an idempotency key */
  hsw_str sink;     /* this sink's name in the config */
  hsw_str rule;     /* the rule that asked for it */
  int64_t accepted_unix_ms;
  const hsw_event* event;
  const hsw_message* message;
  hsw_str state;  /* set by the previous step; empty at step 0 */
  hsw_str memory; /* set by an earlier delivery of this sink and call; may be empty */
  /* The normalized event as JSON (config/README.md, "The normalized event"). Built on first use; valid until the call
   * that received this delivery returns. Values of its `data` are numbers and booleans where the platform's were; for a
   * plugin whose hsw_sink.abi_minor is below 3 they are all texts. */
  hsw_str (*event_json)(const hsw_delivery* delivery);
  const void* host; /* the host's; do not touch */

  /* Since 1.1. Start of this attempt; render must use no other clock. For signatures that contain a time. */
  int64_t now_unix_ms;
  /* Since 1.1. One value of the normalized event: `pointer` is an RFC 6901 pointer into event_json ("/agent/id",
   * "/duration", "/data/General.Outcome"). Strings unchanged, numbers, booleans, objects and arrays as JSON; data is
   * NULL if there is no value or it is null. Valid until the call that received this delivery returns. */
  hsw_str (*event_value)(const hsw_delivery* delivery, hsw_str pointer);
  /* Since 1.1. The body as the platform posted it, byte for byte. Read from disk on first use; data is NULL if that
   * fails (return HSW_RETRY) or if there is none (the router's own notices). Valid until the call that received this
   * delivery returns. */
  hsw_str (*raw_body)(const hsw_delivery* delivery);

  /* Since 1.2. Renders `text` as a template over this event: "{{agent}} called {{to}}", with the names and sections of
   * rule templates. Does not escape. data is NULL if it is not a valid template: an unknown name, an unclosed {{. Valid
   * until the call that received this delivery returns. */
  hsw_str (*expand)(const hsw_delivery* delivery, hsw_str text);
};

/* ---- HTTP sinks -------------------------------------------------------------------------------------------------- */

/* Since 1.2. Most bytes of a request body: each delivery in flight holds one in memory. */
#define HSW_MOST_BODY (16u * 1024u * 1024u)

/* Receives the request; every function copies its arguments at once. Starts as POST with no URL, headers or body. */
typedef struct hsw_request {
  uint32_t size;
  void* host;
  void (*set_method)(void* host, hsw_str method);
  void (*set_url)(void* host, hsw_str url); /* the host never logs it whole */
  void (*add_header)(void* host, hsw_str name, hsw_str value);
  void (*set_body)(void* host, hsw_str body); /* at most HSW_MOST_BODY bytes; a longer one is not sent, and the
                                               * delivery is rejected as "plugin_fault" */

  /* Since 1.1. Sends only to public addresses, checked after name resolution, and through no proxy except the one that
   * the operator set for this sink (which resolves names itself): for URLs not chosen by the operator. A private
   * address ends the attempt as misconfigured, "private_address". */
  void (*public_only)(void* host);
  /* Since 1.1. This request goes to a place with its own rate limit, such as the channel of a bot. `key` names the
   * place within this sink. At most `max` requests per `per_ms` (0: a second) go there, `burst` at once; 0: no limit. A
   * delivery that must wait is rendered again when its turn comes. A pause (retry_after_ms) in the outcome applies to
   * this place only. A rate_limit in the config overrides max, per_ms and burst. */
  void (*pace)(void* host, hsw_str key, uint32_t max, uint32_t per_ms, uint32_t burst);

  /* Since 1.2. Requests with the same `key` change the same remote thing (an incident, a row): they are sent one at a
   * time, in order of their events' acceptance, and none while an earlier one waits for its retry. Without a key only
   * deliveries of one call are ordered. Needs HSW_SINK_ORDERED. */
  void (*order)(void* host, hsw_str key);
} hsw_request;

/* Since 1.2. Most bytes of a response body; the rest is not read. */
#define HSW_MOST_ANSWER (256u * 1024u)

typedef struct hsw_response hsw_response;
struct hsw_response {
  uint32_t size;
  int32_t status;          /* HTTP status */
  uint32_t retry_after_ms; /* Retry-After, parsed by the host (seconds, decimals and dates); 0: none or invalid */
  const hsw_pair* headers;
  size_t header_count;
  hsw_str body; /* at most HSW_MOST_ANSWER bytes: see body_cut */

  /* Since 1.1. One value of a JSON body, by RFC 6901 pointer ("/error", "/message/ts"), like event_value of a delivery;
   * data is NULL also if the body is not JSON. Valid until interpret returns. */
  hsw_str (*json)(const hsw_response* response, hsw_str pointer);
  const void* host; /* the host's; do not touch */

  uint32_t
      body_cut; /* Since 1.2. Non-zero: the body was longer, and `body` is only its beginning; cut JSON is not valid */
};

/* ---- call sinks -------------------------------------------------------------------------------------------------- */

typedef struct hsw_call {
  uint32_t size;
  int64_t timeout_ms;                      /* return before this much time has passed */
  int (*canceled)(const struct hsw_call*); /* [any] non-zero: return soon, nobody waits for the outcome any more */
  const void* host;
} hsw_call;

/* ---- life -------------------------------------------------------------------------------------------------------- */

typedef struct hsw_instance hsw_instance; /* defined by the plugin; one per configured sink */

enum { HSW_LOG_DEBUG = 0, HSW_LOG_INFO = 1, HSW_LOG_WARN = 2, HSW_LOG_ERROR = 3 };

/* Valid as long as the library is loaded. */
typedef struct hsw_host {
  uint32_t size;
  uint32_t abi_major, abi_minor;
  void* host;
  void (*log)(void* host, uint32_t level, hsw_str text); /* [any] no secrets, no transcripts */
  const void* (*service)(void* host, const char* id);    /* [any] extensions by name; NULL: unknown. None exist yet */
} hsw_host;

/* Since 1.2. Functions of the host, so that plugins need no library for them. Valid as long as the plugin's library is
 * loaded. All are [any], but an hsw_json may be used by one thread at a time.
 *
 * Functions with `out` write the result and a NUL to its `out_size` bytes, cut to fit, and return the size of the whole
 * result without the NUL, like snprintf; or HSW_NONE if there is no result. `out` may be NULL if out_size is 0.
 */
#define HSW_NONE ((size_t)-1)
enum {
  HSW_BASE64 = 1,     /* RFC 4648 4, padded */
  HSW_BASE64_URL = 2, /* RFC 4648 5, not padded */
  HSW_PERCENT = 3,    /* for a part of a URL: all except A-Z a-z 0-9 - . _ ~ as %XX */
  HSW_FORM = 4,       /* for a name or value of application/x-www-form-urlencoded: a space is + */
  HSW_HEX = 5         /* lower case */
};
enum { HSW_SHA1 = 1, HSW_SHA256 = 2, HSW_SHA512 = 3 };
typedef struct hsw_json hsw_json;

typedef struct hsw_tools {
  uint32_t size;
  size_t (*encode)(uint32_t coding, hsw_str bytes, char* out, size_t out_size);
  /* Either alphabet, with or without padding. HSW_NONE: not base64. */
  size_t (*from_base64)(hsw_str text, char* out, size_t out_size);
  /* The bytes of an HMAC (RFC 2104): 20, 32 or 64 of them. */
  size_t (*hmac)(uint32_t hash, hsw_str key, hsw_str text, char* out, size_t out_size);
  /* "2026-03-04T09:30:00.123Z"; without the fraction if it is zero. HSW_NONE: the year does not have four digits. */
  size_t (*utc_text)(int64_t unix_ms, char* out, size_t out_size);

  /* A JSON writer: inserts commas, quotes and escapes, and ignores misplaced calls, such as a second value at the top
   * or a value without a key. json_new returns NULL when out of memory; all functions accept NULL. */
  hsw_json* (*json_new)(void);
  void (*json_object)(hsw_json* json); /* begins one */
  void (*json_array)(hsw_json* json);  /* begins one */
  void (*json_end)(hsw_json* json);    /* ends the innermost object or array */
  void (*json_key)(hsw_json* json, hsw_str key);
  void (*json_string)(hsw_json* json, hsw_str value); /* ill-formed UTF-8 becomes U+FFFD */
  void (*json_integer)(hsw_json* json, int64_t value);
  void (*json_number)(hsw_json* json, double value); /* null for NaN and infinities */
  void (*json_bool)(hsw_json* json, int value);
  void (*json_null)(hsw_json* json);
  void (*json_raw)(hsw_json* json, hsw_str value); /* must be valid JSON */
  hsw_str (*json_text)(const hsw_json* json);      /* valid until json changes or is freed */
  void (*json_free)(hsw_json* json);
} hsw_tools;

/* The sink's `config:` after validation against config_schema, defaults filled in, secrets resolved. */
typedef struct hsw_config {
  uint32_t size;
  hsw_str name;           /* the sink's name in the config */
  hsw_str json;           /* the whole config as a JSON object */
  const hsw_pair* values; /* its scalars: "webhook_url", nested as "tls.ca"; numbers and booleans as text */
  size_t value_count;
  const char* timezone; /* defaults.timezone, NUL-terminated IANA name */

  const hsw_tools* tools; /* Since 1.2 */
} hsw_config;

/* Reports that the value at `pointer` (RFC 6901, "/webhook_url") is invalid, and why. May be called many times. */
typedef void (*hsw_report)(void* context, hsw_str pointer, hsw_str problem);

enum { HSW_KIND_HTTP = 1, HSW_KIND_CALL = 2 };
enum {
  HSW_SINK_CONCURRENT = 1u, /* [deliver] functions may run at the same time on one instance */
  HSW_SINK_ORDERED = 2u     /* Since 1.2. HTTP sinks: render uses `order` */
};

/* Since 1.1. Limits of the receiver: see hsw_sink. */
typedef struct hsw_advice {
  uint32_t size;
  uint32_t rate_max, rate_per_ms, rate_burst, concurrency;
  uint32_t updates; /* Since 1.2. Non-zero: a later delivery of a call updates in place what an earlier one sent, so a
                     * revised event is delivered again. Initially 0 */
} hsw_advice;

/* What hsw_sink_entry returns: static, constant, valid as long as the library is loaded. */
typedef struct hsw_sink {
  uint32_t size;
  uint32_t abi_major; /* HSW_ABI_MAJOR */
  uint32_t abi_minor; /* the lowest host minor that this plugin needs */
  uint32_t kind;      /* HSW_KIND_HTTP or HSW_KIND_CALL */
  uint32_t flags;
  const char* id;            /* "slack" */
  const char* version;       /* "1.0.0" */
  const char* summary;       /* one line */
  const char* config_schema; /* JSON Schema (draft-07; plugins/README.md, "The config schema", says which part of it);
                                "x-secret": true marks secrets */

  /* Limits of the receiver, used unless the config sets a rate_limit: `rate_max` per `rate_per_ms`, at most
   * `rate_burst` at once; 0: no limit. `concurrency`: deliveries in flight; 0: the host's default. */
  uint32_t rate_max, rate_per_ms, rate_burst, concurrency;

  /* [control] Optional. Reports mistakes that a schema cannot express. Does no I/O. */
  void (*check)(const hsw_config* config, hsw_report report, void* context);
  /* [control] On failure returns NULL and a NUL-terminated reason in error (error_size bytes). */
  hsw_instance* (*create)(const hsw_host* host, const hsw_config* config, char* error, size_t error_size);
  /* [control] After the last [deliver] call of the instance. */
  void (*destroy)(hsw_instance* self);

  /* HTTP sinks. Both are pure: no I/O, no clock, no randomness; the host sends, retries and enforces deadlines.
   * render [deliver]: fills in `request` and returns 0, or returns non-zero with the reason in `outcome`.
   * interpret [deliver]: turns the response into `outcome`. Not called without a response. */
  int (*render)(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request, hsw_outcome* outcome);
  void (*interpret)(hsw_instance* self, const hsw_delivery* delivery, const hsw_response* response,
                    hsw_outcome* outcome);

  /* Call sinks. [deliver] May block until call->timeout_ms. */
  void (*deliver)(hsw_instance* self, const hsw_call* call, const hsw_delivery* delivery, hsw_outcome* outcome);

  /* [any] Optional. Reopen files, after a reload that keeps this instance. May run during [deliver]. */
  void (*reopen)(hsw_instance* self);

  /* [control] Since 1.1. Optional. For a plugin whose instances have different limits: corrects `advice`, which is
   * pre-filled with this struct's rate_max … concurrency. */
  void (*advise)(hsw_instance* self, hsw_advice* advice);

  /* [deliver] Since 1.2. Call sinks, optional: shows what deliver would write (`hookswitch preview`). Fills in the body
   * (the line, the row, the mail) and the destination as URL; no I/O. Otherwise like render. */
  int (*preview)(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request, hsw_outcome* outcome);
} hsw_sink;

/* The one exported symbol. [control] Called once after loading. Returns NULL if the plugin cannot work with this host.
 */
typedef const hsw_sink* (*hsw_sink_entry_fn)(uint32_t host_major, uint32_t host_minor);
#define HSW_SINK_ENTRY "hsw_sink_entry"

#if defined(__GNUC__)
#define HSW_EXPORT __attribute__((visibility("default")))
#else
#define HSW_EXPORT
#endif

#ifdef __cplusplus
}
#endif
#endif
