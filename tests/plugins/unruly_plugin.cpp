// A plugin in bare C++ without the SDK's wrapper that does at run time whatever the message's title asks for.
#include <atomic>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include "hookswitch/sink.h"

struct hsw_instance {
  const hsw_host* host = nullptr;
  std::string secret;
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

hsw_instance* Create(const hsw_host* host, const hsw_config* config, char* error, size_t error_size) {
  auto* self = new hsw_instance;
  self->host = host;
  for (size_t i = 0; i < config->value_count; ++i) {
    if (View(config->values[i].name) == "secret") self->secret = View(config->values[i].value);
  }
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
  delete self;
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
  request->set_url(request->host, Str("https://unruly.test/"));
  if (wish == "throw") throw 42;
  if (wish == "crash") raise(SIGSEGV);
  if (wish == "fail silently") return 1;
  if (wish == "no url") request->set_url(request->host, Str(""));
  if (wish == "file url") request->set_url(request->host, Str("file:///etc/passwd"));
  if (wish == "url with line break") request->set_url(request->host, Str("https://unruly.test/\r\nX: y"));
  if (wish == "header injection") request->add_header(request->host, Str("X-A"), Str("a\r\nX-B: b"));
  if (wish == "bad header name") request->add_header(request->host, Str("X A"), Str("a"));
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
  }
  if (wish == "throw") throw std::runtime_error("out of interpret");
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
          "properties": {"secret": {"type": "string", "x-secret": true}, "count": {"type": "integer", "default": 3}}})";
  sink.check = Check;
  sink.create = Create;
  sink.destroy = Destroy;
  sink.render = Render;
  sink.interpret = Interpret;
  return sink;
}();

}  // namespace

extern "C" HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t, uint32_t) {
  return &kSink;
}
