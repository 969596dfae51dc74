#include "core/sources/mapping/content.h"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace hookswitch::mapping {
namespace {

struct Field {
  std::string_view name;
  void (*swap)(CallEvent& a, CallEvent& b);
};
template <auto member>
void Swap(CallEvent& a, CallEvent& b) {
  std::swap(a.*member, b.*member);
}
constexpr Field kFields[] = {{"agent.id", Swap<&CallEvent::agent_id>},
                             {"status", Swap<&CallEvent::status>},
                             {"raw_status", Swap<&CallEvent::raw_status>},
                             {"stage", Swap<&CallEvent::stage>},
                             {"direction", Swap<&CallEvent::direction>},
                             {"from", Swap<&CallEvent::from>},
                             {"to", Swap<&CallEvent::to>},
                             {"started_at", Swap<&CallEvent::started_at>},
                             {"ended_at", Swap<&CallEvent::ended_at>},
                             {"duration", Swap<&CallEvent::duration>},
                             {"transcript", Swap<&CallEvent::transcript>},
                             {"summary", Swap<&CallEvent::summary>},
                             {"cost", Swap<&CallEvent::cost>},
                             {"recording_url", Swap<&CallEvent::recording_url>},
                             {"hangup.by", Swap<&CallEvent::hangup_by>},
                             {"hangup.reason", Swap<&CallEvent::hangup_reason>},
                             {"hangup.code", Swap<&CallEvent::hangup_code>},
                             {"voicemail", Swap<&CallEvent::voicemail>},
                             {"error", Swap<&CallEvent::error>},
                             {"sentiment", Swap<&CallEvent::sentiment>},
                             {"success", Swap<&CallEvent::success>},
                             {"data", Swap<&CallEvent::data>},
                             {"meta", Swap<&CallEvent::meta>}};

// Moves the entry `key`, and what is below it, to `to`.
template <class Map>
void MoveEntries(Map& from, Map& to, std::string_view key) {
  for (auto entry = from.begin(); entry != from.end();) {
    const std::string_view name = entry->first;
    const bool is_below = name.size() > key.size() && name.starts_with(key) && name[key.size()] == '.';
    if (name != key && !is_below) {
      ++entry;
      continue;
    }
    to.try_emplace(entry->first, std::move(entry->second));
    entry = from.erase(entry);
  }
}

bool IsOf(std::string_view parent, std::string_view field) {
  return field == parent || (field.size() > parent.size() && field.starts_with(parent) && field[parent.size()] == '.');
}

}  // namespace

std::uint64_t ContentSumWithout(CallEvent& event, std::span<const std::string> fields) {
  if (fields.empty()) return ContentSum(event);
  CallEvent apart;
  std::vector<const Field*> swapped;
  for (const std::string_view name : fields) {
    for (const Field& field : kFields) {
      // "hangup" is all of it; "cost.amount" is all of the cost.
      const bool is_it = IsOf(name, field.name) || (field.name == "cost" && IsOf("cost", name));
      if (!is_it || std::ranges::find(swapped, &field) != swapped.end()) continue;
      field.swap(event, apart);
      swapped.push_back(&field);
    }
  }
  for (const std::string_view name : fields) {
    if (name.starts_with("data.")) MoveEntries(event.data, apart.data, name.substr(5));
    if (name.starts_with("meta.")) MoveEntries(event.meta, apart.meta, name.substr(5));
  }
  const std::uint64_t sum = ContentSum(event);
  for (const Field* field : swapped) field->swap(event, apart);
  for (auto& [key, value] : apart.data) event.data.try_emplace(key, std::move(value));
  for (auto& [key, value] : apart.meta) event.meta.try_emplace(key, std::move(value));
  return sum;
}

}  // namespace hookswitch::mapping
