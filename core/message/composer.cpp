#include "core/message/composer.h"

#include <map>
#include <optional>

#include "core/base/text.h"
#include "core/message/default_message.h"
#include "core/message/text_template.h"

namespace hookswitch {
namespace {

using message::TextTemplate;

// Position in the file of `tag`, the `nth` of its kind in a template. The value may be quoted, folded or indented
// there, so this searches for tags from the value's position.
config::Mark PlaceOf(const config::Mark& value, std::string_view tag, std::size_t nth) {
  if (!value.file || value.line <= 0 || tag.empty()) return value;
  const std::string_view text = value.file->text;
  std::size_t at = 0;
  for (int line = 1; line < value.line; ++line) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return value;
    ++at;
  }
  at += static_cast<std::size_t>(value.column > 0 ? value.column - 1 : 0);
  for (std::size_t i = 0; at < text.size(); ++i, ++at) {
    at = text.find(tag, at);
    if (at == std::string_view::npos) return value;
    if (i == nth) break;
  }
  if (at >= text.size()) return value;
  config::Mark place = value;
  const std::string_view before = text.substr(0, at);
  place.line = 1;
  for (const char c : before) place.line += c == '\n';
  const auto line_start = before.rfind('\n');
  place.column = static_cast<int>(at - (line_start == std::string_view::npos ? 0 : line_start + 1)) + 1;
  return place;
}

std::optional<TextTemplate> CompileText(const std::string& text, const config::Mark& where, const std::string& name,
                                        config::Problems& problems) {
  if (text.empty()) return {};
  std::vector<TextTemplate::Fault> faults;
  TextTemplate compiled(text, faults);
  for (TextTemplate::Fault& fault : faults) {
    std::size_t nth = 0;
    for (auto at = text.find(fault.tag); at < fault.offset; at = text.find(fault.tag, at + 1)) ++nth;
    problems.Error(PlaceOf(where, fault.tag, nth), static_cast<int>(CodePoints(fault.tag)),
                   "template \"" + name + "\": " + fault.message, std::move(fault.hint));
  }
  return faults.empty() ? std::optional(std::move(compiled)) : std::nullopt;
}

// A title must be one line, even if the event's values contain line breaks.
std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : Trim(text)) {
    const bool space = static_cast<unsigned char>(c) <= 0x20;
    if (!space) line += c;
    if (space && !line.empty() && line.back() != ' ') line += ' ';
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

struct Compiled {
  std::optional<TextTemplate> title, text;
  bool fields = false, transcript = false;
};

}  // namespace

struct Composer::Impl {
  std::map<std::string, Compiled, std::less<>> templates;
};

Composer::Composer(std::unique_ptr<const Impl> impl) : impl_(std::move(impl)) {}
Composer::~Composer() = default;

std::shared_ptr<const Composer> Composer::Compile(const config::Config& config, config::Problems& problems) {
  auto impl = std::make_unique<Impl>();
  config::Problems found;
  for (const config::Template& t : config.templates) {
    Compiled compiled;
    compiled.title = CompileText(t.title, t.title_where, t.name, found);
    compiled.text = CompileText(t.text, t.text_where, t.name, found);
    compiled.fields = t.fields;
    compiled.transcript = t.transcript;
    impl->templates.emplace(t.name, std::move(compiled));
  }
  for (const config::Problem& p : found.All()) problems.Add(p);
  if (found.HasErrors()) return nullptr;
  return std::shared_ptr<const Composer>(new Composer(std::move(impl)));
}

Message Composer::Compose(const CallEvent& event, std::string_view template_name) const {
  const auto it = impl_->templates.find(template_name);
  const Compiled* used = template_name.empty() || it == impl_->templates.end() ? nullptr : &it->second;
  Message m;
  if (used && used->title) m.title = OneLine(used->title->Render(event));
  if (m.title.empty()) m.title = OneLine(message::DefaultTitle(event));
  m.severity = message::SeverityOf(event.status);
  if (!used || used->fields) {
    m.fields = message::DefaultFields(event);
    m.links = message::Links(event);
  }
  if (!used) m.text = message::DefaultText(event);
  if (used && used->text) m.text = Trim(used->text->Render(event));
  if (!used || used->transcript) m.transcript = message::TranscriptText(event);
  m.at = message::TimeOf(event);
  return m;
}

}  // namespace hookswitch
