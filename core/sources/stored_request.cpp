#include "core/sources/stored_request.h"

#include <algorithm>

#include "core/base/query_string.h"
#include "core/base/text.h"
#include "core/sources/form.h"

namespace hookswitch {
namespace {

void KeepParameters(std::string& kept, std::span<const std::string_view> names, std::string_view query) {
  if (names.empty()) return;
  while (const auto parameter = TakeParameter(query)) {
    if (std::ranges::find(names, FormDecoded(parameter->name)) == names.end()) continue;
    if (!kept.empty()) kept += '&';
    kept += parameter->name;
    if (parameter->value) kept.append(1, '=').append(*parameter->value);
  }
}

}  // namespace

Headers KeptOf(const Source& source, std::span<const std::pair<std::string, std::string>> headers,
               std::string_view query) {
  Headers kept;
  std::string parameters;
  KeepParameters(parameters, source.KeptParameters(), query);
  for (const auto& header : headers) {
    const std::string_view name = header.first, value = header.second;
    const auto is_it = [&](std::string_view read) { return EqualsIgnoreCase(read, name); };
    const bool says_form = source.ReadsForms() && is_it("content-type") && FormKindOf(value) != FormKind::kNone;
    if (name == kQueryName) KeepParameters(parameters, source.KeptParameters(), value);
    if (says_form || std::ranges::any_of(source.KeptHeaders(), is_it)) kept.push_back(header);
  }
  if (!parameters.empty()) kept.emplace_back(kQueryName, std::move(parameters));
  return kept;
}

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

std::variant<Normalized, Refusal> NormalizeStored(const Source& source, const RawRequest& request) {
  auto read = source.Normalize(request);
  auto* normalized = std::get_if<Normalized>(&read);
  auto* call = normalized ? std::get_if<CallEvent>(&normalized->what) : nullptr;
  if (!call) return read;
  for (const auto& [name, value] : request.headers) {
    if (name == kCarriedName) AddCarried(*call, value, request.paths);
  }
  return read;
}

std::variant<CallEvent, NotACall, Refusal> ReadAgain(const Source& source, const StoredRequest& request,
                                                     FieldPaths* paths) {
  const Headers headers = ParseHeaderLines(request.headers);
  auto read = NormalizeStored(source, {request.body, headers, request.received_at, paths});
  if (auto* refusal = std::get_if<Refusal>(&read)) return std::move(*refusal);
  auto& what = std::get<Normalized>(read).what;
  if (auto* other = std::get_if<NotACall>(&what)) return std::move(*other);
  auto& call = std::get<CallEvent>(what);
  call.id = request.id;
  call.received_at = request.received_at;
  return std::move(call);
}

}  // namespace hookswitch
