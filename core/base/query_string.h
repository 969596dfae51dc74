#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// Query strings and form bodies: "name=value&name=value".
///
/// Not Boost.URL: its parser refuses a whole query for one invalid escape or one byte that a URL should not hold ("|",
/// "é"). A parameter that nobody reads must not hide the secret beside it.
namespace hookswitch {

/// A parameter as it was sent, still encoded. Borrows from the query.
struct QueryParameter {
  std::string_view name;
  std::optional<std::string_view> value;  ///< empty without a "="
};

/// Removes the first parameter from `query` and returns it; empty at the end. Skips empty
/// parameters ("a=1&&b=2").
std::optional<QueryParameter> TakeParameter(std::string_view& query);

/// A name or a value of a query or a form; leaves invalid escapes unchanged.
std::string FormDecoded(std::string_view text);
/// The decoded fields of a form body, in order; leaves invalid escapes unchanged.
std::vector<std::pair<std::string, std::string>> FormFields(std::string_view body);

}  // namespace hookswitch
