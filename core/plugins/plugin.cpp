#include "core/plugins/plugin.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstring>

#include "core/base/json.h"

namespace hookswitch::plugins {
namespace {

std::string Version(std::uint32_t major, std::uint32_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

const std::string& HostVersion() {
  static const auto* version = new std::string(Version(HSW_ABI_MAJOR, HSW_ABI_MINOR));
  return *version;
}

bool IsJsonObject(const char* text) {
  boost::system::error_code error;
  const auto value = json::parse(text, error);
  return !error && value.is_object();
}

/// Name of the first missing entry, or nullptr.
const char* FirstHole(const hsw_sink& sink) {
  if (!sink.id || !*sink.id) return "id";
  if (!sink.version) return "version";
  if (!sink.summary) return "summary";
  if (!sink.config_schema) return "config_schema";
  if (!sink.create) return "create";
  if (!sink.destroy) return "destroy";
  if (sink.kind == HSW_KIND_HTTP && !sink.render) return "render";
  if (sink.kind == HSW_KIND_HTTP && !sink.interpret) return "interpret";
  if (sink.kind == HSW_KIND_CALL && !sink.deliver) return "deliver";
  return nullptr;
}

}  // namespace

Result<hsw_sink> OpenLibrary(const std::filesystem::path& library, const std::filesystem::path& file) {
  const std::string name = "plugin file " + file.string();
  // RTLD_NOW: a missing symbol fails here instead of crashing at the first delivery.
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle) {
    const char* why = ::dlerror();
    std::string text = why ? why : "unknown error";
    if (const auto at = text.find(library.string()); at != std::string::npos) {
      text.replace(at, library.string().size(), file.string());
    }
    const bool lacks_library = text.find(": cannot open shared object file") != std::string::npos;
    const char* const advice = lacks_library
                                   ? "; a plugin must stand alone, for it is loaded from memory, where an rpath with "
                                     "$ORIGIN leads nowhere: link that library in, or install it where the dynamic "
                                     "linker looks (ldconfig)"
                                   : "; install what it needs, or rebuild it with add_sink_plugin()";
    return Error{ErrorCode::kInvalid, name + " cannot be loaded: " + text + advice};
  }
  auto* entry = reinterpret_cast<hsw_sink_entry_fn>(::dlsym(handle, HSW_SINK_ENTRY));
  if (!entry) {
    return Error{ErrorCode::kInvalid,
                 name + " is not a hookswitch sink: it does not export " HSW_SINK_ENTRY
                        "; end it with HSW_HTTP_SINK or HSW_CALL_SINK and build it with add_sink_plugin()"};
  }
  const hsw_sink* theirs = nullptr;
  try {
    theirs = entry(HSW_ABI_MAJOR, HSW_ABI_MINOR);
  } catch (...) {
    return Error{ErrorCode::kInvalid, name + " threw an exception out of " HSW_SINK_ENTRY};
  }
  if (!theirs) {
    return Error{ErrorCode::kUnsupported, name + " says that it cannot work with this hookswitch (sink ABI " +
                                              HostVersion() +
                                              "): install the build of it that is made for this version"};
  }
  constexpr std::size_t kHeader = offsetof(hsw_sink, kind);
  if (theirs->size < kHeader) {
    return Error{ErrorCode::kInvalid,
                 name + " describes itself with " + std::to_string(theirs->size) + " bytes, too few to hold a version"};
  }
  if (theirs->abi_major != HSW_ABI_MAJOR) {
    return Error{ErrorCode::kUnsupported,
                 name + " was built for sink ABI " + Version(theirs->abi_major, theirs->abi_minor) +
                     ", this hookswitch speaks " + HostVersion() +
                     ": rebuild it with this version's SDK, or install the build of it that is made for this version"};
  }
  if (theirs->abi_minor > HSW_ABI_MINOR) {
    return Error{ErrorCode::kUnsupported, name + " needs sink ABI " + Version(theirs->abi_major, theirs->abi_minor) +
                                              " or newer, this hookswitch speaks " + HostVersion() +
                                              ": upgrade hookswitch"};
  }
  constexpr std::size_t kSizeOf10 = offsetof(hsw_sink, reopen) + sizeof(theirs->reopen);
  if (theirs->size < kSizeOf10) {
    return Error{ErrorCode::kInvalid, name + " describes itself with " + std::to_string(theirs->size) +
                                          " bytes, sink ABI 1.0 has " + std::to_string(kSizeOf10) +
                                          ": rebuild it with the SDK's header"};
  }
  hsw_sink sink{};
  std::memcpy(&sink, theirs, std::min<std::size_t>(theirs->size, sizeof sink));
  if (sink.kind != HSW_KIND_HTTP && sink.kind != HSW_KIND_CALL) {
    return Error{ErrorCode::kUnsupported, name + " is a sink of kind " + std::to_string(sink.kind) +
                                              ", which this hookswitch (sink ABI " + HostVersion() + ") does not know"};
  }
  if (const char* hole = FirstHole(sink)) {
    return Error{ErrorCode::kInvalid, name + " does not set " + hole + " in its hsw_sink"};
  }
  if (!IsJsonObject(sink.config_schema)) {
    return Error{ErrorCode::kInvalid, name + " has a config_schema that is not a JSON object"};
  }
  return sink;
}

PluginInfo Describe(const hsw_sink& sink, const std::filesystem::path& file) {
  PluginInfo info;
  info.file = file;
  info.id = sink.id;
  info.version = sink.version;
  info.summary = sink.summary;
  info.config_schema = sink.config_schema;
  info.abi_major = static_cast<int>(sink.abi_major);
  info.abi_minor = static_cast<int>(sink.abi_minor);
  info.kind = sink.kind == HSW_KIND_HTTP ? Sink::Kind::kHttp : Sink::Kind::kCall;
  return info;
}

}  // namespace hookswitch::plugins
