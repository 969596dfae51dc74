#include "mentions.h"

namespace slack {
namespace {

// docs.slack.dev/messaging/formatting-message-text, "Mentioning"
std::string Mention(std::string_view who) {
  if (who == "here" || who == "channel" || who == "everyone") return "<!" + std::string(who) + ">";
  return (who.starts_with('S') ? "<!subteam^" : "<@") + std::string(who) + ">";
}

}  // namespace

Mentions::Mentions(const hsw::Config& config) {
  constexpr std::string_view kPrefix = "mentions.";
  for (const hsw_pair& value : config.Values()) {
    std::string_view key = hsw::View(value.name);
    if (!key.starts_with(kPrefix)) continue;
    key.remove_prefix(kPrefix.size());
    std::string& mentions = by_status_[std::string(key.substr(0, key.rfind('.')))];
    if (!mentions.empty()) mentions += ' ';
    mentions += Mention(hsw::View(value.value));
  }
}

std::string_view Mentions::For(std::string_view status) const {
  const auto found = by_status_.find(status);
  return found == by_status_.end() ? std::string_view() : found->second;
}

}  // namespace slack
