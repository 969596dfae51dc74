#pragma once
#include <boost/json.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace webhook {

/// Escaped as a JSON pointer's reference token (RFC 6901).
std::string Escaped(std::string_view key);

/// A body template: JSON whose strings may contain placeholders from the normalized event (`{{agent.name}}`) and the
/// message (`{{message.title}}`), `{{delivery}}` and `{{rule}}`. The result is valid JSON for any values.
class BodyTemplate {
 public:
  explicit BodyTemplate(boost::json::value pattern) : pattern_(std::move(pattern)) {}

  /// Calls `report` for each string with an unknown name, with its JSON pointer below the template.
  void Check(const std::function<void(const std::string& pointer, const std::string& problem)>& report) const;
  /// A string that consists of one placeholder keeps the value's type. In a longer string values become text, and
  /// missing ones are empty.
  std::string Fill(const hsw::Delivery& delivery) const;

 private:
  boost::json::value pattern_;
};

}  // namespace webhook
