/* A call sink as somebody wrote it in the days of ABI 1.0. Not to be changed. */
#include <hookswitch/sink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hsw_instance {
  FILE* file;
};

static hsw_instance* create(const hsw_host* host, const hsw_config* config, char* error, size_t error_size) {
  char path[4096] = "";
  hsw_instance* self;
  (void)host;
  for (size_t i = 0; i < config->value_count; ++i) {
    const hsw_pair* pair = &config->values[i];
    if (pair->name.size == 4 && memcmp(pair->name.data, "path", 4) == 0 && pair->value.size < sizeof path) {
      memcpy(path, pair->value.data, pair->value.size);
    }
  }
  self = malloc(sizeof *self);
  if (self) self->file = fopen(path, "a");
  if (!self || !self->file) {
    snprintf(error, error_size, "cannot open %.200s", path);
    free(self);
    return NULL;
  }
  return self;
}

static void destroy(hsw_instance* self) {
  fclose(self->file);
  free(self);
}

static void deliver(hsw_instance* self, const hsw_call* call, const hsw_delivery* delivery, hsw_outcome* outcome) {
  const hsw_str title = delivery->message->title;
  (void)call;
  if (fprintf(self->file, "%.*s\n", (int)title.size, title.data) < 0 || fflush(self->file) != 0) {
    snprintf(outcome->code, sizeof outcome->code, "write_failed");
    snprintf(outcome->reason, sizeof outcome->reason, "the line could not be written");
    return; /* the outcome is pre-filled with HSW_RETRY */
  }
  outcome->status = HSW_DELIVERED;
}

static const hsw_sink sink = {
    .size = sizeof(hsw_sink),
    .abi_major = HSW_ABI_MAJOR,
    .kind = HSW_KIND_CALL,
    .id = "oldest_call",
    .version = "1.0.0",
    .summary = "appends titles to a text file",
    .config_schema =
        "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"path\"],"
        " \"properties\": {\"path\": {\"type\": \"string\"}}}",
    .create = create,
    .destroy = destroy,
    .deliver = deliver,
};

HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &sink;
}
