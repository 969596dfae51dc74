#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/config/config.h"
#include "core/event/call_event.h"
#include "core/routing/conditions.h"

namespace hookswitch::routing {

/// Finds the rules that could match an event: by its status and stage, and by one value that a rule requires (an agent,
/// a number or a tag) or the beginning of one: `billing-*`. Rules without such a value are candidates for every event
/// with one of their statuses and stages. Immutable.
class Candidates {
 public:
  explicit Candidates(const std::vector<config::Rule>& rules);

  /// Calls `visit(rule index)` for each candidate in the order of the rules, until it returns false.
  template <class Visit>
  void ForEach(const CallEvent& event, Visit visit) const;

 private:
  using RuleIndex = std::uint32_t;
  using List = std::span<const RuleIndex>;
  /// Rules grouped by step (status and stage), in one vector.
  struct Bucket {
    std::array<std::uint32_t, kStepCount + 1> begin{};
    std::vector<RuleIndex> rules;
    List For(std::size_t step) const { return List(rules).subspan(begin[step], begin[step + 1] - begin[step]); }
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  using ByValue = std::unordered_map<std::string, Bucket, Hash, std::equal_to<>>;

  struct Index {
    ByValue whole, beginnings;
    std::vector<std::size_t> lengths;  ///< of the beginnings, shortest first
    bool empty() const { return whole.empty() && beginnings.empty(); }
  };

  static Bucket MakeBucket(const std::vector<RuleIndex>& rules, const std::vector<StepSet>& steps);
  static void Add(std::pmr::vector<List>& lists, const Index& index, std::string_view value, std::size_t step);
  static void Add(std::pmr::vector<List>& lists, const ByValue& by_value, std::string_view value, std::size_t step);

  Bucket unconditional_;
  Index by_agent_, by_to_, by_from_, by_tag_;
};

inline void Candidates::Add(std::pmr::vector<List>& lists, const Index& index, std::string_view value,
                            std::size_t step) {
  if (value.empty()) return;
  Add(lists, index.whole, value, step);
  for (const std::size_t length : index.lengths) {
    if (length > value.size()) break;
    Add(lists, index.beginnings, value.substr(0, length), step);
  }
}

inline void Candidates::Add(std::pmr::vector<List>& lists, const ByValue& by_value, std::string_view value,
                            std::size_t step) {
  if (by_value.empty()) return;
  const auto it = by_value.find(value);
  if (it == by_value.end()) return;
  if (const List list = it->second.For(step); !list.empty()) lists.push_back(list);
}

template <class Visit>
void Candidates::ForEach(const CallEvent& event, Visit visit) const {
  constexpr std::size_t kListsWithoutAllocation = 32;
  std::array<std::byte, kListsWithoutAllocation * sizeof(List)> buffer;
  std::pmr::monotonic_buffer_resource memory(buffer.data(), buffer.size());
  std::pmr::vector<List> lists(&memory);
  const std::size_t step = StepOf(event.status, event.stage);
  lists.reserve(kListsWithoutAllocation / 2);
  if (const List list = unconditional_.For(step); !list.empty()) lists.push_back(list);
  Add(lists, by_agent_, event.agent_id, step);
  Add(lists, by_agent_, event.agent_name, step);
  Add(lists, by_to_, event.to, step);
  Add(lists, by_from_, event.from, step);
  if (!by_tag_.empty()) {
    for (const std::string& tag : event.agent_tags) Add(lists, by_tag_, tag, step);
  }
  while (!lists.empty()) {
    RuleIndex next = lists[0].front();
    for (const List& list : lists) next = list.front() < next ? list.front() : next;
    if (!visit(next)) return;
    // A rule that names several values of the event is in several lists, and visited once.
    for (std::size_t i = 0; i < lists.size();) {
      if (lists[i].front() == next) lists[i] = lists[i].subspan(1);
      if (lists[i].empty()) {
        lists[i] = lists.back();
        lists.pop_back();
      } else {
        ++i;
      }
    }
  }
}

}  // namespace hookswitch::routing
