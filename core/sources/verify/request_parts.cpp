#include "core/sources/verify/request_parts.h"

#include <algorithm>
#include <charconv>

#include "core/base/encoding.h"
#include "core/base/query_string.h"
#include "core/base/text.h"
#include "core/base/time_text.h"
#include "core/sources/form.h"

namespace hookswitch::verify {
namespace {

constexpr std::string_view kBetweenItems = ",; \t";
constexpr std::chrono::minutes kMostAhead{5};
// As seconds, the year 5138; as milliseconds, 1973.
constexpr std::int64_t kFirstMilliseconds = 100'000'000'000;
// Further away is no time of a request, and must not overflow.
constexpr std::int64_t kLastSeconds = 1'000'000'000'000;

std::optional<std::int64_t> WholeNumber(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || text.front() == '-' || error != std::errc() || end != text.data() + text.size()) return {};
  return number;
}

}  // namespace

std::variant<std::string_view, Fault> OnlyHeader(const SignedRequest& request, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    std::optional<std::string_view> found;
    for (const auto& [key, value] : request.headers) {
      if (!EqualsIgnoreCase(key, name)) continue;
      if (found) return Fault{Fault::Kind::kWrong, "the header " + name + " came more than once"};
      found = Trim(value);
    }
    if (found && found->empty()) return Fault{Fault::Kind::kMissing, "the header " + name + " is empty"};
    if (found) return *found;
  }
  return Fault{Fault::Kind::kMissing, "there is no header " + Joined(names, " or ")};
}

std::variant<std::string_view, Fault> OnlyHeader(const SignedRequest& request, const std::string& name) {
  return OnlyHeader(request, std::vector<std::string>{name});
}

std::vector<std::string_view> Items(std::string_view text) {
  std::vector<std::string_view> items;
  while (!text.empty()) {
    const auto end = std::min(text.find_first_of(kBetweenItems), text.size());
    if (end > 0) items.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

std::optional<std::string_view> Behind(std::string_view prefix, std::string_view text) {
  const auto star = prefix.find('*');
  const std::string_view before = prefix.substr(0, star);
  if (!text.starts_with(before)) return {};
  text.remove_prefix(before.size());
  if (star == prefix.npos) return text;
  const std::string_view after = prefix.substr(star + 1);
  const auto at = text.find(after);
  if (at == text.npos) return {};
  return text.substr(at + after.size());
}

std::optional<std::string> Decoded(config::Verify::Encoding encoding, std::string_view text) {
  if (encoding == config::Verify::Encoding::kHex) return FromHex(text);
  auto bytes = FromBase64(text);
  if (!bytes) return {};
  // Bits that no byte needs must be zero.
  std::string letters(text.substr(0, text.find('=')));
  std::replace(letters.begin(), letters.end(), '+', '-');
  std::replace(letters.begin(), letters.end(), '/', '_');
  return Base64Url(*bytes) == letters ? bytes : std::nullopt;
}

std::optional<WallTime> ReadTime(std::string_view text, config::Verify::TimeUnit unit) {
  using Unit = config::Verify::TimeUnit;
  const auto number = WholeNumber(text);
  if (unit == Unit::kAuto) {
    unit = !number ? Unit::kIso : *number < kFirstMilliseconds ? Unit::kSeconds : Unit::kMilliseconds;
  }
  if (unit == Unit::kIso) return ParseTime(text);
  if (!number) return {};
  const bool is_seconds = unit == Unit::kSeconds;
  if (*number / (is_seconds ? 1 : 1000) > kLastSeconds) return {};
  return WallTime(is_seconds ? std::chrono::milliseconds(std::chrono::seconds(*number))
                             : std::chrono::milliseconds(*number));
}

std::optional<Fault> CheckAge(WallTime at, WallTime now, std::chrono::milliseconds tolerance) {
  const auto allowed = FormatDuration(tolerance);
  if (now - at > tolerance) return Fault{Fault::Kind::kExpired, "it was signed more than " + allowed + " ago"};
  const auto ahead = std::min<std::chrono::milliseconds>(tolerance, kMostAhead);
  if (at - now > ahead) {
    return Fault{Fault::Kind::kExpired, "it was signed more than " + FormatDuration(ahead) + " in the future"};
  }
  return {};
}

UrlParts PartsOf(std::string_view url) {
  UrlParts parts;
  if (const auto scheme = url.find("://"); !url.starts_with('/') && scheme != url.npos) {
    parts.scheme = url.substr(0, scheme);
    url.remove_prefix(scheme + 3);
    const auto end = std::min(url.find_first_of("/?"), url.size());
    parts.authority = url.substr(0, end);
    url.remove_prefix(end);
  }
  const auto mark = url.find('?');
  parts.path = url.substr(0, mark);
  if (mark != url.npos) parts.query = url.substr(mark + 1);
  return parts;
}

std::optional<std::vector<std::pair<std::string, std::string>>> FormOf(const SignedRequest& request) {
  const auto type = OnlyHeader(request, "Content-Type");
  const auto* text = std::get_if<std::string_view>(&type);
  if (!text) return {};
  if (FormKindOf(*text) != FormKind::kUrlEncoded) return {};
  return FormFields(request.body);
}

}  // namespace hookswitch::verify
