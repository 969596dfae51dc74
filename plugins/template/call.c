/* __name__: a call sink in C. It delivers itself, blocking, on a thread of its own; here by one datagram.
 * hookswitch/sink.h has every rule at its place; share/doc/hookswitch/plugins/README.md, where hookswitch is installed,
 * explains them. */
#define _GNU_SOURCE
#include <errno.h>
#include <hookswitch/sink.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct hsw_instance {
  char host[256], port[16];
};

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

/* One instance for each sink of the config that names this plugin. No I/O here: `hookswitch check` and every reload
 * make an instance only to see whether it can be made. */
static hsw_instance* create(const hsw_host* host, const hsw_config* config, char* error, size_t error_size) {
  hsw_instance* self = calloc(1, sizeof *self);
  (void)host;
  if (self && take(config, "host", self->host, sizeof self->host) &&
      take(config, "port", self->port, sizeof self->port)) {
    return self;
  }
  snprintf(error, error_size, "host or port is missing or too long");
  free(self);
  return NULL;
}

static void destroy(hsw_instance* self) {
  free(self);
}

/* The outcome is pre-filled with HSW_RETRY. */
static void fail(hsw_outcome* outcome, const char* code, const char* reason) {
  snprintf(outcome->code, sizeof outcome->code, "%s", code);
  snprintf(outcome->reason, sizeof outcome->reason, "%s", reason);
}

static int64_t now_ms(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Waits until something can be sent; 0 when the time is over or nobody waits for the outcome any more. */
static int wait_until_writable(int fd, const hsw_call* call) {
  const int64_t until = now_ms() + call->timeout_ms;
  struct pollfd writable = {.fd = fd, .events = POLLOUT};
  while (poll(&writable, 1, 100) == 0) {
    if (call->canceled(call) || now_ms() >= until) return 0;
  }
  return 1;
}

/* This runs inside the router, on a thread of the router's:
 * - Return before call->timeout_ms has passed, so wait for nothing without a limit, and look at call->canceled(call)
 *   meanwhile: when it is not 0, nobody waits for the outcome any more. What has not returned 2 s after timeout_ms is
 *   abandoned with its thread, and the delivery is tried again on a new instance.
 * - One call at a time for each instance. With HSW_SINK_CONCURRENT there are more, and the instance needs a lock.
 * - SIGHUP, SIGINT and SIGTERM are blocked and SIGPIPE is ignored, here and in threads that you start. Leave them so,
 * and install no signal handlers. `destroy` has to join your threads.
 * - Open descriptors with SOCK_CLOEXEC or O_CLOEXEC, as here. A child process gets all others, the blocked signals and
 *   the ignored SIGPIPE: start it with posix_spawn and POSIX_SPAWN_SETSIGMASK, POSIX_SPAWN_SETSIGDEF, never by fork()
 *   alone, and wait for it here.
 * - Under systemd only /var/lib/hookswitch and /tmp may be written; "Call sinks" in the page has the rest. */
static void deliver(hsw_instance* self, const hsw_call* call, const hsw_delivery* delivery, hsw_outcome* outcome) {
  const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
  struct addrinfo* found = NULL;
  const hsw_str title = delivery->message->title;
  ssize_t sent = -1;
  int fd;
  if (getaddrinfo(self->host, self->port, &hints, &found) != 0) {
    fail(outcome, "dns_failed", "the name of the host was not found");
    return;
  }
  fd = socket(found->ai_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd >= 0) {
    if (wait_until_writable(fd, call)) {
      sent = sendto(fd, title.data, title.size < 1000 ? title.size : 1000, 0, found->ai_addr, found->ai_addrlen);
    }
    close(fd);
  }
  freeaddrinfo(found);
  if (sent < 0) {
    fail(outcome, "send_failed", "nothing could be sent in time");
  } else {
    outcome->status = HSW_DELIVERED;
  }
}

static const hsw_sink sink = {
    .size = sizeof(hsw_sink),
    .abi_major = HSW_ABI_MAJOR,
    .abi_minor = 0, /* the least host that has all of what is used here */
    .kind = HSW_KIND_CALL,
    .id = "__name__",
    .version = "0.1.0",
    .summary = "Says in one line what it does",
    .config_schema =
        "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"host\", \"port\"],"
        " \"properties\": {"
        "\"host\": {\"type\": \"string\", \"minLength\": 1, \"description\": \"Who listens.\"},"
        "\"port\": {\"type\": \"integer\", \"minimum\": 1, \"maximum\": 65535,"
        " \"description\": \"On which UDP port.\"}}}",
    .concurrency = 1,
    .create = create,
    .destroy = destroy,
    .deliver = deliver,
};

HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t host_major, uint32_t host_minor) {
  (void)host_major;
  (void)host_minor;
  return &sink;
}
