#pragma once
#include <boost/json.hpp>
#include <functional>
#include <string>
#include <string_view>

#include "hookswitch/sink.hpp"

namespace webhook {

/// As a part of a JSON pointer (RFC 6901).
std::string Escaped(std::string_view key);

/// A body made after a pattern: JSON whose texts hold {{names}} of the normalized event (`{{agent.name}}`), of the
/// message (`{{message.title}}`), `{{delivery}}` and `{{rule}}`. What it makes is JSON whatever the values hold.
class BodyTemplate {
 public:
  explicit BodyTemplate(boost::json::value pattern) : pattern_(std::move(pattern)) {}

  /// Tells `report` each text (by JSON pointer below the pattern) with a name that is not known.
  void Check(const std::function<void(const std::string& pointer, const std::string& problem)>& report) const;
  /// A text that is one name alone becomes its value, of any type; in a longer text a value is text, and nothing where
  /// the event does not have it.
  std::string Fill(const hsw::Delivery& delivery) const;

 private:
  boost::json::value pattern_;
};

}  // namespace webhook
