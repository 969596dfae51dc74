#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "core/base/json.h"

namespace hookswitch {

/// Checks values against the schemas of one document: the part of JSON Schema (2020-12) that the admin API's document
/// is written in. A keyword that it does not know is a finding, too, so that nothing in the document goes unchecked.
class SchemaRules {
 public:
  /// `document` outlives it; "$ref" is a pointer into it.
  explicit SchemaRules(const json::value& document) : document_(document) {}

  /// What is wrong with `value`: "/events/0/id: is not string". Empty: nothing.
  std::vector<std::string> Check(const json::value& schema, const json::value& value) const;
  /// What "#/components/…" stands for, or nullptr.
  const json::value* Find(std::string_view reference) const;

 private:
  using Findings = std::vector<std::string>;
  void Check(const json::object& schema, const json::value& value, const std::string& at, Findings& findings) const;
  void CheckObject(const json::object& schema, const json::object& value, const std::string& at,
                   Findings& findings) const;
  void CheckArray(const json::object& schema, const json::array& value, const std::string& at,
                  Findings& findings) const;
  void CheckText(const json::object& schema, std::string_view value, const std::string& at, Findings& findings) const;
  std::size_t CountFitting(const json::array& schemas, const json::value& value, const std::string& at,
                           Findings& findings) const;

  const json::value& document_;
};

}  // namespace hookswitch
