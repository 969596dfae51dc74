#pragma once
#include <string>
#include <utility>

#include "core/plugins/masker.h"
#include "hookswitch/sink.h"

namespace hookswitch::plugins {

/// Target of a plugin's hsw_host. Never freed, because a library is never unloaded and may keep the pointer: one per
/// sink object ever created, a few hundred bytes each.
struct HostContext {
  HostContext(std::string name, Masker masker) : name(std::move(name)), masker(std::move(masker)) {}
  std::string name;
  Masker masker;
  hsw_host raw{};
};

/// Makes the host interface for an instance of `sink`, with its services. Never freed.
HostContext& MakeHost(const std::string& sink, Masker masker);

}  // namespace hookswitch::plugins
