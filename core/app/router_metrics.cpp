#include "core/app/router_metrics.h"

#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/log.h"
#include "core/base/version.h"

namespace hookswitch {

RouterMetrics::RouterMetrics(Metrics& metrics, Journal& journal, const config::Journal& config, WallTime started_at)
    : metrics_(metrics),
      successful_(metrics.MakeGauge("hookswitch_config_last_reload_successful",
                                    "1 if the last reading of the config was applied")),
      applied_at_(metrics.MakeGauge("hookswitch_config_last_reload_success_timestamp_seconds",
                                    "When the running config was applied")),
      generation_(
          metrics.MakeGauge("hookswitch_config_generation", "How many configs have been applied since the start")),
      need_restart_(metrics.MakeGauge("hookswitch_config_restart_needed",
                                      "Keys of the running config whose values only a restart applies")),
      reloads_(metrics.MakeCounter("hookswitch_config_reloads_total", "Reloads asked for")),
      failed_(metrics.MakeCounter("hookswitch_config_reloads_failed_total",
                                  "Reloads that changed nothing because of problems")) {
  Reloaded(1, started_at, 0);
  metrics.MakeGauge("hookswitch_build_info", "Always 1; the version is a label", {{"version", std::string(kVersion)}})
      .Set(1);

  auto events = metrics.MakeGauge("hookswitch_journal_events", "Events stored");
  auto pending = metrics.MakeGauge("hookswitch_journal_pending", "Deliveries that have not ended");
  auto bytes =
      metrics.MakeGauge("hookswitch_journal_bytes",
                        "What the journal holds: the pages in use, also those that are in the log only, and the log");
  const auto file = [&metrics](const char* name) {
    return metrics.MakeGauge("hookswitch_journal_file_bytes", "Sizes of the journal's files as they are on disk",
                             {{"file", name}});
  };
  auto database = file("database"), write_ahead_log = file("log"), log_index = file("index");
  auto bad = metrics.MakeGauge("hookswitch_journal_bad_rows", "Damaged rows that are skipped");
  auto writable = metrics.MakeGauge("hookswitch_journal_writable", "1 while the journal can be written");
  auto delivers = metrics.MakeGauge(
      "hookswitch_delivers", "1 while this router delivers what is pending; one of those that share a journal does");
  auto dropped = metrics.MakeGauge("hookswitch_log_lines_dropped", "Log lines dropped because stderr did not keep up");
  auto disk_free = metrics.MakeGauge("hookswitch_journal_disk_free_bytes", "Free space on the journal's disk");
  metrics
      .MakeGauge("hookswitch_journal_max_backlog",
                 "Deliveries of one sink that may be pending (journal.max_backlog); events for more are answered 503")
      .Set(static_cast<double>(config.max_backlog));
  metrics.BeforeScrape([=, &journal, folder = std::filesystem::path(config.beside).parent_path()] {
    const JournalStats stats = journal.Stats();
    events.Set(static_cast<double>(stats.events));
    pending.Set(static_cast<double>(stats.pending));
    bytes.Set(static_cast<double>(stats.BytesUsed()));
    database.Set(static_cast<double>(stats.database_file));
    write_ahead_log.Set(static_cast<double>(stats.log_file));
    log_index.Set(static_cast<double>(stats.index_file));
    bad.Set(static_cast<double>(stats.bad_rows));
    writable.Set(stats.unwritable_reason.empty() ? 1 : 0);
    delivers.Set(journal.OwnsPending() ? 1 : 0);
    dropped.Set(static_cast<double>(log::Dropped()));
    std::error_code failed;
    const auto space = std::filesystem::space(folder.empty() ? "." : folder, failed);
    if (!failed) disk_free.Set(static_cast<double>(space.available));
  });
}

void RouterMetrics::Show(std::function<std::vector<Part>()> parts, std::function<IndexStatus()> search) {
  std::map<std::string_view, Gauge> ready;
  for (const char* part : {"journal", "backlog", "descriptors", "ingress"}) {
    ready.emplace(part, metrics_.MakeGauge("hookswitch_ready", "0 while this part makes /readyz answer 503, else 1",
                                           {{"part", part}}));
  }
  auto usable = metrics_.MakeGauge("hookswitch_search_index_usable", "0 while searches read the journal instead");
  auto behind = metrics_.MakeGauge("hookswitch_search_index_behind", "Events that searches do not find yet");
  auto bytes = metrics_.MakeGauge("hookswitch_search_index_bytes", "Size of the search index on disk");
  metrics_.BeforeScrape([=, parts = std::move(parts), search = std::move(search)] {
    for (const Part& part : parts()) {
      const auto shown = ready.find(part.name);
      if (shown != ready.end()) shown->second.Set(part.failing ? 0 : 1);
    }
    const IndexStatus status = search();
    usable.Set(status.usable ? 1 : 0);
    behind.Set(static_cast<double>(status.behind));
    bytes.Set(static_cast<double>(status.bytes));
  });
}

void RouterMetrics::ReloadFailed() {
  successful_.Set(0);
  failed_.Add();
}

void RouterMetrics::Reloaded(std::uint64_t generation, WallTime at, std::size_t need_restart) {
  successful_.Set(1);
  applied_at_.Set(static_cast<double>(at.time_since_epoch().count()) / 1000.0);
  generation_.Set(static_cast<double>(generation));
  need_restart_.Set(static_cast<double>(need_restart));
}

}  // namespace hookswitch
