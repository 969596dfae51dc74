#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/base/result.h"
#include "core/base/sync.h"
#include "core/plugins/crash_marks.h"
#include "core/plugins/host_context.h"
#include "core/plugins/plugin.h"
#include "core/plugins/plugin_config.h"
#include "core/plugins/sink.h"

namespace hookswitch::plugins {

/// Bytes for the reason of a plugin that refuses its config.
inline constexpr std::size_t kCreateErrorSize = 1024;

/// One instance of a plugin. Destroyed when no call is inside it.
class Instance {
 public:
  Instance(std::shared_ptr<Plugin> plugin, const HostContext& host, hsw_instance* raw, SinkAdvice advice);
  ~Instance();
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  std::uint64_t number() const { return number_; }
  hsw_instance* raw() const { return raw_; }
  const SinkAdvice& advice() const { return advice_; }

  /// Logs that `call` has not returned in time.
  void LogStuck(PluginCall call) const;

  /// For instances that take one call at a time: blocks until no other call is inside. False: given up; no call may
  /// enter.
  bool Take() EXCLUDES(mu_);
  void Leave() EXCLUDES(mu_);
  /// A call in it does not return: no other may enter.
  void GiveUp() EXCLUDES(mu_);
  bool IsGivenUp() EXCLUDES(mu_);

  /// False if the previous reopen has not returned.
  bool BeginReopen() { return !reopening_.exchange(true); }
  void EndReopen() { reopening_ = false; }

 private:
  const std::uint64_t number_;
  const std::shared_ptr<Plugin> plugin_;
  const HostContext& host_;
  hsw_instance* const raw_;
  const SinkAdvice advice_;
  Mutex mu_;
  CondVar free_;
  bool taken_ GUARDED_BY(mu_) = false;
  bool given_up_ GUARDED_BY(mu_) = false;
  std::atomic<bool> reopening_{false};
};

using InstancePtr = std::shared_ptr<Instance>;

/// Calls create and advise. Errors: kInvalid (the plugin's reason, unmasked), kUnavailable (it does not return).
Result<InstancePtr> MakeInstance(const std::shared_ptr<Plugin>& plugin, const HostContext& host,
                                 const std::shared_ptr<const PluginConfig>& config, std::uint64_t subject);

}  // namespace hookswitch::plugins
