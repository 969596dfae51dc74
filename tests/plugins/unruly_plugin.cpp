// A plugin in bare C++ without the SDK's wrapper that does at run time whatever the message's title asks for, and in
// its other functions what the config asks for.
#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/sink.h"

struct hsw_instance {
  const hsw_host* host = nullptr;
  std::string secret, misbehave, url;
  std::atomic<int> inside = 0;
  std::atomic<int> most_inside = 0;
};

namespace {

std::string_view View(hsw_str text) {
  return text.size ? std::string_view(text.data, text.size) : std::string_view();
}
hsw_str Str(std::string_view text) {
  return {text.data(), text.size()};
}

std::string Value(const hsw_config* config, std::string_view name) {
  for (size_t i = 0; i < config->value_count; ++i) {
    if (View(config->values[i].name) == name) return std::string(View(config->values[i].value));
  }
  return "";
}

int Overflow(volatile int& depth) {
  volatile char here[4096];
  depth = depth + 1;
  here[0] = static_cast<char>(depth);
  return depth < 0 ? 0 : Overflow(depth) + here[0];
}

/// The ways not to return.
void Do(std::string_view what) {
  if (what == "crash") raise(SIGSEGV);
  if (what == "abort") std::abort();
  if (volatile int depth = 0; what == "overflow") (void)Overflow(depth);
  if (what == "exit") std::exit(0);
  if (what == "_exit") ::_exit(0);
  if (what == "quick_exit") std::quick_exit(0);
  if (what == "hang") {
    for (;;) ::pause();
  }
  if (what == "throw") throw std::runtime_error("out of a function");
  if (what == "environment") {
    int variables = 0, descriptors = 0;
    while (environ[variables]) ++variables;
    for (int fd = 0; fd < 1000; ++fd) descriptors += ::fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    std::fprintf(stderr, "%d variables, %d descriptors\n", variables, descriptors);
    ::_exit(3);
  }
}

bool InTheRouter() {
  std::ifstream command("/proc/self/cmdline");
  return std::string(std::istreambuf_iterator<char>(command), {}).find("plugin-inspect-child") == std::string::npos;
}

/// `wish` is "create crash", or "create crash in the router": not where it is tried.
void Misbehave(std::string_view wish, std::string_view function) {
  if (!wish.starts_with(function) || wish.substr(function.size(), 1) != " ") return;
  wish.remove_prefix(function.size() + 1);
  constexpr std::string_view kInTheRouter = " in the router";
  if (wish.ends_with(kInTheRouter)) {
    if (!InTheRouter()) return;
    wish.remove_suffix(kInTheRouter.size());
  }
  Do(wish);
}

hsw_instance* Create(const hsw_host* host, const hsw_config* config, char* error, size_t error_size) {
  Misbehave(Value(config, "misbehave"), "create");
  auto* self = new hsw_instance;
  self->host = host;
  self->secret = Value(config, "secret");
  self->misbehave = Value(config, "misbehave");
  self->url = Value(config, "url");
  if (self->url.empty()) self->url = "https://unruly.test/";
  if (self->secret == "refuse-me") {
    const std::string why = "the secret refuse-me is not to my taste";
    std::strncpy(error, why.c_str(), error_size - 1);
    delete self;
    return nullptr;
  }
  if (self->secret == "throw-at-me") {
    delete self;
    throw std::runtime_error("out of create");
  }
  return self;
}
void Destroy(hsw_instance* self) {
  Misbehave(self->misbehave, "destroy");
  delete self;
}
void Reopen(hsw_instance* self) {
  Misbehave(self->misbehave, "reopen");
}
void Advise(hsw_instance* self, hsw_advice*) {
  Misbehave(self->misbehave, "advise");
}

int Render(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request, hsw_outcome* outcome) {
  const int inside = ++self->inside;
  for (int most = self->most_inside; inside > most && !self->most_inside.compare_exchange_weak(most, inside);) {
  }
  struct Leave {
    hsw_instance* self;
    ~Leave() { --self->inside; }
  } leave{self};

  const auto wish = View(delivery->message->title);
  request->set_url(request->host, Str(self->url));
  if (wish == "throw") throw 42;
  if (wish == "hang") self->host->log(self->host->host, HSW_LOG_WARN, Str("hangs"));
  Do(wish);
  if (wish == "fail silently") return 1;
  if (wish == "no url") request->set_url(request->host, Str(""));
  if (wish == "file url") request->set_url(request->host, Str("file:///etc/passwd"));
  if (wish == "url with line break") request->set_url(request->host, Str("https://unruly.test/\r\nX: y"));
  if (wish == "header injection") request->add_header(request->host, Str("X-A"), Str("a\r\nX-B: b"));
  if (wish == "bad header name") request->add_header(request->host, Str("X A"), Str("a"));
  if (wish == "longest body") request->set_body(request->host, Str(std::string(HSW_MOST_BODY, 'x')));
  if (wish == "longer body") request->set_body(request->host, Str(std::string(HSW_MOST_BODY + 1, 'x')));
  if (wish == "log") self->host->log(self->host->host, HSW_LOG_WARN, Str("talking to " + self->secret));
  if (wish == "next from render") {
    outcome->status = HSW_NEXT;
    return 1;
  }
  if (wish == "order") request->order(request->host, Str("incident-1"));
  if (wish == "how many") request->set_body(request->host, Str(std::to_string(self->most_inside.load())));
  if (wish == "service" && self->host->service(self->host->host, "hsw.none/1")) return 1;
  return 0;
}

void Interpret(hsw_instance* self, const hsw_delivery* delivery, const hsw_response* response, hsw_outcome* outcome) {
  const auto wish = View(delivery->message->title);
  if (wish.starts_with("/")) {
    const hsw_str value = response->json(response, Str(wish));
    outcome->status = HSW_REJECTED;
    std::strcpy(outcome->reason, value.data ? std::string(View(value)).c_str() : "(none)");
  }
  if (wish == "how long") {
    outcome->status = HSW_REJECTED;
    std::strcpy(outcome->reason, std::to_string(response->body.size).c_str());
    if (response->body_cut) std::strcat(outcome->reason, " and more");
  }
  if (wish == "throw") throw std::runtime_error("out of interpret");
  Misbehave(wish, "interpret");
  if (wish == "silence") return;
  if (wish == "unknown status") outcome->status = 77;
  if (wish == "only delivered") outcome->status = HSW_DELIVERED;
  if (wish == "only rejected") outcome->status = HSW_REJECTED;
  if (wish == "next for ever") outcome->status = HSW_NEXT;
  if (wish == "no terminator") {
    outcome->status = HSW_REJECTED;
    std::memset(outcome->code, 'c', sizeof outcome->code);
    std::memset(outcome->reason, 'r', sizeof outcome->reason);
  }
  if (wish == "bad text") {
    outcome->status = HSW_REJECTED;
    std::strcpy(outcome->code, "Bad Code!");
    std::strcpy(outcome->reason, "caf\xE9 said no");
  }
  if (wish == "place" || wish == "unknown scope" || wish == "place of a rejection") {
    outcome->status = wish == "place of a rejection" ? HSW_REJECTED : HSW_MISCONFIGURED;
    outcome->scope = wish == "unknown scope" ? 77 : HSW_SCOPE_PLACE;
    std::memset(outcome->place, 'p', sizeof outcome->place);
  }
  if (wish == "leak") {
    outcome->status = HSW_REJECTED;
    std::strcpy(outcome->reason, ("cannot reach " + self->secret).c_str());
    std::strcpy(outcome->action, ("call " + self->secret).c_str());
    std::strcpy(outcome->code, self->secret.c_str());
    std::strcpy(outcome->remote_id, ("id-" + self->secret).c_str());
  }
}

void Check(const hsw_config* config, hsw_report report, void* context) {
  Misbehave(Value(config, "misbehave"), "check");
  for (size_t i = 0; i < config->value_count; ++i) {
    if (View(config->values[i].name) == "secret" && View(config->values[i].value) == "bad-taste") {
      report(context, Str("/secret"), Str("bad-taste is not a good secret"));
      report(context, Str("/nowhere/at/all"), Str("and another thing"));
    }
  }
}

const hsw_sink kSink = [] {
  hsw_sink sink{};
  sink.size = sizeof sink;
  sink.abi_major = HSW_ABI_MAJOR;
  sink.kind = HSW_KIND_HTTP;
  sink.flags = HSW_SINK_ORDERED;
  sink.id = "unruly";
  sink.version = "0.1";
  sink.summary = "does what it is asked to";
  sink.config_schema =
      R"({"type": "object", "additionalProperties": false,
          "properties": {"secret": {"type": "string", "x-secret": true}, "misbehave": {"type": "string"},
                         "url": {"type": "string"},
                         "count": {"type": "integer", "default": 3}}})";
  sink.check = Check;
  sink.create = Create;
  sink.destroy = Destroy;
  sink.render = Render;
  sink.interpret = Interpret;
  sink.reopen = Reopen;
  sink.advise = Advise;
  return sink;
}();

}  // namespace

extern "C" HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t, uint32_t) {
  return &kSink;
}
