// Built once per rule of the loader; each build breaks the one that its macro names.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "hookswitch/sink.h"

#if MISSING_SYMBOL
extern "C" int a_function_that_no_library_has();
#endif

namespace {

hsw_instance* Create(const hsw_host*, const hsw_config*, char*, size_t) {
#if MISSING_SYMBOL
  a_function_that_no_library_has();
#endif
  return nullptr;
}
void Destroy(hsw_instance*) {}
#if !NO_RENDER
int Render(hsw_instance*, const hsw_delivery*, hsw_request*, hsw_outcome*) {
  return 1;
}
#endif
void Interpret(hsw_instance*, const hsw_delivery*, const hsw_response*, hsw_outcome*) {}

#if CRASHES
struct AtLoad {
  AtLoad() { std::abort(); }
} g_at_load;
#elif EXITS
struct AtLoad {
  AtLoad() {
    std::fputs("cannot find my licence\n", stderr);
    _exit(3);
  }
} g_at_load;
#elif HANGS
struct AtLoad {
  AtLoad() {
    for (;;) pause();
  }
} g_at_load;
#elif CHATTY
struct AtLoad {
  AtLoad() {
    std::puts("{\"ok\":false} hello from a constructor");
    std::fflush(stdout);
  }
} g_at_load;
#endif

[[maybe_unused]] hsw_sink Table() {
  hsw_sink sink{};
  sink.size = sizeof sink;
  sink.abi_major = HSW_ABI_MAJOR;
  sink.kind = HSW_KIND_HTTP;
  sink.id = "bad";
  sink.version = "0.1";
  sink.summary = "breaks a rule";
  sink.config_schema = "{}";
  sink.create = Create;
  sink.destroy = Destroy;
#if !NO_RENDER
  sink.render = Render;
#endif
  sink.interpret = Interpret;
#if WRONG_MAJOR
  sink.abi_major = 2;
#elif NEWER_MINOR
  sink.abi_minor = 7;
#elif SHORT_TABLE
  sink.size = 64;
#elif NO_SCHEMA
  sink.config_schema = nullptr;
#elif BAD_SCHEMA
  sink.config_schema = "{\"type\": ";
#elif UNKNOWN_KIND
  sink.kind = 9;
#endif
  return sink;
}

}  // namespace

#if NO_ENTRY
extern "C" HSW_EXPORT const hsw_sink* some_other_entry(uint32_t, uint32_t) {
#else
extern "C" HSW_EXPORT const hsw_sink* hsw_sink_entry(uint32_t, uint32_t) {
#endif
#if REFUSES
  return nullptr;
#else
  static const hsw_sink sink = Table();
  return &sink;
#endif
}
