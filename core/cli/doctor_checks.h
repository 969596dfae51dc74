#pragma once
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/cli/finding.h"
#include "core/config/config.h"
#include "core/delivery/delivery_plan.h"
#include "core/http/http_client.h"
#include "core/journal/postgres/pg_inspect.h"

/// The checks of `hookswitch doctor`: what is measured, and what is made of it.
namespace hookswitch::cli {

// doctor_config.cpp: what `check` cannot know to be wrong, but usually is

/// Bolna's newer addresses missing from an allow list, a proxy that is not in trusted_proxies, no public_url.
Findings FindMistakes(const config::Config& config);

// doctor_machine.cpp

struct DiskSpace {
  std::uint64_t free = 0, size = 0;         ///< bytes, for those who are not root
  std::uint64_t free_files = 0, files = 0;  ///< inodes; `files` 0: not limited
};
/// Of the file system that holds `path`, or will; empty if it cannot be asked.
std::optional<DiskSpace> DiskSpaceOf(const std::string& path);
/// `used`: bytes of the journal as it is, which retention lets grow to `retention_size`.
Finding JudgeDisk(const std::string& path, const std::optional<DiskSpace>& space, std::uint64_t used,
                  std::uint64_t retention_size);

/// Whether the kernel knows its clock to be kept right by NTP; empty if it cannot be asked.
std::optional<bool> IsClockSynchronized();
/// `behind`: how far this clock is behind those of other machines, as their responses said.
Finding JudgeClock(std::optional<bool> synchronized, std::vector<std::chrono::milliseconds> behind);

/// The journal's file and folder. `router_answers`: the router of this config does.
Findings CheckJournal(const std::string& path, bool router_answers);

// doctor_postgres.cpp

/// Where a journal on PostgreSQL can be reached, what may be done there, and what its commits promise.
Findings CheckPostgres(const config::Postgres& postgres);
/// What is made of the answers.
Findings JudgePostgres(const pg::ServerFacts& facts);

// doctor_network.cpp

/// A GET of `url`, where a source is posted to, with a nonce; `proof` is what this router answers.
Finding JudgeReach(const std::string& url, const HttpResult& result, const std::string& proof);

/// Whether senders reach the router at public_url. `nonce` and `proof`: of GET /api/v1/reach.
Findings CheckReach(const config::Config& config, const std::string& nonce, const std::string& proof);

struct Destinations {
  Findings findings;
  std::vector<std::chrono::milliseconds> behind;  ///< for JudgeClock
};
/// Names, connections and TLS of where each sink sends to. An HTTP sink's is asked for HEAD /.
Destinations CheckDestinations(const DeliveryPlan& plan, const Clock& clock);

}  // namespace hookswitch::cli
