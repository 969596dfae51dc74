/* __name__: an HTTP sink in C. It says what to send and what the answer means; hookswitch sends, waits and retries.
 * hookswitch/sink.h has every rule at its place; share/doc/hookswitch/plugins/README.md, where hookswitch is installed,
 * explains them. */
#include <hookswitch/sink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hsw_instance {
  const hsw_tools* tools; /* JSON, base64, percent and form encoding, HMAC, times: from the host */
  char url[1024], authorization[1024];
};

static hsw_str text(const char* of) {
  hsw_str made = {of, strlen(of)};
  return made;
}

/* Copies the value of `key` into `to`; 0 if there is none or it is too long. */
static int take(const hsw_config* config, const char* key, char* to, size_t size) {
  for (size_t i = 0; i < config->value_count; ++i) {
    const hsw_pair* pair = &config->values[i];
    if (pair->name.size != strlen(key) || memcmp(pair->name.data, key, pair->name.size) != 0) continue;
    if (pair->value.size >= size) return 0;
    memcpy(to, pair->value.data, pair->value.size);
    to[pair->value.size] = '\0';
    return 1;
  }
  return 0;
}

/* Mistakes in the config that the schema below cannot say. Told with file, line and column. */
static void check(const hsw_config* config, hsw_report report, void* context) {
  char url[1024], allow_http[8];
  if (!take(config, "url", url, sizeof url) || strncmp(url, "https://", 8) == 0) return;
  if (strncmp(url, "http://", 7) == 0 && take(config, "allow_http", allow_http, sizeof allow_http) &&
      strcmp(allow_http, "true") == 0) {
    return;
  }
  report(context, text("/url"), text("url must begin with https://, or with http:// beside allow_http: true"));
}

/* One instance for each sink of the config that names this plugin. */
static hsw_instance* create(const hsw_host* host, const hsw_config* config, char* error, size_t error_size) {
  char key[900];
  hsw_instance* self = calloc(1, sizeof *self);
  (void)host;
  if (self) self->tools = config->tools;
  if (self && take(config, "url", self->url, sizeof self->url) && take(config, "key", key, sizeof key)) {
    snprintf(self->authorization, sizeof self->authorization, "Bearer %s", key);
    return self;
  }
  snprintf(error, error_size, "url or key is missing or too long");
  free(self);
  return NULL;
}

static void destroy(hsw_instance* self) {
  free(self);
}

/* Pure: no I/O, no clock, no randomness. The same delivery must become the same request. */
static int render(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request, hsw_outcome* outcome) {
  const hsw_tools* tools = self->tools;
  const hsw_message* message = delivery->message;
  char at[32];
  hsw_json* json = tools->json_new();
  if (!json) return 1; /* tried again, as the outcome is pre-filled */
  tools->json_object(json);
  tools->json_key(json, text("title"));
  tools->json_string(json, message->title);
  tools->json_key(json, text("fields"));
  tools->json_object(json);
  for (size_t i = 0; i < message->field_count; ++i) {
    tools->json_key(json, message->fields[i].name);
    tools->json_string(json, message->fields[i].value);
  }
  tools->json_end(json);
  tools->json_key(json, text("text"));
  tools->json_string(json, message->text);
  if (tools->utc_text(message->at_unix_ms, at, sizeof at) != HSW_NONE) {
    tools->json_key(json, text("at"));
    tools->json_string(json, text(at));
  }
  tools->json_end(json);
  (void)outcome;
  request->set_url(request->host, text(self->url));
  request->add_header(request->host, text("Content-Type"), text("application/json"));
  request->add_header(request->host, text("Authorization"), text(self->authorization));
  request->add_header(request->host, text("Idempotency-Key"), delivery->id); /* the same for every attempt */
  request->set_body(request->host, tools->json_text(json));
  tools->json_free(json);
  return 0;
}

static void say(hsw_outcome* outcome, uint32_t status, const char* code, const char* reason, const char* action) {
  outcome->status = status;
  snprintf(outcome->code, sizeof outcome->code, "%s", code);
  snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
  snprintf(outcome->action, sizeof outcome->action, "%s", action);
}

static void interpret(hsw_instance* self, const hsw_delivery* delivery, const hsw_response* response,
                      hsw_outcome* outcome) {
  const int status = response->status;
  char reason[64];
  (void)self;
  (void)delivery;
  snprintf(reason, sizeof reason, "the service answered HTTP %d", status);
  if (status >= 200 && status < 300) {
    outcome->status = HSW_DELIVERED;
  } else if (status == 408 || status == 429 || status >= 500) {
    say(outcome, HSW_RETRY, "busy", reason, "");
    outcome->retry_after_ms = response->retry_after_ms;
    if (status >= 500) outcome->flags |= HSW_MAYBE_DELIVERED;
  } else if (status == 400 || status == 413 || status == 422) {
    say(outcome, HSW_REJECTED, "refused", reason, "");
  } else {
    say(outcome, HSW_MISCONFIGURED, "not_accepted", reason, "check url and key, and reload");
  }
}

static const hsw_sink sink = {
    .size = sizeof(hsw_sink),
    .abi_major = HSW_ABI_MAJOR,
    .abi_minor = 2, /* the least host that has all of what is used here */
    .kind = HSW_KIND_HTTP,
    .flags = HSW_SINK_CONCURRENT,
    .id = "__name__",
    .version = "0.1.0",
    .summary = "Says in one line what it does",
    .config_schema =
        "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"url\", \"key\"],"
        " \"properties\": {"
        "\"url\": {\"type\": \"string\", \"description\": \"Where the service listens.\"},"
        "\"key\": {\"type\": \"string\", \"x-secret\": true, \"description\": \"Its API key.\"},"
        "\"allow_http\": {\"type\": \"boolean\", \"default\": false,"
        " \"description\": \"Accept a URL without TLS: for tests.\"}}}",
    .rate_max = 10,
    .rate_per_ms = 1000,
    .check = check,
    .create = create,
    .destroy = destroy,
    .render = render,
    .interpret = interpret,
};

HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &sink;
}
