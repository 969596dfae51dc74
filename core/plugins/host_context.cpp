#include "core/plugins/host_context.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/sync.h"
#include "core/base/text.h"

namespace hookswitch::plugins {
namespace {

HostContext& KeepForever(std::unique_ptr<HostContext> context) {
  static Mutex mu;
  static auto* all = new std::vector<std::unique_ptr<HostContext>>;
  MutexLock lock(mu);
  return *all->emplace_back(std::move(context));
}

void HostLog(void* host, std::uint32_t level, hsw_str text) {
  const auto* context = static_cast<const HostContext*>(host);
  constexpr std::size_t kMostText = 2000;
  const std::string_view said(text.data, text.data ? std::min(text.size, kMostText) : 0);
  const std::string masked = context->masker.Mask(ToUtf8(said));
  const log::Fields fields = {{"sink", context->name}, {"text", masked}};
  switch (level) {
    case HSW_LOG_DEBUG: return log::Debug("sink_log", fields);
    case HSW_LOG_INFO: return log::Info("sink_log", fields);
    case HSW_LOG_WARN: return log::Warn("sink_log", fields);
    default: return log::Error("sink_log", fields);
  }
}

const void* HostService(void*, const char*) {
  return nullptr;
}

}  // namespace

HostContext& MakeHost(const std::string& sink, Masker masker) {
  HostContext& host = KeepForever(std::make_unique<HostContext>(sink, std::move(masker)));
  host.raw.size = sizeof host.raw;
  host.raw.abi_major = HSW_ABI_MAJOR;
  host.raw.abi_minor = HSW_ABI_MINOR;
  host.raw.host = &host;
  host.raw.log = HostLog;
  host.raw.service = HostService;
  return host;
}

}  // namespace hookswitch::plugins
