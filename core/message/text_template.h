#pragma once
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/event/call_event.h"

namespace hookswitch::message {

/// A mustache text over an event's variables. Nothing is escaped here, sinks do that: `{{x}}` and `{{{x}}}` are the
/// same. A value that the event does not have shows as "-"; sections (`{{#x}}…{{/x}}`, `{{^x}}…{{/x}}`) ask whether it
/// has one, and `{{#tags}}{{.}} {{/tags}}` goes through the tags. Partials and other delimiters are refused. What an
/// event says is never read as a template. Immutable; safe from any thread.
class TextTemplate {
 public:
  struct Fault {
    std::size_t offset = 0;  ///< into the template's text
    std::string tag;         ///< as written: "{{agnet}}"
    std::string message;
    std::string hint;
  };
  /// Finds every unknown variable at once; of syntax errors the first.
  TextTemplate(const std::string& text, std::vector<Fault>& faults);
  ~TextTemplate();
  TextTemplate(TextTemplate&&) noexcept;
  TextTemplate& operator=(TextTemplate&&) noexcept;

  /// At most kMaxCodePoints; the rest is cut.
  std::string Render(const CallEvent& event) const;
  static constexpr std::size_t kMaxCodePoints = 40'000;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// `text` rendered as a TextTemplate; empty if it is none.
std::optional<std::string> Expand(const CallEvent& event, std::string_view text);

}  // namespace hookswitch::message
