#include "core/base/query_string.h"

#include <algorithm>

#include "core/base/encoding.h"

namespace hookswitch {
std::string FormDecoded(std::string_view text) {
  std::string spaced(text);
  std::replace(spaced.begin(), spaced.end(), '+', ' ');
  return PercentDecoded(spaced);
}

std::optional<QueryParameter> TakeParameter(std::string_view& query) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos) return QueryParameter{pair, std::nullopt};
    return QueryParameter{pair.substr(0, equals), pair.substr(equals + 1)};
  }
  return {};
}

std::vector<std::pair<std::string, std::string>> FormFields(std::string_view body) {
  std::vector<std::pair<std::string, std::string>> fields;
  while (const auto field = TakeParameter(body)) {
    fields.emplace_back(FormDecoded(field->name), FormDecoded(field->value.value_or("")));
  }
  return fields;
}

}  // namespace hookswitch
