/* The ABI is what compiled plugins believe: sizes and offsets on 64-bit Linux, from C11. A change here is a new major,
 * but for what a minor appends at a struct's end. */
#include "hookswitch/sink.h"

#define PIN(what, value) _Static_assert((what) == (value), #what)

PIN(sizeof(hsw_str), 16);
PIN(sizeof(hsw_pair), 32);

PIN(offsetof(hsw_outcome, status), 4);
PIN(offsetof(hsw_outcome, flags), 8);
PIN(offsetof(hsw_outcome, retry_after_ms), 12);
PIN(offsetof(hsw_outcome, code), 16);
PIN(offsetof(hsw_outcome, reason), 80);
PIN(offsetof(hsw_outcome, action), 592);
PIN(offsetof(hsw_outcome, remote_id), 1104);
PIN(offsetof(hsw_outcome, state), 1360);
PIN(offsetof(hsw_outcome, memory), 2384);
PIN(offsetof(hsw_outcome, scope), 3408); /* 1.2 */
PIN(offsetof(hsw_outcome, place), 3412);
PIN(offsetof(hsw_outcome, set_state), 3672);
PIN(offsetof(hsw_outcome, set_memory), 3680);
PIN(offsetof(hsw_outcome, host), 3688);
PIN(sizeof(hsw_outcome), 3696);

PIN(offsetof(hsw_message, severity), 4);
PIN(offsetof(hsw_message, title), 8);
PIN(offsetof(hsw_message, fields), 24);
PIN(offsetof(hsw_message, field_count), 32);
PIN(offsetof(hsw_message, text), 40);
PIN(offsetof(hsw_message, transcript), 56);
PIN(offsetof(hsw_message, links), 72);
PIN(offsetof(hsw_message, link_count), 80);
PIN(offsetof(hsw_message, at_unix_ms), 88);
PIN(sizeof(hsw_message), 96);

PIN(offsetof(hsw_event, id), 8);
PIN(offsetof(hsw_event, source), 24);
PIN(offsetof(hsw_event, call_id), 40);
PIN(offsetof(hsw_event, agent), 56);
PIN(offsetof(hsw_event, status), 72);
PIN(offsetof(hsw_event, stage), 88); /* 1.3 */
PIN(offsetof(hsw_event, sentiment), 104);
PIN(offsetof(hsw_event, success), 120);
PIN(sizeof(hsw_event), 128);

PIN(offsetof(hsw_delivery, attempt), 4);
PIN(offsetof(hsw_delivery, step), 8);
PIN(offsetof(hsw_delivery, id), 16);
PIN(offsetof(hsw_delivery, sink), 32);
PIN(offsetof(hsw_delivery, rule), 48);
PIN(offsetof(hsw_delivery, accepted_unix_ms), 64);
PIN(offsetof(hsw_delivery, event), 72);
PIN(offsetof(hsw_delivery, message), 80);
PIN(offsetof(hsw_delivery, state), 88);
PIN(offsetof(hsw_delivery, memory), 104);
PIN(offsetof(hsw_delivery, event_json), 120);
PIN(offsetof(hsw_delivery, host), 128);
PIN(offsetof(hsw_delivery, now_unix_ms), 136); /* 1.1 */
PIN(offsetof(hsw_delivery, event_value), 144);
PIN(offsetof(hsw_delivery, raw_body), 152);
PIN(offsetof(hsw_delivery, expand), 160); /* 1.2 */
PIN(sizeof(hsw_delivery), 168);

PIN(offsetof(hsw_request, host), 8);
PIN(offsetof(hsw_request, set_method), 16);
PIN(offsetof(hsw_request, set_url), 24);
PIN(offsetof(hsw_request, add_header), 32);
PIN(offsetof(hsw_request, set_body), 40);
PIN(offsetof(hsw_request, public_only), 48); /* 1.1 */
PIN(offsetof(hsw_request, pace), 56);
PIN(offsetof(hsw_request, order), 64); /* 1.2 */
PIN(sizeof(hsw_request), 72);

PIN(offsetof(hsw_response, status), 4);
PIN(offsetof(hsw_response, retry_after_ms), 8);
PIN(offsetof(hsw_response, headers), 16);
PIN(offsetof(hsw_response, header_count), 24);
PIN(offsetof(hsw_response, body), 32);
PIN(offsetof(hsw_response, json), 48); /* 1.1 */
PIN(offsetof(hsw_response, host), 56);
PIN(offsetof(hsw_response, body_cut), 64); /* 1.2 */
PIN(sizeof(hsw_response), 72);

PIN(offsetof(hsw_call, timeout_ms), 8);
PIN(offsetof(hsw_call, canceled), 16);
PIN(offsetof(hsw_call, host), 24);
PIN(sizeof(hsw_call), 32);

PIN(offsetof(hsw_host, abi_major), 4);
PIN(offsetof(hsw_host, abi_minor), 8);
PIN(offsetof(hsw_host, host), 16);
PIN(offsetof(hsw_host, log), 24);
PIN(offsetof(hsw_host, service), 32);
PIN(sizeof(hsw_host), 40);

PIN(offsetof(hsw_config, name), 8);
PIN(offsetof(hsw_config, json), 24);
PIN(offsetof(hsw_config, values), 40);
PIN(offsetof(hsw_config, value_count), 48);
PIN(offsetof(hsw_config, timezone), 56);
PIN(offsetof(hsw_config, tools), 64); /* 1.2 */
PIN(sizeof(hsw_config), 72);

PIN(offsetof(hsw_tools, encode), 8);
PIN(offsetof(hsw_tools, from_base64), 16);
PIN(offsetof(hsw_tools, hmac), 24);
PIN(offsetof(hsw_tools, utc_text), 32);
PIN(offsetof(hsw_tools, json_new), 40);
PIN(offsetof(hsw_tools, json_object), 48);
PIN(offsetof(hsw_tools, json_array), 56);
PIN(offsetof(hsw_tools, json_end), 64);
PIN(offsetof(hsw_tools, json_key), 72);
PIN(offsetof(hsw_tools, json_string), 80);
PIN(offsetof(hsw_tools, json_integer), 88);
PIN(offsetof(hsw_tools, json_number), 96);
PIN(offsetof(hsw_tools, json_bool), 104);
PIN(offsetof(hsw_tools, json_null), 112);
PIN(offsetof(hsw_tools, json_raw), 120);
PIN(offsetof(hsw_tools, json_text), 128);
PIN(offsetof(hsw_tools, json_free), 136);
PIN(sizeof(hsw_tools), 144);

PIN(offsetof(hsw_sink, abi_major), 4);
PIN(offsetof(hsw_sink, abi_minor), 8);
PIN(offsetof(hsw_sink, kind), 12);
PIN(offsetof(hsw_sink, flags), 16);
PIN(offsetof(hsw_sink, id), 24);
PIN(offsetof(hsw_sink, version), 32);
PIN(offsetof(hsw_sink, summary), 40);
PIN(offsetof(hsw_sink, config_schema), 48);
PIN(offsetof(hsw_sink, rate_max), 56);
PIN(offsetof(hsw_sink, rate_per_ms), 60);
PIN(offsetof(hsw_sink, rate_burst), 64);
PIN(offsetof(hsw_sink, concurrency), 68);
PIN(offsetof(hsw_sink, check), 72);
PIN(offsetof(hsw_sink, create), 80);
PIN(offsetof(hsw_sink, destroy), 88);
PIN(offsetof(hsw_sink, render), 96);
PIN(offsetof(hsw_sink, interpret), 104);
PIN(offsetof(hsw_sink, deliver), 112);
PIN(offsetof(hsw_sink, reopen), 120);
PIN(offsetof(hsw_sink, advise), 128);  /* 1.1 */
PIN(offsetof(hsw_sink, preview), 136); /* 1.2 */
PIN(sizeof(hsw_sink), 144);

PIN(offsetof(hsw_advice, rate_max), 4);
PIN(offsetof(hsw_advice, rate_per_ms), 8);
PIN(offsetof(hsw_advice, rate_burst), 12);
PIN(offsetof(hsw_advice, concurrency), 16);
PIN(offsetof(hsw_advice, updates), 20); /* 1.2 */
PIN(sizeof(hsw_advice), 24);

/* C and C++ must see the same sizes. */
size_t HswSizesSeenByC(size_t which) {
  const size_t sizes[] = {sizeof(hsw_outcome),  sizeof(hsw_message), sizeof(hsw_delivery), sizeof(hsw_request),
                          sizeof(hsw_response), sizeof(hsw_config),  sizeof(hsw_sink)};
  return sizes[which];
}
