#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/call_event.h"

namespace hookswitch::message {

/// A mustache template over an event's variables. Does not escape (sinks do): `{{x}}` and `{{{x}}}` are equal. A
/// missing value renders as "-"; sections (`{{#x}}…{{/x}}`, `{{^x}}…{{/x}}`) test whether it exists, and
/// `{{#tags}}{{.}} {{/tags}}` iterates over the tags. Partials and custom delimiters are errors. Values are never
/// parsed as templates. Immutable. [thread: any]
class TextTemplate {
 public:
  struct Fault {
    std::size_t offset = 0;  ///< bytes into the template's text
    std::string tag;         ///< as written: "{{agnet}}"
    std::string message;
    std::string hint;
  };
  /// Reports all unknown variables, but only the first syntax error.
  TextTemplate(const std::string& text, std::vector<Fault>& faults);
  ~TextTemplate();
  TextTemplate(TextTemplate&&) noexcept;
  TextTemplate& operator=(TextTemplate&&) noexcept;

  /// Renders at most kMaxCodePoints; the rest is cut.
  std::string Render(const CallEvent& event) const;
  static constexpr std::size_t kMaxCodePoints = 40'000;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `text` rendered as a TextTemplate; empty if it is not a valid one.
std::optional<std::string> Expand(const CallEvent& event, std::string_view text);

}  // namespace hookswitch::message
