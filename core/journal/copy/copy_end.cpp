#include "core/journal/copy/copy_end.h"

#include <algorithm>
#include <array>

#include "core/base/check.h"

namespace hookswitch {
namespace {

constexpr std::array<CopyTable, 9> kTables{{
    {"config", "number, hash, since_ms, text", "ibit"},
    {"event",
     "seq, received_ms, call_key, content, config, first_delivery, deliveries, revisions, source, call_id, agent, "
     "status, note, headers, body, digest",
     "iiiiiiiittttttbb"},
    {"delivery",
     "seq, event, call_key, accepted_ms, replayed_ms, due_ms, first_failed_ms, fallback, state, flags, attempts, step, "
     "sink, rule, template, carried, story, code, because",
     "iiiiiiiiiiiittttttt"},
    {"attempt",
     "delivery, seq, number, trigger_kind, started_ms, latency_ms, kind, may_have_been_delivered, http_status, "
     "connect_ms, first_byte_ms, code, reason, action, remote_id, request, response, waits",
     "iiiiiiiiiiittttttt"},
    {"revision", "event, number, until_ms, headers, body", "iiitb"},
    {"memory", "sink, call_key, event, text", "tiit"},
    {"lane", "sink, due_ms, paused, until_ms, because", "tiiit"},
    {"refused", "number, at_ms, source, peer, http_status, error, detail, path", "iittittt"},
    {"action", "number, at_ms, who, peer, action, target, detail, http_status, result", "iitttttit"},
}};

}  // namespace

std::span<const CopyTable> CopyTables() {
  return kTables;
}

std::size_t ColumnOf(const CopyTable& table, std::string_view column) {
  std::size_t index = 0;
  for (std::string_view rest = table.columns;; ++index) {
    const std::size_t end = rest.find(", ");
    if (rest.substr(0, end) == column) return index;
    HSW_CHECK(end != std::string_view::npos, "a key is a column");
    rest.remove_prefix(end + 2);
  }
}

}  // namespace hookswitch
