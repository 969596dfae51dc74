// A sink that breaks the promise that its config names, in bare C++ so that nothing mends it.
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "hookswitch/sink.h"

struct hsw_instance {
  std::string fault;
  int calls = 0;
  std::vector<std::string> kept;
};

namespace {

std::string_view View(hsw_str text) {
  return text.size ? std::string_view(text.data, text.size) : std::string_view();
}
hsw_str Str(std::string_view text) {
  return {text.data(), text.size()};
}

hsw_instance* Create(const hsw_host*, const hsw_config* config, char* error, size_t size) {
  auto* self = new hsw_instance;
  for (size_t i = 0; i < config->value_count; ++i) {
    if (View(config->values[i].name) == "fault") self->fault = View(config->values[i].value);
  }
  if (self->fault == "leaks instances") {
    self->kept.emplace_back(100, 'x');
  }
  if (self->fault.size() > 100 || self->fault.empty()) {
    if (getenv("HSW_FAULTY_CRASHES")) std::abort();
    std::strncpy(error, "no such fault", size - 1);
    delete self;
    return nullptr;
  }
  return self;
}

void Destroy(hsw_instance* self) {
  if (self->fault == "leaks instances") return;
  delete self;
}

void Say(hsw_outcome* outcome, uint32_t status, const char* code) {
  outcome->status = status;
  std::strcpy(outcome->code, code);
  std::strcpy(outcome->reason, code);
  std::strcpy(outcome->action, code);
}

int Render(hsw_instance* self, const hsw_delivery* delivery, hsw_request* request, hsw_outcome* outcome) {
  const std::string& fault = self->fault;
  ++self->calls;
  const auto title = View(delivery->message->title);
  if (fault == "crashes on long titles" && title.size() > 10'000) std::abort();
  if (fault == "throws" && title == "?") throw 42;
  if (fault == "refuses without a word" && title == "?") return 1;
  if (fault == "always throws") {  // as sink.hpp tells it
    Say(outcome, HSW_RETRY, "exception");
    return 1;
  }
  if (fault == "refuses everything") {
    Say(outcome, HSW_REJECTED, "no_room");
    return 1;
  }
  if (fault == "leaks") self->kept.emplace_back(200, 'x');
  std::string body = "{\"title\":\"title\"}";
  if (fault == "counts") body = "{\"n\":" + std::to_string(self->calls) + "}";
  if (fault == "looks at the clock") {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    body = "{\"n\":" + std::to_string(now.tv_nsec) + "}";
  }
  if (fault == "does not escape") body = "{\"title\":\"" + std::string(title) + "\"}";
  if (fault == "shares a value") {
    static std::atomic<std::size_t> shared;
    shared = title.size();
    for (int i = 0; i < 20; ++i) std::this_thread::yield();
    body = "{\"n\":" + std::to_string(shared) + "}";
  }
  request->set_url(request->host, Str(fault == "has no URL" ? "" : "https://example.com/"));
  request->add_header(request->host, Str("Content-Type"), Str("application/json"));
  for (const char* name : {"Content-Length", "Host", "Connection", "Keep-Alive", "Proxy-Authorization"}) {
    if (fault == std::string("sets ") + name) request->add_header(request->host, Str(name), Str("1"));
  }
  request->set_body(request->host, Str(body));
  return 0;
}

void Interpret(hsw_instance* self, const hsw_delivery* delivery, const hsw_response* response, hsw_outcome* outcome) {
  const std::string& fault = self->fault;
  const int status = response->status;
  if (fault == "forgets an answer" && status == 418 + 4) return;
  if (fault == "gives up at 429" && status == 429) return Say(outcome, HSW_REJECTED, "limited");
  if (fault == "gives up at 503" && status == 503) return Say(outcome, HSW_REJECTED, "down");
  for (const int redirect : {301, 302, 303, 307, 308}) {
    if (fault == "takes " + std::to_string(redirect) + " as delivered" && status == redirect) {
      return Say(outcome, HSW_DELIVERED, "");
    }
  }
  if (fault == "gives no advice" && status == 401) {
    Say(outcome, HSW_MISCONFIGURED, "account");
    outcome->action[0] = '\0';
    return;
  }
  if (fault == "never ends" && status == 200) {
    outcome->status = HSW_NEXT;
    return;
  }
  if (fault == "trusts its state" && View(delivery->state) == "x") std::abort();
  if (status / 100 == 2) {
    outcome->status = HSW_DELIVERED;
  } else if (status == 429 || status >= 500) {
    Say(outcome, HSW_RETRY, "busy");
  } else {
    Say(outcome, HSW_REJECTED, "refused");
  }
}

constexpr hsw_sink kSink = {.size = sizeof(hsw_sink),
                            .abi_major = HSW_ABI_MAJOR,
                            .abi_minor = 0,
                            .kind = HSW_KIND_HTTP,
                            .flags = HSW_SINK_CONCURRENT,
                            .id = "faulty",
                            .version = "1.0.0",
                            .summary = "breaks a promise",
                            .config_schema = "{\"type\": \"object\"}",
                            .rate_max = 0,
                            .rate_per_ms = 0,
                            .rate_burst = 0,
                            .concurrency = 0,
                            .check = nullptr,
                            .create = Create,
                            .destroy = Destroy,
                            .render = Render,
                            .interpret = Interpret,
                            .deliver = nullptr,
                            .reopen = nullptr,
                            .advise = nullptr};

}  // namespace

extern "C" HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t, uint32_t) {
  return &kSink;
}
