#include "core/cli/tail_filter.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/base/text.h"
#include "core/cli/printing.h"
#include "core/event/call_event.h"

namespace hookswitch::cli {
namespace {

constexpr const char* kTailKinds[] = {"event", "delivery", "refused", "sink", "reload"};

bool IsAmong(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

Result<TailFilter> TailFilter::Make(Given given) {
  TailFilter filter;
  std::vector<std::string> kinds = given.kinds;
  if (kinds.empty()) kinds.assign(std::begin(kTailKinds), std::end(kTailKinds));
  std::string asked;
  const auto leaves = [&](const char* option, bool is_given, const std::vector<std::string>& having) {
    if (!is_given) return;
    asked += (asked.empty() ? "" : " and ") + std::string(option);
    std::erase_if(kinds, [&](const std::string& kind) { return !IsAmong(having, kind); });
  };
  leaves("--agent", !given.agent.empty(), {"event", "delivery"});
  leaves("--status", !given.status.empty(), {"event", "delivery"});
  leaves("--call-id", !given.call_id.empty(), {"event", "delivery"});
  leaves("--source", !given.source.empty(), {"event", "refused"});
  leaves("--sink", !given.sink.empty(), {"event", "delivery", "sink"});
  leaves("--rule", !given.rule.empty(), {"event", "delivery"});
  leaves("--state", !given.states.empty(), {"delivery"});
  if (kinds.empty()) {
    return Error{ErrorCode::kInvalid, "nothing can be shown: no kind of message has " + asked +
                                          (given.kinds.empty() ? "" : ", of those that --kind names")};
  }
  filter.kinds_ = Joined(kinds, ",");
  if (!given.status.empty()) {
    const auto group = ParseStatusGroup(given.status);
    const auto one = ParseStatus(given.status);
    if (!group && !one) {
      const auto names = StatusNames();
      return Error{ErrorCode::kInvalid, "--status \"" + given.status + "\" is no status; " +
                                            DidYouMean(given.status, {names.begin(), names.end()})};
    }
    const StatusSet wanted = group ? *group : Bit(*one);
    for (std::size_t i = 0; i < kCallStatusCount; ++i) {
      const auto status = static_cast<CallStatus>(i);
      if ((wanted & Bit(status)) != 0) filter.statuses_.emplace_back(ToString(status));
    }
  }
  filter.given_ = std::move(given);
  return filter;
}

bool TailFilter::HasAgent(const json::object& message) const {
  const std::string agent = Text(message, "agent");
  return agent != "-" && (GlobMatch(given_.agent, agent) || IsAmong(given_.more_agents, agent));
}

bool TailFilter::HasDelivery(std::string_view kind, const json::object& message) const {
  const auto fits = [this](const json::object& delivery) {
    return (given_.sink.empty() || Text(delivery, "sink") == given_.sink) &&
           (given_.rule.empty() || Text(delivery, "rule") == given_.rule);
  };
  if (kind == "sink") return Text(message, "sink") == given_.sink;
  if (kind == "delivery") return fits(message);
  return std::ranges::any_of(ListAt(message, "outcomes"),
                             [&](const json::value& one) { return one.is_object() && fits(one.get_object()); });
}

bool TailFilter::Wants(std::string_view kind, const json::object& message) const {
  // What was left out may have been wanted.
  if (kind == "gap") return true;
  std::string_view kinds = kinds_;
  bool is_asked_for = false;
  while (!kinds.empty() && !is_asked_for) {
    const auto end = std::min(kinds.find(','), kinds.size());
    is_asked_for = kinds.substr(0, end) == kind;
    kinds.remove_prefix(std::min(end + 1, kinds.size()));
  }
  if (!is_asked_for) return false;
  if (!given_.agent.empty() && !HasAgent(message)) return false;
  if (!statuses_.empty() && !IsAmong(statuses_, Text(message, "status"))) return false;
  if (!given_.call_id.empty() && Text(message, "call_id") != given_.call_id) return false;
  if (!given_.source.empty() && Text(message, "source") != given_.source) return false;
  if ((!given_.sink.empty() || !given_.rule.empty()) && !HasDelivery(kind, message)) return false;
  return given_.states.empty() || IsAmong(given_.states, Text(message, "state"));
}

}  // namespace hookswitch::cli
