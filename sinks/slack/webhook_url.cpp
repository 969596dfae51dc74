#include "webhook_url.h"

#include <algorithm>
#include <vector>

#include "hookswitch/sink.hpp"

namespace slack {
namespace {

constexpr std::string_view kWhereToGetOne =
    "copy it from api.slack.com/apps > your app > Incoming Webhooks; it looks like "
    "https://hooks.slack.com/services/T…/B…/…";

struct Parts {
  std::string_view scheme, authority, path;
};

Parts Split(std::string_view url) {
  Parts parts;
  const auto colon = url.find("://");
  if (colon == std::string_view::npos) return parts;
  parts.scheme = url.substr(0, colon);
  url.remove_prefix(colon + 3);
  const auto end = std::min(url.find_first_of("/?#"), url.size());
  parts.authority = url.substr(0, end);
  parts.path = url.substr(end);
  return parts;
}

std::vector<std::string_view> Segments(std::string_view path) {
  std::vector<std::string_view> segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    segments.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return segments;
}

bool IsPlaceholder(std::string_view segment) {
  if (segment.empty()) return true;
  const bool all_x = segment.find_first_not_of("Xx") == std::string_view::npos && segment.size() >= 3;
  const bool zeros = segment.size() >= 3 && (segment[0] == 'T' || segment[0] == 'B') &&
                     segment.find_first_not_of("0", 1) == std::string_view::npos;
  const bool words = segment.find("YOUR") != std::string_view::npos || segment.find("your") != std::string_view::npos ||
                     segment.find_first_of("<>{}$…") != std::string_view::npos;
  return all_x || zeros || words;
}

bool IsSlack(std::string_view host) {
  return hsw::EqualsIgnoreCase(host, "hooks.slack.com") || hsw::EqualsIgnoreCase(host, "hooks.slack-gov.com");
}

}  // namespace

Kind KindOf(std::string_view url) {
  const auto path = Split(url).path;
  return path.starts_with("/workflows/") || path.starts_with("/triggers/") ? Kind::kWorkflow : Kind::kMessage;
}

std::string ProblemWith(std::string_view url, bool allow_any_host) {
  if (url.empty()) return "is empty: " + std::string(kWhereToGetOne);
  for (const char c : url) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) {
      return "has a space or a line break in it: it must be the URL alone";
    }
  }
  const auto [scheme, authority, path] = Split(url);
  if (scheme.empty() || authority.empty()) return "is not a URL: " + std::string(kWhereToGetOne);
  const bool https = hsw::EqualsIgnoreCase(scheme, "https");
  if (!https && !hsw::EqualsIgnoreCase(scheme, "http")) return "must begin with https://";
  if (authority.find('@') != std::string_view::npos) return "must not have a user name or password before the host";
  if (allow_any_host) return "";

  if (!https) return "must begin with https://: the URL is a credential and http:// sends it in the clear";
  auto host = authority;
  if (host.ends_with(":443")) host.remove_suffix(4);
  if (!IsSlack(host)) {
    return "must be on hooks.slack.com or hooks.slack-gov.com; set allow_any_host: true if it is a Slack-compatible "
           "server";
  }
  if (path.find_first_of("?#") != std::string_view::npos) return "must not have a query or a fragment";
  const auto segments = Segments(path);
  const auto kind = segments.empty() ? std::string_view() : segments[0];
  const bool services = kind == "services" && segments.size() == 4;
  const bool workflows = kind == "workflows" && segments.size() == 5;
  const bool triggers = kind == "triggers" && segments.size() == 4;
  if (!services && !workflows && !triggers) {
    return "is on Slack's host but is not a webhook URL (/services/T…/B…/…, /workflows/… or /triggers/…): " +
           std::string(kWhereToGetOne);
  }
  if (std::any_of(segments.begin() + 1, segments.end(), IsPlaceholder)) {
    return "is a placeholder, not a real webhook URL: " + std::string(kWhereToGetOne);
  }
  return "";
}

}  // namespace slack
