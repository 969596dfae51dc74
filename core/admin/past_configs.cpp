#include "core/admin/past_configs.h"

#include <algorithm>
#include <utility>

#include "core/config/kept_text.h"

namespace hookswitch {
namespace {
// Each may take as much memory as the running config's rules.
constexpr std::size_t kMostKept = 4;
}  // namespace

void PastConfigs::Use(const Digest& hash, SourceMap sources, std::shared_ptr<const RouteTable> routes) {
  auto compiled = std::make_shared<const Compiled>(Compiled{std::move(sources), std::move(routes), {}});
  MutexLock lock(mu_);
  current_hash_ = hash;
  current_ = std::move(compiled);
}

PastReading PastConfigs::Read(const StoredEvent& stored) {
  PastReading past;
  if (stored.source == kOwnSource) {
    past.reading = ReadEvent(stored, {}, nullptr);
    return past;
  }
  Named named = NamedBy(stored);
  past.config = named.config;
  if (named.compiled) {
    past.reading = ReadEvent(stored, named.compiled->sources, named.compiled->routes);
  } else {
    past.reading.why_not = std::move(named.why_not);
  }
  return past;
}

std::shared_ptr<const CallEvent> PastConfigs::Normalize(const StoredEvent& stored) {
  if (stored.source == kOwnSource) return nullptr;
  const Named named = NamedBy(stored);
  if (!named.compiled || named.config->is_current) return nullptr;
  return ReadEvent(stored, named.compiled->sources, nullptr).call;
}

PastConfigs::Named PastConfigs::NamedBy(const StoredEvent& stored) {
  Named named;
  if (stored.config == 0) {
    named.why_not = "it does not say which config routed it: an earlier version of hookswitch stored it";
    return named;
  }
  const auto known = Find(stored.config);
  if (!known) {
    named.why_not = "the config that routed it cannot be read: " + known.error().message;
    return named;
  }
  named.compiled = known->compiled;
  {
    MutexLock lock(mu_);
    const bool is_current = current_ && known->hash == current_hash_;
    named.config = {known->hash, known->since, is_current};
    if (is_current) named.compiled = current_;
  }
  if (!named.compiled) named.compiled = CompiledOf(stored.config);
  if (!named.compiled->routes) named.why_not = std::exchange(named.compiled, nullptr)->why_not;
  return named;
}

Result<PastConfigs::Known> PastConfigs::Find(std::int64_t number) {
  {
    MutexLock lock(mu_);
    const auto found = std::ranges::find(recent_, number, &Known::number);
    if (found != recent_.end()) {
      recent_.splice(recent_.begin(), recent_, found);
      return *found;
    }
  }
  const auto config = history_.LoadConfig(number);
  if (!config) return config.error();
  Known known{number, config->hash, config->since};
  Remember(known);
  return known;
}

std::shared_ptr<const PastConfigs::Compiled> PastConfigs::CompiledOf(std::int64_t number) {
  MutexLock lock(compiling_mu_);
  if (const auto known = Find(number); known && known->compiled) return known->compiled;
  const auto config = history_.LoadConfig(number);
  if (!config) {
    return std::make_shared<const Compiled>(
        Compiled{{}, nullptr, "the config that routed it cannot be read: " + config.error().message});
  }
  auto compiled = Compile(*config);
  Remember({number, config->hash, config->since, compiled});
  return compiled;
}

void PastConfigs::Remember(Known known) {
  MutexLock lock(mu_);
  const auto before = std::ranges::find(recent_, known.number, &Known::number);
  if (before != recent_.end()) {
    // Another thread may have compiled it since Find missed it.
    if (!known.compiled) known.compiled = before->compiled;
    recent_.erase(before);
  }
  recent_.push_front(std::move(known));
  if (recent_.size() > kMostKept) recent_.pop_back();
}

std::shared_ptr<const PastConfigs::Compiled> PastConfigs::Compile(const KeptConfig& kept) {
  auto compiled = std::make_shared<Compiled>();
  if (kept.text.empty()) {
    compiled->why_not = "the config that routed it was too large to be kept, and another one runs now";
    return compiled;
  }
  const auto config = config::ReadKeptText({kept.hash, kept.text});
  if (!config) {
    compiled->why_not = "this version cannot read the config that routed it: " + config.error().message;
    return compiled;
  }
  config::Problems problems;
  compiled->routes = RouteTable::Compile(*config, problems);
  if (!compiled->routes) {
    compiled->why_not = "this version cannot read the config that routed it: " + problems.All().front().message;
    return compiled;
  }
  const auto agents = std::make_shared<const AgentMap>(config->agents);
  for (const auto& source : config->sources) compiled->sources.emplace(source.name, MakeSource(source, agents));
  return compiled;
}

}  // namespace hookswitch
