#include "core/sources/stored_request.h"

#include <algorithm>

#include "core/base/text.h"

namespace hookswitch {

std::string HeaderLines(std::span<const std::pair<std::string, std::string>> headers) {
  std::string lines;
  for (const auto& [name, value] : headers) lines.append(name).append(": ").append(value).append(1, '\n');
  return lines;
}

Headers ParseHeaderLines(std::string_view lines) {
  Headers headers;
  while (!lines.empty()) {
    const auto end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    lines.remove_prefix(std::min(end + 1, lines.size()));
    if (const auto colon = line.find(':'); colon != std::string_view::npos) {
      headers.emplace_back(Trim(line.substr(0, colon)), Trim(line.substr(colon + 1)));
    }
  }
  return headers;
}

std::variant<CallEvent, NotACall, Refusal> ReadAgain(const Source& source, const StoredRequest& request) {
  const Headers headers = ParseHeaderLines(request.headers);
  auto read = source.Normalize({request.body, headers, request.received_at});
  if (auto* refusal = std::get_if<Refusal>(&read)) return std::move(*refusal);
  auto& what = std::get<Normalized>(read).what;
  if (auto* other = std::get_if<NotACall>(&what)) return std::move(*other);
  auto& call = std::get<CallEvent>(what);
  call.id = request.id;
  call.received_at = request.received_at;
  return std::move(call);
}

}  // namespace hookswitch
